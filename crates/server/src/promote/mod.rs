//! Who runs the event loop, and how it changes hands (docs/concepts/scheduling.md).
//!
//! - `token`: the word that says where the loop's owner is, and the typestate round it
//! - `tenure`: what this thread knows of its own call: is the loop still ours?
//! - `leader`: runs the loop and calls the handler inline
//! - `watcher`: one standby that takes the loop over when the handler blocks
//! - `thread_clock`: whether a thread computes or waits
//! - `guardian`: keeps I/O going when nobody can get the interpreter lock
//! - `crew`: the threads, and the queue of requests that wait for one
//! - `drowse`, `parker`: sleep and wake without a lost wake-up
//! - `alarm`: the sleep of those who watch, put off by the watched

pub(crate) mod alarm;
mod crew;
pub(crate) mod drowse;
mod guardian;
mod leader;
mod parker;
#[cfg(feature = "reference-schedulers")]
pub(crate) mod reference;
mod releases;
mod tenure;
mod thread_clock;
pub(crate) mod token;
mod watcher;

pub(crate) use crew::{Crew, Duty, Fate};
pub(crate) use guardian::guard;
pub(crate) use leader::work;
pub use tenure::interruptible;
pub(crate) use tenure::{is_inline, wait_outside};
pub(crate) use thread_clock::ThreadClock;
