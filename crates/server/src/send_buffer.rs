//! What the kernel has not taken yet of a connection's output, in order: heads and small content as bytes, large content as it came.

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::Content;
use crate::transport::{Moved, Transport};

/// Unsent output of one connection.
#[derive(Debug, Default)]
pub(crate) struct SendBuffer {
    segments: VecDeque<Segment>,
    /// Whether the socket is corked; never while nothing waits.
    is_corked: bool,
    /// Whether blocks wait here for the courier. Whoever sends them before it comes saves it the work.
    is_held: bool,
}

/// One piece, and how much of it has gone.
#[derive(Debug)]
struct Segment {
    content: Content,
    sent: u64,
}

/// How far a flush got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything was taken.
    All,
    /// Some is left; the socket is full.
    Some {
        /// Whether any byte was taken.
        progress: bool,
    },
    /// The kernel still takes more, but others must have their turn: flush again soon, without waiting for the poller.
    Yielded,
    /// The connection is broken (or a file ended before its length was sent): nothing more can be sent.
    Broken,
}

impl SendBuffer {
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> u64 {
        self.segments.iter().map(|segment| segment.content.len() - segment.sent).sum()
    }

    /// Adds `bytes` behind what waits, in the last piece if that is a growing one.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        match self.segments.back_mut() {
            Some(Segment { content: Content::Owned(tail), .. }) => tail.extend_from_slice(bytes),
            _ if bytes.is_empty() => {}
            _ => self.push(Content::Owned(bytes.to_vec())),
        }
    }

    /// Adds a piece behind what waits.
    pub(crate) fn push(&mut self, content: Content) {
        if !content.is_empty() {
            self.segments.push_back(Segment { content, sent: 0 });
        }
    }

    /// Adds a block behind what waits, with what comes before and after it.
    pub(crate) fn queue(&mut self, head: &[u8], block: Content, end: &[u8]) {
        self.push_bytes(head);
        self.push(block);
        self.push_bytes(end);
    }

    /// What waits may wait for the courier from now on.
    pub(crate) fn hold(&mut self) {
        self.is_held = true;
    }

    /// Whether blocks wait for the courier.
    pub(crate) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Forgets everything: the connection is broken.
    pub(crate) fn clear(&mut self) {
        self.segments.clear();
        self.is_held = false;
    }

    /// Sends `head`, `content` and `end`, without copying what the kernel takes at once. What it does not take waits here.
    pub(crate) fn offer(
        &mut self,
        transport: &Transport,
        head: &[u8],
        content: Content,
        end: &'static [u8],
    ) -> Flushed {
        if self.is_empty() && (!head.is_empty() || !content.is_empty()) {
            let moved = match memory(&content, 0) {
                Some([]) if end.is_empty() => transport.send(head),
                Some(bytes) => transport.send_gathered(&[head, bytes, end].map(IoSlice::new)),
                None if head.is_empty() => Moved::NotNow,
                None if content.is_empty() => transport.send(head),
                None => transport.send_before_more(head),
            };
            let taken = match moved {
                Moved::Bytes(n) => n,
                Moved::NotNow => 0,
                Moved::End | Moved::Broken => return self.broken(),
            };
            self.push_bytes(&head[taken.min(head.len())..]);
            let beyond_head = taken.saturating_sub(head.len()) as u64;
            let end_sent = beyond_head.saturating_sub(content.len()) as usize;
            if beyond_head < content.len() {
                self.segments.push_back(Segment { content, sent: beyond_head });
            }
            self.push_bytes(&end[end_sent.min(end.len())..]);
            if self.is_empty() {
                return Flushed::All;
            }
        } else {
            self.queue(head, content, end);
        }
        self.flush(transport)
    }

    /// Sends as much of what waits as the kernel takes.
    pub(crate) fn flush(&mut self, transport: &Transport) -> Flushed {
        /// Bytes for one connection before others have their turn.
        const TURN: u64 = 4 << 20;
        /// A longer file goes in whole segments. Where congestion control paces what it sends (BBR does), each segment costs a
        /// timer, and uncorked there are more of them: 10 MB over loopback take a third more time. Elsewhere it makes no difference
        /// (`make bench-static`). As much as this is one pipe of pages, which sendfile(2) sends as one.
        const UNCORKED: u64 = 64 << 10;
        self.is_held = false;
        let (mut progress, mut taken) = (false, 0);
        while let Some(first) = self.segments.front_mut() {
            let moved = match &first.content {
                Content::File { file, offset, len } => {
                    let (mut from, left) = (offset + first.sent, len - first.sent);
                    if left > UNCORKED && !self.is_corked {
                        transport.cork(true);
                        self.is_corked = true;
                    }
                    transport.send_file(file, &mut from, left)
                }
                _ => self.send_memory(transport),
            };
            match moved {
                Moved::Bytes(n) => {
                    progress = true;
                    taken += n as u64;
                    self.advance(n as u64);
                    if taken >= TURN && !self.is_empty() {
                        return Flushed::Yielded;
                    }
                }
                Moved::NotNow => return Flushed::Some { progress },
                Moved::End | Moved::Broken => return self.broken(),
            }
        }
        if self.is_corked {
            transport.cork(false);
            self.is_corked = false;
        }
        Flushed::All
    }

    /// As [`flush`](SendBuffer::flush); the connection ends behind it, and a small answer shares a segment with that.
    pub(crate) fn flush_last(&mut self, transport: &Transport) -> Flushed {
        if let [Segment { content: Content::Owned(bytes), sent: 0 }] = self.segments.make_contiguous()
            && let Moved::Bytes(taken) = transport.send_before_more(bytes)
        {
            self.advance(taken as u64);
        }
        self.flush(transport)
    }

    /// Sends the run of in-memory pieces at the front in one call.
    fn send_memory(&self, transport: &Transport) -> Moved {
        const PIECES: usize = 64;
        // Most often it is one short answer: to clear a place for each of 64 would cost more than to look.
        if self.segments.len() == 1
            && let Some(bytes) = self.segments.front().and_then(|only| memory(&only.content, only.sent))
        {
            return transport.send(bytes);
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        let run = self.segments.iter().map_while(|segment| memory(&segment.content, segment.sent));
        for (piece, bytes) in pieces.iter_mut().zip(run) {
            *piece = IoSlice::new(bytes);
            count += 1;
        }
        transport.send_gathered(&pieces[..count])
    }

    fn advance(&mut self, mut taken: u64) {
        while let Some(first) = self.segments.front_mut() {
            let left = first.content.len() - first.sent;
            if taken < left {
                first.sent += taken;
                return;
            }
            taken -= left;
            self.segments.pop_front();
        }
    }

    fn broken(&mut self) -> Flushed {
        self.clear();
        Flushed::Broken
    }
}

/// The bytes of a piece that lives in memory, from `sent` on; None for a file.
fn memory(content: &Content, sent: u64) -> Option<&[u8]> {
    let bytes: &[u8] = match content {
        Content::Empty => &[],
        Content::Static(bytes) => bytes,
        Content::Owned(bytes) => bytes,
        Content::Foreign(foreign) => foreign.as_bytes(),
        Content::File { .. } => return None,
    };
    bytes.get(usize::try_from(sent).ok()?..)
}

#[cfg(test)]
#[path = "send_buffer_tests.rs"]
mod tests;
