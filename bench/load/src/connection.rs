//! One connection: requests that are under way on it, and the bytes of their answers.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

/// A request that waits for its answer.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    /// When it was sent or, at a fixed rate, when it fell due.
    pub(crate) since: Instant,
    pub(crate) is_slow: bool,
}

pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) asked: VecDeque<Asked>,
    /// Whether an answer had the close option: no other answer follows it (RFC 9112, section 9.6).
    pub(crate) is_last_answered: bool,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Connection { stream, asked: VecDeque::new(), is_last_answered: false, buffer: Vec::new() })
    }

    /// Sends `bytes`; the requests in it are `asked` already. They are small, and the socket's buffer is empty: they
    /// fit.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Reads until nothing is left, so that no edge is missed. `Ok(false)`: the server has closed.
    pub(crate) fn fill(&mut self) -> io::Result<bool> {
        let mut block = [0; 65_536];
        loop {
            match self.stream.read(&mut block) {
                Ok(0) => return Ok(false),
                Ok(len) => self.buffer.extend_from_slice(&block[..len]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes one whole answer out of the buffer, if there is one.
    pub(crate) fn answer(&mut self, length: usize) -> Result<Option<Asked>, String> {
        let Some(end) = find(&self.buffer, b"\r\n\r\n") else { return Ok(None) };
        let head = &self.buffer[..end + 2];
        if !head.starts_with(b"HTTP/1.1 200") {
            return Err(format!("status line {}", head[..head.len().min(40)].escape_ascii()));
        }
        match content_length(head) {
            Some(stated) if stated == length => {}
            stated => return Err(format!("content length {stated:?}, expected {length}")),
        }
        let whole = end + 4 + length;
        if self.buffer.len() < whole {
            return Ok(None);
        }
        self.is_last_answered |= has_close_option(head);
        self.buffer.drain(..whole);
        self.asked.pop_front().map(Some).ok_or_else(|| "an answer to no request".into())
    }

    /// Whether bytes are left where there should be none.
    pub(crate) fn has_excess(&self) -> bool {
        self.asked.is_empty() && !self.buffer.is_empty()
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn content_length(head: &[u8]) -> Option<usize> {
    std::str::from_utf8(values(head, b"content-length:").next()?).ok()?.trim().parse().ok()
}

fn has_close_option(head: &[u8]) -> bool {
    let mut options = values(head, b"connection:").flat_map(|value| value.split(|&byte| byte == b','));
    options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// What follows `name`, which is lower case and ends with the colon, on each of its field lines.
fn values<'a>(head: &'a [u8], name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    let lines = head.split(|&byte| byte == b'\n');
    lines.filter_map(|line| {
        let (start, value) = line.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_close_option_is_one_of_a_list_in_any_case() {
        for (field_lines, expected) in [
            ("", false),
            ("Connection: keep-alive\r\n", false),
            ("Connection: close\r\n", true),
            ("connection:CLOSE\r\n", true),
            ("Connection: keep-alive, Close \r\n", true),
            ("Connection: keep-alive\r\nConnection: close\r\n", true),
            ("Connection: closed\r\n", false),
            ("Proxy-Connection: close\r\n", false),
            ("Server: close\r\n", false),
        ] {
            let head = format!("HTTP/1.1 200 OK\r\n{field_lines}Content-Length: 2\r\n");
            assert_eq!(has_close_option(head.as_bytes()), expected, "{field_lines:?}");
            assert_eq!(content_length(head.as_bytes()), Some(2), "{field_lines:?}");
        }
    }
}
