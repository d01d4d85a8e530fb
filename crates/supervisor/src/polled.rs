//! Finds changed files by looking at them again and again, where nobody tells of a change.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Directories, and their files as they were at the last look.
#[derive(Debug, Default)]
pub(crate) struct Polled {
    directories: Vec<PathBuf>,
    seen: HashMap<PathBuf, State>,
    next: Option<Instant>,
}

/// What changes with every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

impl Polled {
    /// Looks at this directory too from now on.
    pub(crate) fn add(&mut self, directory: PathBuf) {
        self.seen.extend(files(&directory));
        self.directories.push(directory);
        self.next.get_or_insert_with(Instant::now);
    }

    /// If it is time: a file that changed, came or went since the last look, and for which `counts`.
    pub(crate) fn look(&mut self, now: Instant, counts: impl Fn(&Path) -> bool) -> Option<PathBuf> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        self.next = Some(now + PAUSE);
        let there: HashMap<PathBuf, State> = self.directories.iter().flat_map(|directory| files(directory)).collect();
        let before = std::mem::replace(&mut self.seen, there);
        let differs = |(path, state): &(&PathBuf, &State)| before.get(*path) != Some(*state) && counts(path);
        let came = self.seen.iter().find(differs).map(|(path, _)| path.clone());
        came.or_else(|| before.into_keys().find(|path| !self.seen.contains_key(path) && counts(path)))
    }

    /// When to look again; None if there is nothing to look at.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.next
    }
}

fn files(directory: &Path) -> Vec<(PathBuf, State)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let state = |path: PathBuf| {
        let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Some((path, State { inode: metadata.ino(), size: metadata.len(), modified }))
    };
    entries.filter_map(|entry| state(entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_came_changed_or_went_is_found_once() {
        let directory = std::env::temp_dir().join(format!("brickwork-polled-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let (file, other) = (directory.join("a.py"), directory.join("b.txt"));
        let (mut polled, mut now) = (Polled::default(), Instant::now());
        polled.add(directory.clone());
        let mut look = || {
            now += 2 * PAUSE;
            polled.look(now, |path| path.extension().is_some_and(|extension| extension == "py"))
        };
        assert_eq!(look(), None);
        fs::write(&other, "").unwrap();
        assert_eq!(look(), None);
        fs::write(&file, "1").unwrap();
        assert_eq!((look(), look()), (Some(file.clone()), None));
        fs::write(&file, "22").unwrap();
        assert_eq!((look(), look()), (Some(file.clone()), None));
        fs::rename(&file, directory.join("c.py")).unwrap();
        assert!(look().is_some());
        assert_eq!(look(), None);
        fs::remove_file(directory.join("c.py")).unwrap();
        assert_eq!((look(), look()), (Some(directory.join("c.py")), None));
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn between_two_looks_nothing_is_read() {
        let (mut polled, now) = (Polled::default(), Instant::now());
        assert_eq!((polled.look(now, |_| true), polled.due()), (None, None));
        polled.add("/nonexistent".into());
        assert_eq!(polled.look(now + PAUSE, |_| true), None);
        assert_eq!(polled.due(), Some(now + 2 * PAUSE));
    }
}
