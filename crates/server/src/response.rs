//! The sending half of an exchange: the handler's answer on its way to the kernel.

use std::sync::Arc;
use std::time::{Duration, Instant};

use brickwork_http::h1::{ResponseBody, ResponseLength};
use brickwork_http::reason_phrase;

use crate::promote::{is_inline, wait_outside};
use crate::send_buffer::Flushed;
use crate::slot::Held;
use crate::static_files::{HandedOver, unix_seconds};
use crate::transport::Direction;
use crate::{Content, Exchange, Traffic};

/// What went wrong while sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The client has left, or did not take the bytes within the write deadline.
    Gone,
    /// The server already answered this request itself (a deadline passed, or it sends the file that the handler named); the handler's
    /// answer is discarded.
    Superseded,
    /// The content ran over its Content-Length and was cut there.
    Overrun,
    /// So many bytes less than Content-Length came; the connection is closed.
    Short(u64),
}

/// Blocks wait for the courier until there are so many bytes of a connection.
const HELD: u64 = 512 * 1024;

/// One that comes so soon after another waits for the courier again though those before came slowly. Where more is between them, what it
/// costs to send each counts little.
const HEELS: Duration = Duration::from_micros(100);

/// How far the response has got.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) stage: Stage,
    body: Option<ResponseBody>,
    /// Bytes of content sent, for the access log.
    pub(crate) content_sent: u64,
    /// What may be waiting in the slot.
    pub(crate) waiting: Unsent,
    /// Blocks come slowly, and this is when the last one came.
    slow_block: Option<Instant>,
}

/// What of a response may be waiting in the slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unsent {
    #[default]
    Nothing,
    /// It waits by intention, for other answers.
    Gathered,
    /// Blocks wait for the courier.
    Held,
    /// The kernel did not take it.
    Refused,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing has been sent: any status is still possible.
    #[default]
    Open,
    /// The head is finished and waits for the first block.
    Begun,
    /// The head is on its way.
    Sending,
    /// The response is complete.
    Complete,
    /// The response was given up: the connection must not look as if it were complete.
    Aborted,
}

/// Content of up to this many bytes is copied behind its head: one piece for one system call. Above it a copy costs more than a second piece
/// (and a Python object kept for the call).
const COPIED: u64 = 4096;

/// Answers are gathered up to this many bytes for each connection; to copy so many costs less than to wake a client.
const GATHERED: u64 = 16 * 1024;

impl Exchange {
    /// Answers with `response` and all of its content at once; the content's length becomes the Content-Length unless the handler gave
    /// one. Offers the bytes to the kernel before it returns, or lets a small answer wait a moment for others (it is sent though the
    /// handler goes on); what the kernel does not take now the server sends later.
    /// For HEAD, 204 and 304 the content is not sent.
    ///
    /// # Errors
    /// As [`write`](Exchange::write) and [`finish`](Exchange::finish). The exchange is over either way.
    pub fn send(&mut self, content: Content) -> Result<(), SendError> {
        self.begin(Some(content.len()))?;
        let written = self.write_block(content, Waiting::Never);
        let finished = self.finish();
        written.and(finished)
    }

    /// As [`send`](Exchange::send), for content in several pieces: ranges of a file, and what goes between them.
    ///
    /// # Errors
    /// As [`send`](Exchange::send).
    pub fn send_pieces(&mut self, pieces: Vec<Content>) -> Result<(), SendError> {
        self.begin(Some(pieces.iter().map(Content::len).sum()))?;
        self.write_pieces(pieces)
    }

    fn write_pieces(&mut self, pieces: Vec<Content>) -> Result<(), SendError> {
        let mut written = Ok(());
        for piece in pieces {
            written = written.and(self.write_block(piece, Waiting::Never));
        }
        let finished = self.finish();
        written.and(finished)
    }

    /// Finishes the response head for content that comes block by block. `length` is its length where it is known for certain without
    /// the application having said so. The head goes out with the first block (or at `finish`).
    ///
    /// # Errors
    /// As [`write`](Exchange::write).
    pub fn begin(&mut self, length: Option<u64>) -> Result<(), SendError> {
        if self.progress.stage != Stage::Open || !self.slot().claim.win_for_app() {
            return Err(SendError::Superseded);
        }
        self.stop_asking();
        if self.send_named_file() {
            return Err(SendError::Superseded);
        }
        self.finish_head(length);
        Ok(())
    }

