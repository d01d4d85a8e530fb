//! One request and its response: what travels to a handler and back.
//!
//! This file is the receiving half and the exchange's life; `response.rs` is the sending half.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use brickwork_http::h1::{Framing, HeadParser, Persistence, Progress, RequestHead, ResponseHead};
use brickwork_http::{Method, Piece, Rejection, Span, Version};

use crate::awaited::{Awaited, CONTINUE, Outcome};
use crate::config::Setup;
use crate::connections::Key;
use crate::date::Date;
use crate::input::Input;
use crate::intake::{Intake, Refusal, stays_uncounted};
use crate::record::Entry;
use crate::response::Progress as ResponseProgress;
use crate::slot::Slot;
use crate::transport::{Moved, Transport};
use crate::{Content, Forwarded, RequestContent};

/// A request on its way through a handler, with the response so far.
#[derive(Debug)]
pub struct Exchange {
    /// The response head. A handler starts it and adds fields; `send` or `begin` finishes it.
    pub response: ResponseHead,
    pub(crate) setup: Arc<Setup>,
    /// None only while nobody uses the exchange.
    slot: Option<Arc<Slot>>,
    pub(crate) key: Key,
    pub(crate) input: Input,
    parser: HeadParser,
    pub(crate) head: RequestHead,
    intake: Option<Intake>,
    content: Option<RequestContent>,
    awaited: Option<Arc<Awaited>>,
    pub(crate) number: u32,
    /// The connection ends with this response, because something went wrong.
    pub(crate) is_last: bool,
    /// What a trusted proxy says about the client.
    pub(crate) forwarded: Forwarded,
    /// The answer may wait for others, see `gathering`.
    pub(crate) may_gather: bool,
    /// Its line is left out of the access log.
    pub(crate) is_unlogged: bool,
    /// When the head was complete; taken only if something is going to report it.
    pub(crate) began: Option<Instant>,
    /// When it began to wait for a thread.
    pub(crate) queued: Option<Instant>,
    /// Where the record tells of it, while it is out.
    pub(crate) entry: Option<Entry>,
    pub(crate) date: Date,
    pub(crate) progress: ResponseProgress,
}

/// A parsed head together with the bytes it points into. `Copy`: borrow it and pass it on.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestView<'a> {
    /// The parsed head.
    pub head: &'a RequestHead,
    /// The bytes that its spans point into.
    pub bytes: &'a [u8],
}

impl<'a> RequestView<'a> {
    /// The bytes of a span of this head.
    #[must_use]
    pub fn text(&self, span: Span) -> &'a [u8] {
        span.of(self.bytes)
    }
}

/// Where a connection comes from, and where it arrived.
#[derive(Clone, Debug)]
pub enum Peer {
    /// A TCP connection.
    Tcp {
        /// The client's address.
        remote: SocketAddr,
        /// The address it connected to.
        local: SocketAddr,
    },
    /// A unix socket connection.
    Unix {
        /// The path of the listening socket.
        path: Arc<str>,
    },
}

impl Exchange {
    /// The request's head.
    #[must_use]
    pub fn request(&self) -> RequestView<'_> {
        RequestView { head: &self.head, bytes: self.input.unused() }
    }

    /// The connection's two ends.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.slot().peer
    }

    /// The start of the request line: method and target, as they came.
    #[must_use]
    pub fn method_and_target(&self) -> &[u8] {
        let (method, target) = (self.head.method_span, self.head.target.raw);
        Span { start: method.start, len: (target.start + target.len).saturating_sub(method.start) }
            .of(self.input.unused())
    }

    /// Whether the server has answered in place of the handler: what that still says is discarded.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        self.slot().claim.is_with_loop()
    }

    /// Which request on its connection this is, from 1.
    #[must_use]
    pub fn request_number(&self) -> u32 {
        self.number
    }

    /// Takes the content out, to read it; the second time it is empty. Leaving or dropping it unread is fine: the server then
    /// discards what is left, or closes.
    #[must_use]
    pub fn take_content(&mut self) -> RequestContent {
        self.content.take().unwrap_or(RequestContent::empty())
    }

    /// Whether the request has (or is about to have) content.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.content.is_some()
    }

    /// What a trusted proxy in front says about the client; nothing, if there is none.
    #[must_use]
    pub fn forwarded(&self) -> Forwarded {
        self.forwarded
    }

    /// Leaves this request out of the access log.
    pub fn leave_out_of_log(&mut self) {
        self.is_unlogged = true;
    }

    /// Whether the peer is known to have gone: nothing more can be sent to it.
    #[must_use]
    pub fn is_client_gone(&self) -> bool {
        self.slot().is_gone()
    }
}

