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
/// # Errors
/// As fork(2).
///
/// # Safety
/// This process must have one thread only.
#[allow(unsafe_code)]
pub unsafe fn fork_orphan(inner_fork: impl FnOnce() -> Forked) -> io::Result<Forked> {
    // SAFETY: with one thread, the child may do whatever the parent may; the caller sees to that.
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
