//! What this thread knows of the call it is in: whether the loop is still ours.
//!
//! Thread-local, because that is what it is: the thread that called the handler owns the loop until it is robbed or gives the loop
//! up before a wait of its own. Threads of the application have no tenure.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::token::{GaveUp, InApp, LoopGuard, Lost};
use crate::calls::Post;
use crate::engine::Engine;
use crate::event_loop::EventLoop;
use crate::record::Entry;
use crate::{Exchange, Interpreter};

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
    post: Arc<Post>,
}

thread_local! {
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
}

/// This thread works for `engine` from now on.
pub(super) fn sit(engine: &Arc<Engine>) {
    let post = engine.calls.enlist(engine.setup.interpreter.thread_name());
    SEAT.with_borrow_mut(|seat| *seat = Some(Seat { engine: Arc::clone(engine), call: None, post }));
}

/// This thread works for nobody.
pub(super) fn rise() {
    if let Some(seat) = SEAT.take() {
        seat.engine.calls.strike(&seat.post);
    }
}

/// This thread is about to call the handler for this request, perhaps after waiting for the interpreter lock. Until [`end`].
pub(super) fn announce(exchange: &Exchange) {
    SEAT.with_borrow(|seat| {
        if let Some(seat) = seat {
            let entry = exchange.entry.as_ref().and_then(Entry::index);
            seat.post.begin(exchange.key, entry, exchange.method_and_target());
        }
    });
}

/// Whether this thread was counted out while it was in a call.
pub(super) fn is_stray() -> bool {
    SEAT.with_borrow(|seat| seat.as_ref().is_some_and(|seat| seat.post.is_stray.load(Relaxed)))
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
    let end = |seat: &mut Seat| {
        seat.post.end();
        seat.call.take()
    };
    SEAT.with_borrow_mut(|seat| seat.as_mut().and_then(end)).unwrap_or(Call::Detached)
}

/// Runs the handler's own code, which the server may interrupt (see [`Interpreter::interrupt`]) once it has answered the request in the
/// handler's place; what is outside is not interrupted. The interpreter lock is held before and after.
pub fn interruptible<R>(work: impl FnOnce() -> R) -> R {
    struct Close;
    impl Drop for Close {
        fn drop(&mut self) {
            SEAT.with_borrow(|seat| {
                if let Some(Seat { engine, post, .. }) = seat
                    && post.set_interruptible(false)
                {
                    engine.setup.interpreter.forget_interruption();
                }
            });
        }
    }
    SEAT.with_borrow(|seat| seat.as_ref().map(|seat| seat.post.set_interruptible(true)));
    let _close = Close;
    work()
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
        Some(Seat { engine, call: Some(Call::Inline(in_app)), .. }) => engine.cell.is_still(in_app),
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
    let with_post = |act: fn(&Post)| SEAT.with_borrow(|seat| seat.as_ref().map(|seat| act(&seat.post)));
    with_post(Post::pause);
    interpreter.release();
    let result = wait();
    with_post(Post::resume);
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
