//! The socket through which `brickwork reload` speaks to a running supervisor. It is in the abstract namespace: no file
//! system is written to. Only root and the user that runs the supervisor are listened to.

use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Uid, getpid};

/// What a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A new generation. The answer comes when it serves, or cannot.
    Reload,
    /// What there is, in words.
    Status,
}

/// Requests are words of one length.
const WORD: usize = 7;

impl Request {
    fn word(self) -> &'static [u8; WORD] {
        match self {
            Request::Reload => b"reload\n",
            Request::Status => b"status\n",
        }
    }
}

/// The supervisor's side.
#[derive(Debug)]
pub(crate) struct ControlSocket(pub(crate) UnixListener);

const PREFIX: &str = "brickwork/";
/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_millis(200);

impl ControlSocket {
    pub(crate) fn bind(name: &str) -> io::Result<ControlSocket> {
        let address = SocketAddr::from_abstract_name(format!("{PREFIX}{}/{name}", getpid()))?;
        let listener = UnixListener::bind_addr(&address)?;
        listener.set_nonblocking(true)?;
        Ok(ControlSocket(listener))
    }

    /// The next client that asks for something and may.
    pub(crate) fn next_request(&self) -> Option<(Request, UnixStream)> {
        let (mut client, _) = self.0.accept().ok()?;
        client.set_nonblocking(false).ok()?;
        client.set_read_timeout(Some(PATIENCE)).ok()?;
        client.set_write_timeout(Some(PATIENCE)).ok()?;
        if !is_welcome(&client) {
            let _ = client.write_all(b"failed\nnot allowed: this is for root and the user that the server runs as");
            return None;
        }
        let mut word = [0; WORD];
        client.read_exact(&mut word).ok()?;
        let request = [Request::Reload, Request::Status].into_iter().find(|request| *request.word() == word)?;
        Some((request, client))
    }
}

/// Whether a client is root or the user that we run as.
pub(crate) fn is_welcome(client: &UnixStream) -> bool {
    getsockopt(client, PeerCredentials).is_ok_and(|peer| peer.uid() == 0 || peer.uid() == Uid::effective().as_raw())
}

/// Tells a client what became of its request, and is done with it.
pub(crate) fn answer(mut client: UnixStream, result: &Result<String, String>) {
    let text = match result {
        Ok(text) => format!("ok\n{text}"),
        Err(text) => format!("failed\n{text}"),
    };
    let _ = client.write_all(text.as_bytes());
}

/// The running supervisors whose sockets can be seen from here: process id and name.
///
/// # Errors
/// If /proc is not there.
pub fn find() -> io::Result<Vec<(i32, String)>> {
    let sockets = std::fs::read_to_string("/proc/net/unix")?;
    let mut found: Vec<(i32, String)> = sockets
        .lines()
        .filter_map(|line| line.split_once(&format!(" @{PREFIX}"))?.1.split_once('/'))
        .filter_map(|(pid, name)| Some((pid.parse().ok()?, name.to_owned())))
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// Asks a supervisor for something, and waits for what comes of it: a text, or the reason why not.
///
/// # Errors
/// If it cannot be reached, or ends before it answers.
pub fn request(pid: i32, name: &str, request: Request) -> io::Result<Result<String, String>> {
    let address = SocketAddr::from_abstract_name(format!("{PREFIX}{pid}/{name}"))?;
    let mut stream = UnixStream::connect_addr(&address)?;
    stream.write_all(request.word())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once('\n') {
        Some(("ok", text)) => Ok(Ok(text.to_owned())),
        Some(("failed", text)) => Ok(Err(text.to_owned())),
        _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server ended before it answered")),
    }
}

/// Sends HUP to a supervisor.
///
/// # Errors
/// As kill(2).
pub fn hang_up(pid: i32) -> io::Result<()> {
    Ok(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGHUP)?)
}
