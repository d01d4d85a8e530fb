//! A block of shared memory with one number for each worker. Workers write their own and read the others'; what the numbers mean the
//! supervisor does not know, but that 0 means nobody.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::unistd::ftruncate;

/// See the module's documentation.
#[derive(Debug)]
pub struct Scoreboard {
    memory: OwnedFd,
    numbers: &'static [AtomicU32],
}

/// Workers beyond so many have no number of their own.
pub(crate) const PLACES: usize = 256;
const BYTES: NonZeroUsize = NonZeroUsize::new(PLACES * size_of::<AtomicU32>()).unwrap();

impl Scoreboard {
    pub(crate) fn create() -> io::Result<Scoreboard> {
        let memory = memfd_create(c"brickwork-scoreboard", MFdFlags::MFD_CLOEXEC)?;
        ftruncate(&memory, i64::try_from(BYTES.get()).map_err(io::Error::other)?)?;
        Scoreboard::map(memory)
    }

    #[allow(unsafe_code)]
    pub(crate) fn map(memory: OwnedFd) -> io::Result<Scoreboard> {
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice, which is never unmapped; as long as `create` made it, and
        // any bytes are valid atomic integers.
        let numbers = unsafe {
            let start = mmap(None, BYTES, access, MapFlags::MAP_SHARED, &memory, 0)?;
            std::slice::from_raw_parts(start.cast::<AtomicU32>().as_ptr(), PLACES)
        };
        Ok(Scoreboard { memory, numbers })
    }

    /// All numbers.
    #[must_use]
    pub fn numbers(&self) -> &'static [AtomicU32] {
        self.numbers
    }

    /// Nobody is at this place any more.
    pub(crate) fn clear(&self, place: usize) {
        if let Some(number) = self.numbers.get(place) {
            number.store(0, Ordering::Relaxed);
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
        let ours = Scoreboard::create().unwrap();
        let theirs = Scoreboard::map(ours.memory.try_clone().unwrap()).unwrap();
        theirs.numbers()[7].store(42, Ordering::Relaxed);
        assert_eq!(ours.numbers()[7].load(Ordering::Relaxed), 42);
        ours.clear(7);
        ours.clear(PLACES);
        assert_eq!(theirs.numbers()[7].load(Ordering::Relaxed), 0);
    }
}
