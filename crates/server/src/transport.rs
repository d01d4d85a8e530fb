//! The socket of a connection: non-blocking receive, gathered send, sendfile, shutdown. Plain TCP and unix stream sockets.

use std::fs::File;
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};

use crate::descriptors;

/// A connected, non-blocking stream socket.
#[derive(Debug)]
pub(crate) struct Transport {
    socket: OwnedFd,
}

/// What came of one attempt to move bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now; try again when the poller says so.
    NotNow,
    /// Receiving: the peer has finished sending. Sendfile: the file ended early.
    End,
    /// The connection is broken.
    Broken,
}

impl Transport {
    pub(crate) fn new(socket: OwnedFd) -> Transport {
        descriptors::note(&socket);
        Transport { socket }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Receives into the spare capacity of `into`, which must not be empty.
    pub(crate) fn receive(&self, into: &mut Vec<u8>) -> Moved {
        moved(|| rustix::net::recv(&self.socket, spare_capacity(into), RecvFlags::empty()).map(|(n, _)| n))
    }

    /// Sends the start of `bytes`.
    pub(crate) fn send(&self, bytes: &[u8]) -> Moved {
        moved(|| rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL))
    }

    /// Sends the start of `bytes`, behind which more comes at once, or the end of the connection: the kernel keeps what fills no
    /// segment until then.
    pub(crate) fn send_before_more(&self, bytes: &[u8]) -> Moved {
        moved(|| rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL | SendFlags::MORE))
    }

    /// Sends the start of several pieces as one.
    pub(crate) fn send_gathered(&self, pieces: &[IoSlice<'_>]) -> Moved {
        moved(|| rustix::net::sendmsg(&self.socket, pieces, &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL))
    }

    /// Sends up to `len` bytes of `file` from `offset`, which moves on by what was sent.
    pub(crate) fn send_file(&self, file: &File, offset: &mut u64, len: u64) -> Moved {
        // One call moves at most 2 GiB; a smaller bound keeps one file from holding the loop while its pages are read.
        const AT_ONCE: u64 = 1 << 20;
        let len = usize::try_from(len.min(AT_ONCE)).unwrap_or(AT_ONCE as usize);
        moved(|| rustix::fs::sendfile(&self.socket, file, Some(offset), len))
    }

    /// Whether the kernel sends whole segments only, from now on (tcp(7), TCP_CORK). A unix socket has none.
    pub(crate) fn cork(&self, is_corked: bool) {
        let _ = rustix::net::sockopt::set_tcp_cork(&self.socket, is_corked);
    }

    /// Waits until the socket is readable or writable, the connection breaks, or the time is up (false).
    pub(crate) fn wait(&self, direction: Direction, timeout: Duration) -> bool {
        let flags = match direction {
            Direction::Readable => PollFlags::IN,
            Direction::Writable => PollFlags::OUT,
        };
        let timeout = Timespec::try_from(timeout).ok();
        loop {
            match poll(&mut [PollFd::new(&self.socket, flags)], timeout.as_ref()) {
                Err(Errno::INTR) => {}
                Ok(0) => return false,
                // An error here shows again, by its name, in the operation that waited.
                Ok(_) | Err(_) => return true,
            }
        }
    }

    /// Tells the peer that nothing more will be sent.
    pub(crate) fn shutdown_write(&self) {
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Write);
    }

    /// Ends both directions, also for duplicates of the descriptor in forked children; wakes whoever waits on it.
    pub(crate) fn shutdown(&self) {
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Both);
    }

    /// Resets a TCP connection, whoever else holds the descriptor: the peer sees an error, not an end. A unix socket has no such thing.
    pub(crate) fn reset(&self) {
        let _ = rustix::net::connect_unspec(&self.socket);
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        descriptors::forget(&self.socket);
    }
}

/// What [`Transport::wait`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Readable,
    Writable,
}

fn moved(mut attempt: impl FnMut() -> Result<usize, Errno>) -> Moved {
    loop {
        return match attempt() {
            Ok(0) => Moved::End,
            Ok(n) => Moved::Bytes(n),
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => Moved::NotNow,
            Err(_) => Moved::Broken,
        };
    }
}
