//! The smallest server: every request gets the same answer. `cargo run --example hello`, then
//! `curl http://127.0.0.1:8080/`.

use std::io;

use brickwork_server::{Content, Exchange, Handler, serve};

fn main() -> io::Result<()> {
    serve("127.0.0.1:8080", Hello)
}

/// One value answers all requests, on any thread: what it shares must be [`Sync`].
pub struct Hello;

impl Handler for Hello {
    fn handle(&self, exchange: &mut Exchange) {
        // Date, Server, Content-Length and Connection are the server's business. These two calls fail only for a status
        // code, a name or a value outside the grammar; without an answer, the client gets a 500.
        if exchange.response.start(200, b"OK").and(exchange.response.field(b"Content-Type", b"text/plain")).is_ok() {
            // An error means that the client has left: there is nobody to tell.
            let _ = exchange.send(Content::Static(b"Hello, world!\n"));
        }
    }
}
