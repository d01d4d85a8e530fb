//! The part of a connection that is shared with whoever handles its request: socket, claim, unsent output.
//!
//! It stays in the loop's table while the exchange travels. The descriptor closes when the last holder lets go of the slot, and
//! every holder is the table, a live exchange, or the courier on its round: a handler can never write to a descriptor that was given to
//! somebody else.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::claim::Claim;
use crate::descriptors::Process;
use crate::send_buffer::{Flushed, SendBuffer};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::transport::Transport;
use crate::{Content, Peer};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) transport: Transport,
    pub(crate) peer: Peer,
    pub(crate) claim: Claim,
    /// Whoever holds this lock writes to the socket; so bytes keep their order whoever comes first, handler, loop or courier. A forked child
    /// must not wait for it: who held it then is not there to let it go.
    output: Mutex<SendBuffer>,
    gone: AtomicBool,
    /// The one that it was accepted in; a forked child says nothing on it.
    process: Process,
}

/// What has become of a block that was to wait for the courier.
#[derive(Debug)]
pub(crate) enum Held {
    /// With others, of which the courier knows.
    More,
    /// It is the first: the courier has to be called.
    First,
    /// Back: there is no room, or nobody to send it to.
    Full(Content),
    /// Back: the one before has been sent, by the courier or because there was room, so this one took its time.
    Late(Content),
}

impl Slot {
    pub(crate) fn new(transport: Transport, peer: Peer) -> Slot {
        Slot {
            transport,
            peer,
            claim: Claim::new(),
            output: Mutex::new(SendBuffer::default()),
            gone: AtomicBool::new(false),
            process: Process::current(),
        }
    }

    fn output(&self) -> MutexGuard<'_, SendBuffer> {
        lock(&self.output)
    }

    /// Sends `head`, `content` and `end` behind what waits; keeps what the kernel does not take.
    pub(crate) fn offer(&self, head: &[u8], content: Content, end: &'static [u8]) -> Flushed {
        if self.is_gone() || self.process.is_before() {
            return Flushed::Broken;
        }
        self.noting_loss(self.output().offer(&self.transport, head, content, end))
    }

    /// Puts bytes behind what waits, to be sent with the next flush; false if that would be more than `most` bytes.
    pub(crate) fn gather(&self, bytes: &[u8], most: u64) -> bool {
        if self.process.is_before() {
            return false;
        }
        let mut output = self.output();
        let fits = output.len() + bytes.len() as u64 <= most;
        if fits {
            output.push_bytes(bytes);
        }
        fits
    }

    /// Puts a block, with what comes before and after it, behind what waits, for the courier; `begins` where the handler has left none
    /// for it so far. No more than `most` bytes wait.
    pub(crate) fn hold(&self, head: &[u8], block: Content, end: &[u8], begins: bool, most: u64) -> Held {
        if self.is_gone() || self.process.is_before() {
            return Held::Full(block);
        }
        let mut output = self.output();
        let was_held = output.is_held();
        if !begins && !was_held {
            return Held::Late(block);
        }
        if output.len() + (head.len() + end.len()) as u64 + block.len() > most {
            return Held::Full(block);
        }
        output.hold();
        output.queue(head, block, end);
        if was_held { Held::More } else { Held::First }
    }

    /// Sends what waits for the courier, which is here, if nobody did so before. What the kernel does not take the loop sends when there is
    /// room.
    pub(crate) fn send_held(&self) {
        if self.process.is_before() {
            return;
        }
        let mut output = self.output();
        if output.is_held() {
            self.noting_loss(output.flush(&self.transport));
        }
    }

    /// Puts a block, with what comes before and after it, behind what waits.
    pub(crate) fn queue(&self, head: &[u8], content: Content, end: &[u8]) {
        if !self.process.is_before() {
            self.output().queue(head, content, end);
        }
    }

    /// Sends what waits.
    pub(crate) fn flush(&self) -> Flushed {
        if self.process.is_before() {
            return Flushed::Broken;
        }
        self.noting_loss(self.output().flush(&self.transport))
    }

    /// Sends what waits; the caller ends the connection when everything is sent.
    pub(crate) fn flush_last(&self) -> Flushed {
        if self.process.is_before() {
            return Flushed::Broken;
        }
        self.noting_loss(self.output().flush_last(&self.transport))
    }

    fn noting_loss(&self, flushed: Flushed) -> Flushed {
        if flushed == Flushed::Broken {
            self.note_gone();
        }
        flushed
    }

    /// The peer can no longer be reached.
    pub(crate) fn note_gone(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Ends the connection in both directions at once, wherever its exchange is. What waits to be sent is dropped.
    pub(crate) fn cut(&self) {
        self.note_gone();
        self.output().clear();
        self.transport.shutdown();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn pair() -> (Slot, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        (Slot::new(Transport::new(ours.into()), Peer::Unix { path: "test".into() }), theirs)
    }

    fn received(peer: &mut UnixStream) -> Vec<u8> {
        let mut all = Vec::new();
        // It ends with "would block".
        let _ = peer.read_to_end(&mut all);
        all
    }

    #[test]
    fn blocks_wait_for_the_courier_who_is_called_once_and_anew_after_a_visit() {
        let (slot, mut peer) = pair();
        assert!(matches!(slot.hold(b"one ", Content::Static(b"block "), b"end ", true, 100), Held::First));
        assert!(matches!(slot.hold(b"two ", Content::Empty, b"", false, 100), Held::More));
        assert_eq!(received(&mut peer), b"");
        slot.send_held();
        assert_eq!(received(&mut peer), b"one block end two ");
        // The one before has been sent: this one is late.
        assert!(
            matches!(slot.hold(b"", Content::Static(b"late"), b"", false, 100), Held::Late(block) if block.len() == 4)
        );
        assert!(matches!(slot.hold(b"three ", Content::Empty, b"", true, 100), Held::First));
        slot.send_held();
        assert_eq!(received(&mut peer), b"three ");
    }

    #[test]
    fn a_block_too_many_goes_with_those_that_wait() {
        let (slot, mut peer) = pair();
        assert!(matches!(slot.hold(b"", Content::Static(b"waits "), b"", true, 10), Held::First));
        let Held::Full(block) = slot.hold(b"head ", Content::Static(b"goes"), b"", false, 10) else {
            panic!("it fits")
        };
        assert_eq!(slot.offer(b"head ", block, b""), Flushed::All);
        assert_eq!(received(&mut peer), b"waits head goes");
        // What waits now waits for something else, and not for the courier.
        slot.queue(b"later", Content::Empty, b"");
        slot.send_held();
        assert_eq!(received(&mut peer), b"");
        slot.cut();
        assert!(matches!(slot.hold(b"", Content::Static(b"x"), b"", true, 10), Held::Full(_)));
    }

    #[test]
    fn a_forked_child_waits_for_no_lock_that_another_thread_had() {
        let (mut slot, mut peer) = pair();
        slot.process = Process::earlier();
        let held_at_the_fork = slot.output();
        assert!(matches!(slot.hold(b"", Content::Static(b"x"), b"", true, 10), Held::Full(_)));
        slot.send_held();
        slot.queue(b"x", Content::Empty, b"");
        assert!(!slot.gather(b"x", 10));
        assert_eq!(slot.offer(b"x", Content::Empty, b""), Flushed::Broken);
        assert_eq!(slot.flush(), Flushed::Broken);
        assert_eq!(slot.flush_last(), Flushed::Broken);
        assert!(held_at_the_fork.is_empty());
        assert_eq!(received(&mut peer), b"");
    }
}
