//! Shared memory with a place for each worker, which outlives the worker: a number that all workers read, two that beat
//! as long as the worker is well, and a block of words. What the number and the block mean the supervisor does not
//! know, but that 0 is nobody.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::sys::stat::fstat;
use nix::unistd::ftruncate;

/// See the module's documentation.
#[derive(Debug)]
pub struct Scoreboard {
    memory: OwnedFd,
    numbers: &'static [AtomicU32],
    beats: &'static [AtomicU32],
    words: &'static [AtomicU64],
}

/// What a worker changes again and again as long as it is well, each at its own pace.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    /// The loop went round.
    pub turns: &'static AtomicU32,
    /// The interpreter lock could be had.
    pub lock: &'static AtomicU32,
}

/// Workers beyond so many have no place of their own.
pub(crate) const PLACES: usize = 256;
/// Two for each worker.
const BEATS: usize = 2 * PLACES;
/// Where the blocks begin.
const HEAD: usize = (PLACES + BEATS) * size_of::<AtomicU32>();

impl Scoreboard {
    /// With so many words in the block of each worker. Memory that no worker writes to is never taken.
    pub(crate) fn create(block: usize) -> io::Result<Scoreboard> {
        let memory = memfd_create(c"brickwork-scoreboard", MFdFlags::MFD_CLOEXEC)?;
        let bytes = HEAD + PLACES * block * size_of::<AtomicU64>();
        ftruncate(&memory, i64::try_from(bytes).map_err(io::Error::other)?)?;
        Scoreboard::map(memory)
    }

    #[allow(unsafe_code)]
    pub(crate) fn map(memory: OwnedFd) -> io::Result<Scoreboard> {
        let bytes = usize::try_from(fstat(&memory)?.st_size).map_err(io::Error::other)?;
        let length = NonZeroUsize::new(bytes).filter(|length| length.get() >= HEAD);
        let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice, which is never unmapped, as long as the file,
        // which nobody makes shorter. Any bytes are valid atomic integers, and HEAD is a multiple of their size.
        let (narrow, words) = unsafe {
            let start = mmap(None, length, access, MapFlags::MAP_SHARED, &memory, 0)?;
            let narrow = std::slice::from_raw_parts(start.cast::<AtomicU32>().as_ptr(), PLACES + BEATS);
            let behind = start.byte_add(HEAD).cast::<AtomicU64>().as_ptr();
            (narrow, std::slice::from_raw_parts(behind, (bytes - HEAD) / size_of::<AtomicU64>()))
        };
        let (numbers, beats) = narrow.split_at(PLACES);
        Ok(Scoreboard { memory, numbers, beats, words })
    }

    /// The numbers of all workers.
    #[must_use]
    pub fn numbers(&self) -> &'static [AtomicU32] {
        self.numbers
    }

    /// What shows that the worker at this place is well; None beyond the last place.
    #[must_use]
    pub fn pulse(&self, place: usize) -> Option<Pulse> {
        let (turns, lock) = (self.beats.get(2 * place)?, self.beats.get(2 * place + 1)?);
        Some(Pulse { turns, lock })
    }

    /// The block of the worker at this place; empty beyond the last place.
    #[must_use]
    pub fn block(&self, place: usize) -> &'static [AtomicU64] {
        let size = self.words.len() / PLACES;
        self.words.get(place * size..(place + 1) * size).unwrap_or_default()
    }

    /// Nobody is at this place any more.
    pub(crate) fn clear(&self, place: usize) {
        if let Some(number) = self.numbers.get(place) {
            number.store(0, Ordering::Relaxed);
        }
        // Only what was written to: a page of zeros that nobody touched stays no page.
        for word in self.block(place).iter().filter(|word| word.load(Ordering::Relaxed) != 0) {
            word.store(0, Ordering::Relaxed);
        }
    }
}

impl AsFd for Scoreboard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mappings_show_the_same_numbers() {
        let ours = Scoreboard::create(10).unwrap();
        let theirs = Scoreboard::map(ours.memory.try_clone().unwrap()).unwrap();
        theirs.numbers()[7].store(42, Ordering::Relaxed);
        theirs.pulse(7).unwrap().lock.store(43, Ordering::Relaxed);
        theirs.block(7)[9].store(44, Ordering::Relaxed);
        theirs.block(8)[0].store(45, Ordering::Relaxed);
        assert_eq!(ours.numbers()[7].load(Ordering::Relaxed), 42);
        assert_eq!(ours.pulse(7).unwrap().lock.load(Ordering::Relaxed), 43);
        assert_eq!(ours.block(7)[9].load(Ordering::Relaxed), 44);
        ours.clear(7);
        ours.clear(PLACES);
        assert_eq!(theirs.numbers()[7].load(Ordering::Relaxed), 0);
        assert_eq!(theirs.block(7)[9].load(Ordering::Relaxed), 0);
        assert_eq!(theirs.block(8)[0].load(Ordering::Relaxed), 45);
        assert!(theirs.pulse(PLACES).is_none() && theirs.block(PLACES).is_empty());
        assert_eq!(theirs.block(PLACES - 1).len(), 10);
    }
}
