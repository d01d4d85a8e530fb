//! How many workers fit on this machine, or in this container, and why: processors by affinity and cgroup quota, memory by
//! cgroup limit. Both versions of cgroups are read. Nothing here is measured while serving.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use crate::config::SizeText;

/// A number of workers and the reasons for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizing {
    /// The number.
    pub workers: usize,
    reasons: Vec<String>,
}

/// What a worker is taken to need: an interpreter, a framework and an application of ordinary size.
const WORKER_MEMORY: u64 = 128 << 20;

impl Sizing {
    /// For the machine, or container, that this process runs in.
    pub fn here() -> Sizing {
        // Knows affinity, and quotas too, but not how to say so.
        let processors = available_parallelism().map_or(1, usize::from);
        size(processors, &Limits::read(Path::new("/proc/self/cgroup"), Path::new("/sys/fs/cgroup")), memory_here())
    }
}

impl fmt::Display for Sizing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} workers: {}", self.workers, self.reasons.join("; "))
    }
}

fn size(processors: usize, limits: &Limits, memory: Option<u64>) -> Sizing {
    let mut reasons = vec![format!("{processors} processors can be used")];
    let mut workers = processors;
    if let Some((quota, from)) = &limits.processors {
        // Half a processor more is worth a worker; half of one alone is one worker.
        let by_quota = (quota.round() as usize).max(1);
        reasons.push(format!("the cgroup's quota is {quota:.2} processors ({})", from.display()));
        workers = workers.min(by_quota);
    }
    reasons.push("one worker for each: a worker moves blocking requests aside by itself".into());
    let limit = limits.memory.as_ref().map(|(limit, from)| (*limit, format!("the cgroup ({})", from.display())));
    let memory = memory.map(|memory| (memory, "the machine".to_owned()));
    if let Some((most, whose)) = [limit, memory].into_iter().flatten().min_by_key(|(bytes, _)| *bytes) {
        let by_memory = usize::try_from(most / WORKER_MEMORY).unwrap_or(usize::MAX).max(1);
        let (has, needs) = (SizeText(most >> 20 << 20), SizeText(WORKER_MEMORY));
        if by_memory < workers {
            reasons.push(format!("but {whose} has {has} of memory, {needs} for a worker: {by_memory} fit"));
            workers = by_memory;
        } else {
            reasons.push(format!("{whose} has {has} of memory: enough, at {needs} for a worker"));
        }
    }
    Sizing { workers, reasons }
}

/// What the cgroups that we are in allow; each with the file that says so.
#[derive(Clone, Debug, Default, PartialEq)]
struct Limits {
    processors: Option<(f64, PathBuf)>,
    memory: Option<(u64, PathBuf)>,
}

impl Limits {
    /// The least that any cgroup from ours up to the root allows.
    fn read(membership: &Path, root: &Path) -> Limits {
        let mut limits = Limits::default();
        for line in fs::read_to_string(membership).unwrap_or_default().lines() {
            // hierarchy-ID:controller-list:cgroup-path
            let mut parts = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
            let has = |name| controllers.split(',').any(|controller| controller == name);
            if controllers.is_empty() {
                limits.note(ancestors(root, path), cpu_max, |directory| number(directory, "memory.max"));
            }
            if has("cpu") {
                limits.note(ancestors(&root.join(controllers), path), cfs_quota, |_| None);
                limits.note(ancestors(&root.join("cpu"), path), cfs_quota, |_| None);
            }
            if has("memory") {
                let limit = |directory: &Path| number(directory, "memory.limit_in_bytes");
                limits.note(ancestors(&root.join("memory"), path), |_| None, limit);
            }
        }
        limits
    }