    /// Sends the file that the response names in place of its content, where that is allowed.
    fn send_named_file(&mut self) -> bool {
        let Some(root) = &self.setup.config.sendfile_root else { return false };
        let taken_over = root.take_over(self.request(), &self.response, unix_seconds());
        let Some(HandedOver { head, pieces }) = taken_over else { return false };
        self.response = head;
        self.finish_head(Some(pieces.iter().map(Content::len).sum()));
        // A client that has left needs no file.
        let _ = self.write_pieces(pieces);
        true
    }

    fn finish_head(&mut self, length: Option<u64>) {
        if !is_inline() {
            // The loop's date is from before the call, which has taken its time.
            self.date.refresh();
        }
        let length = length.map_or(ResponseLength::Unknown, ResponseLength::Known);
        let request = (self.head.method, self.head.version);
        let is_persistent = self.may_persist();
        let setup = &self.setup;
        let server = setup.config.server_field.as_bytes();
        let body = self.response.finish(request, length, is_persistent, self.date.as_bytes(), server);
        if let Some(on_traffic) = &setup.config.on_traffic {
            on_traffic(&Traffic::Sent { peer: &self.slot().peer, head: self.response.as_bytes() });
        }
        self.progress.body = Some(body);
        self.progress.stage = Stage::Begun;
    }

    /// Sends one block. Waits (the loop given up, the interpreter lock released) until what the kernel did not take of the blocks before it is
    /// gone; then offers this block to the kernel and returns, or leaves it, so that several leave together, to another thread, which sends
    /// it within two milliseconds whatever the handler does. An empty block sends nothing (but the head, if it waits).
    ///
    /// # Errors
    /// [`SendError::Gone`] when the client has left or took too long, [`SendError::Superseded`] when the server has answered in
    /// the handler's place, [`SendError::Overrun`] (once, after sending what fitted) when the content runs over its Content-Length.
    pub fn write(&mut self, block: Content) -> Result<(), SendError> {
        self.write_block(block, Waiting::ForRoom)
    }

    fn write_block(&mut self, block: Content, waiting: Waiting) -> Result<(), SendError> {
        let (Stage::Begun | Stage::Sending, Some(mut body)) = (self.progress.stage, self.progress.body) else {
            return Err(SendError::Superseded);
        };
        if waiting == Waiting::ForRoom && self.progress.waiting != Unsent::Held {
            self.wait_for_room()?;
        }
        // `response` holds the head until it is sent; afterwards it is free to hold what frames a block.
        let framing = self.response.bytes_mut();
        let admitted = body.admit(block.len(), framing);
        self.progress.body = Some(body);
        self.progress.content_sent += admitted.take;
        let end = if admitted.take > 0 { body.block_end() } else { b"" };
        let sent = self.offer(cut(block, admitted.take), end, waiting);
        if admitted.overrun { sent.and(Err(SendError::Overrun)) } else { sent }
    }

    /// Ends the content.
    ///
    /// # Errors
    /// [`SendError::Short`] when less came than Content-Length promised (the connection is closed), or as [`write`](Exchange::write).
    pub fn finish(&mut self) -> Result<(), SendError> {
        let (Stage::Begun | Stage::Sending, Some(mut body)) = (self.progress.stage, self.progress.body) else {
            return Err(SendError::Superseded);
        };
        match body.finish() {
            Ok(end) => {
                let is_sent = self.progress.stage == Stage::Sending && self.progress.waiting != Unsent::Held;
                let sent =
                    if end.is_empty() && is_sent { Ok(()) } else { self.offer(Content::Empty, end, Waiting::Never) };
                self.progress.stage = Stage::Complete;
                sent
            }
            Err(_) => {
                let missing = body.owed().unwrap_or(0);
                if self.progress.stage == Stage::Begun {
                    let _ = self.offer(Content::Empty, b"", Waiting::Never);
                }
                self.abort();
                Err(SendError::Short(missing))
            }
        }
    }

