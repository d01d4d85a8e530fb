//! The two schedulers that the product's own is measured against, on the same loop and the same connections: inline on one thread, and a
//! pool of threads that every request is handed to. Only with the feature `reference-schedulers`; not for use.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::leader::{call_handler, poll};
use super::token::LoopGuard;
use crate::Exchange;
use crate::engine::{Engine, Orders};
use crate::event_loop::{EventLoop, Next};

/// Calls the handler on the loop's thread, and nowhere else: one blocked call stops everything.
pub(crate) fn run_inline(engine: &Arc<Engine>) {
    let interpreter = &*engine.setup.interpreter;
    interpreter.enter_thread();
    let mut holds_lock = false;
    if let Some(mut guard) = engine.cell.rob(engine.cell.look()) {
        loop {
            match guard.with(EventLoop::next) {
                Next::Request(mut exchange) => {
                    if !holds_lock {
                        interpreter.acquire();
                        holds_lock = true;
                    }
                    call_handler(engine, &mut exchange);
                    guard.with(|event_loop| event_loop.complete(exchange));
                }
                Next::Poll => {
                    if holds_lock {
                        interpreter.release();
                        holds_lock = false;
                    }
                    poll(engine, &mut guard);
                    if engine.orders() == Orders::Stop {
                        break;
                    }
                }
                Next::Finished => break,
            }
        }
        guard.with(EventLoop::cut_all);
    }
    if holds_lock {
        interpreter.release();
    }
    engine.crew.dismiss();
    interpreter.leave_thread();
}

/// Requests on their way to a thread of the pool.
#[derive(Default)]
pub(crate) struct Pool {
    waiting: Mutex<(VecDeque<Box<Exchange>>, bool)>,
    changed: Condvar,
}

impl Pool {
    /// The loop's thread: never calls the handler.
    pub(crate) fn run_loop(&self, engine: &Arc<Engine>) {
        if let Some(guard) = engine.cell.rob(engine.cell.look()) {
            self.hand_on(engine, guard);
        }
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_all();
        engine.crew.dismiss();
    }

    fn hand_on(&self, engine: &Arc<Engine>, mut guard: LoopGuard<'_, EventLoop>) {
        loop {
            match guard.with(EventLoop::next) {
                Next::Request(exchange) => {
                    self.waiting.lock().unwrap_or_else(PoisonError::into_inner).0.push_back(exchange);
                    self.changed.notify_one();
                }
                Next::Poll => {
                    poll(engine, &mut guard);
                    if engine.orders() == Orders::Stop {
                        break;
                    }
                }
                Next::Finished => break,
            }
        }
        guard.with(EventLoop::cut_all);
    }

    /// A thread of the pool.
    pub(crate) fn run_thread(&self, engine: &Arc<Engine>) {
        let interpreter = &*engine.setup.interpreter;
        interpreter.enter_thread();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(mut exchange) = waiting.0.pop_front() {
                drop(waiting);
                interpreter.acquire();
                call_handler(engine, &mut exchange);
                interpreter.release();
                engine.bring_back(exchange);
                waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            } else if waiting.1 {
                break;
            } else {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
        }
        drop(waiting);
        interpreter.leave_thread();
    }
}
