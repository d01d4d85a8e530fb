//! The last way out of a process.

/// Ends this process at once: no destructors, no exit handlers, no waiting for threads (`_exit(2)`).
///
/// For a process whose threads cannot be stopped any more, where an orderly exit would wait for them, or run into them.
#[allow(unsafe_code)]
pub fn exit_now(status: u8) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { nix::libc::_exit(status.into()) }
}
