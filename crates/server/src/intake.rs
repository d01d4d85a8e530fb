//! Gathers a request's content before the handler is called: memory first, then an unlinked file, so that a slow sender never holds a
//! thread (DESIGN: the walk, step 4).

use std::fs::File;
use std::io::{self, Seek, Write};

use brickwork_http::h1::{BodyReader, Framing, Step};
use brickwork_http::{Piece, Rejection, Rule};

use crate::config::Setup;
use crate::content_memory::Share;
use crate::input::{Behind, Input};
use crate::transport::{Moved, Transport};
use crate::{RequestContent, Spool};

/// Content on its way in.
#[derive(Debug)]
pub(crate) struct Intake {
    reader: BodyReader,
    gathered: Gathered,
    /// Bytes of content so far.
    received: u64,
    /// Whether the reader has found a rule broken, rather than silence or the end of the bytes.
    is_rejected: bool,
}

#[derive(Debug)]
enum Gathered {
    Memory { bytes: Vec<u8>, share: Share },
    File(File),
}

/// Content of up to so many bytes stays in memory in any case: about as much as a connection's other buffers.
const UNCOUNTED: u64 = 64 << 10;

/// Room beyond the content: if it stays free, the socket is empty, and no further receive has to find that out.
const PROBE: usize = 1;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It breaks a rule.
    Rejected(Rejection),
    /// It could not be spooled: our fault, not the client's.
    Spool(io::Error),
}

impl Intake {
    /// Content framed so is about to come.
    pub(crate) fn new(framing: Framing, setup: &Setup) -> Result<Intake, Refusal> {
        let mut share = setup.content_memory.share();
        let length = if let Framing::Length(length) = framing { length } else { 0 };
        let gathered = if stays_in_memory(length, &mut share, &setup.config.spool) {
            Gathered::Memory { bytes: Vec::with_capacity(room_for(length)), share }
        } else {
            Gathered::File(spool_file(&setup.config.spool)?)
        };
        Ok(Intake { reader: BodyReader::new(framing), gathered, received: 0, is_rejected: false })
    }

    /// Bytes of content so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Where in the bytes in hand the piece starts that a rejection's offset counts from: behind what was read before it in the
    /// step that found it, or else at their start.
    pub(crate) fn piece_start(&self) -> usize {
        if self.is_rejected { self.reader.element_start() } else { 0 }
    }

    /// What that piece is.
    pub(crate) fn piece(&self) -> Piece {
        self.reader.piece()
    }

    /// Takes what `input` holds of the content. True when the content is complete; the rest of `input` is then the next request.
    pub(crate) fn take(&mut self, input: &mut Behind<'_>, setup: &Setup) -> Result<bool, Refusal> {
        loop {
            let step = self.reader.step(input.unused(), &setup.config.limits);
            self.is_rejected = step.is_err();
            match step.map_err(Refusal::Rejected)? {
                Step::Content { skip, len } => {
                    let content = input.unused().get(skip..skip + len).unwrap_or(&[]);
                    self.received += len as u64;
                    self.gathered.keep(content, self.received, &setup.config.spool)?;
                    input.discard(skip + len);
                }
                Step::Partial { skip } => {
                    input.discard(skip);
                    return Ok(false);
                }
                Step::Complete { skip } => {
                    input.discard(skip);
                    return Ok(true);
                }
            }
        }
    }

    /// Receives more: straight into the content where its length is known and it stays in memory, else into `input`. Says also whether there
    /// may be more to receive at once.
    pub(crate) fn fill(&mut self, input: &mut Input, transport: &Transport) -> (Moved, bool) {
        /// Room for one receive of content that goes through the buffer.
        const ROOM: usize = 64 * 1024;
        let (Gathered::Memory { bytes: memory, .. }, Some(remaining)) = (&mut self.gathered, self.reader.remaining())
        else {
            return input.fill(transport, ROOM);
        };
        let before = memory.len();
        let wanted = before + usize::try_from(remaining).unwrap_or(0);
        memory.reserve(room_for(remaining));
        let moved = transport.receive(memory);
        let is_full = memory.len() == memory.capacity();
        // What follows the content is the next request.
        if memory.len() > wanted {
            input.append(&memory[wanted..]);
            memory.truncate(wanted);
        }
        self.note_received(before);
        (moved, is_full)
    }

    /// Counts bytes that were received past the reader.
    fn note_received(&mut self, before: usize) {
        let Gathered::Memory { bytes, .. } = &self.gathered else { return };
        let fresh = bytes.len() - before;
        self.received += fresh as u64;
        self.reader.skip_content(fresh as u64);
    }

    /// The content, complete.
    pub(crate) fn into_content(self) -> Result<RequestContent, Refusal> {
        match self.gathered {
            Gathered::Memory { bytes, share } => Ok(RequestContent::memory(bytes, share)),
            Gathered::File(mut file) => {
                file.rewind().map_err(Refusal::Spool)?;
                Ok(RequestContent::file(file, self.received))
            }
        }
    }
}

impl Gathered {
    /// Keeps `content`; `total` is the content's length with it.
    fn keep(&mut self, content: &[u8], total: u64, spool: &Spool) -> Result<(), Refusal> {
        if let Gathered::Memory { bytes, share } = self
            && !stays_in_memory(total, share, spool)
        {
            let mut file = spool_file(spool)?;
            file.write_all(bytes).map_err(Refusal::Spool)?;
            *self = Gathered::File(file);
        }
        match self {
            Gathered::Memory { bytes, .. } => bytes.extend_from_slice(content),
            Gathered::File(file) => file.write_all(content).map_err(Refusal::Spool)?,
        }
        Ok(())
    }
}

/// Bytes to make room for when `length` bytes of content are to be received.
fn room_for(length: u64) -> usize {
    usize::try_from(length).unwrap_or(0).saturating_add(PROBE)
}

/// Whether content of so many bytes stays in memory; takes its share of that.
fn stays_in_memory(bytes: u64, share: &mut Share, spool: &Spool) -> bool {
    // In steps, as a growing buffer takes it.
    let rounded = bytes.checked_next_power_of_two().unwrap_or(bytes).min(spool.threshold);
    stays_uncounted(bytes, spool) || bytes <= spool.threshold && (spool.directory.is_none() || share.grow_to(rounded))
}

/// Whether content of so many bytes stays in memory in any case, without a share of it.
pub(crate) fn stays_uncounted(bytes: u64, spool: &Spool) -> bool {
    bytes <= spool.threshold && bytes <= UNCOUNTED
}

/// An unlinked file in the spool directory. Without one, content over the threshold is too large.
fn spool_file(spool: &Spool) -> Result<File, Refusal> {
    match &spool.directory {
        Some(directory) => tempfile::tempfile_in(directory).map_err(Refusal::Spool),
        None => Err(Refusal::Rejected(Rejection { rule: Rule::ContentTooLarge, at: 0 })),
    }
}
