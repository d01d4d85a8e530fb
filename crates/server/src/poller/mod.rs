//! The seam for other platforms: each module here defines `Poller`, `Events` and `Readiness` with the same methods, and `cfg` picks one.
//!
//! - `Poller::new`, `add_connection` (edge-triggered, both directions, once for the connection's lifetime), `add_listener` and
//!   `add_doorbell` (level-triggered), `remove`, `wait`
//! - `Events::next`: the batch of ready events lives with the loop, so that a new owner carries on with the rest of it.

mod epoll;

pub(crate) use epoll::{Events, Poller, Readiness};
