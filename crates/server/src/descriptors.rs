//! The server's own descriptors, so that a child forked by an application can let go of them.
//!
//! A fork duplicates every descriptor. Left alone, a long-lived child would keep connections open that the server has closed, and
//! the listening port taken after the server has gone. No lock guards the record: a fork may happen while any thread does anything.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// One bit a descriptor; those past the end (more than a million) are not recorded. Pages that are never touched cost no memory.
static OWN: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];
const WORDS: usize = (1 << 20) / 64;

static IS_FORKED: AtomicBool = AtomicBool::new(false);

/// A descriptor is the server's from now on.
pub(crate) fn note(fd: impl AsFd) {
    let number = fd.as_fd().as_raw_fd() as usize;
    if let Some(word) = OWN.get(number / 64) {
        word.fetch_or(1 << (number % 64), Ordering::Relaxed);
    }
}

/// A descriptor is about to be closed.
pub(crate) fn forget(fd: impl AsFd) {
    let number = fd.as_fd().as_raw_fd() as usize;
    if let Some(word) = OWN.get(number / 64) {
        word.fetch_and(!(1 << (number % 64)), Ordering::Relaxed);
    }
}

/// Whether this process is a child forked by a handler. It has none of the server's threads, and serves nothing.
pub(crate) fn is_forked() -> bool {
    IS_FORKED.load(Ordering::Relaxed)
}

/// To be called in a child process right after a fork without exec, such as from `os.register_at_fork`: lets go of every listener and
/// connection. Their numbers stay taken (by `/dev/null`), so that nothing that still knows them can hit a descriptor of the child's own.
///
/// A handler that returns in the child ends the child: its request is the parent's to answer.
pub fn after_fork_in_child() {
    IS_FORKED.store(true, Ordering::Relaxed);
    let Ok(null) = std::fs::File::options().read(true).write(true).open("/dev/null") else { return };
    for (index, word) in OWN.iter().enumerate() {
        let mut bits = word.load(Ordering::Relaxed);
        while bits != 0 {
            let number = (index * 64) as i32 + bits.trailing_zeros() as i32;
            bits &= bits - 1;
            // SAFETY: dup3 replaces a descriptor of the server's, which nothing in this process uses any more.
            #[allow(unsafe_code)]
            unsafe {
                libc::dup3(null.as_raw_fd(), number, libc::O_CLOEXEC);
            }
        }
    }
}

/// Ends a forked child whose handler has returned, without running what the parent is going to run itself.
pub(crate) fn leave_if_forked() {
    if is_forked() {
        // SAFETY: it does not return, and touches nothing.
        #[allow(unsafe_code)]
        unsafe {
            libc::_exit(0)
        }
    }
}
