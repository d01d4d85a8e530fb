//! The loop changes hands under an interpreter lock: a test double that counts, and fails on every misuse.
#![allow(clippy::unwrap_used)]

mod harness;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use brickwork_server::{Config, Content, Counters, Ended, Exchange, Interpreter};
use harness::{Client, Gate, PATIENCE, TestServer, answer};

/// An interpreter lock that is taken away from nobody: whoever computes with it keeps it, as a C call keeps the GIL.
#[derive(Default)]
struct TestLock {
    holder: Mutex<Option<ThreadId>>,
    freed: Condvar,
    entered: Mutex<HashSet<ThreadId>>,
}

impl Interpreter for TestLock {
    fn enter_thread(&self) {
        assert!(self.entered.lock().unwrap().insert(thread::current().id()), "a thread entered twice");
    }

    fn leave_thread(&self) {
        assert!(!self.is_mine(), "a thread left with the lock");
        assert!(self.entered.lock().unwrap().remove(&thread::current().id()), "a thread left that had not entered");
    }

    fn acquire(&self) {
        let me = thread::current().id();
        assert!(self.entered.lock().unwrap().contains(&me), "the lock was taken by a thread that had not entered");
        let mut holder = self.holder.lock().unwrap();
        assert_ne!(*holder, Some(me), "the lock was taken twice");
        while holder.is_some() {
            let (next, timeout) = self.freed.wait_timeout(holder, PATIENCE).unwrap();
            assert!(!timeout.timed_out(), "nobody let the lock go");
            holder = next;
        }
        *holder = Some(me);
    }

    fn release(&self) {
        let mut holder = self.holder.lock().unwrap();
        assert_eq!(holder.take(), Some(thread::current().id()), "the lock was released by somebody else");
        drop(holder);
        self.freed.notify_one();
    }
}

impl TestLock {
    fn is_mine(&self) -> bool {
        *self.holder.lock().unwrap() == Some(thread::current().id())
    }

    /// What a handler does that waits, as Python does it: without the lock.
    fn outside<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.release();
        let result = wait();
        self.acquire();
        result
    }
}

/// `/wait` waits at the gate without the lock, `/hold` with it; everything else answers at once.
fn server(lock: &Arc<TestLock>, config: Config) -> (TestServer, Gate, Gate) {
    let (waiting, holding) = (Gate::default(), Gate::default());
    let (at_wait, at_hold, held) = (waiting.clone(), holding.clone(), Arc::clone(lock));
    let interpreter: Arc<dyn Interpreter> = Arc::<TestLock>::clone(lock);
    let server = TestServer::start_under(interpreter, config, move |path, exchange| {
        assert_eq!(held.is_mine(), !path.starts_with("/native"), "{path} was called without the lock, or with");
        match path {
            "/wait" => held.outside(|| at_wait.wait()),
            "/hold" => at_hold.wait(),
            _ => {}
        }
        answer(exchange, path);
    });
    (server, waiting, holding)
}

fn until_waiting(counters: &Counters, wanted: u64) {
    let began = Instant::now();
    while counters.waiting.load(SeqCst) != wanted {
        assert!(began.elapsed() < PATIENCE, "{counters:?}");
        thread::yield_now();
    }
}

