//! Descriptors as numbers: those that come from outside become ours, and ours are replaced. The `unsafe` of this crate that is about
//! descriptors is here.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::socket::ControlMessageOwned;
use nix::unistd::dup3;

/// Takes over a descriptor that this process was started with, closed on exec from now on.
///
/// # Errors
/// If there is no such descriptor.
#[allow(unsafe_code)]
pub fn inherit(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: borrowed for the one call that finds out whether it is open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    // SAFETY: it is open, and the hand-over names each descriptor once, for us to own.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The descriptor that came with a message.
#[allow(unsafe_code)]
pub(crate) fn received_fd(message: ControlMessageOwned) -> Option<OwnedFd> {
    match message {
        // SAFETY: the kernel has just made this descriptor for us; nobody else knows of it. One was sent, so there is
        // no second one to leak.
        ControlMessageOwned::ScmRights(fds) => fds.first().map(|&fd| unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => None,
    }
}

/// Makes a descriptor stand for another file, at once for everybody who uses it.
///
/// # Errors
/// As dup3(2).
#[allow(unsafe_code)]
pub fn replace_descriptor(descriptor: impl AsFd, with: &File) -> io::Result<()> {
    // SAFETY: borrowed from its owner for this call; `into_raw_fd` gives it back unclosed.
    let mut replaced = unsafe { OwnedFd::from_raw_fd(descriptor.as_fd().as_raw_fd()) };
    let done = dup3(with, &mut replaced, OFlag::O_CLOEXEC);
    let _ = replaced.into_raw_fd();
    Ok(done?)
}
