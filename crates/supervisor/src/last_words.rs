//! A file in memory into which a process writes its stacks when it crashes, or is told to. It outlives the process.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// One end of it: the process's, or the supervisor's.
#[derive(Debug)]
pub struct LastWords {
    file: File,
    /// How much was read of it.
    read: u64,
}

/// No more than this is shown.
const MOST: u64 = 64 * 1024;

impl LastWords {
    /// An empty one. Whatever is written goes to its end.
    ///
    /// # Errors
    /// As memfd_create(2).
    pub fn create() -> io::Result<LastWords> {
        let memory = memfd_create(c"brickwork-last-words", MFdFlags::MFD_CLOEXEC)?;
        fcntl(&memory, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
        Ok(LastWords::received(memory))
    }

    pub(crate) fn received(memory: OwnedFd) -> LastWords {
        LastWords { file: File::from(memory), read: 0 }
    }

    /// What was written since the last time.
    pub(crate) fn news(&mut self) -> String {
        let end = self.file.metadata().map_or(self.read, |metadata| metadata.len());
        let length = end.saturating_sub(self.read).min(MOST);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let read = self.file.read_at(&mut bytes, self.read).unwrap_or(0);
        bytes.truncate(read);
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if end - self.read > MOST {
            text.push_str("\n(more is left out)\n");
        }
        self.read = end;
        text
    }
}

impl AsFd for LastWords {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl AsRawFd for LastWords {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn both_ends_are_one_file_and_news_are_told_once() {
        let mut theirs = LastWords::create().unwrap();
        let mut ours = LastWords::received(theirs.file.as_fd().try_clone_to_owned().unwrap());
        assert_eq!(ours.news(), "");
        theirs.file.write_all(b"first").unwrap();
        assert_eq!(ours.news(), "first");
        theirs.file.write_all(b"second").unwrap();
        drop(theirs);
        assert_eq!((ours.news(), ours.news()), ("second".into(), String::new()));
    }
}