/// The scheme of every connection, until there is TLS.
const SCHEME: &str = "http";

/// How far the next request has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// Nothing of it has come.
    Nothing,
    /// Part of its head.
    Head,
    /// Its head, and not all of its content.
    Content,
    /// All that the handler needs.
    Request,
}

/// The receiving half, for the loop.
impl Exchange {
    pub(crate) fn new(setup: Arc<Setup>) -> Exchange {
        Exchange {
            response: ResponseHead::new(),
            setup,
            slot: None,
            key: Key::NOBODY,
            input: Input::default(),
            parser: HeadParser::new(),
            head: RequestHead::default(),
            intake: None,
            content: None,
            awaited: None,
            number: 0,
            is_last: false,
            forwarded: Forwarded::default(),
            may_gather: false,
            is_unlogged: false,
            began: None,
            queued: None,
            entry: None,
            date: Date::default(),
            progress: ResponseProgress::default(),
        }
    }

    /// Serves a connection from now on.
    pub(crate) fn assign(&mut self, slot: Arc<Slot>, key: Key) {
        self.slot = Some(slot);
        self.key = key;
    }

    /// Serves nobody: only buffers are left.
    pub(crate) fn release(&mut self) {
        self.forget_request();
        self.input.reset();
        self.slot = None;
        self.key = Key::NOBODY;
    }

    /// The shared part of its connection.
    pub(crate) fn slot(&self) -> &Arc<Slot> {
        // INVARIANT: `assign` comes before every use, `release` after the last.
        self.slot.as_ref().expect("an exchange in use has a slot")
    }

    /// Ready for the next request on the same connection; what follows the last one stays in the buffer.
    pub(crate) fn next_request(&mut self) {
        // The content, if there was any, left the buffer as it was gathered; the head stays for the handler until now.
        self.input.discard(self.head_len());
        if let Some(awaited) = self.awaited.take()
            && let Outcome::Complete(rest) = awaited.end()
        {
            self.input.append(&rest);
        }
        self.forget_request();
    }

    fn forget_request(&mut self) {
        self.parser = HeadParser::new();
        self.head.len = 0;
        self.intake = None;
        self.content = None;
        self.awaited = None;
        self.response.clear();
        self.progress = ResponseProgress::default();
        self.is_last = false;
        self.forwarded = Forwarded::default();
        self.is_unlogged = false;
    }

    /// Forgets what was parsed of a request that is refused: its answer is framed as for a plain HTTP/1.1 request, and is the last.
    pub(crate) fn disown_request(&mut self) {
        // RFC 9110 section 9.3.2: no content in any answer to HEAD, as far as it is known to be one.
        if self.head.method != Method::Head {
            self.head.method = Method::Get;
        }
        self.head.version = Version::Http11;
        self.head.fields.clear();
        self.head.len = 0;
        self.is_last = true;
    }

    fn head_len(&self) -> usize {
        self.head.len as usize
    }

    /// Whether bytes of a further request have come already.
    pub(crate) fn has_leftover(&self) -> bool {
        self.input.unused().len() > self.head_len()
    }

    /// Reads as far as the received bytes go.
    pub(crate) fn advance(&mut self) -> Result<Arrived, Refusal> {
        if self.head.len == 0 {
            if self.input.is_empty() {
                return Ok(Arrived::Nothing);
            }
            let limits = &self.setup.config.limits;
            match self.parser.parse(self.input.unused(), limits, &mut self.head).map_err(Refusal::Rejected)? {
                // Empty lines before a request-line are tolerated, and are no request yet (RFC 9112 section 2.2).
                Progress::Partial if self.input.unused().iter().all(|byte| matches!(byte, b'\r' | b'\n')) => {
                    return Ok(Arrived::Nothing);
                }
                Progress::Partial => return Ok(Arrived::Head),
                Progress::Complete => {}
            }
            if let Err(rejection) = self.head.check_origin(self.input.unused(), SCHEME) {
                self.head.len = 0; // the rejection counts from the start of the head
                return Err(Refusal::Rejected(rejection));
            }
            if self.head.framing == Framing::None {
                return Ok(Arrived::Request);
            }
            return self.begin_content();
        }
        self.advance_content()
    }

