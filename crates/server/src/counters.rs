//! What the server counts: plain relaxed atomics, so that counting costs no more than adding.

use std::sync::atomic::AtomicU64;

/// Counters of one server since its start. The layout is fixed so that it can live in memory shared with other processes.
#[derive(Debug, Default)]
#[repr(C)]
#[non_exhaustive]
pub struct Counters {
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Requests handed to the handler.
    pub requests: AtomicU64,
    /// Requests refused before the handler saw them.
    pub rejected: AtomicU64,
    /// Take-overs of the loop because the handler had let the interpreter lock go: it was waiting for something.
    pub taken_from_waiting: AtomicU64,
    /// Take-overs although the handler kept the interpreter lock: it was computing.
    pub taken_from_busy: AtomicU64,
    /// Take-overs by the guardian: nobody could get the interpreter lock.
    pub taken_by_guardian: AtomicU64,
    /// Times a handler's wait for its client gave the loop up.
    pub given_up: AtomicU64,
    /// Requests that waited for a free thread.
    pub queued: AtomicU64,
    /// Nanoseconds that they waited, together.
    pub queued_nanoseconds: AtomicU64,
    /// Requests that wait now.
    pub waiting: AtomicU64,
    /// Nanoseconds that threads waited for the interpreter lock before they called the handler.
    pub lock_nanoseconds: AtomicU64,
    /// Requests that are with the handler now, or wait for it.
    pub in_flight: AtomicU64,
    /// Times that the loop went round.
    pub turns: AtomicU64,
    /// Threads started to handle requests.
    pub threads_started: AtomicU64,
    /// Threads that ended because they had nothing to do.
    pub threads_retired: AtomicU64,
    /// Requests answered 504 in place of a handler that took too long.
    pub timed_out: AtomicU64,
    /// Threads that did not come back from such a handler and were replaced.
    pub threads_abandoned: AtomicU64,
}
