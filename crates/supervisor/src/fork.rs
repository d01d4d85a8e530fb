//! A fork whose child belongs to the supervisor: the grandchild of a middle process that is gone at once, so that the
//! nearest subreaper inherits it, which the supervisor is.

use std::io;

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

use crate::exit_now;

/// On which side of [`fork_orphan`] we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The process that called.
    Caller,
    /// The new one.
    Child,
}

/// Forks. `inner_fork` is called in the middle process and forks again, with whatever hooks the language in use wants
/// run; it says on which side it came back.
///
/// Call it while this process has one thread. Locks that other threads hold are held for ever in the child.
///
/// # Errors
/// As fork(2).
#[allow(unsafe_code)]
pub fn fork_orphan(inner_fork: impl FnOnce() -> Forked) -> io::Result<Forked> {
    // SAFETY: with one thread, the child may do whatever the parent may. With more, as when an application has started
    // some, it may wait for ever, which is no worse than its own forks do.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            while waitpid(child, None) == Err(nix::errno::Errno::EINTR) {}
            Ok(Forked::Caller)
        }
        ForkResult::Child => match inner_fork() {
            Forked::Child => Ok(Forked::Child),
            Forked::Caller => exit_now(0),
        },
    }
}
