//! The server as its clients see it, over raw bytes on loopback.
#![allow(clippy::unwrap_used)]

mod harness;

use std::io::{BufRead, Read};
use std::sync::Arc;
use std::time::Duration;

use brickwork_server::http::Rule;
use brickwork_server::{Config, Content, Ended, RejectionNotice};
use harness::{Client, Gate, TestServer, answer};

fn echo_server() -> TestServer {
    TestServer::start(Config::default(), |path, exchange| {
        let mut text = String::new();
        exchange.take_content().read_to_string(&mut text).unwrap();
        let number = exchange.request_number();
        answer(exchange, format!("{path} {number} {text}"));
    })
}

#[test]
fn answers_several_requests_on_one_connection() {
    let server = echo_server();
    let mut client = server.client();
    for number in 1..=5 {
        let response = client.get("/x");
        assert_eq!((response.status, response.text()), (200, format!("/x {number} ").as_str()));
        assert!(response.field("Date").unwrap().ends_with(" GMT"));
    }
}

#[test]
fn reads_content_that_comes_byte_by_byte() {
    let server = echo_server();
    let mut client = server.client();
    for byte in b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world" {
        client.send([*byte]);
    }
    assert_eq!(client.response().text(), "/ 1 hello world");
    assert_eq!(client.get("/again").text(), "/again 2 ");
}

