//! The WSGI gateway: PEP 3333 between [`brickwork_server::Handler`] and a Python application.
//!
//! It turns a parsed request into an environ, calls the application, and sends what it returns. It does not load the
//! application, open sockets, parse requests or frame responses. Everything that touches Python, and the `unsafe` that
//! this takes, is in this crate; the modules that need `unsafe` say so below.
#![deny(unsafe_code)]

mod app;
mod environ;
mod errors;
#[allow(unsafe_code)]
mod file_wrapper;
mod fork;
#[allow(unsafe_code)]
mod gil;
mod input;
#[allow(unsafe_code)]
mod latin1;
mod names;
mod response;
#[allow(unsafe_code)]
mod response_iter;
#[allow(unsafe_code)]
mod stacks;
#[allow(unsafe_code)]
mod start_response;
mod thread;
#[allow(unsafe_code)]
mod timeout;

pub use app::{WsgiApp, WsgiSettings};
pub use fork::let_go_after_fork;
pub use gil::Gil;
pub use names::{environ_key, percent_decoded};
pub use stacks::prepare_stacks_without_lock;
pub use timeout::RequestTimeout;
