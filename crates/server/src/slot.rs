//! The part of a connection that is shared with whoever handles its request: socket, claim, unsent output.
//!
//! It stays in the loop's table while the exchange travels. The descriptor closes when the last holder lets go of the slot, and
//! every holder is the table or a live exchange: a handler can never write to a descriptor that was given to somebody else.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::claim::Claim;
use crate::descriptors::Process;
use crate::send_buffer::{Flushed, SendBuffer};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::transport::Transport;
use crate::{Content, Peer};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) transport: Transport,
    pub(crate) peer: Peer,
    pub(crate) claim: Claim,
    /// Whoever holds this lock writes to the socket; so bytes keep their order whoever comes first, handler or loop.
    output: Mutex<SendBuffer>,
    gone: AtomicBool,
    /// The one that it was accepted in; a forked child says nothing on it.
    process: Process,
}

impl Slot {
    pub(crate) fn new(transport: Transport, peer: Peer) -> Slot {
        Slot {
            transport,
            peer,
            claim: Claim::new(),
            output: Mutex::new(SendBuffer::default()),
            gone: AtomicBool::new(false),
            process: Process::current(),
        }
    }

    fn output(&self) -> MutexGuard<'_, SendBuffer> {
        lock(&self.output)
    }

    /// Sends `head`, `content` and `end` behind what waits; keeps what the kernel does not take.
    pub(crate) fn offer(&self, head: &[u8], content: Content, end: &'static [u8]) -> Flushed {
        if self.is_gone() || self.process.is_before() {
            return Flushed::Broken;
        }
        self.noting_loss(self.output().offer(&self.transport, head, content, end))
    }

    /// Puts bytes behind what waits, to be sent with the next flush; false if that would be more than `most` bytes.
    pub(crate) fn gather(&self, bytes: &[u8], most: u64) -> bool {
        if self.process.is_before() {
            return false;
        }
        let mut output = self.output();
        let fits = output.len() + bytes.len() as u64 <= most;
        if fits {
            output.push_bytes(bytes);
        }
        fits
    }

    /// Puts a block, with what comes before and after it, behind what waits.
    pub(crate) fn queue(&self, head: &[u8], content: Content, end: &[u8]) {
        let mut output = self.output();
        output.push_bytes(head);
        output.push(content);
        output.push_bytes(end);
    }

    /// Sends what waits.
    pub(crate) fn flush(&self) -> Flushed {
        if self.process.is_before() {
            return Flushed::Broken;
        }
        self.noting_loss(self.output().flush(&self.transport))
    }

    /// Sends what waits; the caller ends the connection when everything is sent.
    pub(crate) fn flush_last(&self) -> Flushed {
        if self.process.is_before() {
            return Flushed::Broken;
        }
        self.noting_loss(self.output().flush_last(&self.transport))
    }

    fn noting_loss(&self, flushed: Flushed) -> Flushed {
        if flushed == Flushed::Broken {
            self.note_gone();
        }
        flushed
    }

    /// The peer can no longer be reached.
    pub(crate) fn note_gone(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Ends the connection in both directions at once, wherever its exchange is. What waits to be sent is dropped.
    pub(crate) fn cut(&self) {
        self.note_gone();
        self.output().clear();
        self.transport.shutdown();
    }
}
