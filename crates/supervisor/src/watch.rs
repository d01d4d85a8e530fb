//! Watches the application's files during development, inotify(7). Directories are watched, not files: editors replace
//! a file by another one of the same name.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct FileWatch {
    inotify: Inotify,
    directories: HashMap<WatchDescriptor, PathBuf>,
    watched: HashSet<PathBuf>,
    /// Files that count whatever they are called.
    extra: HashSet<PathBuf>,
    changed: Option<(Instant, PathBuf)>,
}

/// A save is several events, and a checkout many: it is over when so long nothing came.
const QUIET: Duration = Duration::from_millis(100);

impl FileWatch {
    /// Watches the files `extra` and, once it is known, what the application consists of.
    pub(crate) fn new(extra: &[PathBuf]) -> io::Result<FileWatch> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let extra = extra.iter().map(std::path::absolute).collect::<io::Result<HashSet<PathBuf>>>()?;
        let mut watch =
            FileWatch { inotify, directories: HashMap::new(), watched: HashSet::new(), extra, changed: None };
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
            match self.inotify.add_watch(&directory, flags) {
                Ok(descriptor) => drop(self.directories.insert(descriptor, directory)),
                Err(error) => tracing::warn!("changes in {} will not be seen: {error}", directory.display()),
            }
        }
    }

    /// Takes note of what happened; a change that is over comes out.
    pub(crate) fn look(&mut self, now: Instant) -> Option<PathBuf> {
        while let Ok(events) = self.inotify.read_events() {
            for event in events {
                let (Some(directory), Some(name)) = (self.directories.get(&event.wd), event.name) else { continue };
                let path = directory.join(&name);
                if self.extra.contains(&path) || Path::new(&name).extension() == Some(OsStr::new("py")) {
                    self.changed = Some((now, path));
                }
            }
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
        self.changed.as_ref().map(|(at, _)| *at + QUIET)
    }
}

impl AsFd for FileWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}