    /// Gives up on a response that was begun: the connection is closed so that the client can tell it is incomplete.
    pub fn abort(&mut self) {
        if self.progress.waiting == Unsent::Held {
            self.slot().flush();
        }
        self.progress.stage = Stage::Aborted;
    }

    /// Whether the head is on its way, so that another status can no longer be sent.
    #[must_use]
    pub fn is_head_sent(&self) -> bool {
        !matches!(self.progress.stage, Stage::Open | Stage::Begun)
    }

    /// Answers with a status and a line of text that names it; for the server's own answers. Replaces a head that was not sent yet.
    ///
    /// # Errors
    /// [`SendError::Superseded`] when a head is on its way already; else as [`write`](Exchange::write).
    pub fn answer_status(&mut self, status_code: u16) -> Result<(), SendError> {
        self.answer_own(status_code, None, None)
    }

    /// As [`answer_status`](Exchange::answer_status), to a request that was refused; with this content if there is one.
    pub(crate) fn answer_rejected(&mut self, status_code: u16, content: Option<String>) -> Result<(), SendError> {
        self.disown_request();
        self.answer_own(status_code, None, content)
    }

    /// There is no thread for this request.
    pub(crate) fn answer_busy(&mut self) -> Result<(), SendError> {
        self.answer_own(503, Some((b"Retry-After", b"1")), None)
    }

    /// The handler panicked: 500 if that can still be said, and the end of the connection in any case.
    pub(crate) fn fail(&mut self) {
        self.is_last = true;
        if self.answer_own(500, None, None) == Err(SendError::Superseded) {
            self.abort();
        }
    }

    fn answer_own(
        &mut self,
        status_code: u16,
        field: Option<(&[u8], &[u8])>,
        content: Option<String>,
    ) -> Result<(), SendError> {
        if self.is_head_sent() {
            return Err(SendError::Superseded);
        }
        self.progress = Progress::default();
        self.response.clear();
        let reason = reason_phrase(status_code);
        // The reason phrases of the table and these fields are within the grammar.
        let _ = self.response.start(status_code, reason.as_bytes());
        let _ = self.response.field(b"Content-Type", b"text/plain; charset=utf-8");
        if let Some((name, value)) = field {
            let _ = self.response.field(name, value);
        }
        let content = content.unwrap_or_else(|| format!("{status_code} {reason}\n"));
        self.send(Content::Owned(content.into_bytes()))
    }

    /// Whether the end of the content is the end of the connection: only a reset then tells the client that it is not all.
    pub(crate) fn is_close_delimited(&self) -> bool {
        self.progress.body.is_some_and(|body| body.is_close_delimited())
    }

    /// Whether the connection ends with this response.
    pub(crate) fn closes(&self) -> bool {
        self.progress.stage != Stage::Complete || self.progress.body.is_none_or(|body| body.closes())
    }

    /// Sends the head or chunk line in `response`, the block, and what ends it.
    fn offer(&mut self, block: Content, end: &'static [u8], waiting: Waiting) -> Result<(), SendError> {
        self.progress.stage = Stage::Sending;
        if waiting == Waiting::Never && self.progress.waiting == Unsent::Refused {
            // Of several pieces an earlier one filled the socket, or had its turn: the loop sends the rest.
            self.slot().queue(self.response.as_bytes(), block, end);
            self.response.bytes_mut().clear();
            return if self.slot().is_gone() { Err(SendError::Gone) } else { Ok(()) };
        }
        let may_gather = self.may_gather && (waiting == Waiting::Never || self.is_content_complete());
        let (mut block, mut end) = (block, end);
        if block.len() <= if may_gather { GATHERED } else { COPIED }
            && let Some(bytes) = in_memory(&block)
        {
            let out = self.response.bytes_mut();
            out.extend_from_slice(bytes);
            out.extend_from_slice(end);
            (block, end) = (Content::Empty, b"");
            if may_gather && self.gather() {
                self.progress.waiting = Unsent::Gathered;
                self.response.bytes_mut().clear();
                return Ok(());
            }
        }
        if waiting == Waiting::ForRoom {
            block = match self.hold(block, end) {
                Ok(()) => return Ok(()),
                Err(block) => block,
            };
        }
        let mut flushed = self.slot().offer(self.response.as_bytes(), block, end);
        self.response.bytes_mut().clear();
        // The poller tells when a full socket has room again; of one that was never full it tells nothing.
        while waiting == Waiting::ForRoom && flushed == Flushed::Yielded {
            flushed = self.slot().flush();
        }
        self.progress.waiting = match flushed {
            Flushed::All => Unsent::Nothing,
            Flushed::Some { .. } | Flushed::Yielded => Unsent::Refused,
            Flushed::Broken => return Err(SendError::Gone),
        };
        Ok(())
    }

