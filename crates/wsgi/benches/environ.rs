//! How long one environ takes, from the parsed request to the dropped dictionary, for three requests that occur.
//!
//! Only a server makes what an environ is made of. So one runs here, with a handler that builds a request's environ as
//! many times as criterion asks for, times that, and answers with the time: neither the socket nor the parser nor an
//! application is in it. What a thread keeps (addresses, keys of rare field names) is there before, as it is from its
//! second request on.

#[path = "../../http/benches/requests/mod.rs"]
mod requests;

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use brickwork_server::{Bind, Config, Content, Exchange, Handler, Listener, Server};
use brickwork_wsgi::{Gil, WsgiApp, WsgiSettings};
use criterion::{Criterion, criterion_group, criterion_main};
use pyo3::prelude::*;

use crate::requests::{BROWSER, SMALL, with_cookies};

fn environ(criterion: &mut Criterion) {
    Python::initialize();
    let timed = Arc::new(Timed { gateway: gateway(), iterations: AtomicU64::new(0) });
    let loopback = Bind::Tcp { host: "127.0.0.1".into(), port: 0 };
    let listener = Listener::bind(&loopback, 16).expect("a listener on loopback");
    let address = listener.local_addr().expect("a TCP address");
    let server =
        Server::start(Config::default(), vec![listener], Arc::<Timed>::clone(&timed), Arc::new(Gil)).expect("a server");

    let cookies = with_cookies();
    let mut group = criterion.benchmark_group("environ");
    for (name, request) in [("small", SMALL), ("browser", BROWSER), ("cookies", &cookies)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                timed.iterations.store(iterations, Ordering::SeqCst);
                time_answered(address, request)
            });
        });
    }
    group.finish();

    server.stopper().stop_now();
    let _ = server.join(); // all is answered
}

/// Builds environs, and answers with the nanoseconds that they took together.
struct Timed {
    gateway: WsgiApp,
    /// How many for the next request.
    iterations: AtomicU64,
}

impl Handler for Timed {
    fn handle(&self, exchange: &mut Exchange) {
        let elapsed = Python::attach(|py| {
            // Any of the server's threads may be the one that is called, and for the first time.
            drop(self.gateway.environ(py, exchange).expect("an environ"));
            let start = Instant::now();
            for _ in 0..self.iterations.load(Ordering::SeqCst) {
                drop(black_box(self.gateway.environ(py, black_box(exchange)).expect("an environ")));
            }
            start.elapsed()
        });
        exchange.response.start(200, b"OK").expect("a status line");
        exchange.send(Content::Owned(elapsed.as_nanos().to_string().into_bytes())).expect("a client that stays");
    }
}

fn gateway() -> WsgiApp {
    let settings = WsgiSettings {
        url_scheme: "http".into(),
        multithread: true,
        multiprocess: false,
        server_software: "brickwork".into(),
        errors: Arc::new(|lines| eprint!("{lines}")),
    };
    // No application: none is called.
    Python::attach(|py| WsgiApp::new(py, py.None(), &settings)).expect("a gateway")
}

/// Sends one request and reads the time from its answer.
fn time_answered(address: SocketAddr, request: &[u8]) -> Duration {
    let mut client = TcpStream::connect(address).expect("a connection with ourselves");
    client.write_all(request).expect("a request sent");
    client.shutdown(Shutdown::Write).expect("the end of the requests");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    let content = answer.split_once("\r\n\r\n").map(|(_, content)| content);
    let nanoseconds = content.and_then(|digits| digits.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_else(|| panic!("no time in the answer:\n{answer}")))
}

criterion_group!(benches, environ);
criterion_main!(benches);
