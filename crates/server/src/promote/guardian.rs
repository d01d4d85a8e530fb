//! The guardian: a thread that never touches the interpreter, and keeps I/O going when nobody else can.
//!
//! It takes a loop whose owner has been in one call, or waiting for the interpreter lock, for some 20 ms without anybody taking over: a C
//! call holds the lock. It accepts, parses, times and answers what needs no interpreter; requests for the handler go to the queue.
//! As soon as another thread can get the lock, the guardian gives the loop back.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::alarm::Nap;
use super::crew::Napper;
use super::leader::{call_native, enqueue, poll};
use super::tenure;
use super::token::{LoopGuard, State};
use crate::engine::{Engine, Orders};
use crate::event_loop::{EventLoop, Next};

/// Between two looks, while no call begins: the watcher, where it can, is several times quicker.
const TICK: Duration = Duration::from_millis(20);
/// Looks at a sleeping loop before the guardian sleeps too, until it is stirred.
const IDLE_LOOKS: u32 = 50;

/// The guardian's life.
pub(crate) fn guard(engine: &Arc<Engine>) {
    tenure::sit(engine);
    let mut seen = None;
    let mut idle = 0;
    while !engine.crew.is_over() {
        let stamp = engine.cell.look();
        if seen == Some(stamp) && !matches!(stamp.state(), State::Poll | State::Loop) {
            if let Some(guard) = engine.cell.rob(stamp) {
                engine.count_detached(stamp);
                engine.counters.taken_by_guardian.fetch_add(1, Relaxed);
                lead(engine, guard);
            }
            continue;
        }
        seen = Some(stamp);
        idle = if stamp.state() == State::Poll { idle + 1 } else { 0 };
        let nap = if idle < IDLE_LOOKS { Nap::Unattended(TICK) } else { Nap::Deep };
        engine
            .crew
            .nap(Napper::Guardian, nap, || engine.crew.is_over() || (nap == Nap::Deep && engine.cell.look() != stamp));
    }
    tenure::rise();
}

/// Leads in queueing mode until somebody who can call the handler wants the loop.
fn lead(engine: &Arc<Engine>, mut guard: LoopGuard<'_, EventLoop>) {
    engine.crew.guardian_leads.store(true, Relaxed);
    guard.with(EventLoop::flush_gathered);
    // Whoever watches is to want the loop back.
    engine.replace_watcher();
    loop {
        if engine.crew.is_loop_wanted.swap(false, Relaxed) {
            break;
        }
        match guard.with(EventLoop::next) {
            Next::Request(exchange) if engine.handler.is_native(exchange.request()) => {
                call_native(engine, &mut guard, exchange);
            }
            Next::Request(exchange) => enqueue(engine, &mut guard, exchange),
            Next::Poll => {
                poll(engine, &mut guard);
                if engine.orders() == Orders::Stop {
                    break;
                }
            }
            Next::Finished => break,
        }
    }
    engine.crew.guardian_leads.store(false, Relaxed);
    if engine.orders() == Orders::Stop || guard.with(|event_loop| event_loop.is_finished()) {
        guard.with(EventLoop::cut_all);
        return engine.crew.dismiss();
    }
    guard.free();
    engine.crew.wake_watcher();
}
