//! Whether the kernel's out-of-memory killer was at work, by the count that each memory cgroup keeps of its victims:
//! `memory.events` (cgroup version 2), `memory.oom_control` (version 1), or that of the whole machine.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

/// The counts as they were.
#[derive(Debug, Default)]
pub(crate) struct OomKills(HashMap<PathBuf, Count>);

#[derive(Clone, Copy, Debug)]
struct Count {
    /// At the look before the last one. A victim may be counted some time before it is buried.
    before: u64,
    last: u64,
}

impl OomKills {
    /// The file that counts the victims in the cgroup of a process; None if nobody counts.
    pub(crate) fn watch(&mut self, pid: Pid) -> Option<PathBuf> {
        let membership = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let file =
            candidates(&membership, Path::new("/sys/fs/cgroup")).into_iter().find(|file| count(file).is_some())?;
        let now = count(&file)?;
        self.0.entry(file.clone()).or_insert(Count { before: now, last: now });
        Some(file)
    }

    /// Looks again, every few seconds: processes that are not ours are killed too.
    pub(crate) fn look(&mut self) {
        self.0.retain(|file, seen| match count(file) {
            Some(now) => {
                *seen = Count { before: seen.last, last: now };
                true
            }
            None => false,
        });
    }

    /// A process whose victims this file counts was killed by SIGKILL: was that why? Each victim is the answer once.
    pub(crate) fn explain(&mut self, file: &Path) -> Option<String> {
        let seen = self.0.get_mut(file)?;
        let now = count(file)?;
        if now <= seen.before {
            return None;
        }
        let text =
            format!("the kernel's out-of-memory killer ({}: oom_kill {}, now {now})", file.display(), seen.before);
        seen.before += 1;
        seen.last = seen.last.max(seen.before);
        Some(text)
    }
}

/// Where the count may be. In a container the path may be the host's: then only the root is there.
fn candidates(membership: &str, root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in membership.lines() {
        // hierarchy-ID:controller-list:cgroup-path
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let path = path.trim_start_matches('/');
        if controllers.split(',').any(|controller| controller == "memory") {
            files.extend([path, ""].map(|path| root.join("memory").join(path).join("memory.oom_control")));
        }
        if controllers.is_empty() {
            files.extend([path, ""].map(|path| root.join(path).join("memory.events")));
        }
    }
    files.push("/proc/vmstat".into());
    files
}

fn count(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_where_either_version_counts() {
        let root = Path::new("/cg");
        let rows = [
            ("0::/a/b\n", ["/cg/a/b/memory.events", "/cg/memory.events", "/proc/vmstat"]),
            (
                "9:cpu:/\n4:memory:/docker/x\n",
                ["/cg/memory/docker/x/memory.oom_control", "/cg/memory/memory.oom_control", "/proc/vmstat"],
            ),
        ];
        for (membership, files) in rows {
            assert_eq!(candidates(membership, root), files.map(PathBuf::from), "{membership}");
        }
    }

    #[test]
    fn each_victim_explains_one_death_and_old_ones_none() {
        let file = std::env::temp_dir().join(format!("brickwork-oom-test-{}", std::process::id()));
        let write = |count: u32| fs::write(&file, format!("oom 9\noom_kill {count}\n")).unwrap();
        write(3);
        let seen = Count { before: 3, last: 3 };
        let mut kills = OomKills(HashMap::from([(file.clone(), seen)]));
        assert_eq!(kills.explain(&file), None);
        write(4);
        kills.look(); // counted already, not buried yet
        assert!(kills.explain(&file).unwrap().ends_with("oom_kill 3, now 4)"));
        assert_eq!(kills.explain(&file), None);
        write(5); // somebody else
        kills.look();
        kills.look();
        assert_eq!(kills.explain(&file), None);
        fs::remove_file(&file).unwrap();
        kills.look();
        assert_eq!(kills.explain(&file), None);
    }
}