#[test]
fn a_handler_that_lets_the_lock_go_delays_nobody() {
    let lock = Arc::new(TestLock::default());
    let (server, waiting, _) = server(&lock, Config::default());
    let mut blocked: Vec<Client> = (0..30).map(|_| server.client()).collect();
    for client in &mut blocked {
        client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    waiting.until_waiting(30);
    assert_eq!(server.client().get("/quick").text(), "/quick");
    waiting.open();
    for client in &mut blocked {
        assert_eq!(client.response().text(), "/wait");
    }
    let counters = server.server().counters();
    let taken = counters.taken_from_waiting.load(SeqCst) + counters.taken_by_guardian.load(SeqCst);
    assert!(taken >= 30, "{counters:?}");
}

#[test]
fn while_a_handler_keeps_the_lock_the_guardian_refuses_answers_and_queues() {
    let lock = Arc::new(TestLock::default());
    let (server, _, holding) = server(&lock, Config::default());
    let mut holder = server.client();
    holder.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    holding.until_waiting(1);
    let mut queued = server.client();
    queued.send("GET /queued HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(server.client().get("/native").text(), "/native");
    // The guardian leads now, and stays: nobody can get the lock. Each of these takes no longer than a connection.
    let mut took = Vec::new();
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(server.client().get("/native").text(), "/native");
        assert_eq!(server.client().send("GET / HTTP/1.1\r\n\r\n").response().status, 400);
        took.push(began.elapsed());
    }
    took.sort_unstable();
    assert!(took[10] < Duration::from_millis(50), "{took:?}");
    let counters = server.server().counters();
    assert_eq!(counters.taken_by_guardian.load(SeqCst), 1, "{counters:?}");
    until_waiting(&counters, 1);
    holding.open();
    assert_eq!(holder.response().text(), "/hold");
    assert_eq!(queued.response().text(), "/queued");
    assert_eq!(holder.get("/after").text(), "/after", "the loop is back with a thread that can call the handler");
}

#[test]
fn a_lock_that_is_held_elsewhere_makes_requests_wait_and_not_the_loop() {
    let lock = Arc::new(TestLock::default());
    let (server, waiting, _) = server(&lock, Config::default());
    let mut first = server.client();
    // A thread of the application's own, so to say, has the lock: the owner of the loop waits for it in WAIT, before its first call.
    lock.enter_thread();
    lock.acquire();
    first.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(server.client().get("/native").text(), "/native");
    assert_eq!(server.client().get("/native").text(), "/native");
    lock.release();
    lock.leave_thread();
    waiting.until_waiting(1);
    assert_eq!(server.client().get("/after").text(), "/after", "somebody else has the loop from the guardian");
    waiting.open();
    assert_eq!(first.response().text(), "/wait");
}

#[test]
fn a_queued_request_whose_client_has_left_is_not_run() {
    let lock = Arc::new(TestLock::default());
    let ran = Arc::new(Mutex::new(Vec::new()));
    let gate = Gate::default();
    let (recorded, at, held) = (Arc::clone(&ran), gate.clone(), Arc::clone(&lock));
    let interpreter: Arc<dyn Interpreter> = Arc::<TestLock>::clone(&lock);
    let config = Config { threads: 1, ..Config::default() };
    let server = TestServer::start_under(interpreter, config, move |path, exchange| {
        recorded.lock().unwrap().push(path.to_owned());
        if path == "/wait" {
            held.outside(|| at.wait());
        }
        answer(exchange, path);
    });
    let mut busy = server.client();
    busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    gate.until_waiting(1);
    let counters = server.server().counters();
    let mut leaving = server.client();
    leaving.send("GET /left HTTP/1.1\r\nHost: x\r\n\r\n");
    until_waiting(&counters, 1);
    drop(leaving);
    until_waiting(&counters, 0);
    let mut staying = server.client();
    staying.send("GET /stayed HTTP/1.1\r\nHost: x\r\n\r\n");
    until_waiting(&counters, 1);
    gate.open();
    assert_eq!(busy.response().text(), "/wait");
    assert_eq!(staying.response().text(), "/stayed");
    assert_eq!(*ran.lock().unwrap(), ["/wait", "/stayed"]);
}

#[test]
fn a_request_that_waits_too_long_for_a_thread_gets_503_and_keeps_its_connection() {
    let lock = Arc::new(TestLock::default());
    let config = Config { threads: 1, queue_timeout: Duration::from_millis(50), ..Config::default() };
    let (server, waiting, _) = server(&lock, config);
    let mut busy = server.client();
    busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    waiting.until_waiting(1);
    let mut late = server.client();
    let shed = late.get("/late");
    assert_eq!((shed.status, shed.field("Retry-After")), (503, Some("1")));
    waiting.open();
    assert_eq!(busy.response().text(), "/wait");
    assert_eq!(late.get("/again").text(), "/again");
}

/// Answers by its path's kind: at once, after a wait with or without the lock, or as a stream.
fn answer_somehow(lock: &TestLock, path: &str, exchange: &mut Exchange) {
    match path.bytes().map(u32::from).sum::<u32>() % 7 {
        0 => lock.outside(|| thread::sleep(Duration::from_millis(3))),
        1 => lock.outside(thread::yield_now),
        2 => thread::sleep(Duration::from_millis(1)),
        3 => {
            exchange.response.start(200, b"OK").unwrap();
            exchange.begin(None).unwrap();
            let mut blocks = path.as_bytes().chunks(2);
            if blocks.all(|block| exchange.write(Content::Owned(block.to_vec())).is_ok()) {
                let _ = exchange.finish();
            }
            return;
        }
        _ => {}
    }
    answer(exchange, path);
}

/// Pipelines random requests over many connections, some of which leave early; says how many answers it checked.
fn run_client(address: std::net::SocketAddr, number: u32, seed: u32) -> usize {
    let mut state = seed.wrapping_add(number).wrapping_mul(2_654_435_761) | 1;
    let mut random = move |below: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state % below
    };
    let mut answered = 0;
    for round in 0..25 {
        let mut client = Client::connect(address);
        let paths: Vec<String> = (0..=random(6)).map(|n| format!("/{number}-{round}-{n}-{}", random(1000))).collect();
        client.send(paths.iter().map(|path| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).collect::<String>());
        if random(5) == 0 {
            continue;
        }
        for path in &paths {
            assert_eq!(client.response().text(), path);
        }
        answered += paths.len();
    }
    answered
}

