//! Watches the application's files during development, inotify(7). Directories are watched, not files: editors replace
//! a file by another one of the same name. Where the kernel does not learn of changes, it is looked for them
//! (`polled.rs`).

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use crate::polled::Polled;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct FileWatch {
    /// None if the kernel grants no more of them.
    inotify: Option<Inotify>,
    directories: HashMap<WatchDescriptor, PathBuf>,
    watched: HashSet<PathBuf>,
    /// Files that count whatever they are called.
    extra: HashSet<PathBuf>,
    polled: Polled,
    changed: Option<(Instant, PathBuf)>,
}

/// A save is several events, and a checkout many: it is over when so long nothing came.
const QUIET: Duration = Duration::from_millis(100);

impl FileWatch {
    /// Watches the files `extra` and, once it is known, what the application consists of.
    pub(crate) fn new(extra: &[OsString]) -> io::Result<FileWatch> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
            .inspect_err(|error| tracing::info!("changes are looked for every second: inotify: {error}"))
            .ok();
        let extra = extra.iter().map(std::path::absolute).collect::<io::Result<HashSet<PathBuf>>>()?;
        let (directories, watched, polled) = (HashMap::new(), HashSet::new(), Polled::default());
        let mut watch = FileWatch { inotify, directories, watched, extra, polled, changed: None };
        let directories: Vec<PathBuf> =
            watch.extra.iter().filter_map(|file| file.parent()).map(Path::to_owned).collect();
        watch.add(directories);
        Ok(watch)
    }

    /// Watches further directories.
    pub(crate) fn add(&mut self, directories: Vec<PathBuf>) {
        let flags = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVE | AddWatchFlags::IN_DELETE;
        for directory in directories {
            if !self.watched.insert(directory.clone()) {
                continue;
            }
            let added = match &self.inotify {
                Some(inotify) if tells_of_changes(&directory) => inotify.add_watch(&directory, flags),
                _ => Err(Errno::EOPNOTSUPP),
            };
            match added {
                Ok(descriptor) => drop(self.directories.insert(descriptor, directory)),
                Err(error) => {
                    tracing::info!("changes in {} are looked for every second: {error}", directory.display());
                    self.polled.add(directory);
                }
            }
        }
    }

    /// Takes note of what happened; a change that is over comes out.
    pub(crate) fn look(&mut self, now: Instant) -> Option<PathBuf> {
        while let Some(Ok(events)) = self.inotify.as_ref().map(Inotify::read_events) {
            for event in events {
                let (Some(directory), Some(name)) = (self.directories.get(&event.wd), event.name) else { continue };
                let path = directory.join(&name);
                if counts(&self.extra, &path) {
                    self.changed = Some((now, path));
                }
            }
        }
        if let Some(path) = self.polled.look(now, |path| counts(&self.extra, path)) {
            self.changed = Some((now, path));
        }
        let (at, path) = self.changed.take()?;
        if now.duration_since(at) < QUIET {
            self.changed = Some((at, path));
            return None;
        }
        Some(path)
    }

    /// When to look again although nothing happens.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.changed.as_ref().map(|(at, _)| *at + QUIET).into_iter().chain(self.polled.due()).min()
    }

    /// Readable when something happened; None where nothing tells.
    pub(crate) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(AsFd::as_fd)
    }
}

/// Whether a change of this file matters.
fn counts(extra: &HashSet<PathBuf>, path: &Path) -> bool {
    extra.contains(path) || path.extension() == Some(OsStr::new("py"))
}

/// File systems whose files are changed by others, behind this kernel's back: a container's view of its host's
/// directories among them. The numbers are those of statfs(2).
const REMOTE: [(i64, &str); 7] = [
    (0x6573_5546, "fuse"),
    (0x6969, "nfs"),
    (0x0102_1997, "9p"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x786f_4256, "vboxsf"),
    (0x013f_6c1a, "prl_fs"),
];

fn tells_of_changes(directory: &Path) -> bool {
    let kind = nix::sys::statfs::statfs(directory).map_or(0, |statistics| statistics.filesystem_type().0);
    REMOTE.iter().all(|(remote, _)| kind & 0xffff_ffff != *remote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_when_it_is_over_with_inotify_and_without() {
        for has_inotify in [true, false] {
            let directory = std::env::temp_dir().join(format!("brickwork-watch-{}-{has_inotify}", std::process::id()));
            std::fs::create_dir(&directory).unwrap();
            let mut watch = FileWatch::new(&[]).unwrap();
            if !has_inotify {
                watch.inotify = None;
            }
            watch.add(vec![directory.clone()]);
            let now = Instant::now();
            assert_eq!(watch.look(now), None);
            let file = directory.join("app.py");
            std::fs::write(&file, "x = 1").unwrap();
            std::fs::write(directory.join("notes.txt"), "no code").unwrap();
            let later = now + Duration::from_secs(5);
            assert_eq!(watch.look(later), None, "the change is still going on");
            assert!(watch.due().is_some_and(|due| due <= later + QUIET));
            assert_eq!(watch.look(later + QUIET), Some(file));
            assert_eq!(watch.look(later + 3 * QUIET), None);
            std::fs::remove_dir_all(&directory).unwrap();
        }
    }
}
