//! A server with a handler of the test's own, and a client that speaks raw bytes to it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use brickwork_server::{
    Config, Content, Ended, Exchange, Handler, Interpreter, Listener, NoInterpreter, RequestView, Server,
};

/// Long enough for a loaded machine; only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct TestServer {
    pub address: SocketAddr,
    server: Option<Server>,
}

type Handle = dyn Fn(&str, &mut Exchange) + Send + Sync;

struct ByPath(Box<Handle>);

impl Handler for ByPath {
    fn handle(&self, exchange: &mut Exchange) {
        let request = exchange.request();
        let path = String::from_utf8_lossy(request.text(request.head.target.raw)).into_owned();
        (self.0)(&path, exchange);
    }

    fn is_native(&self, request: RequestView<'_>) -> bool {
        request.text(request.head.target.raw).starts_with(b"/native")
    }
}

impl TestServer {
    pub fn start(config: Config, handle: impl Fn(&str, &mut Exchange) + Send + Sync + 'static) -> TestServer {
        TestServer::start_under(Arc::new(NoInterpreter), config, handle)
    }

    /// A server whose handler runs under an interpreter lock.
    pub fn start_under(
        interpreter: Arc<dyn Interpreter>,
        config: Config,
        handle: impl Fn(&str, &mut Exchange) + Send + Sync + 'static,
    ) -> TestServer {
        TestServer::build(interpreter, config, Arc::new(ByPath(Box::new(handle))))
    }

    pub fn with(config: Config, handler: Arc<dyn Handler>) -> TestServer {
        TestServer::build(Arc::new(NoInterpreter), config, handler)
    }

    fn build(interpreter: Arc<dyn Interpreter>, config: Config, handler: Arc<dyn Handler>) -> TestServer {
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap(), 128).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::start(config, vec![listener], handler, interpreter).unwrap();
        TestServer { address, server: Some(server) }
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Lets what is in flight finish; says how it ended.
    pub fn drain(self) -> Ended {
        self.stop_after(PATIENCE)
    }

    /// As [`drain`](TestServer::drain), for so long at the most.
    pub fn stop_after(mut self, grace: Duration) -> Ended {
        let server = self.server.take().unwrap();
        server.stopper().drain(grace);
        server.join()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stopper().stop_now();
            let _ = server.join();
        }
    }
}

/// Answers 200 with a text.
pub fn answer(exchange: &mut Exchange, text: impl Into<String>) {
    exchange.response.start(200, b"OK").unwrap();
    exchange.response.field(b"Content-Type", b"text/plain").unwrap();
    let _ = exchange.send(Content::Owned(text.into().into_bytes()));
}

pub struct Client {
    pub stream: TcpStream,
    received: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub content: Vec<u8>,
}

impl Response {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.content).unwrap()
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client { stream, received: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    pub fn get(&mut self, path: &str) -> Response {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).response()
    }

    pub fn finish_sending(&mut self) -> &mut Client {
        self.stream.shutdown(Shutdown::Write).unwrap();
        self
    }

    fn more(&mut self) -> bool {
        let mut buffer = [0; 65536];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(n) => {
                self.received.extend_from_slice(&buffer[..n]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("no answer: {error}; so far {:?}", String::from_utf8_lossy(&self.received)),
        }
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        while self.received.len() < n {
            assert!(self.more(), "cut off after {:?}", String::from_utf8_lossy(&self.received));
        }
        self.received.drain(..n).collect()
    }

    fn take_line(&mut self) -> String {
        loop {
            if let Some(end) = self.received.windows(2).position(|pair| pair == b"\r\n") {
                return String::from_utf8(self.take(end + 2)).unwrap();
            }
            assert!(self.more(), "cut off after {:?}", String::from_utf8_lossy(&self.received));
        }
    }

    /// One response by its framing.
    pub fn response(&mut self) -> Response {
        self.response_to("GET")
    }

    pub fn response_to(&mut self, method: &str) -> Response {
        let mut head = String::new();
        loop {
            let line = self.take_line();
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head, content: Vec::new() };
        if method == "HEAD" || status < 200 || status == 204 || status == 304 {
            return response;
        }
        if response.field("Transfer-Encoding") == Some("chunked") {
            loop {
                let size = usize::from_str_radix(self.take_line().trim_end(), 16).unwrap();
                response.content.extend(self.take(size));
                assert_eq!(self.take_line(), "\r\n");
                if size == 0 {
                    return response;
                }
            }
        }
        match response.field("Content-Length") {
            Some(length) => {
                let length = length.parse().unwrap();
                response.content = self.take(length);
            }
            None => response.content = self.rest(),
        }
        response
    }

    /// A head, and the first `n` bytes of the content, whatever comes after them.
    pub fn head_and(&mut self, n: usize) -> (String, Vec<u8>) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push_str(&self.take_line());
        }
        (head, self.take(n))
    }

    /// Everything until the connection closes.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.received)
    }

    pub fn assert_closed(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest()), "", "the connection should have closed without another byte");
    }
}

/// A gate that handlers wait at until the test opens it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    open: bool,
    waiting: usize,
}

impl Gate {
    pub fn wait(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.waiting += 1;
        changed.notify_all();
        while !state.open {
            let (next, timeout) = changed.wait_timeout(state, PATIENCE).unwrap();
            state = next;
            assert!(!timeout.timed_out(), "nobody opened the gate");
        }
        state.waiting -= 1;
    }

    pub fn open(&self) {
        self.0.0.lock().unwrap().open = true;
        self.0.1.notify_all();
    }

    /// Until so many handlers wait at the gate.
    pub fn until_waiting(&self, count: usize) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        while state.waiting < count {
            let (next, timeout) = changed.wait_timeout(state, PATIENCE).unwrap();
            state = next;
            assert!(!timeout.timed_out(), "only {} of {count} handlers came to the gate", state.waiting);
        }
    }
}
