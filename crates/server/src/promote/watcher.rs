//! The watcher: one standby that takes the loop over when the handler blocks.
//!
//! Calm: it looks every couple of milliseconds. The same call seen twice is suspicious: the watcher then waits for the interpreter lock once.
//! If it gets the lock while the call still stands, the handler has let the lock go (it waits for something) or has held it for so long that
//! the interpreter took it away (it computes): either way the loop is better off here.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::crew::Napper;
use super::token::{LoopGuard, Stamp, State};
use crate::engine::Engine;
use crate::event_loop::EventLoop;

/// Between two looks.
const TICK: Duration = Duration::from_millis(2);
/// Getting the lock takes longer than this only if somebody computes with it: CPython asks for it back after 5 ms.
const QUICK: Duration = Duration::from_millis(4);
/// Looks at a sleeping loop before the watcher sleeps too, until it is stirred.
const IDLE_LOOKS: u32 = 50;

/// Watches until the loop is ours (then says whether we hold the interpreter lock) or the server is over.
pub(super) fn watch(engine: &Arc<Engine>) -> Option<(LoopGuard<'_, EventLoop>, bool)> {
    let mut seen = None;
    let mut idle = 0;
    while !engine.crew.is_over() {
        let stamp = engine.cell.look();
        match stamp.state() {
            State::Free | State::GaveUp => {
                if let Some(guard) = engine.cell.rob(stamp) {
                    engine.count_detached(stamp);
                    engine.replace_watcher();
                    return Some((guard, false));
                }
                continue;
            }
            State::App if seen == Some(stamp) => {
                if let Some(guard) = take_over(engine, stamp) {
                    engine.replace_watcher();
                    return Some((guard, true));
                }
            }
            State::App | State::Wait => seen = Some(stamp),
            State::Poll | State::Loop => {
                if engine.crew.guardian_leads.load(Relaxed) {
                    ask_guardian(engine);
                }
            }
        }
        idle = if stamp.state() == State::Poll { idle + 1 } else { 0 };
        let nap = (idle < IDLE_LOOKS).then_some(TICK);
        engine.crew.nap(Napper::Watcher, nap, || {
            let now = engine.cell.look();
            engine.crew.is_over()
                || matches!(now.state(), State::Free | State::GaveUp)
                || (nap.is_none() && now != stamp)
        });
    }
    None
}

/// Waits for the interpreter lock and takes the loop, if the call seen is still in the handler.
fn take_over(engine: &Engine, seen: Stamp) -> Option<LoopGuard<'_, EventLoop>> {
    let began = Instant::now();
    engine.setup.interpreter.acquire();
    let Some(guard) = engine.cell.rob(seen) else {
        engine.setup.interpreter.release();
        return None;
    };
    engine.crew.note_detached();
    let reason =
        if began.elapsed() < QUICK { &engine.counters.taken_from_waiting } else { &engine.counters.taken_from_busy };
    reason.fetch_add(1, Relaxed);
    Some(guard)
}

/// The guardian leads: as soon as the interpreter lock can be had, the loop comes back to a thread that can use it.
fn ask_guardian(engine: &Engine) {
    engine.setup.interpreter.acquire();
    engine.setup.interpreter.release();
    engine.crew.is_loop_wanted.store(true, Relaxed);
    engine.doorbell.ring();
}
