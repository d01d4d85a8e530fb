//! The examples do what they say.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)]

#[path = "../examples/graceful_shutdown.rs"]
mod graceful_shutdown;
mod harness;
#[path = "../examples/hello.rs"]
mod hello;
#[path = "../examples/streaming.rs"]
mod streaming;
#[path = "../examples/webserve.rs"]
mod webserve;

use std::sync::Arc;
use std::time::Duration;

use brickwork_server::{Config, Ended, Handler, Listener, NoInterpreter, Server};
use harness::{Client, Response};

fn serving(handler: impl Handler, test: impl FnOnce(&dyn Fn() -> Client)) {
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap(), 16).unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::start(Config::default(), vec![listener], Arc::new(handler), Arc::new(NoInterpreter)).unwrap();
    test(&|| Client::connect(address));
    server.stopper().drain(harness::PATIENCE);
    assert_eq!(server.join(), Ended::Drained);
}

fn ask(client: &mut Client, request: &str) -> Response {
    client.send(request.as_bytes());
    client.response()
}

#[test]
fn hello_says_hello() {
    serving(hello::Hello, |connect| {
        let response = ask(&mut connect(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!((response.status, response.text()), (200, "Hello, world!\n"));
    });
}

#[test]
fn streaming_sends_chunks() {
    serving(streaming::Countdown { from: 3, pause: Duration::from_millis(1) }, |connect| {
        let response = ask(&mut connect(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(response.field("Transfer-Encoding"), Some("chunked"));
        assert!(response.text().contains("3\n") && response.text().contains("1\n"), "{}", response.text());
    });
}

#[test]
fn graceful_shutdown_ends_in_order() {
    let server = graceful_shutdown::start("127.0.0.1:0", Duration::from_millis(1)).unwrap();
    server.stopper().drain(harness::PATIENCE);
    assert_eq!(server.join(), Ended::Drained);
}

#[test]
fn webserve_shows_path_query_and_form_and_says_none_where_there_is_none() {
    let rows = [
        (
            "GET /a%20b HTTP/1.1\r\nHost: a\r\n\r\n",
            vec!["<h1>GET /a b</h1>", "<h2>Query</h2><p>none", "<h2>Form</h2><p>none"],
        ),
        ("GET /?n=1&m=%26+x&n=2 HTTP/1.1\r\nHost: a\r\n\r\n", vec!["<p>n = 1, 2</p>", "<p>m = &amp; x</p>"]),
        ("GET /? HTTP/1.1\r\nHost: a\r\n\r\n", vec!["<h2>Query</h2><h2>Form</h2><p>none"]),
        (
            "POST /f?q=1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\
             Content-Length: 14\r\n\r\na=1&a=2&b=%3Cc",
            vec!["<h1>POST /f</h1>", "<p>q = 1</p>", "<p>a = 1, 2</p>", "<p>b = &lt;c</p>"],
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Transfer-Encoding: chunked\r\n\r\n3\r\nk=v\r\n0\r\n\r\n",
            vec!["<p>k = v</p>"],
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\na=1",
            vec!["<h2>Form</h2><p>none"],
        ),
    ];
    serving(webserve::Webserve, |connect| {
        let mut client = connect();
        for (request, expected) in &rows {
            let response = ask(&mut client, request);
            assert_eq!(response.status, 200);
            for text in expected {
                assert!(response.text().contains(text), "{text} in {}", response.text());
            }
        }
    });
}

#[test]
fn webserve_answers_500_to_an_error_or_a_panic_and_lives() {
    serving(webserve::Webserve, |connect| {
        for path in ["/error", "/panic", "/error"] {
            let response = ask(&mut connect(), &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!(response.status, 500, "{path}");
        }
        assert_eq!(ask(&mut connect(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
    });
}

#[test]
fn webserve_refuses_a_form_that_is_too_large() {
    serving(webserve::Webserve, |connect| {
        let content = "a".repeat((1 << 20) + 1);
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length";
        let response = ask(&mut connect(), &format!("{head}: {}\r\n\r\n{content}", content.len()));
        assert_eq!(response.status, 413);
    });
}
