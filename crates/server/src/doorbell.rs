//! Wakes the loop's owner out of the poller: an eventfd.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

use crate::descriptors;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Doorbell {
    eventfd: OwnedFd,
}

impl Doorbell {
    pub(crate) fn new() -> io::Result<Doorbell> {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        descriptors::note(&eventfd);
        Ok(Doorbell { eventfd })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.eventfd.as_fd()
    }

    /// The next (or current) poll returns. It fails only when it has been rung 2^64 - 1 times without a reset.
    pub(crate) fn ring(&self) {
        let _ = rustix::io::write(&self.eventfd, &1u64.to_ne_bytes());
    }

    /// Silent again.
    pub(crate) fn reset(&self) {
        let _ = rustix::io::read(&self.eventfd, &mut [0; 8]);
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        descriptors::forget(&self.eventfd);
    }
}
