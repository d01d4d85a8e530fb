//! A web server library: listeners, an epoll loop that changes hands, connections, scheduling. No Python.
#![deny(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("Brickwork runs on Linux only for now: its poller is epoll");

mod access_line;
mod access_log;
mod awaited;
mod claim;
mod closing;
mod config;
mod connections;
mod content;
mod counters;
mod date;
mod deadlines;
mod descriptors;
mod doorbell;
mod engine;
mod event_loop;
mod exchange;
mod handler;
mod input;
mod intake;
mod interpreter;
mod listeners;
#[cfg(all(test, loom))]
mod models;
mod poller;
mod promote;
mod queueing;
mod request_content;
mod response;
mod returns;
mod send_buffer;
mod server;
mod slot;
mod static_files;
mod sync;
mod transport;

pub use access_log::{AccessLog, AccessLogFormat};
pub use brickwork_http as http;
#[cfg(feature = "reference-schedulers")]
pub use config::Scheduler;
pub use config::{Config, Deadlines, OnRejection, OnTraffic, RejectionNotice, Spool, Traffic};
pub use content::{Content, Foreign};
pub use counters::Counters;
pub use descriptors::after_fork_in_child;
pub use exchange::{Exchange, Peer, RequestView};
pub use handler::Handler;
pub use interpreter::{Interpreter, NoInterpreter};
pub use listeners::{Bind, Listener};
pub use request_content::RequestContent;
pub use response::SendError;
pub use server::{Ended, Server, Stopper, serve};
pub use static_files::{Dotfiles, Listings, SendfileRoot, StaticFiles, StaticOptions};
