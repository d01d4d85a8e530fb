//! Where connections come from: addresses to bind, and bound sockets.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::net::{
    AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType, acceptfrom_with, bind, getsockname, listen,
    socket_with,
};

use crate::{Peer, descriptors};

/// An address to listen on, as written after `--bind`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// `HOST:PORT`, `:PORT` or `[::1]:PORT`: a host name or address and a port; port 0 lets the kernel choose.
    Tcp {
        /// Name or address, without brackets; empty means every IPv4 address.
        host: String,
        /// The port.
        port: u16,
    },
    /// `unix:PATH`: a unix stream socket.
    Unix(PathBuf),
    /// `fd://N`: a listening socket inherited from whoever started us.
    Fd(RawFd),
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Bind, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path.trim_start_matches("//") {
                "" => Err(format!("'{text}' names no path: write unix:/run/app.sock")),
                _ => Ok(Bind::Unix(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))),
            };
        }
        if let Some(number) = text.strip_prefix("fd://") {
            return match number.parse::<RawFd>() {
                Ok(fd) if fd >= 0 => Ok(Bind::Fd(fd)),
                _ => Err(format!("'{text}' is no descriptor: write fd://3")),
            };
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(format!("'{text}' has no port: write {text}:8000"));
        };
        let port = port.parse().map_err(|_| format!("'{port}' in '{text}' is no port (0 to 65535)"))?;
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if bare.is_none() && host.contains(':') {
            return Err(format!("the IPv6 address in '{text}' needs brackets: [{host}]:{port}"));
        }
        Ok(Bind::Tcp { host: bare.unwrap_or(host).to_owned(), port })
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bind::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Bind::Tcp { host, port } => write!(f, "{host}:{port}"),
            Bind::Unix(path) => write!(f, "unix:{}", path.display()),
            Bind::Fd(fd) => write!(f, "fd://{fd}"),
        }
    }
}

/// A bound and listening socket. Dropping it closes it, and removes the file of a unix socket that it made.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    address: Address,
    file: Option<SocketFile>,
}

/// The file of a unix socket that this process made; removed when dropped, in this process only.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    maker: u32,
}

#[derive(Debug)]
enum Address {
    Tcp(SocketAddr),
    Unix(Arc<str>),
}

impl Listener {
    /// Binds and listens. A stale unix socket file that nobody answers on is replaced.
    ///
    /// # Errors
    /// As the system call that failed, with the address in the message.
    pub fn bind(address: &Bind, backlog: u32) -> io::Result<Listener> {
        let in_context =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {}", plain(&error)));
        match address {
            Bind::Tcp { host, port } => bind_tcp(host, *port, backlog),
            Bind::Unix(path) => bind_unix(path, backlog),
            Bind::Fd(fd) => inherit(*fd).and_then(Listener::from_fd),
        }
        .map_err(in_context)
    }

    /// Takes over a socket that already listens.
    ///
    /// # Errors
    /// If it is not a listening stream socket.
    pub fn from_fd(socket: OwnedFd) -> io::Result<Listener> {
        let wrong = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        match sockopt::socket_acceptconn(&socket) {
            Ok(true) => {}
            Ok(false) => return Err(wrong("the socket does not listen")),
            Err(Errno::NOTSOCK) => return Err(wrong("the descriptor is not a socket")),
            Err(error) => return Err(error.into()),
        }
        if sockopt::socket_type(&socket)? != SocketType::STREAM {
            return Err(wrong("the socket is no stream socket"));
        }
        rustix::io::ioctl_fionbio(&socket, true)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        let local = getsockname(&socket)?;
        let address = match SocketAddr::try_from(local.clone()) {
            Ok(address) => {
                sockopt::set_tcp_nodelay(&socket, true)?;
                Address::Tcp(address)
            }
            Err(_) => Address::Unix(unix_path(&local).into()),
        };
        descriptors::note(&socket);
        Ok(Listener { socket, address, file: None })
    }

