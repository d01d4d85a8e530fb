//! What a process may do and how it is called: user, groups, umask, name.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Group, Uid, User, dup3, fchown, initgroups, setgid, setgroups, setuid};

/// A user and a group to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privileges {
    user: Option<User>,
    group: Gid,
}

impl Privileges {
    /// Looks up names or numbers; a user without a group brings its own. None if neither is given.
    ///
    /// # Errors
    /// One sentence that names what there is not.
    pub fn look_up(user: Option<&str>, group: Option<&str>) -> Result<Option<Privileges>, String> {
        let user = user.map(find_user).transpose()?;
        let group = group.map(find_group).transpose()?;
        let Some(group) = group.or(user.as_ref().map(|user| user.gid)) else { return Ok(None) };
        Ok(Some(Privileges { user, group }))
    }

    /// Becomes them, for good.
    ///
    /// # Errors
    /// As setuid(2): changing to somebody else takes root.
    pub fn take_on(&self) -> io::Result<()> {
        let is_root = Uid::effective().is_root();
        match &self.user {
            Some(user) if is_root => {
                let name = CString::new(user.name.as_str()).unwrap_or_default();
                initgroups(&name, self.group)?;
            }
            None if is_root => setgroups(&[self.group])?,
            _ => {}
        }
        setgid(self.group)?;
        if let Some(user) = &self.user {
            setuid(user.uid)?;
        }
        Ok(())
    }

    /// Gives them a file, so that they can open it again.
    ///
    /// # Errors
    /// As fchown(2).
    pub fn give(&self, file: &File) -> io::Result<()> {
        Ok(fchown(file, self.user.as_ref().map(|user| user.uid), Some(self.group))?)
    }
}

fn find_user(text: &str) -> Result<User, String> {
    let found = match text.parse::<u32>() {
        Ok(number) => User::from_uid(Uid::from_raw(number)),
        Err(_) => User::from_name(text),
    };
    found.ok().flatten().ok_or_else(|| format!("there is no user '{text}'"))
}

fn find_group(text: &str) -> Result<Gid, String> {
    if let Ok(number) = text.parse::<u32>() {
        return Ok(Gid::from_raw(number));
    }
    let found = Group::from_name(text).ok().flatten().ok_or_else(|| format!("there is no group '{text}'"))?;
    Ok(found.gid)
}

/// Sets the file mode creation mask.
pub fn set_umask(mask: u32) {
    umask(Mode::from_bits_truncate(mask));
}

/// The name of this process (its first fifteen bytes) in `top` and `ps -o comm`.
pub fn set_process_name(name: &str) {
    let bytes: Vec<u8> = name.bytes().filter(|&byte| byte != 0).take(15).chain([0]).collect();
    if let Ok(name) = CStr::from_bytes_with_nul(&bytes) {
        let _ = nix::sys::prctl::set_name(name);
    }
}

/// Makes a descriptor stand for another file, at once for everybody who uses it.
///
/// # Errors
/// As dup3(2).
#[allow(unsafe_code)]
pub fn replace_descriptor(descriptor: impl AsFd, with: &File) -> io::Result<()> {
    use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd};
    // SAFETY: borrowed from its owner for this call; `into_raw_fd` gives it back unclosed.
    let mut replaced = unsafe { OwnedFd::from_raw_fd(descriptor.as_fd().as_raw_fd()) };
    let done = dup3(with, &mut replaced, OFlag::O_CLOEXEC);
    let _ = replaced.into_raw_fd();
    Ok(done?)
}
