//! Files beneath one directory, and none beside it: what `..`, absolute names, symbolic links and races would reach
//! outside is refused by the kernel itself (openat2(2), RESOLVE_BENEATH), not by looking at names.
//!
//! Where openat2 is missing (before Linux 5.6, or under a seccomp profile that does not know it) the path is walked one
//! name at a time without following any symbolic link, which refuses also those that stay inside.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2};
use rustix::io::Errno;

/// A directory that files are served from. Opened once: if its name comes to mean another directory, this one goes on
/// being served.
#[derive(Debug)]
pub(super) struct Tree {
    root: OwnedFd,
    resolution: Resolution,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    Kernel,
    Walk,
}

/// What a path led to.
#[derive(Debug)]
pub(super) enum Opened {
    /// A regular file.
    File(File, Stat),
    /// A directory.
    Directory(OwnedFd),
}

/// Why a path led to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// There is nothing, or nothing that is served: a symbolic link out of the tree, a FIFO, a device.
    NotFound,
    /// The server's user may not read it.
    Forbidden,
    /// The system is short of something, or broken.
    Trouble(Errno),
}

/// Without O_NONBLOCK, opening a FIFO waits for a writer; without O_NOCTTY a terminal could become ours.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// A rename somewhere in the system while ".." (in a symbolic link) is resolved makes openat2 ask for another attempt.
const ATTEMPTS: usize = 16;

impl Tree {
    pub(super) fn open(directory: &Path) -> io::Result<Tree> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, directory, flags, Mode::empty())?;
        let resolution = match resolve(root.as_fd(), b".", READ) {
            Ok(_) => Resolution::Kernel,
            Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => Resolution::Walk,
            Err(error) => return Err(error.into()),
        };
        Ok(Tree { root, resolution })
    }

    /// Opens what `path` names: names joined by "/", none of them empty, "." or ".."; empty for the directory itself.
    pub(super) fn find(&self, path: &[u8]) -> Result<Opened, Missing> {
        let fd = self.open_beneath(path).map_err(Missing::of)?;
        let stat = fstat(&fd).map_err(Missing::of)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(Opened::File(File::from(fd), stat)),
            FileType::Directory => Ok(Opened::Directory(fd)),
            _ => Err(Missing::NotFound),
        }
    }

    fn open_beneath(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { b"." } else { path };
        match self.resolution {
            Resolution::Kernel => resolve(self.root.as_fd(), path, READ),
            Resolution::Walk => walk(self.root.as_fd(), path),
        }
    }
}

fn resolve(root: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut outcome = Err(Errno::AGAIN);
    for _ in 0..ATTEMPTS {
        outcome = openat2(root, path, flags, Mode::empty(), beneath);
        if !matches!(outcome, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    outcome
}

fn walk(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut names = path.split(|&byte| byte == b'/');
    let last = names.next_back().unwrap_or(b".");
    let mut directory: Option<OwnedFd> = None;
    for name in names {
        let at = directory.as_ref().map_or(root, AsFd::as_fd);
        directory = Some(openat(at, name, step, Mode::empty())?);
    }
    let at = directory.as_ref().map_or(root, AsFd::as_fd);
    openat(at, last, READ | OFlags::NOFOLLOW, Mode::empty())
}

impl Missing {
    /// What an error of the file system means for the request.
    pub(super) fn of(error: Errno) -> Missing {
        match error {
            // XDEV: beneath refused. LOOP: too many symbolic links, or one where none is followed. NXIO: a socket, or a
            // device without a driver. INVAL: a name that this file system cannot have.
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::XDEV
            | Errno::LOOP
            | Errno::NXIO
            | Errno::NODEV
            | Errno::NAMETOOLONG
            | Errno::INVAL
            | Errno::ILSEQ => Missing::NotFound,
            Errno::ACCESS | Errno::PERM => Missing::Forbidden,
            error => Missing::Trouble(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    /// A directory `tree` with things in it, and a secret beside it.
    fn grown() -> (tempfile::TempDir, [Tree; 2]) {
        let beside = tempfile::tempdir().unwrap();
        let root = beside.path().join("tree");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/file"), "inside").unwrap();
        fs::write(beside.path().join("secret"), "outside").unwrap();
        symlink("b/file", root.join("a/within")).unwrap();
        symlink("../a/b/../b/file", root.join("a/roundabout")).unwrap();
        symlink("../secret", root.join("up")).unwrap();
        symlink("..", root.join("parent")).unwrap();
        symlink(beside.path().join("secret"), root.join("absolute")).unwrap();
        symlink(root.join("a"), root.join("absolute-within")).unwrap();
        symlink("/proc/self/root", root.join("magic")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink("nothing", root.join("dangling")).unwrap();
        UnixListener::bind(root.join("socket")).unwrap();
        rustix::fs::mknodat(CWD, root.join("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let by_kernel = Tree::open(&root).unwrap();
        let walking = Tree { resolution: Resolution::Walk, ..Tree::open(&root).unwrap() };
        (beside, [by_kernel, walking])
    }

    #[test]
    fn finds_files_and_directories() {
        let (_beside, trees) = grown();
        for tree in trees {
            assert!(matches!(tree.find(b"a/b/file"), Ok(Opened::File(_, stat)) if stat.st_size == 6));
            for path in ["", "a", "a/b"] {
                assert!(matches!(tree.find(path.as_bytes()), Ok(Opened::Directory(_))), "{path}");
            }
        }
    }

    #[test]
    fn nothing_beside_the_tree_is_reached() {
        let (_beside, trees) = grown();
        // Some of these never come out of a request; the tree does not rely on that.
        let paths = [
            "up",
            "parent",
            "parent/secret",
            "absolute",
            "absolute-within",
            "absolute-within/b/file",
            "magic",
            "magic/etc/passwd",
            "loop",
            "dangling",
            "socket",
            "fifo",
            "a/b/file/x",
            "nothing",
            "../secret",
            "a/../../secret",
            "/etc/passwd",
        ];
        for tree in &trees[..1] {
            for path in paths {
                assert_eq!(tree.find(path.as_bytes()).err(), Some(Missing::NotFound), "{path}");
            }
        }
        for path in &paths[..paths.len() - 3] {
            assert_eq!(trees[1].find(path.as_bytes()).err(), Some(Missing::NotFound), "{path}, walking");
        }
        let long = vec![b'x'; 300];
        assert_eq!(trees[0].find(&long).err(), Some(Missing::NotFound));
    }

    #[test]
    fn symbolic_links_that_stay_inside_are_followed_where_the_kernel_can_tell() {
        let (_beside, [by_kernel, walking]) = grown();
        for path in ["a/within", "a/roundabout"] {
            if by_kernel.resolution == Resolution::Kernel {
                assert!(matches!(by_kernel.find(path.as_bytes()), Ok(Opened::File(..))), "{path}");
            }
            assert_eq!(walking.find(path.as_bytes()).err(), Some(Missing::NotFound), "{path}");
        }
    }
}
