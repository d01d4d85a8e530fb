//! A server that ends in order: press Enter, and it stops accepting, finishes what is in flight, and says how it went.
//! `cargo run --example graceful_shutdown`, then `curl http://127.0.0.1:8080/ &` and Enter within three seconds.
//!
//! Signals are left to the program: whatever catches SIGTERM calls [`Stopper::drain`], from any thread.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use brickwork_server::{
    Config, Content, Deadlines, Ended, Exchange, Handler, Listener, NoInterpreter, Server, Stopper,
};

fn main() -> io::Result<()> {
    let server = start("127.0.0.1:8080", Duration::from_secs(3))?;
    let stopper = server.stopper();
    thread::spawn(move || end_on_enter(&stopper));
    match server.join() {
        Ended::Drained => println!("every request was answered"),
        Ended::Abandoned(count) => println!("{count} requests were still in the handler"),
    }
    Ok(())
}

/// Starts a server whose every answer takes so long.
pub fn start(address: &str, takes: Duration) -> io::Result<Server> {
    let bind = address.parse().map_err(io::Error::other)?;
    let listener = Listener::bind(&bind, 128)?;
    println!("listening on {}; Enter ends", listener.url());
    let mut config = Config::default();
    config.threads = 8;
    config.deadlines = Deadlines { keep_alive: Duration::from_secs(5), ..config.deadlines };
    Server::start(config, vec![listener], Arc::new(Slow(takes)), Arc::new(NoInterpreter))
}

fn end_on_enter(stopper: &Stopper) {
    let _ = io::stdin().read_line(&mut String::new());
    // What takes longer than this is cut off. `stop_now` would not wait at all.
    stopper.drain(Duration::from_secs(10));
}

struct Slow(Duration);

impl Handler for Slow {
    fn handle(&self, exchange: &mut Exchange) {
        thread::sleep(self.0);
        if exchange.response.start(200, b"OK").is_ok() {
            let _ = exchange.send(Content::Static(b"worth the wait\n"));
        }
    }
}