    /// Leaves what `response` holds, and the block, to the courier. The block comes back if it has to leave now: it is known to be the last,
    /// or blocks come slowly, or enough of them wait.
    fn hold(&mut self, block: Content, end: &[u8]) -> Result<(), Content> {
        if self.is_content_complete() || matches!(block, Content::File { .. }) {
            return Err(block);
        }
        if let Some(last) = self.progress.slow_block {
            let now = Instant::now();
            if now - last >= HEELS {
                self.progress.slow_block = Some(now);
                return Err(block);
            }
        }
        let begins = self.progress.waiting != Unsent::Held;
        match self.slot().hold(self.response.as_bytes(), block, end, begins, HELD) {
            Held::More => {}
            Held::First => self.setup.courier.call(Arc::clone(self.slot())),
            Held::Full(block) => return Err(block),
            Held::Late(block) => {
                self.progress.slow_block = Some(Instant::now());
                return Err(block);
            }
        }
        self.progress.slow_block = None;
        self.progress.waiting = Unsent::Held;
        self.response.bytes_mut().clear();
        Ok(())
    }

    /// Whether all content that Content-Length promised has come, though the handler may not have finished.
    fn is_content_complete(&self) -> bool {
        self.progress.body.is_some_and(|body| body.owed() == Some(0))
    }

    /// Leaves what `response` holds in the slot, when it may wait for other answers (see `gathering`) and the loop is ours. Whoever robs the
    /// loop meanwhile sends it first.
    fn gather(&self) -> bool {
        let bytes = self.response.as_bytes();
        if !is_inline() || !self.slot().gather(bytes, GATHERED) {
            return false;
        }
        // Robbed between the look and the gathering: the robber may have flushed before our bytes were there.
        if !is_inline() {
            self.slot().flush();
        }
        true
    }

    /// Waits until nothing of the earlier blocks is left in the slot.
    fn wait_for_room(&mut self) -> Result<(), SendError> {
        let patience = self.setup.config.deadlines.write;
        while self.progress.waiting != Unsent::Nothing {
            match self.slot().flush() {
                Flushed::All => self.progress.waiting = Unsent::Nothing,
                Flushed::Yielded => {}
                Flushed::Broken => return Err(SendError::Gone),
                Flushed::Some { .. } => {
                    let wait = || self.slot().transport.wait(Direction::Writable, patience);
                    if !wait_outside(&*self.setup.interpreter, wait) {
                        self.slot().cut();
                        return Err(SendError::Gone);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a block may wait for the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Never,
    ForRoom,
}

/// The first `take` bytes of a block.
fn cut(block: Content, take: u64) -> Content {
    if take >= block.len() {
        return block;
    }
    let keep = usize::try_from(take).unwrap_or(usize::MAX);
    match block {
        Content::Empty => Content::Empty,
        Content::Static(bytes) => Content::Static(&bytes[..keep]),
        Content::Owned(mut bytes) => {
            bytes.truncate(keep);
            Content::Owned(bytes)
        }
        Content::Foreign(foreign) => Content::Owned(foreign.as_bytes()[..keep].to_vec()),
        Content::File { file, offset, .. } => Content::File { file, offset, len: take },
    }
}

fn in_memory(content: &Content) -> Option<&[u8]> {
    match content {
        Content::Empty => Some(&[]),
        Content::Static(bytes) => Some(bytes),
        Content::Owned(bytes) => Some(bytes),
        Content::Foreign(foreign) => Some(foreign.as_bytes()),
        Content::File { .. } => None,
    }
}
