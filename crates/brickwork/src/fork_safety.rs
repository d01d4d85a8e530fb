//! What does not survive a fork, or survives it in two places: threads and connections. A zygote that has any says so by name.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};

use brickwork_supervisor::Channel;
use pyo3::prelude::*;

/// Warns of what the application has left open while it was imported.
pub(crate) fn warn(py: Python<'_>, channel: &Channel) {
    let threads = threads(py);
    if !threads.is_empty() {
        tracing::warn!(
            "--preload: threads that were started while the application was imported do not run in workers: {}",
            threads.join(", ")
        );
    }
    let sockets = connected_sockets(channel.as_fd().as_raw_fd());
    if !sockets.is_empty() {
        tracing::warn!(
            "--preload: connections made while the application was imported are shared by all workers, which mixes \
             what they say: {}; close them in os.register_at_fork(before=...), or open them later",
            sockets.join(", ")
        );
    }
}

/// Python's threads by name, and others by what the kernel calls them.
fn threads(py: Python<'_>) -> Vec<String> {
    let named = || -> PyResult<Vec<(String, Option<u32>)>> {
        let threading = py.import("threading")?;
        let main = threading.call_method0("main_thread")?;
        let mut named = Vec::new();
        for thread in threading.call_method0("enumerate")?.try_iter()? {
            let thread = thread?;
            if !thread.is(&main) {
                named.push((thread.getattr("name")?.extract()?, thread.getattr("native_id")?.extract()?));
            }
        }
        Ok(named)
    };
    let named = named().unwrap_or_default();
    let mut threads: Vec<String> = named.iter().map(|(name, _)| name.clone()).collect();
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let Some(id) = task.file_name().to_str().and_then(|id| id.parse::<u32>().ok()) else { continue };
        if id != std::process::id() && !named.iter().any(|(_, native)| *native == Some(id)) {
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            threads.push(format!("{} (not Python's)", name.trim()));
        }
    }
    threads
}

/// Where sockets of this process lead to, but for the channel to the supervisor.
fn connected_sockets(channel: i32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
        let number = entry.file_name().to_str().and_then(|number| number.parse::<i32>().ok());
        let target = fs::read_link(entry.path()).unwrap_or_default();
        let target = target.to_string_lossy();
        let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        if let (Some(number), Some(inode)) = (number, inode)
            && number != channel
            && number > 2
        {
            found.extend(tcp_peer(inode).or_else(|| unix_peer(inode)));
        }
    }
    found.sort();
    found
}

/// The other end of an established TCP connection.
fn tcp_peer(inode: &str) -> Option<String> {
    const ESTABLISHED: &str = "01";
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let (Some(remote), Some(&state), Some(&number)) = (fields.get(2), fields.get(3), fields.get(9))
                && (number, state) == (inode, ESTABLISHED)
            {
                return address(remote);
            }
        }
    }
    None
}

/// `0100007F:1F90`, as the kernel writes 127.0.0.1 port 8080: words of the address in the order of this machine's bytes.
fn address(text: &str) -> Option<String> {
    let (words, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words = words.as_bytes().chunks(8).map(|word| u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok());
    let bytes: Vec<u8> = words.collect::<Option<Vec<u32>>>()?.into_iter().flat_map(u32::to_ne_bytes).collect();
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => Some(format!("{}:{port}", Ipv4Addr::from(v4))),
        Err(_) => Some(format!("[{}]:{port}", Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?))),
    }
}

/// A connected unix stream socket; the path is that of the other end only if ours was bound.
fn unix_peer(inode: &str) -> Option<String> {
    const CONNECTED: &str = "03";
    const STREAM: &str = "0001";
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let line = table.lines().find(|line| line.split_whitespace().nth(6) == Some(inode))?;
    let fields: Vec<&str> = line.split_whitespace().collect();
    (fields.get(4) == Some(&STREAM) && fields.get(5) == Some(&CONNECTED)).then(|| "a unix socket".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_kernels_addresses() {
        let v4 = format!("{:08X}:1F90", u32::from_ne_bytes([127, 0, 0, 1]));
        assert_eq!(address(&v4).as_deref(), Some("127.0.0.1:8080"));
        let word = |bytes| format!("{:08X}", u32::from_ne_bytes(bytes));
        let v6 = [word([0; 4]), word([0; 4]), word([0; 4]), word([0, 0, 0, 1])].concat();
        assert_eq!(address(&format!("{v6}:0050")).as_deref(), Some("[::1]:80"));
    }
}
