//! The last way out of a process, and a way out that does not depend on it.

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

/// Ends this process at once: no destructors, no exit handlers, no waiting for threads (`_exit(2)`).
///
/// For a process whose threads cannot be stopped any more, where an orderly exit would wait for them, or run into them.
#[allow(unsafe_code)]
pub fn exit_now(status: u8) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { nix::libc::_exit(status.into()) }
}

/// From now on (or no longer) the kernel kills this process when its parent ends: while it is busy with something that
/// it cannot be called away from.
///
/// # Errors
/// As prctl(2).
pub fn die_with_parent(is_wanted: bool) -> std::io::Result<()> {
    Ok(set_pdeathsig(is_wanted.then_some(Signal::SIGKILL))?)
}