    fn note(
        &mut self,
        directories: Vec<PathBuf>,
        processors: impl Fn(&Path) -> Option<(f64, PathBuf)>,
        memory: impl Fn(&Path) -> Option<(u64, PathBuf)>,
    ) {
        for directory in directories {
            if let Some(found) = processors(&directory)
                && self.processors.as_ref().is_none_or(|(least, _)| found.0 < *least)
            {
                self.processors = Some(found);
            }
            // Version 1 says "no limit" as a number near the largest.
            if let Some(found) = memory(&directory).filter(|(bytes, _)| *bytes < 1 << 60)
                && self.memory.as_ref().is_none_or(|(least, _)| found.0 < *least)
            {
                self.memory = Some(found);
            }
        }
    }
}

/// A cgroup's directory and those above it. In a container the path may be the host's: then only the root is there.
fn ancestors(root: &Path, path: &str) -> Vec<PathBuf> {
    let directory = root.join(path.trim_start_matches('/'));
    directory.ancestors().take_while(|directory| directory.starts_with(root)).map(Path::to_owned).collect()
}

/// cgroup v2, cpu.max: `max 100000` or `150000 100000`.
fn cpu_max(directory: &Path) -> Option<(f64, PathBuf)> {
    let file = directory.join("cpu.max");
    let text = fs::read_to_string(&file).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    Some((quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?, file))
}

/// cgroup v1, where -1 is no quota.
fn cfs_quota(directory: &Path) -> Option<(f64, PathBuf)> {
    let (quota, file) = number(directory, "cpu.cfs_quota_us")?;
    let (period, _) = number(directory, "cpu.cfs_period_us")?;
    (period > 0).then(|| (quota as f64 / period as f64, file))
}

fn number(directory: &Path, name: &str) -> Option<(u64, PathBuf)> {
    let file = directory.join(name);
    Some((fs::read_to_string(&file).ok()?.trim().parse().ok()?, file))
}

fn memory_here() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(name: &str, membership: &str, files: &[(&str, &str)]) -> Limits {
        let root = std::env::temp_dir().join(format!("brickwork-sizing-{}-{name}", std::process::id()));
        for (file, text) in files {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        fs::write(root.join("membership"), membership).unwrap();
        let limits = Limits::read(&root.join("membership"), &root);
        fs::remove_dir_all(&root).unwrap();
        limits
    }

    #[test]
    fn the_least_of_all_cgroups_above_us_counts() {
        let files = [
            ("a/b/cpu.max", "max 100000\n"),
            ("a/cpu.max", "150000 100000\n"),
            ("a/b/memory.max", "536870912\n"),
            ("a/memory.max", "max\n"),
        ];
        let limits = limits("v2", "0::/a/b\n", &files);
        assert_eq!(limits.processors.unwrap().0, 1.5);
        assert_eq!(limits.memory.unwrap().0, 512 << 20);
    }

    #[test]
    fn version_1_is_read_too_and_its_no_limit_is_none() {
        let files = [
            ("cpu/cpu.cfs_quota_us", "200000\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        let limits = limits("v1", "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n", &files);
        assert_eq!(limits.processors.unwrap().0, 2.0);
        assert_eq!(limits.memory, None);
    }

    #[test]
    fn the_scarcer_of_processors_and_memory_decides_and_says_so() {
        let quota = |processors: f64| Limits { processors: Some((processors, "cpu.max".into())), memory: None };
        let memory = |bytes: u64| Limits { processors: None, memory: Some((bytes, "memory.max".into())) };
        let rows = [
            (8, Limits::default(), 8, "8 processors can be used"),
            (8, quota(0.1), 1, "quota is 0.10 processors (cpu.max)"),
            (8, quota(2.5), 3, "quota is 2.50"),
            (2, quota(16.0), 2, "2 processors"),
            (16, memory(512 << 20), 4, "(memory.max) has 512 MiB of memory, 128 MiB for a worker: 4 fit"),
            (2, memory(64 << 20), 1, "1 fit"),
            (2, memory(1 << 30), 2, "enough"),
        ];
        for (processors, limits, workers, reason) in rows {
            let sizing = size(processors, &limits, Some(64 << 30));
            assert_eq!(sizing.workers, workers, "{sizing}");
            assert!(sizing.to_string().contains(reason), "{sizing}");
        }
    }
}
