//! What answers requests.

use crate::{Exchange, RequestView};

/// Answers requests. One value serves all of them, from any thread, several at once.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request by [`Exchange::send`], or by [`Exchange::begin`], [`Exchange::write`] and [`Exchange::finish`].
    ///
    /// Called with the interpreter lock held (see [`Interpreter`](crate::Interpreter)). May block: the event loop then goes on in
    /// another thread. Returning without an answer is answered with 500; a panic too, and the connection is closed.
    fn handle(&self, exchange: &mut Exchange);

    /// Whether this request's answer needs neither the interpreter lock nor any waiting. It is then handled by whoever runs the loop, also
    /// when every thread is busy, without the lock; it must answer by [`Exchange::send`] or [`Exchange::send_pieces`] and may not read content that is still to come.
    fn is_native(&self, request: RequestView<'_>) -> bool {
        let _ = request;
        false
    }
}
