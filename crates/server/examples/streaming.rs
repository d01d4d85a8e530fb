//! Content that is sent as it comes into being: one line a second, for ten seconds. `cargo run --example streaming`,
//! then `curl -N http://127.0.0.1:8080/` in two terminals at once.
//!
//! The handler sleeps, and yet the server answers others: the event loop goes on in another thread as soon as this one
//! blocks.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use brickwork_server::{Content, Exchange, Handler, SendError, serve};

fn main() -> io::Result<()> {
    serve("127.0.0.1:8080", Countdown { from: 10, pause: Duration::from_secs(1) })
}

/// Counts down, with a pause before each number but the first.
pub struct Countdown {
    /// The first number.
    pub from: u32,
    /// Between two numbers.
    pub pause: Duration,
}

impl Handler for Countdown {
    fn handle(&self, exchange: &mut Exchange) {
        if exchange.response.start(200, b"OK").and(exchange.response.field(b"Content-Type", b"text/plain")).is_ok()
            && let Err(error) = self.count(exchange)
        {
            // SendError::Gone most often: the client did not wait for the end.
            eprintln!("not all was sent: {error:?}");
        }
    }
}

impl Countdown {
    fn count(&self, exchange: &mut Exchange) -> Result<(), SendError> {
        // Nobody knows the length: HTTP/1.1 clients get chunks, and HTTP/1.0 clients read until the connection closes.
        exchange.begin(None)?;
        for number in (1..=self.from).rev() {
            if number != self.from {
                sleep(self.pause);
            }
            // Every block is offered to the kernel at once. A client that does not read makes this call wait, not
            // memory grow.
            exchange.write(Content::Owned(format!("{number}\n").into_bytes()))?;
        }
        exchange.finish()
    }
}
