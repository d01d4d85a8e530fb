//! A running server, and how to end it.

use std::io;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::Duration;

use crate::{Config, Handler, Interpreter, Listener};

/// A server whose threads are running.
#[derive(Debug)]
pub struct Server {}

/// Ends a server from anywhere. Clones end the same one.
#[derive(Clone, Debug)]
pub struct Stopper {}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every request in flight was finished and every thread has joined.
    Drained,
    /// The time was up (or `stop_now` was called) with so many requests still in a handler.
    Abandoned(usize),
}

impl Server {
    /// Starts serving `listeners` with `handler`: returns at once, the work is done in threads of the server's own.
    ///
    /// # Errors
    /// If epoll or a thread cannot be had.
    pub fn start(
        config: Config,
        listeners: Vec<Listener>,
        handler: Arc<dyn Handler>,
        interpreter: Arc<dyn Interpreter>,
    ) -> io::Result<Server> {
        let _ = (config, listeners, handler, interpreter);
        todo!()
    }

    /// A handle that ends this server.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        todo!()
    }

    /// Waits until the server has ended. Must not be called with the interpreter lock held.
    #[must_use]
    pub fn join(self) -> Ended {
        todo!()
    }
}

impl Stopper {
    /// Stops accepting and lets what is in flight finish, for `grace` at the most; idle connections close.
    pub fn drain(&self, grace: Duration) {
        let _ = grace;
        todo!()
    }

    /// Ends at once; requests in flight are cut off.
    pub fn stop_now(&self) {
        todo!()
    }
}

/// Serves `interface` with `handler` until the process ends: the shortest way to a server.
///
/// # Errors
/// If the address cannot be bound.
pub fn serve<H: Handler>(interface: impl ToSocketAddrs, handler: H) -> io::Result<()> {
    let _ = (interface.to_socket_addrs()?, handler);
    todo!()
}
