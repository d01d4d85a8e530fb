//! The line between the supervisor and one of its children: a pair of sockets that carry whole messages.
//!
//! Its end is a message too: a child whose supervisor is gone drains and leaves, so nothing is orphaned, however the
//! supervisor died; a child that is gone is noticed before it is reaped.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::time::Duration;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, recvmsg, sendmsg, socketpair,
};

use crate::LastWords;
use crate::descriptor::received_fd;

/// One end of the line.
#[derive(Debug)]
pub struct Channel(OwnedFd);

/// What the supervisor tells a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Stop accepting and finish what is in flight; idle connections stay so long, or until their next answer.
    Drain {
        /// How long idle connections stay.
        idle: Duration,
    },
    /// Not ready any more, as health checks see it; serve on.
    Unready,
    /// End at once.
    Stop,
    /// Open the log files again: they were rotated.
    ReopenLogs,
    /// Write into the log which requests are in the application, and where.
    ShowCalls,
    /// To a zygote: fork a worker, for which a descriptor of its channel comes along.
    Fork {
        /// Its place on the scoreboard.
        place: usize,
    },
}

/// What a child tells the supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A worker that a zygote forked has this process id.
    Forked(i32),
    /// It accepts connections (a worker), or can be forked (a zygote).
    Ready,
    /// It cannot, for this reason, and ends. The first line is the reason, a traceback may follow.
    Failed(String),
    /// It has served enough and wants to be replaced.
    Recycle,
    /// It accepts no more connections.
    Quiet,
    /// The application was imported from these files and directories.
    Imported(Vec<PathBuf>),
    /// With a descriptor: it writes its stacks there when it crashes, or is asked where it is.
    LastWords,
}

/// A message, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<M> {
    /// This message, and the descriptor that came with it.
    Message(M),
    /// Nothing waits.
    Nothing,
    /// The other end is gone.
    End,
}

/// Longest message. The kernel's default send buffer holds three times as much.
const LONGEST: usize = 64 * 1024;

impl Channel {
    /// Both ends, closed on exec.
    ///
    /// # Errors
    /// As socketpair(2).
    pub fn pair() -> io::Result<(Channel, Channel)> {
        let (one, other) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        Ok((Channel(one), Channel(other)))
    }

    /// The end that was inherited as this descriptor.
    pub(crate) fn inherited(fd: OwnedFd) -> Channel {
        Channel(fd)
    }

    /// Gives an order. One that nobody is there to hear is not an error: the child is being reaped.
    pub(crate) fn order(&self, order: &Order) {
        let _ = self.send(&order.encode(), None);
    }

    /// Orders a zygote to fork a worker with this end of a channel.
    pub(crate) fn order_fork(&self, worker_end: Channel, place: usize) {
        let _ = self.send(&Order::Fork { place }.encode(), Some(worker_end.0.as_raw_fd()));
    }

    /// Tells the supervisor.
    pub fn report(&self, report: &Report) {
        let _ = self.send(&report.encode(), None);
    }

    /// Tells the supervisor where to look for them.
    pub fn report_last_words(&self, last_words: &LastWords) {
        let _ = self.send(&Report::LastWords.encode(), Some(last_words.as_raw_fd()));
    }

    /// The next report and what came along, without waiting.
    pub(crate) fn hear(&self) -> Heard<(Report, Option<OwnedFd>)> {
        match self.receive(MsgFlags::MSG_DONTWAIT) {
            Heard::Message((bytes, fd)) => {
                Report::decode(&bytes).map_or(Heard::Nothing, |report| Heard::Message((report, fd)))
            }
            Heard::Nothing => Heard::Nothing,
            Heard::End => Heard::End,
        }
    }

    /// The next order, without waiting.
    #[must_use]
    pub fn next_order(&self) -> Heard<Order> {
        match self.receive(MsgFlags::MSG_DONTWAIT) {
            Heard::Message((bytes, _)) => Order::decode(&bytes).map_or(Heard::Nothing, Heard::Message),
            Heard::Nothing => Heard::Nothing,
            Heard::End => Heard::End,
        }
    }

    /// For a zygote: waits for the next order to fork, and returns the worker's end of its channel and its place on the
    /// scoreboard; None at the end.
    #[must_use]
    pub fn wait_for_fork(&self) -> Option<(Channel, usize)> {
        loop {
            match self.receive(MsgFlags::empty()) {
                Heard::Message((bytes, Some(fd))) => {
                    if let Some(Order::Fork { place }) = Order::decode(&bytes) {
                        return Some((Channel(fd), place));
                    }
                }
                Heard::Message(_) | Heard::Nothing => {}
                Heard::End => return None,
            }
        }
    }

    /// Waits until the other end is gone.
    pub fn wait_for_end(&self) {
        while !matches!(self.receive(MsgFlags::empty()), Heard::End) {}
    }

    fn send(&self, bytes: &[u8], fd: Option<RawFd>) -> nix::Result<()> {
        let bytes = [IoSlice::new(bytes.get(..LONGEST).unwrap_or(bytes))];
        let fds = fd.map(|fd| [fd]);
        let control: Vec<ControlMessage<'_>> = fds.iter().map(|fds| ControlMessage::ScmRights(fds)).collect();
        let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
        sendmsg::<UnixAddr>(self.0.as_raw_fd(), &bytes, &control, flags, None).map(|_| ())
    }

