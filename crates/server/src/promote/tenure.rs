//! What this thread knows of the call it is in: whether the loop is still ours.
//!
//! Thread-local, because that is what it is: the thread that called the handler owns the loop until it is robbed or gives the loop
//! up before a wait of its own. Threads of the application have no tenure.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::token::{GaveUp, InApp, LoopGuard, Lost};
use crate::Interpreter;
use crate::engine::Engine;
use crate::event_loop::EventLoop;

/// The call this thread is in.
#[derive(Debug)]
pub(super) enum Call {
    /// Inline: the loop is ours unless somebody robs it.
    Inline(InApp),
    /// We gave the loop up; it may still be there.
    GaveUp(GaveUp),
    /// The loop belongs to somebody else.
    Detached,
    /// A handler that cannot block, called by the loop's owner without the interpreter lock.
    Native,
}

struct Seat {
    engine: Arc<Engine>,
    call: Option<Call>,
}

thread_local! {
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
}

/// This thread works for `engine` from now on.
pub(super) fn sit(engine: &Arc<Engine>) {
    SEAT.with_borrow_mut(|seat| *seat = Some(Seat { engine: Arc::clone(engine), call: None }));
}

/// This thread works for nobody.
pub(super) fn rise() {
    SEAT.with_borrow_mut(|seat| *seat = None);
}

/// The handler is about to be called so.
pub(super) fn begin(call: Call) {
    SEAT.with_borrow_mut(|seat| {
        if let Some(seat) = seat {
            seat.call = Some(call);
        }
    });
}

/// The handler is back: how the call stands now.
pub(super) fn end() -> Call {
    SEAT.with_borrow_mut(|seat| seat.as_mut().and_then(|seat| seat.call.take())).unwrap_or(Call::Detached)
}

impl Call {
    /// Takes the loop back after the call.
    pub(super) fn reclaim(self, engine: &Engine) -> Result<LoopGuard<'_, EventLoop>, Lost> {
        match self {
            Call::Inline(in_app) => in_app.reclaim(&engine.cell),
            Call::GaveUp(gave_up) => gave_up.reclaim(&engine.cell),
            Call::Detached | Call::Native => Err(Lost),
        }
    }
}

/// Whether this thread is in a call and still owns the loop.
pub(crate) fn is_inline() -> bool {
    SEAT.with_borrow(|seat| match seat {
        Some(Seat { engine, call: Some(Call::Inline(in_app)) }) => engine.cell.is_still(in_app),
        _ => false,
    })
}

/// Runs a wait of our own (for content, for room to send): gives the loop up first, and the interpreter lock for as long as it
/// takes. The caller holds the lock, unless its handler is one that is called without.
pub(crate) fn wait_outside<R>(interpreter: &dyn Interpreter, wait: impl FnOnce() -> R) -> R {
    let holds_lock = give_up_loop();
    if !holds_lock {
        return wait();
    }
    interpreter.release();
    let result = wait();
    interpreter.acquire();
    result
}

/// Leaves the loop to a standby, if it is ours. Says whether this call holds the interpreter lock.
fn give_up_loop() -> bool {
    SEAT.with_borrow_mut(|seat| {
        let Some(seat) = seat else { return true };
        seat.call = match seat.call.take() {
            Some(Call::Inline(in_app)) => {
                let (gave_up, was_ours) = in_app.give_up(&seat.engine.cell);
                if !was_ours {
                    Some(Call::Detached)
                } else {
                    seat.engine.counters.given_up.fetch_add(1, Relaxed);
                    seat.engine.crew.wake_watcher();
                    Some(Call::GaveUp(gave_up))
                }
            }
            other => other,
        };
        !matches!(seat.call, Some(Call::Native))
    })
}
