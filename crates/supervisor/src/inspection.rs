//! The socket at which a worker is asked what it does at this moment; the supervisor has no part in it. In the abstract namespace, as the
//! supervisor's own, and for the same people.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::time::Duration;

use nix::unistd::getpid;

use crate::control::is_welcome;

/// The worker's side.
#[derive(Debug)]
pub struct Inspection(UnixListener);

const PREFIX: &str = "brickwork-worker/";
/// How long a worker may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl Inspection {
    /// The socket of this process.
    ///
    /// # Errors
    /// As socket(2) and bind(2).
    pub fn open() -> io::Result<Inspection> {
        let listener = UnixListener::bind_addr(&address_of(getpid().as_raw())?)?;
        listener.set_nonblocking(true)?;
        Ok(Inspection(listener))
    }

    /// The next client that may ask. It is told by writing.
    #[must_use]
    pub fn next_client(&self) -> Option<UnixStream> {
        let (client, _) = self.0.accept().ok()?;
        client.set_nonblocking(false).ok()?;
        client.set_write_timeout(Some(Duration::from_millis(200))).ok()?;
        is_welcome(&client).then_some(client)
    }
}

impl AsFd for Inspection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Asks every worker of a supervisor; what each says, by its process id.
///
/// # Errors
/// If /proc is not there.
pub fn inspect(supervisor: i32) -> io::Result<Vec<(i32, io::Result<String>)>> {
    let sockets = std::fs::read_to_string("/proc/net/unix")?;
    let mut workers: Vec<i32> =
        sockets.lines().filter_map(|line| line.split_once(&format!(" @{PREFIX}"))?.1.parse().ok()).collect();
    workers.sort_unstable();
    workers.dedup();
    workers.retain(|&worker| parent_of(worker) == Some(supervisor));
    Ok(workers.into_iter().map(|worker| (worker, ask(worker))).collect())
}

fn ask(worker: i32) -> io::Result<String> {
    let mut stream = UnixStream::connect_addr(&address_of(worker)?)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn address_of(worker: i32) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("{PREFIX}{worker}"))
}

/// The parent of a process (proc(5): the second field behind the name in parentheses).
fn parent_of(process: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_worker_answers_whoever_asks_its_supervisor_s_workers() {
        let inspection = Inspection::open().unwrap();
        let worker = getpid().as_raw();
        let parent = parent_of(worker).unwrap();
        let asking = std::thread::spawn(move || inspect(parent).unwrap());
        let mut client = loop {
            match inspection.next_client() {
                Some(client) => break client,
                None => std::thread::yield_now(),
            }
        };
        client.write_all(b"nothing\n").unwrap();
        drop(client);
        let answers = asking.join().unwrap();
        let ours = answers.into_iter().find(|(pid, _)| *pid == worker).unwrap();
        assert_eq!(ours.1.unwrap(), "nothing\n");
        assert!(inspect(worker).unwrap().is_empty());
    }
}