    /// The bound TCP address, with the port the kernel chose.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match self.address {
            Address::Tcp(address) => Some(address),
            Address::Unix(_) => None,
        }
    }

    /// The socket, to be handed to other processes, and what has to be kept until it is not used any more.
    ///
    /// # Errors
    /// As dup(2).
    pub fn into_parts(mut self) -> io::Result<(OwnedFd, Option<SocketFile>)> {
        Ok((self.socket.try_clone()?, self.file.take()))
    }

    /// How a person would reach it: `http://127.0.0.1:8000` or `unix:/run/app.sock`.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.address {
            Address::Tcp(address) => format!("http://{address}"),
            Address::Unix(path) => format!("unix:{path}"),
        }
    }

    /// Whether a child process that is forked from now on keeps the socket, to serve it itself. It does not, unless this was called.
    pub fn leave_to_children(&self, is_left: bool) {
        if is_left {
            descriptors::forget(&self.socket);
        } else {
            descriptors::note(&self.socket);
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Accepts one connection, non-blocking and closed on exec; None when none waits.
    pub(crate) fn accept(&self) -> Result<Option<(OwnedFd, Peer)>, Errno> {
        loop {
            match acceptfrom_with(&self.socket, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok((socket, remote)) => {
                    let peer = self.peer(&socket, remote);
                    return Ok(Some((socket, peer)));
                }
                Err(Errno::AGAIN) => return Ok(None),
                // The client gave up between its SYN and our accept, or a signal came: the next one may wait already.
                Err(Errno::CONNABORTED | Errno::INTR | Errno::PROTO | Errno::PERM) => {}
                // The kernel looks for a free descriptor before it looks for a client.
                Err(Errno::MFILE | Errno::NFILE) if !self.has_waiting() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a connection waits to be accepted.
    fn has_waiting(&self) -> bool {
        const NO_TIME: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        // In doubt it does.
        poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&NO_TIME)) != Ok(0)
    }

    fn peer(&self, socket: &OwnedFd, remote: Option<SocketAddrAny>) -> Peer {
        match &self.address {
            Address::Unix(path) => Peer::Unix { path: Arc::clone(path) },
            Address::Tcp(bound) => {
                let remote = remote.and_then(|any| SocketAddr::try_from(any).ok());
                // Only a socket bound to every address has to ask which one this client chose.
                let local = if bound.ip().is_unspecified() {
                    getsockname(socket).ok().and_then(|any| SocketAddr::try_from(any).ok()).unwrap_or(*bound)
                } else {
                    *bound
                };
                Peer::Tcp { remote: canonical(remote.unwrap_or(*bound)), local: canonical(local) }
            }
        }
    }
}

/// For a duplicate that outlives a server: [`Listener::from_fd`] makes a listener of it again.
impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        descriptors::forget(&self.socket);
    }
}

