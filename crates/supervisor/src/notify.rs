//! What systemd wants to know, sd_notify(3): a datagram to the socket in NOTIFY_SOCKET.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use nix::time::{ClockId, clock_gettime};

/// Tells the service manager, if there is one.
#[derive(Debug)]
pub struct Notifier(Option<(UnixDatagram, SocketAddr)>);

impl Notifier {
    /// To the socket at `path`, the value of NOTIFY_SOCKET; one that starts with `@` is in the abstract namespace.
    #[must_use]
    pub fn new(path: Option<&std::ffi::OsStr>) -> Notifier {
        let address = |path: &std::ffi::OsStr| match path.as_bytes().split_first() {
            Some((b'@', name)) => SocketAddr::from_abstract_name(name).ok(),
            Some((b'/', _)) => SocketAddr::from_pathname(path).ok(),
            _ => None,
        };
        Notifier(path.and_then(address).and_then(|address| Some((UnixDatagram::unbound().ok()?, address))))
    }

    pub(crate) fn ready(&self, workers: usize) {
        self.tell(&format!("READY=1\nSTATUS=serving with {workers} workers"));
    }

    pub(crate) fn reloading(&self) {
        // Type=notify-reload wants to know since when.
        let now =
            clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |now| now.tv_sec() * 1_000_000 + now.tv_nsec() / 1000);
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={now}\nSTATUS=starting a new generation"));
    }

    pub(crate) fn reload_failed(&self) {
        self.tell("READY=1\nSTATUS=the last reload failed: the generation before it serves on");
    }

    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=finishing what is in flight");
    }

    fn tell(&self, text: &str) {
        if let Some((socket, address)) = &self.0
            && let Err(error) = socket.send_to_addr(text.as_bytes(), address)
        {
            tracing::warn!("the service manager cannot be told: {error}");
        }
    }
}
