//! The run: connections, their events, and when to send what.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use crate::connection::{Asked, Connection};
use crate::histogram::Histogram;
use crate::options::Options;

pub(crate) fn run(options: &Options) -> io::Result<String> {
    rustix::process::setrlimit(rustix::process::Resource::Nofile, most_descriptors())?;
    let idle = (0..options.idle).map(|_| Connection::open(options.address)).collect::<io::Result<Vec<_>>>()?;
    let mut load = Load::new(options)?;
    load.run()?;
    let dropped = idle.iter().filter(|connection| is_closed(connection)).count();
    Ok(load.report(dropped))
}

/// The soft limit raised to the hard one: idle connections are many.
fn most_descriptors() -> rustix::process::Rlimit {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum }
}

/// An idle connection that is still open has nothing to read.
fn is_closed(connection: &Connection) -> bool {
    !matches!(connection.stream.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

struct Load<'a> {
    options: &'a Options,
    epoll: rustix::fd::OwnedFd,
    connections: Vec<Connection>,
    /// Connections without a request under way, at a fixed rate.
    free: Vec<usize>,
    request: Vec<u8>,
    slow_request: Vec<u8>,
    sent: u64,
    started: Instant,
    end: Instant,
    normal: Histogram,
    slow: Histogram,
    errors: u64,
    first_error: String,
}

impl<'a> Load<'a> {
    fn new(options: &'a Options) -> io::Result<Load<'a>> {
        let request = |path: &str| {
            let close = if options.closes { "Connection: close\r\n" } else { "" };
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{close}\r\n", options.address).into_bytes()
        };
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(options.connections);
        for number in 0..options.connections {
            let connection = Connection::open(options.address)?;
            watch(&epoll, &connection, number)?;
            connections.push(connection);
        }
        let started = Instant::now();
        Ok(Load {
            options,
            epoll,
            connections,
            free: (0..options.connections).collect(),
            request: request(&options.path).repeat(options.depth),
            slow_request: request(&options.slow_path),
            sent: 0,
            started,
            end: started + Duration::from_secs(options.seconds),
            normal: Histogram::default(),
            slow: Histogram::default(),
            errors: 0,
            first_error: String::new(),
        })
    }

    fn run(&mut self) -> io::Result<()> {
        if self.options.rate == 0 {
            for number in std::mem::take(&mut self.free) {
                self.ask(number, Instant::now());
            }
        }
        let mut events = Vec::with_capacity(256);
        loop {
            let now = Instant::now();
            if now >= self.end {
                return Ok(());
            }
            let wake = self.send_what_is_due(now).min(self.end);
            let patience = Timespec::try_from(wake.saturating_duration_since(now)).ok();
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), patience.as_ref())?;
            for event in &events {
                self.receive(event.data.u64() as usize);
            }
        }
    }

    /// At a fixed rate, sends while there are free connections; returns when to look again.
    fn send_what_is_due(&mut self, now: Instant) -> Instant {
        if self.options.rate == 0 {
            return self.end;
        }
        loop {
            let due = self.started + Duration::from_nanos(1_000_000_000 * self.sent / self.options.rate);
            if due > now {
                return due;
            }
            // None free: it will be late, and its latency says so.
            let Some(number) = self.free.pop() else { return self.end };
            self.ask(number, due);
        }
    }

    fn ask(&mut self, number: usize, since: Instant) {
        let is_slow = self.options.slow_one_in > 0 && self.sent.is_multiple_of(self.options.slow_one_in);
        self.sent += self.options.depth as u64;
        let connection = &mut self.connections[number];
        connection.asked.extend((0..self.options.depth).map(|_| Asked { since, is_slow }));
        if let Err(error) = connection.send(if is_slow { &self.slow_request } else { &self.request }) {
            self.fail(number, &error.to_string());
        }
    }

    fn receive(&mut self, number: usize) {
        let is_open = match self.connections[number].fill() {
            Ok(is_open) => is_open,
            Err(error) => return self.fail(number, &error.to_string()),
        };
        loop {
            match self.connections[number].answer(self.options.length) {
                Ok(Some(asked)) => {
                    let histogram = if asked.is_slow { &mut self.slow } else { &mut self.normal };
                    histogram.add(asked.since.elapsed());
                }
                Ok(None) => break,
                Err(message) => return self.fail(number, &message),
            }
        }
        if self.connections[number].has_excess() {
            return self.fail(number, "bytes behind the answer");
        }
        let connection = &self.connections[number];
        match (is_open, connection.asked.is_empty()) {
            (true, false) => {}
            // Where a connection is for one request, the next waits until the server has closed this one.
            (true, true) if self.options.closes => {}
            (true, true) if connection.is_last_answered => self.reopen(number),
            (true, true) => self.proceed(number),
            (false, true) => self.reopen(number),
            (false, false) => self.fail(number, "closed before the answer"),
        }
    }

    fn proceed(&mut self, number: usize) {
        match self.options.rate {
            0 => self.ask(number, Instant::now()),
            _ => self.free.push(number),
        }
    }

    fn fail(&mut self, number: usize, message: &str) {
        self.errors += 1;
        if self.first_error.is_empty() {
            self.first_error = message.replace(['"', '\\'], "'");
        }
        self.reopen(number);
    }

    /// A new connection in the place of one that is done with. Without one the place stays empty, and the error is
    /// counted.
    fn reopen(&mut self, number: usize) {
        let opened = Connection::open(self.options.address).and_then(|connection| {
            watch(&self.epoll, &connection, number)?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => {
                self.connections[number] = connection;
                self.free.retain(|&free| free != number);
                self.proceed(number);
            }
            Err(error) => {
                self.errors += 1;
                self.first_error = error.to_string();
            }
        }
    }

    fn report(&mut self, dropped: usize) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let under_way: usize = self.connections.iter().map(|connection| connection.asked.len()).sum();
        format!(
            r#"{{"seconds": {seconds:.6}, "normal": {}, "slow": {}, "errors": {}, "first_error": "{}", "under_way": {}, "idle_dropped": {}}}"#,
            self.normal.report(),
            self.slow.report(),
            self.errors,
            self.first_error,
            under_way,
            dropped,
        )
    }
}