#[test]
fn every_answer_reaches_its_request_under_random_blocking_and_leaving() {
    let seed = std::process::id().wrapping_mul(2_246_822_519);
    println!("seed {seed}");
    let lock = Arc::new(TestLock::default());
    let calls = Arc::new(AtomicUsize::new(0));
    let (held, counted) = (Arc::clone(&lock), Arc::clone(&calls));
    let interpreter: Arc<dyn Interpreter> = Arc::<TestLock>::clone(&lock);
    let config = Config { threads: 8, ..Config::default() };
    let server = TestServer::start_under(interpreter, config, move |path, exchange| {
        counted.fetch_add(1, SeqCst);
        answer_somehow(&held, path, exchange);
    });
    let address = server.address;
    let clients: Vec<_> = (0..12).map(|number| thread::spawn(move || run_client(address, number, seed))).collect();
    let answered: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
    assert!(calls.load(SeqCst) >= answered, "an answer came from nowhere");
    assert_eq!(server.client().get("/last").text(), "/last");
    assert_eq!(server.drain(), Ended::Drained);
    assert!(lock.entered.lock().unwrap().is_empty(), "a thread did not leave");
}

#[test]
fn a_handler_that_takes_too_long_is_answered_for_whether_it_keeps_the_lock_or_not() {
    let lock = Arc::new(TestLock::default());
    let config = Config { timeout: Some(Duration::from_millis(100)), slow_request: None, ..Config::default() };
    let (server, waiting, holding) = server(&lock, config);
    for (path, gate) in [("/wait", &waiting), ("/hold", &holding)] {
        let mut client = server.client();
        let response = client.get(path);
        assert_eq!((response.status, response.text()), (504, "504 Gateway Timeout\n"), "{path}");
        client.assert_closed();
        gate.until_waiting(1);
    }
    // This one waits for the lock or in the queue. Whoever waits for the lock is answered in time too, and then not called.
    let mut behind = server.client();
    behind.send("GET /behind HTTP/1.1\r\nHost: x\r\n\r\n");
    waiting.open();
    holding.open();
    assert!(matches!(behind.response().status, 200 | 504));
    assert_eq!(server.client().get("/after").text(), "/after");
    assert_eq!(server.drain(), Ended::Drained);
}

#[test]
fn a_request_that_timed_out_while_it_waited_for_the_lock_is_not_handled_any_more() {
    let lock = Arc::new(TestLock::default());
    let calls = Arc::new(AtomicUsize::new(0));
    let (counted, interpreter): (_, Arc<dyn Interpreter>) = (Arc::clone(&calls), Arc::<TestLock>::clone(&lock) as _);
    let config = Config { timeout: Some(Duration::from_millis(100)), slow_request: None, ..Config::default() };
    let server = TestServer::start_under(interpreter, config, move |path, exchange| {
        counted.fetch_add(1, SeqCst);
        answer(exchange, path);
    });
    lock.enter_thread();
    lock.acquire();
    assert_eq!(server.client().get("/late").status, 504);
    lock.release();
    assert_eq!(server.client().get("/after").text(), "/after");
    assert_eq!(calls.load(SeqCst), 1);
    lock.leave_thread();
}

