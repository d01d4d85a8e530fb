//! Where connections come from: addresses to bind, and bound sockets.

use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;
use std::{fmt, io, str};

/// An address to listen on, as written after `--bind`: `HOST:PORT`, `:PORT`, `[::]:PORT`, `unix:PATH`, `fd://N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// A host name or address and a port; port 0 lets the kernel choose.
    Tcp {
        /// Name or address, without brackets; empty means every IPv4 address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A unix stream socket.
    Unix(PathBuf),
    /// A listening socket inherited from whoever started us.
    Fd(RawFd),
}

impl str::FromStr for Bind {
    type Err = String;
    fn from_str(text: &str) -> Result<Bind, String> {
        todo!("{text}")
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// A bound and listening socket.
#[derive(Debug)]
pub struct Listener {}

impl Listener {
    /// Binds and listens. A stale unix socket file that nobody answers on is replaced.
    ///
    /// # Errors
    /// As the system call that failed, with the address in the message.
    pub fn bind(bind: &Bind, backlog: u32) -> io::Result<Listener> {
        let _ = (bind, backlog);
        todo!()
    }

    /// Takes over a socket that already listens.
    ///
    /// # Errors
    /// If it is not a listening stream socket.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Listener> {
        let _ = fd;
        todo!()
    }

    /// The bound TCP address, with the port the kernel chose.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        todo!()
    }

    /// How a person would reach it: `http://127.0.0.1:8000` or `unix:/run/app.sock`.
    #[must_use]
    pub fn url(&self) -> String {
        todo!()
    }
}