    fn receive(&self, flags: MsgFlags) -> Heard<(Vec<u8>, Option<OwnedFd>)> {
        let mut bytes = vec![0; LONGEST];
        let mut space = cmsg_space!(RawFd);
        loop {
            let mut slices = [IoSliceMut::new(&mut bytes)];
            let flags = flags | MsgFlags::MSG_CMSG_CLOEXEC;
            match recvmsg::<UnixAddr>(self.0.as_raw_fd(), &mut slices, Some(&mut space), flags) {
                Ok(message) if message.bytes == 0 => return Heard::End,
                Ok(message) => {
                    let length = message.bytes;
                    let fd = message.cmsgs().ok().and_then(|mut all| all.find_map(received_fd));
                    bytes.truncate(length);
                    return Heard::Message((bytes, fd));
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Heard::Nothing,
                Err(_) => return Heard::End,
            }
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Order {
    fn encode(&self) -> Vec<u8> {
        match self {
            Order::Drain { idle } => format!("d{}", idle.as_millis()).into_bytes(),
            Order::Unready => b"u".to_vec(),
            Order::Stop => b"s".to_vec(),
            Order::ReopenLogs => b"l".to_vec(),
            Order::ShowCalls => b"c".to_vec(),
            Order::Fork { place } => format!("f{place}").into_bytes(),
        }
    }

    fn decode(bytes: &[u8]) -> Option<Order> {
        let (tag, rest) = bytes.split_first()?;
        Some(match tag {
            b'd' => Order::Drain { idle: Duration::from_millis(std::str::from_utf8(rest).ok()?.parse().ok()?) },
            b'u' => Order::Unready,
            b's' => Order::Stop,
            b'l' => Order::ReopenLogs,
            b'c' => Order::ShowCalls,
            b'f' => Order::Fork { place: std::str::from_utf8(rest).ok()?.parse().ok()? },
            _ => return None,
        })
    }
}

impl Report {
    fn encode(&self) -> Vec<u8> {
        match self {
            Report::Forked(pid) => format!("p{pid}").into_bytes(),
            Report::Ready => b"r".to_vec(),
            Report::Failed(text) => [b"x", text.as_bytes()].concat(),
            Report::Recycle => b"c".to_vec(),
            Report::Quiet => b"q".to_vec(),
            Report::LastWords => b"w".to_vec(),
            Report::Imported(paths) => {
                let paths = paths.iter().map(|path| path.to_string_lossy().into_owned());
                [b"i".to_vec(), paths.collect::<Vec<String>>().join("\n").into_bytes()].concat()
            }
        }
    }

    fn decode(bytes: &[u8]) -> Option<Report> {
        let (tag, rest) = bytes.split_first()?;
        let text = String::from_utf8_lossy(rest);
        Some(match tag {
            b'p' => Report::Forked(text.parse().ok()?),
            b'r' => Report::Ready,
            b'x' => Report::Failed(text.into_owned()),
            b'c' => Report::Recycle,
            b'q' => Report::Quiet,
            b'w' => Report::LastWords,
            b'i' => Report::Imported(text.lines().map(PathBuf::from).collect()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_arrives_as_it_was_sent() {
        let (supervisor, child) = Channel::pair().unwrap();
        let orders = [
            Order::Drain { idle: Duration::from_millis(1500) },
            Order::Unready,
            Order::Stop,
            Order::ReopenLogs,
            Order::ShowCalls,
        ];
        for order in orders {
            supervisor.order(&order);
            assert_eq!(child.next_order(), Heard::Message(order));
        }
        let reports = [
            Report::Forked(77),
            Report::Ready,
            Report::Failed("no\nTraceback".into()),
            Report::Recycle,
            Report::Quiet,
            Report::Imported(vec!["/a b".into(), "/c".into()]),
        ];
        for report in reports {
            child.report(&report);
            assert_eq!(heard(&supervisor), Heard::Message(report));
        }
        assert_eq!(heard(&supervisor), Heard::Nothing);
        child.report_last_words(&LastWords::create().unwrap());
        assert!(matches!(supervisor.hear(), Heard::Message((Report::LastWords, Some(_)))));
        drop(child);
        assert_eq!(heard(&supervisor), Heard::End);
    }

    fn heard(channel: &Channel) -> Heard<Report> {
        match channel.hear() {
            Heard::Message((report, fd)) => {
                assert!(fd.is_none());
                Heard::Message(report)
            }
            Heard::Nothing => Heard::Nothing,
            Heard::End => Heard::End,
        }
    }

    #[test]
    fn an_order_to_fork_brings_the_workers_end_of_a_channel() {
        let (supervisor, zygote) = Channel::pair().unwrap();
        let (ours, theirs) = Channel::pair().unwrap();
        supervisor.order_fork(theirs, 3);
        let (worker_end, place) = zygote.wait_for_fork().unwrap();
        assert_eq!(place, 3);
        worker_end.report(&Report::Ready);
        assert_eq!(heard(&ours), Heard::Message(Report::Ready));
        drop(supervisor);
        assert!(zygote.wait_for_fork().is_none());
    }
}