#[test]
fn the_place_of_a_thread_that_does_not_come_back_is_taken_by_a_request_that_waits() {
    let lock = Arc::new(TestLock::default());
    let config = Config {
        threads: 2,
        timeout: Some(Duration::from_millis(100)),
        slow_request: None,
        queue_timeout: PATIENCE * 4,
        ..Config::default()
    };
    let (server, waiting, _) = server(&lock, config);
    let mut stuck = [server.client(), server.client()];
    for client in &mut stuck {
        client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for client in &mut stuck {
        assert_eq!(client.response().status, 504);
    }
    waiting.until_waiting(2);
    // Nothing else happens on this server that could wake its loop.
    assert_eq!(server.client().get("/behind").text(), "/behind");
    assert!(server.server().counters().threads_abandoned.load(SeqCst) >= 1);
    waiting.open();
    assert_eq!(server.drain(), Ended::Drained);
}

/// A server whose loop is kept from looking for events until the first gate opens, so that it then finds many requests at once. `/wait` and
/// `/hold` wait at the second, without and with the lock; a number is answered with so many bytes.
fn busy_server(lock: &Arc<TestLock>) -> (TestServer, Gate, Gate) {
    let (busy, blocked) = (Gate::default(), Gate::default());
    let (at_busy, at_blocked, held) = (busy.clone(), blocked.clone(), Arc::clone(lock));
    let interpreter: Arc<dyn Interpreter> = Arc::<TestLock>::clone(lock);
    let server = TestServer::start_under(interpreter, Config::default(), move |path, exchange| {
        match path {
            "/native-busy" => at_busy.wait(),
            "/wait" => held.outside(|| at_blocked.wait()),
            "/hold" => at_blocked.wait(),
            _ => {}
        }
        match path.trim_start_matches('/').parse() {
            Ok(length) => answer(exchange, "x".repeat(length)),
            Err(_) => answer(exchange, path),
        }
    });
    let mut first = server.client();
    first.send("GET /native-busy HTTP/1.1\r\nHost: x\r\n\r\n");
    busy.until_waiting(1);
    (server, busy, blocked)
}

#[test]
fn no_gathered_answer_waits_for_a_call_that_blocks() {
    for blocking in ["/wait", "/hold"] {
        let lock = Arc::new(TestLock::default());
        let (server, busy, blocked) = busy_server(&lock);
        let mut clients: Vec<Client> = (0..8).map(|_| server.client()).collect();
        for client in &mut clients {
            client.send("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        let mut last = server.client();
        last.send(format!("GET {blocking} HTTP/1.1\r\nHost: x\r\n\r\n"));
        busy.open();
        blocked.until_waiting(1);
        for client in &mut clients {
            assert_eq!(client.response().text(), "/quick", "behind it: {blocking}");
        }
        blocked.open();
        assert_eq!(last.response().text(), blocking);
    }
}

#[test]
fn a_gathered_answer_reaches_a_client_that_has_finished_sending() {
    let lock = Arc::new(TestLock::default());
    let (server, busy, _) = busy_server(&lock);
    let mut clients: Vec<Client> = (0..8).map(|_| server.client()).collect();
    for (client, after) in clients.iter_mut().zip(["", "\r\n"].iter().cycle()) {
        client.send(format!("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n{after}")).finish_sending();
    }
    busy.open();
    for client in &mut clients {
        assert_eq!(client.response().text(), "/quick");
        client.assert_closed();
    }
}

#[test]
fn gathered_answers_of_any_length_arrive_whole() {
    let lock = Arc::new(TestLock::default());
    let (server, busy, _) = busy_server(&lock);
    let lengths = [0, 1, 4095, 4096, 4097, 16_000, 16_384, 16_385, 100_000, 3_000_000];
    let mut clients: Vec<(Client, usize)> = lengths.map(|length| (server.client(), length)).into();
    for (client, length) in &mut clients {
        let request = format!("GET /{length} HTTP/1.1\r\nHost: x\r\n\r\n");
        client.send(request.repeat(3));
    }
    busy.open();
    for (client, length) in &mut clients {
        for _ in 0..3 {
            assert_eq!(client.response().content.len(), *length);
        }
    }
}
