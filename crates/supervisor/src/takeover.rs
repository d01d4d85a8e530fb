//! How a process becomes the supervisor: its program is replaced, execve(2), by one that has no interpreter. The process
//! id stays, and so does what is open. What has to be known goes over in a file in memory.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::fcntl::FdFlag;
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::descriptor::inherit;
use crate::launch::set_on_exec;

/// What the first argument begins with; a descriptor comes after it, so that `ps` shows what this is.
const MARK: &str = "@supervisor,takeover=";

/// Replaces this process by `program`, which finds `text` with [`take_over`] and the descriptors `kept` by their
/// numbers. `arguments` are for people to see. Returns only if that fails.
#[must_use]
pub fn hand_over(program: &Path, text: &[u8], arguments: &[OsString], kept: &[BorrowedFd<'_>]) -> io::Error {
    let memory = match in_memory(text) {
        Ok(memory) => memory,
        Err(error) => return error,
    };
    if let Err(error) =
        set_on_exec(kept, FdFlag::empty()).and_then(|()| set_on_exec(&[memory.as_fd()], FdFlag::empty()))
    {
        return error;
    }
    let mark = format!("{MARK}{}", memory.as_raw_fd());
    Command::new(program).arg0("brickwork").arg(mark).args(arguments).exec()
}

fn in_memory(text: &[u8]) -> io::Result<File> {
    let mut memory = File::from(memfd_create(c"brickwork-takeover", MFdFlags::MFD_CLOEXEC)?);
    memory.write_all(text)?;
    memory.rewind()?;
    Ok(memory)
}

/// The text that was handed over to this process, by its first argument.
///
/// # Errors
/// If there is none: InvalidInput, or as fcntl(2).
pub fn take_over(first_argument: Option<&OsStr>) -> io::Result<File> {
    let number = first_argument.and_then(OsStr::to_str).and_then(|text| text.strip_prefix(MARK)?.parse().ok());
    Ok(File::from(inherit(number.ok_or(io::ErrorKind::InvalidInput)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_handed_over_is_not_taken() {
        for argument in [None, Some("app"), Some("@supervisor,takeover="), Some("@supervisor,takeover=x")] {
            let error = take_over(argument.map(OsStr::new)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{argument:?}");
        }
        assert!(take_over(Some(OsStr::new("@supervisor,takeover=999999"))).is_err());
    }
}
