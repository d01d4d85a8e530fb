//! Content that the client holds back until it is asked for (`Expect: 100-continue`, RFC 9110 section 10.1.1).
//!
//! The handler is called first. Its first read sends `100 Continue` and waits; a handler that refuses without reading saves the
//! upload. Shared between the handler's [`RequestContent`](crate::RequestContent) and the exchange, which ends it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use brickwork_http::h1::{BodyReader, Framing, Step};

use crate::config::Setup;
use crate::input::Input;
use crate::promote::wait_outside;
use crate::slot::Slot;
use crate::sync::{Mutex, try_lock};
use crate::transport::{Direction, Moved};
use crate::{Content, send_buffer::Flushed};

/// See the module's documentation.
///
/// INVARIANT: nobody waits for the lock. Its holder may be waiting for content, and then for the interpreter lock, which whoever
/// would wait here may hold.
#[derive(Debug)]
pub(crate) struct Awaited {
    arrival: Mutex<Option<Arrival>>,
    /// Whether a read failed because the client took too long.
    is_late: AtomicBool,
}

/// The interim response that asks for held back content.
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The receiving side of a connection, lent to the handler.
#[derive(Debug)]
struct Arrival {
    setup: Arc<Setup>,
    slot: Arc<Slot>,
    reader: BodyReader,
    input: Input,
    /// Whether `100 Continue` was sent.
    asked: bool,
    /// How much has come, and how long the client was waited for: what the handler does between two reads is not its doing.
    received: u64,
    waited: Duration,
}

/// What is left when the request is over.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// All of the content was read; these bytes follow it.
    Complete(Vec<u8>),
    /// Some of it is unread, or a stray thread still reads: the connection can carry no other request.
    Incomplete,
}

impl Awaited {
    pub(crate) fn new(setup: Arc<Setup>, slot: Arc<Slot>, framing: Framing) -> Awaited {
        let reader = BodyReader::new(framing);
        let input = Input::default();
        let arrival = Arrival { setup, slot, reader, input, asked: false, received: 0, waited: Duration::ZERO };
        Awaited { arrival: Mutex::new(Some(arrival)), is_late: AtomicBool::new(false) }
    }

    /// Bytes still to come, where the framing says so.
    pub(crate) fn remaining(&self) -> Option<u64> {
        let arrival = try_lock(&self.arrival)?;
        arrival.as_ref().map_or(Some(0), |arrival| arrival.reader.remaining())
    }

    /// Whether all of the content has been read.
    pub(crate) fn is_complete(&self) -> bool {
        try_lock(&self.arrival).is_some_and(|arrival| arrival.as_ref().is_none_or(|a| a.reader.is_complete()))
    }

    /// Appends at least one byte of content to `window`, or none at its end.
    pub(crate) fn receive(&self, window: &mut Vec<u8>) -> io::Result<()> {
        let refuse = |why| Err(io::Error::new(io::ErrorKind::BrokenPipe, why));
        let Some(mut arrival) = try_lock(&self.arrival) else {
            return refuse("another thread is reading this content");
        };
        let received = match &mut *arrival {
            Some(arrival) => arrival.receive(window),
            None => return refuse("the request is over"),
        };
        if received.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            self.is_late.store(true, Relaxed);
        }
        received
    }

    /// Whether a read has failed because the client took too long.
    pub(crate) fn is_late(&self) -> bool {
        self.is_late.load(Relaxed)
    }

    /// No `100 Continue` any more: the final response has begun. The content may come all the same.
    pub(crate) fn stop_asking(&self) {
        // Whoever holds the lock is reading, and has asked already.
        if let Some(mut arrival) = try_lock(&self.arrival)
            && let Some(arrival) = &mut *arrival
        {
            arrival.asked = true;
        }
    }

    /// Ends the reading: later reads fail.
    pub(crate) fn end(&self) -> Outcome {
        // A thread of the application's own may be waiting for content this very moment: it keeps the lock, and finds the connection cut.
        let Some(mut arrival) = try_lock(&self.arrival) else { return Outcome::Incomplete };
        match arrival.take() {
            Some(arrival) if arrival.reader.is_complete() => Outcome::Complete(arrival.input.unused().to_vec()),
            _ => Outcome::Incomplete,
        }
    }
}

impl Arrival {
    fn receive(&mut self, window: &mut Vec<u8>) -> io::Result<()> {
        let setup = Arc::clone(&self.setup);
        loop {
            match self.reader.step(self.input.unused(), &setup.config.limits) {
                Ok(Step::Content { skip, len }) => {
                    window.extend_from_slice(self.input.unused().get(skip..skip + len).unwrap_or(&[]));
                    self.input.discard(skip + len);
                    return Ok(());
                }
                Ok(Step::Complete { skip }) => {
                    self.input.discard(skip);
                    return Ok(());
                }
                Ok(Step::Partial { skip }) => self.input.discard(skip),
                Err(rejection) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, rejection.rule.title()));
                }
            }
            self.fill()?;
        }
    }

    /// Asks for the content once, then waits for more of it.
    fn fill(&mut self) -> io::Result<()> {
        const ROOM: usize = 64 * 1024;
        if !self.asked {
            self.asked = true;
            if self.slot.offer(CONTINUE, Content::Empty, b"") == Flushed::Broken {
                return Err(left_early());
            }
        }
        loop {
            if self.slot.claim.is_with_loop() {
                // What comes now is dropped by the loop, or is no content.
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the request was answered, it took too long"));
            }
            match self.input.fill(&self.slot.transport, ROOM).0 {
                Moved::Bytes(count) => {
                    self.received = self.received.saturating_add(count as u64);
                    let is_too_slow = self.setup.config.deadlines.is_too_slow(self.received, self.waited);
                    return if is_too_slow { Err(too_late()) } else { Ok(()) };
                }
                Moved::End | Moved::Broken => return Err(left_early()),
                Moved::NotNow => {
                    let patience = self.setup.config.deadlines.content;
                    let wait = || {
                        let began = Instant::now();
                        let is_readable = self.slot.transport.wait(Direction::Readable, patience);
                        self.waited += began.elapsed();
                        is_readable
                    };
                    if !wait_outside(&*self.setup.interpreter, wait) {
                        return Err(too_late());
                    }
                }
            }
        }
    }
}

fn too_late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client sent no content in time")
}

fn left_early() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the client left before its content was complete")
}
