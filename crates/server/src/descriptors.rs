//! The server's own descriptors, so that a child forked by an application can let go of them.
//!
//! A fork duplicates every descriptor. Left alone, a long-lived child would keep connections open that the server has closed, and
//! the listening port taken after the server has gone. No lock guards the record: a fork may happen while any thread does anything.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// One bit a descriptor; those past the end (more than a million) are not recorded. Pages that are never touched cost no memory.
static OWN: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];
const WORDS: usize = (1 << 20) / 64;

/// How many forks made this process, of those that are known here.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A descriptor is the server's from now on.
pub(crate) fn note(fd: impl AsFd) {
    let number = fd.as_fd().as_raw_fd() as usize;
    if let Some(word) = OWN.get(number / 64) {
        word.fetch_or(1 << (number % 64), Ordering::Relaxed);
    }
}

/// A descriptor is about to be closed, or is not the server's alone any more.
pub(crate) fn forget(fd: impl AsFd) {
    let number = fd.as_fd().as_raw_fd() as usize;
    if let Some(word) = OWN.get(number / 64) {
        word.fetch_and(!(1 << (number % 64)), Ordering::Relaxed);
    }
}

/// In which process something was made, for [`is_before`](Process::is_before) to tell in which it is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    /// The one that this runs in.
    pub(crate) fn current() -> Process {
        Process(FORKS.load(Ordering::Relaxed))
    }

    /// One that this was forked from.
    #[cfg(test)]
    pub(crate) fn earlier() -> Process {
        Process(FORKS.load(Ordering::Relaxed).wrapping_sub(1))
    }

    /// Whether this process is a child that was forked since. It has none of the threads from before, and answers no request from before.
    pub(crate) fn is_before(self) -> bool {
        self.0 != FORKS.load(Ordering::Relaxed)
    }
}

/// To be called in a child process right after a fork without exec, such as from `os.register_at_fork`: lets go of every listener and
/// connection. Their numbers stay taken (by `/dev/null`), so that nothing that still knows them can hit a descriptor of the child's own.
///
/// A handler that returns in the child ends the child: its request is the parent's to answer. A server that the child starts is its own.
pub fn after_fork_in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
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

/// Ends a child that was forked by a handler which was called in the process `called`, and has returned: without running what the parent is
/// going to run itself.
pub(crate) fn leave_if_forked(called: Process) {
    if called.is_before() {
        // SAFETY: it does not return, and touches nothing.
        #[allow(unsafe_code)]
        unsafe {
            libc::_exit(0)
        }
    }
}