fn watch(epoll: impl AsFd, connection: &Connection, number: usize) -> io::Result<()> {
    let data = epoll::EventData::new_u64(number as u64);
    Ok(epoll::add(epoll, &connection.stream, data, epoll::EventFlags::IN | epoll::EventFlags::ET)?)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const CONNECTIONS: usize = 3;

    /// Answers one request on each connection, announces its end, and returns what the client sent behind it.
    fn announce_close(listener: &TcpListener) -> io::Result<Vec<u8>> {
        let mut behind = Vec::new();
        for _ in 0..CONNECTIONS {
            let (mut stream, _) = listener.accept()?;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                request.extend(byte);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")?;
            let mut block = [0; 64];
            let len = stream.read(&mut block)?;
            behind.extend_from_slice(&block[..len]);
        }
        Ok(behind)
    }

    #[test]
    fn nothing_is_sent_behind_an_announced_close_and_the_connection_is_replaced() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let words = ["--address", &address, "--length", "2", "--connections", "1"].map(String::from);
        let options = crate::options::parse(words.into_iter()).unwrap();
        let mut load = Load::new(&options).unwrap();
        let accepting = listener.try_clone().unwrap();
        let server = thread::spawn(move || announce_close(&accepting));
        load.ask(0, Instant::now());
        let mut events = Vec::with_capacity(1);
        let patience = Timespec::try_from(Duration::from_millis(10)).unwrap();
        while !server.is_finished() {
            epoll::wait(&load.epoll, spare_capacity(&mut events), Some(&patience)).unwrap();
            for _ in events.drain(..) {
                load.receive(0);
            }
        }
        assert_eq!(server.join().unwrap().unwrap().escape_ascii().to_string(), "");
        assert_eq!((load.errors, load.first_error.as_str()), (0, ""));
        assert!(load.sent >= CONNECTIONS as u64, "{} requests", load.sent);
    }
}
