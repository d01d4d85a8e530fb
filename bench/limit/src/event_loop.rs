//! Level-triggered epoll over one listener; each request that is there whole is answered at once, all answers in one
//! write.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use memchr::memmem;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, epoll, poll};

const LISTENER: u64 = u64::MAX;

/// A request: its head without the final empty line, and its content.
pub(crate) struct Request<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) content: &'a [u8],
    pub(crate) closes: bool,
}

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
}

pub(crate) fn run(port: u16, mut answer: impl FnMut(&Request<'_>, &mut Vec<u8>)) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    // SAFETY: listen(2) again on our own socket; it only sets the backlog, which std has at 128.
    unsafe { listen(listener.as_raw_fd(), 2048) };
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
    let mut connections: HashMap<u64, Connection> = HashMap::new();
    let (mut events, mut output, mut block) = (Vec::with_capacity(256), Vec::new(), vec![0; 65_536]);
    loop {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            let id = event.data.u64();
            if id == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    let id = stream.as_raw_fd() as u64;
                    epoll::add(&epoll, &stream, epoll::EventData::new_u64(id), epoll::EventFlags::IN)?;
                    connections.insert(id, Connection { stream, input: Vec::new() });
                }
                continue;
            }
            let Some(connection) = connections.get_mut(&id) else { continue };
            output.clear();
            let is_open = turn(connection, &mut block, &mut output, &mut answer);
            let is_sent = send(&mut connection.stream, &output).is_ok();
            if !is_open || !is_sent {
                connections.remove(&id);
            }
        }
    }
}

/// Reads once and answers what is whole. False: the connection is done with.
fn turn(
    connection: &mut Connection,
    block: &mut [u8],
    output: &mut Vec<u8>,
    answer: &mut impl FnMut(&Request<'_>, &mut Vec<u8>),
) -> bool {
    let Connection { stream, input } = connection;
    let len = match stream.read(block) {
        Ok(0) => return false,
        Ok(len) => len,
        Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
    };
    // Nearly always a whole request has come, and nothing was left over: then it is answered from where it was read to.
    if input.is_empty() {
        let (used, closes) = answer_all(&block[..len], output, answer);
        input.extend_from_slice(&block[used..len]);
        return !closes;
    }
    input.extend_from_slice(&block[..len]);
    let (used, closes) = answer_all(input, output, answer);
    input.drain(..used);
    !closes
}

/// How many bytes were used, and whether the last request asked for the end.
fn answer_all(
    input: &[u8],
    output: &mut Vec<u8>,
    answer: &mut impl FnMut(&Request<'_>, &mut Vec<u8>),
) -> (usize, bool) {
    let mut used = 0;
    while let Some((request, len)) = whole_request(&input[used..]) {
        answer(&request, output);
        used += len;
        if request.closes {
            return (used, true);
        }
    }
    (used, false)
}

fn whole_request(input: &[u8]) -> Option<(Request<'_>, usize)> {
    let end = memmem::find(input, b"\r\n\r\n")?;
    let head = &input[..end];
    let content_length = match head.starts_with(b"POST") {
        true => field(head, b"\r\nContent-Length: ").and_then(|value| value.parse().ok()).unwrap_or(0),
        false => 0,
    };
    let len = end + 4 + content_length;
    let content = input.get(end + 4..len)?;
    let closes = field(head, b"\r\nConnection: ") == Some("close");
    Some((Request { head, content, closes }, len))
}

fn field<'a>(head: &'a [u8], start: &[u8]) -> Option<&'a str> {
    let at = memmem::find(head, start)? + start.len();
    let len = memchr::memchr(b'\r', &head[at..]).unwrap_or(head.len() - at);
    std::str::from_utf8(&head[at..at + len]).ok()
}

/// Everything, waiting where the socket is full: with one client a core away, that is as good as coming back later.
fn send(stream: &mut TcpStream, mut output: &[u8]) -> io::Result<()> {
    while !output.is_empty() {
        match stream.write(output) {
            Ok(len) => output = &output[len..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(stream, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

unsafe extern "C" {
    fn listen(descriptor: i32, backlog: i32) -> i32;
}
