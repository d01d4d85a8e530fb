//! epoll(7).

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::descriptors;

/// An epoll instance.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
}

/// What happened to one registered descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readiness {
    /// What it was registered as.
    pub(crate) data: u64,
    /// There may be bytes (or an end) to receive.
    pub(crate) readable: bool,
    /// There may be room to send.
    pub(crate) writable: bool,
    /// The peer has finished sending.
    pub(crate) peer_finished: bool,
    /// The connection is broken or over in both directions.
    pub(crate) hung_up: bool,
}

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        descriptors::note(&epoll);
        Ok(Poller { epoll })
    }

    /// Registers a connection, edge-triggered for both directions: no further call is needed until it closes.
    pub(crate) fn add_connection(&self, socket: impl AsFd, data: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(data), flags)?)
    }

    /// Registers a listener. Of the processes that share it, each connection wakes few (EPOLLEXCLUSIVE), not all.
    pub(crate) fn add_listener(&self, fd: impl AsFd, data: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(data), EventFlags::IN | EventFlags::EXCLUSIVE)?)
    }

    /// Registers a descriptor that is only read and stays ready until it is, as a doorbell.
    pub(crate) fn add_level(&self, fd: impl AsFd, data: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(data), EventFlags::IN)?)
    }

    pub(crate) fn remove(&self, fd: impl AsFd) {
        let _ = epoll::delete(&self.epoll, fd);
    }

    /// Whether a wait would return at once. Does not take the events, so anybody may ask.
    pub(crate) fn has_events(&self) -> bool {
        let mut fds = [PollFd::new(&self.epoll, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
    }

    /// Waits for events; None waits for ever. Interrupted is nothing happened.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.batch.clear();
        events.next = 0;
        // Rounded up to whole milliseconds: a deadline must have passed when it wakes us.
        let timeout = timeout.map(|t| Timespec {
            tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(t.subsec_nanos()),
        });
        match epoll::wait(&self.epoll, spare_capacity(&mut events.batch), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        descriptors::forget(&self.epoll);
    }
}

/// A batch of events, handed out one by one.
pub(crate) struct Events {
    batch: Vec<Event>,
    next: usize,
}

// SAFETY: only the pointer that event data could be keeps `Event` from being `Send`, and here they are integers always.
#[allow(unsafe_code)]
unsafe impl Send for Events {}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Events({} of {})", self.next, self.batch.len())
    }
}

impl Events {
    /// Room for `capacity` events at a time.
    pub(crate) fn with_capacity(capacity: usize) -> Events {
        Events { batch: Vec::with_capacity(capacity), next: 0 }
    }

    /// Events of the batch that were not handed out yet.
    pub(crate) fn len(&self) -> usize {
        self.batch.len() - self.next
    }

    /// Whether the batch is used up.
    pub(crate) fn is_empty(&self) -> bool {
        self.next >= self.batch.len()
    }

    pub(crate) fn next(&mut self) -> Option<Readiness> {
        let event = self.batch.get(self.next)?;
        self.next += 1;
        let flags = event.flags;
        Some(Readiness {
            data: event.data.u64(),
            readable: flags.intersects(EventFlags::IN | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR),
            writable: flags.contains(EventFlags::OUT),
            peer_finished: flags.contains(EventFlags::RDHUP),
            hung_up: flags.intersects(EventFlags::HUP | EventFlags::ERR),
        })
    }
}