impl SocketFile {
    /// The file of a socket that this process made before its program was replaced by another.
    #[must_use]
    pub fn adopt(path: PathBuf) -> SocketFile {
        SocketFile { path, maker: std::process::id() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.maker == std::process::id() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// An IPv4 client of a dual-stack socket by its IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

fn bind_tcp(host: &str, port: u16, backlog: u32) -> io::Result<Listener> {
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match bind_address(address, backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn bind_address(address: SocketAddr, backlog: u32) -> io::Result<Listener> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    // Without it a restart has to wait until the old connections' TIME-WAIT is over.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, i32::try_from(backlog).unwrap_or(i32::MAX))?;
    // Listener::from_fd sets TCP_NODELAY, which accepted sockets inherit.
    Listener::from_fd(socket)
}

fn bind_unix(path: &Path, backlog: u32) -> io::Result<Listener> {
    let address = SocketAddrUnix::new(path)?;
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    match bind(&socket, &address) {
        Err(Errno::ADDRINUSE) => {
            remove_stale(path)?;
            bind(&socket, &address)?;
        }
        other => other?,
    }
    listen(&socket, i32::try_from(backlog).unwrap_or(i32::MAX))?;
    let mut listener = Listener::from_fd(socket)?;
    listener.file = Some(SocketFile { path: path.to_owned(), maker: std::process::id() });
    Ok(listener)
}

/// Removes a socket file that a dead server left behind; never another kind of file, never a socket that answers.
fn remove_stale(path: &Path) -> io::Result<()> {
    if !std::fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is in the way"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => Err(io::Error::new(io::ErrorKind::AddrInUse, "another server answers there")),
    }
}

/// Takes over an inherited descriptor, once it is known to be open.
#[allow(unsafe_code)]
fn inherit(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the descriptor is only borrowed for the one call that finds out whether it is open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    rustix::io::fcntl_getfd(borrowed)?;
    // SAFETY: it is open, and whoever names it with fd:// hands it over to us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn unix_path(address: &SocketAddrAny) -> String {
    let Ok(unix) = SocketAddrUnix::try_from(address.clone()) else {
        return String::from("?");
    };
    match (unix.path(), unix.abstract_name()) {
        (Some(path), _) => path.to_string_lossy().into_owned(),
        (None, Some(name)) => format!("@{}", String::from_utf8_lossy(name)),
        (None, None) => String::from("(unnamed)"),
    }
}

/// An error's words without the number that `io::Error` adds.
fn plain(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => {
            let text = error.to_string();
            text.strip_suffix(&format!(" (os error {number})")).unwrap_or(&text).to_owned()
        }
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_of_address() {
        let tcp = |host: &str, port| Ok(Bind::Tcp { host: host.to_owned(), port });
        let table: [(&str, Result<Bind, &str>); 12] = [
            ("127.0.0.1:8000", tcp("127.0.0.1", 8000)),
            (":0", tcp("", 0)),
            ("[::]:80", tcp("::", 80)),
            ("localhost:65535", tcp("localhost", 65535)),
            ("unix:/run/a.sock", Ok(Bind::Unix("/run/a.sock".into()))),
            ("unix:///run/a.sock", Ok(Bind::Unix("/run/a.sock".into()))),
            ("fd://3", Ok(Bind::Fd(3))),
            ("fd://x", Err("'fd://x' is no descriptor: write fd://3")),
            ("unix:", Err("'unix:' names no path: write unix:/run/app.sock")),
            ("localhost", Err("'localhost' has no port: write localhost:8000")),
            ("h:99999", Err("'99999' in 'h:99999' is no port (0 to 65535)")),
            ("::1:80", Err("the IPv6 address in '::1:80' needs brackets: [::1]:80")),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<Bind>(), expected.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn port_0_becomes_a_port_that_answers() {
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap(), 16).unwrap();
        let address = listener.local_addr().unwrap();
        assert_ne!(address.port(), 0);
        assert!(std::net::TcpStream::connect(address).is_ok());
        assert_eq!(listener.url(), format!("http://{address}"));
    }

    #[test]
    fn an_address_in_use_is_named_in_the_error() {
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap(), 16).unwrap();
        let again: Bind = listener.local_addr().unwrap().to_string().parse().unwrap();
        let error = Listener::bind(&again, 16).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {again}: Address already in use"));
    }

    #[test]
    fn replaces_a_stale_unix_socket_but_no_living_one_and_no_file() {
        let directory = std::env::temp_dir().join(format!("brickwork-listeners-{}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("s.sock");
        let bind = Bind::Unix(path.clone());
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let living = Listener::bind(&bind, 16).unwrap();
        assert_eq!(Listener::bind(&bind, 16).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(living);
        assert!(!path.exists(), "the socket file goes with its listener");
        std::fs::write(&path, "precious").unwrap();
        assert_eq!(Listener::bind(&bind, 16).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn refuses_a_descriptor_that_does_not_listen() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert_eq!(Listener::from_fd(one.into()).unwrap_err().to_string(), "the socket does not listen");
        let file = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(Listener::from_fd(file.into()).unwrap_err().to_string(), "the descriptor is not a socket");
    }
}
