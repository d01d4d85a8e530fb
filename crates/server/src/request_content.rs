//! The content of a request as its handler reads it: nothing, bytes in memory, an unlinked file, or bytes yet to come.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use crate::awaited::Awaited;
use crate::content_memory::Share;

/// A request's content, to be read once from front to back. Owned and `Send`: it may outlive the handler's call; content that was still to come
/// then reads as an error.
#[derive(Debug)]
pub struct RequestContent {
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// The share is that of its memory, if it counts.
    Memory {
        bytes: Vec<u8>,
        read: usize,
        _share: Option<Share>,
    },
    File {
        file: BufReader<File>,
        left: u64,
    },
    Awaited {
        awaited: Arc<Awaited>,
        window: Vec<u8>,
        read: usize,
    },
}

impl RequestContent {
    pub(crate) const fn empty() -> RequestContent {
        RequestContent { source: Source::Memory { bytes: Vec::new(), read: 0, _share: None } }
    }

    pub(crate) fn memory(bytes: Vec<u8>, share: Share) -> RequestContent {
        RequestContent { source: Source::Memory { bytes, read: 0, _share: Some(share) } }
    }

    /// What lies in `bytes` from `start` on; too little to count.
    pub(crate) fn behind(bytes: Vec<u8>, start: usize) -> RequestContent {
        RequestContent { source: Source::Memory { bytes, read: start, _share: None } }
    }

    /// `left` bytes of `file` from its current position.
    pub(crate) fn file(file: File, left: u64) -> RequestContent {
        /// Read-ahead: few system calls for an application that reads line by line.
        const AHEAD: usize = 64 * 1024;
        RequestContent { source: Source::File { file: BufReader::with_capacity(AHEAD, file), left } }
    }

    pub(crate) fn awaited(awaited: Arc<Awaited>) -> RequestContent {
        RequestContent { source: Source::Awaited { awaited, window: Vec::new(), read: 0 } }
    }

    /// Whether there is nothing (more) to read, as far as is known without waiting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remaining() == Some(0)
    }

    /// Bytes left to read, where that is known (not for chunked content that is still to come).
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match &self.source {
            Source::Memory { bytes, read, .. } => Some((bytes.len() - read) as u64),
            Source::File { left, .. } => Some(*left),
            Source::Awaited { awaited, window, read } => Some(awaited.remaining()? + (window.len() - read) as u64),
        }
    }
}

/// Reading. `fill_buf` waits only for content that the client holds back until it sees `100 Continue`: it sends that, gives the
/// event loop up, releases the interpreter lock (the caller must hold it) and waits under the content deadline. An empty buffer is the end.
///
/// Errors: `UnexpectedEof` when the client left early, `TimedOut`, `InvalidData` for malformed chunks, `BrokenPipe` when the
/// request is over.
impl BufRead for RequestContent {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.source {
            Source::Memory { bytes, read, .. } => Ok(&bytes[*read..]),
            Source::File { left: 0, .. } => Ok(&[]),
            Source::File { file, left } => {
                let bytes = file.fill_buf()?;
                if bytes.is_empty() {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the spooled content was cut short"));
                }
                let len = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                Ok(&bytes[..len])
            }
            Source::Awaited { awaited, window, read } => {
                if *read >= window.len() {
                    window.clear();
                    *read = 0;
                    awaited.receive(window)?;
                }
                Ok(&window[*read..])
            }
        }
    }

    fn consume(&mut self, n: usize) {
        match &mut self.source {
            Source::Memory { bytes, read, .. } => *read = (*read + n).min(bytes.len()),
            Source::Awaited { window, read, .. } => *read = (*read + n).min(window.len()),
            Source::File { file, left } => {
                file.consume(n);
                *left = left.saturating_sub(n as u64);
            }
        }
    }
}

impl Read for RequestContent {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let n = available.len().min(buf.len());
        buf[..n].copy_from_slice(&available[..n]);
        self.consume(n);
        Ok(n)
    }
}