    /// Decides how the content comes to the handler.
    fn begin_content(&mut self) -> Result<Arrived, Refusal> {
        if self.head.framing == Framing::Length(0) {
            return Ok(Arrived::Request);
        }
        // A client that sends content without waiting for the 100 does not need one (RFC 9110 section 10.1.1).
        if self.head.expects_continue && !self.has_leftover() {
            if matches!(self.head.framing, Framing::Length(_)) {
                let awaited = Awaited::new(Arc::clone(&self.setup), Arc::clone(self.slot()), self.head.framing);
                let awaited = Arc::new(awaited);
                self.content = Some(RequestContent::awaited(Arc::clone(&awaited)));
                self.awaited = Some(awaited);
                return Ok(Arrived::Request);
            }
            // Applications go by a length that chunked content has only when all of it is here: it is asked for and gathered first.
            self.slot().offer(CONTINUE, Content::Empty, b"");
        }
        if let Some((bytes, start)) = self.whole_content() {
            self.content = Some(RequestContent::behind(bytes, start));
            return Ok(Arrived::Request);
        }
        self.intake = Some(Intake::new(self.head.framing, &self.setup)?);
        self.advance_content()
    }

    /// Content that has come in one receive with its head, and is large enough for its buffer to be given away rather than copied from.
    fn whole_content(&mut self) -> Option<(Vec<u8>, usize)> {
        /// To copy less costs less than another buffer.
        const LARGE: usize = 4 * 1024;
        let Framing::Length(length) = self.head.framing else { return None };
        let in_hand = self.input.unused().len() - self.head_len();
        let is_whole =
            in_hand >= LARGE && in_hand as u64 == length && stays_uncounted(length, &self.setup.config.spool);
        is_whole.then(|| self.input.split_off(self.head_len()))
    }

    fn advance_content(&mut self) -> Result<Arrived, Refusal> {
        let Some(intake) = &mut self.intake else { return Ok(Arrived::Request) };
        let setup = &self.setup;
        let is_complete = self.input.behind(self.head.len as usize, |content| intake.take(content, setup))?;
        if !is_complete {
            return Ok(Arrived::Content);
        }
        if let Some(intake) = self.intake.take() {
            self.content = Some(intake.into_content()?);
        }
        Ok(Arrived::Request)
    }

    /// Receives more of the request. Says also whether there may be still more at once.
    pub(crate) fn fill(&mut self, transport: &Transport) -> (Moved, bool) {
        /// Room for one receive of a head.
        const ROOM: usize = 2 * 1024;
        match &mut self.intake {
            Some(intake) => intake.fill(&mut self.input, transport),
            None => self.input.fill(transport, ROOM),
        }
    }

    /// Whether nothing is lost if another exchange serves the connection's next request.
    pub(crate) fn is_blank(&self) -> bool {
        self.input.is_empty()
    }

    /// Once a final response has begun, no interim one may follow.
    pub(crate) fn stop_asking(&self) {
        if let Some(awaited) = &self.awaited {
            awaited.stop_asking();
        }
    }

    /// Whether content that the handler waited for did not come in time, so that its reads failed by [`Rule::ContentDeadline`].
    ///
    /// [`Rule::ContentDeadline`]: brickwork_http::Rule::ContentDeadline
    #[must_use]
    pub fn is_content_late(&self) -> bool {
        self.awaited.as_ref().is_some_and(|awaited| awaited.is_late())
    }

    /// Bytes of content received so far.
    pub(crate) fn content_received(&self) -> u64 {
        self.intake.as_ref().map_or(0, Intake::received)
    }

    /// The bytes that a rejection's offset counts in.
    pub(crate) fn bytes_in_hand(&self) -> &[u8] {
        let start = self.head_len() + self.intake.as_ref().map_or(0, Intake::piece_start);
        self.input.unused().get(start..).unwrap_or(&[])
    }

    /// What those bytes are.
    pub(crate) fn piece_in_hand(&self) -> Piece {
        match &self.intake {
            None if self.head.len == 0 => Piece::Head,
            None => Piece::Content,
            Some(intake) => intake.piece(),
        }
    }

    /// Whether the client has nothing more to send of this request.
    pub(crate) fn is_content_read(&self) -> bool {
        self.awaited.as_ref().is_none_or(|awaited| awaited.is_complete())
    }

    /// Whether the client may still be sending when its connection is closed: it has content left, or does not expect the close.
    pub(crate) fn may_have_more(&self) -> bool {
        self.has_leftover() || !self.is_content_read() || self.head.persistence == Persistence::Persistent
    }

    /// Whether another request may follow on this connection, by this request and by what was read of it.
    pub(crate) fn may_persist(&self) -> bool {
        !self.is_last
            && !self.setup.is_draining.load(Relaxed)
            && self.head.persistence == Persistence::Persistent
            && self.is_content_read()
    }

    /// A rule broken by silence, at the end of what came.
    pub(crate) fn rejection_at_end(&self, rule: brickwork_http::Rule) -> Rejection {
        Rejection { rule, at: u32::try_from(self.bytes_in_hand().len()).unwrap_or(u32::MAX) }
    }
}
