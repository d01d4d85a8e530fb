//! One request and its response: what travels to a handler and back.

use std::net::SocketAddr;
use std::sync::Arc;

use brickwork_http::Span;
use brickwork_http::h1::{RequestHead, ResponseHead};

use crate::{Content, RequestContent, SendError};

/// A request on its way through a handler, with the response so far.
#[derive(Debug)]
pub struct Exchange {
    /// The response head. A handler starts it and adds fields; `send` or `begin` finishes it.
    pub response: ResponseHead,
}

/// A parsed head together with the bytes it points into. `Copy`: borrow it and pass it on.
#[derive(Clone, Copy, Debug)]
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
        todo!()
    }

    /// The connection's two ends.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        todo!()
    }

    /// How many requests came before this one on the connection, plus one.
    #[must_use]
    pub fn request_number(&self) -> u32 {
        todo!()
    }

    /// Takes the content out, to read it. Dropping it unread is fine: the server then discards what is left, or closes.
    #[must_use]
    pub fn take_content(&mut self) -> RequestContent {
        todo!()
    }

    /// Whether the peer is known to have gone: nothing more can be sent to it.
    #[must_use]
    pub fn is_client_gone(&self) -> bool {
        todo!()
    }

    /// Answers with `response` and all of its content at once; the content's length becomes the Content-Length unless the handler gave
    /// one. Offers the bytes to the kernel before it returns; what the kernel does not take now the server sends later.
    /// For HEAD, 204 and 304 the content is not sent.
    ///
    /// # Errors
    /// As [`write`](Exchange::write). The exchange is over either way.
    pub fn send(&mut self, content: Content) -> Result<(), SendError> {
        let _ = content;
        todo!()
    }

    /// Finishes the response head for content that comes block by block. `length` is its length where it is known for certain without
    /// the application having said so. The head goes out with the first block (or at `finish`).
    ///
    /// # Errors
    /// As [`write`](Exchange::write).
    pub fn begin(&mut self, length: Option<u64>) -> Result<(), SendError> {
        let _ = length;
        todo!()
    }

    /// Sends one block. Waits (the loop given up, the interpreter lock released) until what the kernel did not take of the blocks before it is
    /// gone; then offers this block to the kernel and returns. An empty block sends nothing (but the head, if it waits).
    ///
    /// # Errors
    /// [`SendError::Gone`] when the client has left or took too long, [`SendError::Superseded`] when the server has answered in
    /// the handler's place, [`SendError::Overrun`] (once, after sending what fitted) when the content runs over its Content-Length.
    pub fn write(&mut self, block: Content) -> Result<(), SendError> {
        let _ = block;
        todo!()
    }

    /// Ends the content.
    ///
    /// # Errors
    /// [`SendError::Short`] when less came than Content-Length promised (the connection is closed), or as [`write`](Exchange::write).
    pub fn finish(&mut self) -> Result<(), SendError> {
        todo!()
    }

    /// Gives up on a response that was begun: the connection is closed so that the client can tell it is incomplete.
    pub fn abort(&mut self) {
        todo!()
    }

    /// Whether the head is on its way, so that another status can no longer be sent.
    #[must_use]
    pub fn is_head_sent(&self) -> bool {
        todo!()
    }
}
