//! The processes and signals of Brickwork: no HTTP, no Python, so that it can be read in one sitting.
#![deny(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("Brickwork runs on Linux only for now: signals arrive through an eventfd");

mod exit;
mod signals;

pub use exit::exit_now;
pub use signals::{Signal, Signals, Waker, Woken};
