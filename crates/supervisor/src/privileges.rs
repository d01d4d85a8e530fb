//! What a process may do and how it is called: user, groups, umask, name.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::path::Path;

use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Group, Uid, User, chown, fchown, initgroups, setgid, setgroups, setuid};

/// A user and a group to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privileges {
    user: Option<Account>,
    group: Gid,
}

/// A user: one without a name has no groups but the one that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    uid: Uid,
    name: Option<CString>,
}

impl Privileges {
    /// Looks up names or numbers; a user without a group brings its own. None if neither is given.
    ///
    /// # Errors
    /// One sentence that names what there is not.
    pub fn look_up(user: Option<&str>, group: Option<&str>) -> Result<Option<Privileges>, String> {
        let group = group.map(find_group).transpose()?;
        let Some(text) = user else { return Ok(group.map(|group| Privileges { user: None, group })) };
        if let Some(User { uid, name, gid, .. }) = find_user(text) {
            let user = Some(Account { uid, name: CString::new(name).ok() });
            return Ok(Some(Privileges { user, group: group.unwrap_or(gid) }));
        }
        // In containers users often have a number only.
        let number = text.parse::<u32>().map_err(|_| format!("there is no user '{text}'"))?;
        let group = group.ok_or_else(|| format!("user {number} has no entry that names a group: say --group too"))?;
        Ok(Some(Privileges { user: Some(Account { uid: Uid::from_raw(number), name: None }), group }))
    }

    /// Becomes them, for good.
    ///
    /// # Errors
    /// As setuid(2): changing to somebody else takes root.
    pub fn take_on(&self) -> io::Result<()> {
        let is_root = Uid::effective().is_root();
        // In this order: whoever is not root any more cannot change groups.
        match &self.user {
            _ if !is_root => {}
            Some(Account { name: Some(name), .. }) => initgroups(name, self.group)?,
            _ => setgroups(&[self.group])?,
        }
        setgid(self.group)?;
        if let Some(user) = &self.user {
            setuid(user.uid)?;
        }
        Ok(())
    }

    /// Gives them what is at a path: a socket's file, so that they can remove it, and their group connect to it.
    ///
    /// # Errors
    /// As chown(2).
    pub fn give_path(&self, path: &Path) -> io::Result<()> {
        Ok(chown(path, self.user.as_ref().map(|user| user.uid), Some(self.group))?)
    }

    /// Gives them a file, so that they can open it again.
    ///
    /// # Errors
    /// As fchown(2).
    pub fn give(&self, file: &File) -> io::Result<()> {
        Ok(fchown(file, self.user.as_ref().map(|user| user.uid), Some(self.group))?)
    }
}

fn find_user(text: &str) -> Option<User> {
    let found = match text.parse::<u32>() {
        Ok(number) => User::from_uid(Uid::from_raw(number)),
        Err(_) => User::from_name(text),
    };
    found.ok().flatten()
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
