//! The file that says which process the supervisor is.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::kill;
use nix::unistd::{Pid, getpid};

/// A file with our process id in it; removed when dropped, if it still has. Emptied, where its directory is not ours to
/// write to any more: nobody must take the number for that of a server.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: fs::File,
}

impl PidFile {
    /// Makes the file. One that a dead process left behind is replaced.
    ///
    /// # Errors
    /// As open(2); AlreadyExists if the process that it names is alive.
    pub fn create(path: PathBuf) -> io::Result<PidFile> {
        if let Ok(pid) = read_pid(&path)
            && pid != getpid().as_raw()
            && kill(Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH)
        {
            return Err(io::Error::new(ErrorKind::AlreadyExists, format!("process {pid} runs already")));
        }
        // By a name of its own first: nobody reads half a number.
        let draft = path.with_extension(format!("{}.new", getpid()));
        let written = fs::File::create(&draft).and_then(|mut file| {
            writeln!(file, "{}", getpid())?;
            fs::rename(&draft, &path)?;
            Ok(file)
        });
        let file = written.inspect_err(|_| drop(fs::remove_file(&draft)))?;
        Ok(PidFile { path: std::path::absolute(path)?, file })
    }

    /// One that this process made before its program was replaced by another: its path, and the descriptor of
    /// [`PidFile::as_fd`].
    #[must_use]
    pub fn adopt(path: PathBuf, file: OwnedFd) -> PidFile {
        PidFile { path, file: file.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl AsFd for PidFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Looked at by inode and not by content, which we may have lost the right to read.
        let is_ours = match (self.file.metadata(), fs::metadata(&self.path)) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        };
        if is_ours && fs::remove_file(&self.path).is_err() {
            let _ = self.file.set_len(0);
        }
    }
}

/// The process id in a file.
///
/// # Errors
/// As read(2); InvalidData if there is no number in it.
pub fn read_pid(path: &Path) -> io::Result<i32> {
    let text = fs::read_to_string(path)?;
    let pid = text.trim().parse::<i32>().ok().filter(|&pid| pid > 0);
    pid.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "there is no process id in it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_what_the_dead_left_and_respects_the_living() {
        let path = std::env::temp_dir().join(format!("brickwork-pid-test-{}", std::process::id()));
        for (content, is_taken) in [("4194304\n", false), ("nonsense", false), ("1\n", true)] {
            fs::write(&path, content).unwrap();
            match PidFile::create(path.clone()) {
                Ok(file) => {
                    assert!(!is_taken, "{content}");
                    assert_eq!(read_pid(&path).unwrap(), getpid().as_raw());
                    drop(file);
                    assert!(!path.exists());
                }
                Err(error) => assert!(is_taken && error.kind() == ErrorKind::AlreadyExists, "{content}: {error}"),
            }
        }
        fs::remove_file(&path).unwrap();
    }
}
