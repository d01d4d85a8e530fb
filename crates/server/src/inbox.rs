//! What is given to a running loop from outside: listeners to accept from, and connections that were made elsewhere.

use std::os::fd::OwnedFd;

use crate::sync::{Mutex, lock};
use crate::{Listener, Peer};

/// See the module's documentation. Ring the doorbell after a delivery.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<Vec<Arrival>>);

/// One delivery.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Accept from it from now on.
    Listener(Listener),
    /// Serve it like an accepted connection. It is non-blocking.
    Connection(OwnedFd, Peer),
}

impl Inbox {
    pub(crate) fn deliver(&self, arrival: Arrival) {
        lock(&self.0).push(arrival);
    }

    pub(crate) fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *lock(&self.0))
    }
}
