//! A web server library: listeners, an epoll loop that changes hands, connections, scheduling. No Python.
//!
//! A [`Handler`] answers requests. It is called on the event loop's own thread, which is the fastest there is; if the
//! call blocks, the loop goes on in another thread. So a handler is plain code, and there is nothing to `await`.
//!
//! [`serve`] is the shortest way to a server. With [`Server::start`] there are settings and an end:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{Shutdown, TcpStream};
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use brickwork_server::{Config, Content, Ended, Exchange, Handler, Listener, NoInterpreter, Server};
//!
//! struct Greeting;
//!
//! impl Handler for Greeting {
//!     fn handle(&self, exchange: &mut Exchange) {
//!         let request = exchange.request();
//!         let path = String::from_utf8_lossy(request.text(request.head.target.path)).into_owned();
//!         if exchange.response.start(200, b"OK").is_ok() {
//!             let _ = exchange.send(Content::Owned(format!("You asked for {path}\n").into_bytes()));
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = Listener::bind(&"127.0.0.1:0".parse()?, 128)?;
//! let address = listener.local_addr().ok_or("no TCP address")?;
//! let config = Config { threads: 8, ..Config::default() };
//! let server = Server::start(config, vec![listener], Arc::new(Greeting), Arc::new(NoInterpreter))?;
//!
//! let mut client = TcpStream::connect(address)?;
//! client.write_all(b"GET /here HTTP/1.1\r\nHost: example.org\r\n\r\n")?;
//! client.shutdown(Shutdown::Write)?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nYou asked for /here\n"));
//!
//! server.stopper().drain(Duration::from_secs(5));
//! assert_eq!(server.join(), Ended::Drained);
//! # Ok(())
//! # }
//! ```
//!
//! More in the crate's examples: forms (`webserve`), content that comes bit by bit (`streaming`), ending in order
//! (`graceful_shutdown`), files (`static`). The protocol itself is [`brickwork_http`], here as [`http`].
//!
//! Settings such as [`Config`] are made by struct update from their defaults, as above: fields are added in minor
//! versions. What the server hands out is `#[non_exhaustive]` where it will grow; an enum that is not is complete, and
//! is best matched without a wildcard.
#![deny(unsafe_code)]
#![deny(missing_docs)]

#[cfg(not(target_os = "linux"))]
compile_error!("Brickwork runs on Linux only for now: its poller is epoll");

mod accepting;
mod access_line;
mod access_log;
mod awaited;
mod balance;
mod calls;
mod claim;
mod clerk;
mod closing;
mod config;
mod connections;
mod content;
mod content_memory;
mod counters;
mod courier;
mod date;
mod deadlines;
mod descriptors;
mod doorbell;
mod engine;
mod event_loop;
mod exchange;
mod forwarded;
mod gathering;
mod handler;
mod inbox;
mod input;
mod intake;
mod interpreter;
mod listeners;
#[cfg(all(test, loom))]
mod models;
mod overdue;
mod poller;
mod promote;
mod queueing;
mod receiving;
mod record;
pub mod redaction;
mod request_content;
mod response;
mod returns;
mod send_buffer;
mod server;
mod slot;
mod static_files;
mod sync;
#[cfg(not(loom))]
mod timer;
mod transport;

pub use access_log::{AccessLog, AccessLogFormat};
pub use balance::Balance;
pub use brickwork_http as http;
#[cfg(feature = "reference-schedulers")]
pub use config::Scheduler;
pub use config::{Config, Deadlines, OnRejection, OnTraffic, RejectionNotice, Spool, Traffic};
pub use content::{Content, Foreign};
pub use counters::Counters;
pub use descriptors::after_fork_in_child;
pub use exchange::{Exchange, Peer, RequestView};
pub use forwarded::{Forwarded, Scheme, TrustedPeers};
pub use handler::Handler;
pub use interpreter::{Interpreter, NoInterpreter, ThreadName};
pub use listeners::{Bind, Listener, SocketFile};
pub use promote::interruptible;
pub use record::{InFlight, Record};
pub use request_content::RequestContent;
pub use response::SendError;
pub use server::{Bell, Ended, Server, Stopper, serve};
pub use static_files::{Dotfiles, Listings, SendfileRoot, StaticFiles, StaticOptions};