#[test]
fn reads_chunked_content_and_the_request_behind_it() {
    let server = echo_server();
    let mut client = server.client();
    client.send(
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
         5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    assert_eq!(client.response().text(), "/ 1 hello world");
    assert_eq!(client.response().text(), "/next 2 ");
}

#[test]
fn reads_content_that_comes_with_its_head() {
    let server = TestServer::start(Config::default(), |path, exchange| {
        let mut text = String::new();
        exchange.take_content().read_to_string(&mut text).unwrap();
        let length = exchange.request().head.framing;
        answer(exchange, format!("{path} {length:?} {text}"));
    });
    let mut client = server.client();
    for size in [1, 4095, 4096, 16_384, 24_000, 100_000] {
        let content: String = ('a'..='z').cycle().take(size).collect();
        let get = "GET /before HTTP/1.1\r\nHost: x\r\n\r\n";
        let post = format!("POST /{size} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n{content}");
        for (before, after) in [("", ""), (get, ""), ("", get), (get, get), ("\r\n", ""), (&*post, &*post)] {
            client.send(format!("{before}{post}{after}"));
            for request in [before, &post, after].map(|request| request.split(' ').nth(1)).into_iter().flatten() {
                let expected = match request {
                    "/before" => "/before None ".to_owned(),
                    _ => format!("/{size} Length({size}) {content}"),
                };
                assert!(client.response().text() == expected, "{request} of {before}{post}{after}");
            }
        }
    }
}

#[test]
fn spools_large_content_and_gives_all_of_it() {
    let server = TestServer::start(Config::default(), |_, exchange| {
        let mut content = exchange.take_content();
        let (mut len, mut sum) = (0u64, 0u64);
        loop {
            let bytes = content.fill_buf().unwrap();
            if bytes.is_empty() {
                break;
            }
            len += bytes.len() as u64;
            sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
            let n = bytes.len();
            content.consume(n);
        }
        answer(exchange, format!("{len} {sum}"));
    });
    for size in [100_000usize, 2 << 20, (2 << 20) + 1, 5_000_000] {
        let content: Vec<u8> = (0..size).map(|i| (i * 7) as u8).collect();
        let sum: u64 = content.iter().map(|byte| u64::from(*byte)).sum();
        let mut client = server.client();
        client.send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"));
        client.send(&content);
        assert_eq!(client.response().text(), format!("{size} {sum}"), "Content-Length: {size}");
        client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for chunk in content.chunks(70_001) {
            client.send(format!("{:x}\r\n", chunk.len())).send(chunk).send("\r\n");
        }
        client.send("0\r\n\r\n");
        assert_eq!(client.response().text(), format!("{size} {sum}"), "chunked: {size}");
    }
}

#[test]
fn answers_pipelined_requests_in_order() {
    let server = echo_server();
    let mut client = server.client();
    let mut requests = String::new();
    for i in 0..100 {
        requests.push_str(&format!("GET /{i} HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    client.send(requests);
    for i in 0..100 {
        assert_eq!(client.response().text(), format!("/{i} {} ", i + 1));
    }
}

#[test]
fn the_first_pipelined_answer_does_not_wait_for_a_second_that_blocks() {
    let gate = Gate::default();
    let at = gate.clone();
    let server = TestServer::start(Config::default(), move |path, exchange| {
        if path == "/blocked" {
            at.wait();
        }
        answer(exchange, path);
    });
    let mut client = server.client();
    client.send(
        "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /blocked HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    assert_eq!(client.response().text(), "/1");
    gate.until_waiting(1);
    gate.open();
    assert_eq!(client.response().text(), "/blocked");
    assert_eq!(client.response().text(), "/3");
}

#[test]
fn a_blocked_handler_delays_nobody_else() {
    let gate = Gate::default();
    let at = gate.clone();
    let server = TestServer::start(Config::default(), move |path, exchange| {
        if path == "/blocked" {
            at.wait();
        }
        answer(exchange, path);
    });
    let mut blocked: Vec<Client> = (0..20).map(|_| server.client()).collect();
    for client in &mut blocked {
        client.send("GET /blocked HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    gate.until_waiting(20);
    for _ in 0..50 {
        assert_eq!(server.client().get("/quick").text(), "/quick");
    }
    gate.open();
    for client in &mut blocked {
        assert_eq!(client.response().text(), "/blocked");
        assert_eq!(client.get("/after").text(), "/after");
    }
}

#[test]
fn requests_beyond_the_cap_wait_their_turn() {
    let gate = Gate::default();
    let at = gate.clone();
    let config = Config { threads: 3, ..Config::default() };
    let server = TestServer::start(config, move |path, exchange| {
        if path != "/native" {
            at.wait();
        }
        answer(exchange, path);
    });
    let mut clients: Vec<Client> = (0..12).map(|_| server.client()).collect();
    for client in &mut clients {
        client.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    gate.until_waiting(3);
    // The loop still works: it refuses, and answers what needs no thread.
    assert_eq!(server.client().send("GET / HTTP/1.1\r\n\r\n").response().status, 400);
    assert_eq!(server.client().get("/native").text(), "/native");
    gate.open();
    for client in &mut clients {
        assert_eq!(client.response().text(), "/x");
    }
}

#[test]
fn one_thread_means_strictly_one_after_the_other() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now_in, most_in) = (Arc::clone(&now), Arc::clone(&most));
    let config = Config { threads: 1, ..Config::default() };
    let server = TestServer::start(config, move |path, exchange| {
        most_in.fetch_max(now_in.fetch_add(1, SeqCst) + 1, SeqCst);
        std::thread::sleep(Duration::from_millis(7));
        now_in.fetch_sub(1, SeqCst);
        answer(exchange, path);
    });
    let mut clients: Vec<Client> = (0..20).map(|_| server.client()).collect();
    for client in &mut clients {
        client.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for client in &mut clients {
        assert_eq!(client.response().text(), "/x");
    }
    assert_eq!(most.load(SeqCst), 1);
}

#[test]
fn a_slow_reader_of_a_stream_delays_nobody_else() {
    let block = vec![b'x'; 256 * 1024];
    let server = TestServer::start(Config::default(), move |path, exchange| {
        if path != "/stream" {
            return answer(exchange, path);
        }
        exchange.response.start(200, b"OK").unwrap();
        exchange.begin(None).unwrap();
        for _ in 0..40 {
            exchange.write(Content::Owned(block.clone())).unwrap();
        }
        exchange.finish().unwrap();
    });
    let mut slow = server.client();
    slow.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    for _ in 0..50 {
        assert_eq!(server.client().get("/quick").text(), "/quick");
    }
    assert_eq!(slow.response().content.len(), 40 * 256 * 1024);
    assert_eq!(slow.get("/after").text(), "/after");
}

#[test]
fn a_large_answer_goes_out_as_the_client_reads() {
    let large: Vec<u8> = (0..8_000_000u32).map(|i| (i / 3) as u8).collect();
    let expected = large.clone();
    let server = TestServer::start(Config::default(), move |path, exchange| {
        if path != "/large" {
            return answer(exchange, path);
        }
        exchange.response.start(200, b"OK").unwrap();
        exchange.send(Content::Owned(large.clone())).unwrap();
    });
    let mut client = server.client();
    client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /behind HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(server.client().get("/quick").text(), "/quick");
    let response = client.response();
    assert_eq!(response.field("Content-Length"), Some("8000000"));
    assert!(response.content == expected);
    assert_eq!(client.response().text(), "/behind");
}

#[test]
fn asks_for_held_back_content_only_when_it_is_read() {
    let server = TestServer::start(Config::default(), |path, exchange| {
        if path == "/refuse" {
            return exchange.answer_status(403).unwrap();
        }
        let mut text = String::new();
        exchange.take_content().read_to_string(&mut text).unwrap();
        answer(exchange, text);
    });
    let head = |path| format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    let mut client = server.client();
    assert_eq!(client.send(head("/read")).response().status, 100);
    assert_eq!(client.send("hello").response().text(), "hello");
    assert_eq!(client.get("/read").status, 200, "the connection persists");

    let mut client = server.client();
    client.send("POST /chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.response().status, 100, "chunked content is gathered before the handler is called");
    assert_eq!(client.send("2\r\nhi\r\n0\r\n\r\n").response().text(), "hi");

    let mut client = server.client();
    let refused = client.send(head("/refuse")).response();
    assert_eq!((refused.status, refused.field("Connection")), (403, Some("close")));
    client.finish_sending().assert_closed();
}

#[test]
fn a_panic_is_a_500_and_the_server_lives() {
    let server = TestServer::start(Config::default(), |path, exchange| match path {
        "/panic" => panic!("on purpose"),
        "/nothing" => {}
        _ => answer(exchange, path),
    });
    let mut client = server.client();
    assert_eq!(client.get("/panic").status, 500);
    client.assert_closed();
    let mut client = server.client();
    assert_eq!(client.get("/nothing").status, 500);
    assert_eq!(client.get("/fine").text(), "/fine");
}

#[test]
fn after_a_refused_request_nothing_more_is_parsed() {
    let server = echo_server();
    let mut client = server.client();
    client.send(
        "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost : x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    assert_eq!(client.response().status, 200);
    let refused = client.response();
    assert_eq!((refused.status, refused.field("Connection")), (400, Some("close")));
    client.assert_closed();
    assert_eq!(server.server().counters().requests.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn the_answer_to_a_refused_upload_is_delivered() {
    let server = echo_server();
    let mut client = server.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n");
    // Keeps sending for a while, as an uploading client does; the server reads on so that no reset destroys its answer.
    for _ in 0..64 {
        client.send(vec![b'x'; 16 * 1024]);
    }
    assert_eq!(client.response().status, 413);
}

#[test]
fn a_close_that_the_client_does_not_expect_destroys_no_answer() {
    let server = TestServer::start(Config::default(), |path, exchange| {
        exchange.response.start(200, b"OK").unwrap();
        exchange.response.field(b"Connection", b"close").unwrap();
        exchange.send(Content::Owned(path.as_bytes().to_vec())).unwrap();
    });
    let mut client = server.client();
    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
    // The server answers and closes its side; what comes after that is read and dropped, and not answered by a reset.
    let mut first = [0; 1];
    assert_eq!(client.stream.peek(&mut first).unwrap(), 1);
    for _ in 0..64 {
        client.send(vec![b'x'; 16 * 1024]);
    }
    assert_eq!(client.response().text(), "/1");
    client.finish_sending().assert_closed();
}

#[test]
fn a_half_closed_client_is_still_answered() {
    let server = echo_server();
    let mut client = server.client();
    client.send("GET /half HTTP/1.1\r\nHost: x\r\n\r\n").finish_sending();
    assert_eq!(client.response().text(), "/half 1 ");
    client.assert_closed();
}

#[test]
fn deadlines_close_idle_connections_and_refuse_unfinished_requests() {
    let mut config = Config::default();
    config.deadlines.keep_alive = Duration::from_millis(50);
    config.deadlines.head = Duration::from_millis(50);
    config.deadlines.content = Duration::from_millis(50);
    let server = TestServer::start(config, |path, exchange| answer(exchange, path));
    let mut idle = server.client();
    assert_eq!(idle.get("/x").status, 200);
    idle.assert_closed();
    let mut head = server.client();
    assert_eq!(head.send("GET / HT").response().status, 408);
    let mut content = server.client();
    assert_eq!(content.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel").response().status, 408);
    server.client().assert_closed();
}

#[test]
fn an_aborted_response_cannot_pass_for_complete() {
    let server = TestServer::start(Config::default(), |path, exchange| {
        exchange.response.start(200, b"OK").unwrap();
        if path == "/length" {
            exchange.response.field(b"Content-Length", b"10").unwrap();
        }
        exchange.begin(None).unwrap();
        exchange.write(Content::Static(b"hello")).unwrap();
        exchange.abort();
    });
    let mut chunked = server.client();
    let all = chunked.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").rest();
    assert!(all.ends_with(b"\r\n5\r\nhello\r\n"), "{:?}", String::from_utf8_lossy(&all));
    let mut length = server.client();
    assert!(length.send("GET /length HTTP/1.1\r\nHost: x\r\n\r\n").rest().ends_with(b"\r\n\r\nhello"));
    let mut delimited = server.client();
    delimited.send("GET / HTTP/1.0\r\n\r\n");
    let mut all = Vec::new();
    let end = delimited.stream.read_to_end(&mut all);
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn draining_finishes_what_is_in_flight() {
    let gate = Gate::default();
    let at = gate.clone();
    let server = TestServer::start(Config::default(), move |path, exchange| {
        at.wait();
        answer(exchange, path);
    });
    let mut idle = server.client();
    let mut busy = server.client();
    busy.send("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
    gate.until_waiting(1);
    let draining = std::thread::spawn(move || server.drain());
    idle.assert_closed();
    gate.open();
    let response = busy.response();
    assert_eq!((response.status, response.text()), (200, "/busy"));
    busy.assert_closed();
    assert_eq!(draining.join().unwrap(), Ended::Drained);
}

#[test]
fn stopping_abandons_a_handler_that_does_not_return_and_tells_its_client() {
    let gate = Gate::default();
    let at = gate.clone();
    let server = TestServer::start(Config::default(), move |path, exchange| {
        at.wait();
        answer(exchange, path);
    });
    let mut busy = server.client();
    busy.send("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
    gate.until_waiting(1);
    assert_eq!(server.stop_after(Duration::ZERO), Ended::Abandoned(1));
    assert_eq!(busy.response().status, 503);
    gate.open();
}

#[test]
fn a_refused_request_is_told_with_its_bytes_and_answered_as_the_hook_says() {
    let config = Config {
        on_rejection: Some(Arc::new(|notice: &RejectionNotice<'_>| {
            let (rule, at) = (notice.rejection.rule, notice.rejection.at);
            let bytes = notice.bytes.escape_ascii();
            (rule != Rule::HostMissing)
                .then(|| format!("{} #{} {:?} {at} {bytes}", rule.code(), notice.request_number, notice.piece))
        })),
        ..Config::default()
    };
    let server = TestServer::start(config, |path, exchange| answer(exchange, path));
    let good = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let rows = [
        ("", "GET / HTTP/1.1\r\n\r\n", 400, "400 Bad Request\n"),
        ("", "GET / HTTP/1.1\r\nA : b\r\n", 400, "BW0104 #2 Head 17 GET / HTTP/1.1\\r\\nA : b\\r\\n"),
        (
            "",
            "GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
            421,
            "BW0017 #2 Head 4 GET https://x/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
        ),
        (chunked, "1\r\na\r\nzz\r\n", 400, "BW0401 #2 ChunkLine 0 zz\\r\\n"),
        (chunked, "1\r\na\r\n1\r\nb\r\n0\r\nA\r\n", 400, "BW0103 #2 TrailerSection 1 A\\r\\n"),
        (chunked, "1\r\na\r\n1", 400, "BW0405 #2 ChunkLine 1 1"),
        (chunked, "5\r\na", 400, "BW0405 #2 Content 0 "),
    ];
    for (before, rest, status, text) in rows {
        let mut client = server.client();
        client.send(format!("{good}{before}{rest}")).finish_sending();
        assert_eq!(client.response().status, 200);
        let refused = client.response();
        assert_eq!((refused.status, refused.text()), (status, text), "{rest:?}");
    }
}

#[test]
fn an_order_whose_ring_is_taken_for_another_is_obeyed() {
    use std::sync::{Arc, OnceLock};
    let (detached, native) = (Gate::default(), Gate::default());
    let (at_detached, at_native) = (detached.clone(), native.clone());
    let stopper: Arc<OnceLock<brickwork_server::Stopper>> = Arc::default();
    let orders = Arc::clone(&stopper);
    let server = TestServer::start(Config::default(), move |path, exchange| {
        match path {
            "/detached" => at_detached.wait(),
            "/native/hold" => at_native.wait(),
            "/native/drain" => orders.get().unwrap().drain(harness::PATIENCE),
            _ => {}
        }
        answer(exchange, path);
    });
    assert!(stopper.set(server.server().stopper()).is_ok());
    // A request whose thread has lost the loop, and one that holds the loop up for the moment.
    let mut lost = server.client();
    lost.send("GET /detached HTTP/1.1\r\nHost: x\r\n\r\n");
    detached.until_waiting(1);
    let (mut holding, mut ordering) = (server.client(), server.client());
    assert_eq!(holding.get("/native").text(), "/native");
    assert_eq!(ordering.get("/native").text(), "/native");
    holding.send("GET /native/hold HTTP/1.1\r\nHost: x\r\n\r\n");
    native.until_waiting(1);
    // Behind it, in this order: a request that gives the order, and the ring of the exchange that comes home. The order's own ring comes
    // before that one is dealt with, and is gone with it.
    ordering.send("GET /native/drain HTTP/1.1\r\nHost: x\r\n\r\n");
    detached.open();
    assert_eq!(lost.response().text(), "/detached");
    // The ring follows its answer by some microseconds, and shows nowhere. Should it be late, the test is weaker, not wrong.
    std::thread::sleep(Duration::from_millis(50));
    native.open();
    assert_eq!(holding.response().text(), "/native/hold");
    assert_eq!(ordering.response().text(), "/native/drain");
    lost.assert_closed();
    assert_eq!(server.drain(), Ended::Drained);
}
