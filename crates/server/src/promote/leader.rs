//! The loop's owner: runs the loop and calls the handler inline, until it is robbed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::crew::{Duty, Napper};
use super::tenure::{self, Call};
use super::token::LoopGuard;
use super::watcher::watch;
use crate::Exchange;
use crate::descriptors::{Process, leave_if_forked};
use crate::engine::{Engine, Orders};
use crate::event_loop::{EventLoop, Next};

/// The life of one thread of the crew: watch, lead, handle, and again. Says why it ends.
pub(crate) fn work(engine: &Arc<Engine>) -> Duty {
    let interpreter = &*engine.setup.interpreter;
    interpreter.enter_thread();
    tenure::sit(engine);
    let end = loop {
        match engine.crew.stand_by() {
            Duty::Watch => {
                if let Some((guard, holds_lock)) = watch(engine) {
                    let now = Instant::now();
                    Leader { engine, holds_lock, got_lock: now, has_watcher: false, put_off_at: [now; 2] }.lead(guard);
                    if tenure::is_stray() {
                        break Duty::Stray;
                    }
                }
            }
            end => break end,
        }
    };
    tenure::rise();
    interpreter.leave_thread();
    end
}

/// A thread that owns the loop, or has just lost it.
struct Leader<'a> {
    engine: &'a Arc<Engine>,
    holds_lock: bool,
    /// When it last got the interpreter lock.
    got_lock: Instant,
    /// Somebody was called to watch since it took the loop.
    has_watcher: bool,
    /// When to put off the looks of those who watch: of the watcher, and of the guardian.
    put_off_at: [Instant; 2],
}

/// While calls without the loop may be waiting to go on, the lock is kept for so long: they get it a little later than they could, and do
/// not have to be woken, and the leader suspended, at every request.
const HOLD: Duration = Duration::from_micros(200);

/// What became of the loop in a step.
enum Step<'a> {
    Ours(LoopGuard<'a, EventLoop>),
    Gone,
}

impl<'a> Leader<'a> {
    /// Leads until the loop is lost; then finishes what is left to do without it.
    fn lead(&mut self, mut guard: LoopGuard<'a, EventLoop>) {
        self.engine.note_owner();
        guard.with(EventLoop::flush_gathered);
        while let Step::Ours(still) = self.step(guard) {
            guard = still;
        }
        self.release();
    }

    fn step(&mut self, mut guard: LoopGuard<'a, EventLoop>) -> Step<'a> {
        let crew = &self.engine.crew;
        if let Some(exchange) = crew.next_for_leader() {
            note_dequeued(self.engine, &exchange);
            guard.with(EventLoop::flush_gathered);
            return self.call(guard, exchange);
        }
        match guard.with(EventLoop::next) {
            Next::Request(exchange) if self.engine.handler.is_native(exchange.request()) => {
                call_native(self.engine, &mut guard, exchange);
                Step::Ours(guard)
            }
            Next::Request(exchange) if crew.may_call() => self.call(guard, exchange),
            Next::Request(exchange) => {
                enqueue(self.engine, &mut guard, exchange);
                Step::Ours(guard)
            }
            // The lock is kept as long as there is something to do.
            Next::Poll if self.keeps_lock() && guard.with(EventLoop::poll_now) => Step::Ours(guard),
            Next::Poll => {
                self.release();
                poll(self.engine, &mut guard);
                match self.engine.orders() {
                    Orders::Stop => self.finish(guard),
                    _ => Step::Ours(guard),
                }
            }
            Next::Finished => self.finish(guard),
        }
    }

    /// The server is over: everybody leaves.
    fn finish(&mut self, mut guard: LoopGuard<'a, EventLoop>) -> Step<'a> {
        guard.with(EventLoop::cut_all);
        self.engine.crew.dismiss();
        Step::Gone
    }

    /// Calls the handler inline. The loop may be gone when it returns.
    fn call(&mut self, mut guard: LoopGuard<'a, EventLoop>, mut exchange: Box<Exchange>) -> Step<'a> {
        let engine = self.engine;
        let clock = guard.with(|event_loop| event_loop.clock);
        tenure::announce(&exchange);
        let in_app = if self.holds_lock {
            Ok(guard.enter_app())
        } else {
            let waiting = guard.enter_wait();
            self.acquire();
            waiting.enter_app(&engine.cell)
        };
        if in_app.is_ok() {
            self.alert_watcher(clock);
        }
        tenure::begin(in_app.map_or(Call::Detached, Call::Inline));
        call_handler(engine, &mut exchange);
        // A call that blocked has let the lock go by itself.
        if self.has_held_long() && tenure::is_inline() {
            self.release();
            std::thread::yield_now();
        }
        match tenure::end().reclaim(engine) {
            Ok(mut guard) => {
                guard.with(|event_loop| event_loop.complete(exchange));
                Step::Ours(guard)
            }
            Err(_) => {
                self.release();
                engine.bring_back(exchange);
                self.work_off();
                Step::Gone
            }
        }
    }

    /// A call begins, more or less at that time: somebody has to watch it, but not those before any more.
    fn alert_watcher(&mut self, clock: Instant) {
        for (who, at) in [Napper::Watcher, Napper::Guardian].into_iter().zip(&mut self.put_off_at) {
            if clock >= *at {
                *at = clock + self.engine.crew.put_off(who);
            }
        }
        if self.has_watcher {
            self.engine.crew.stir();
        } else {
            self.has_watcher = true;
            self.engine.replace_watcher();
        }
    }

    /// Without the loop: handles what waits, in the place of the call that just ended.
    fn work_off(&mut self) {
        while let Some(mut exchange) = self.engine.crew.next_in_place() {
            note_dequeued(self.engine, &exchange);
            tenure::announce(&exchange);
            self.acquire();
            tenure::begin(Call::Detached);
            call_handler(self.engine, &mut exchange);
            tenure::end();
            self.release();
            self.engine.bring_back(exchange);
        }
    }

    /// Whether the lock is worth keeping over a look for events: to let it go would wake those who wait for it.
    fn keeps_lock(&self) -> bool {
        self.holds_lock && self.engine.crew.detached() > 0 && !self.has_held_long()
    }

    /// Whether it is time to let those have the interpreter lock who may be waiting for it to finish their calls.
    fn has_held_long(&self) -> bool {
        self.engine.crew.detached() > 0 && self.got_lock.elapsed() >= HOLD
    }

    fn acquire(&mut self) {
        if !self.holds_lock {
            let began = Instant::now();
            self.engine.setup.interpreter.acquire();
            add_nanoseconds(&self.engine.counters.lock_nanoseconds, began);
            self.holds_lock = true;
            self.got_lock = Instant::now();
        }
    }

    fn release(&mut self) {
        if self.holds_lock {
            self.engine.setup.interpreter.release();
            self.holds_lock = false;
        }
    }
}

/// Waits for events, unless there is an order to be obeyed first. The owner keeps the loop meanwhile, and says that it sleeps.
///
/// Orders are looked at here, with the last batch dealt with and nothing between the look and the sleep that takes a ring: an order's
/// ring may have been taken together with another's, but one that comes after the look wakes the poller.
pub(super) fn poll(engine: &Engine, guard: &mut LoopGuard<'_, EventLoop>) {
    let idle = engine.idle_grace();
    match engine.orders() {
        Orders::Serve => {}
        Orders::Drain if guard.with(|event_loop| event_loop.drain(idle)) => return,
        Orders::Drain => {}
        Orders::Stop => return,
    }
    guard.publish_poll();
    guard.with(EventLoop::poll);
    guard.publish_loop();
}

/// No thread is free (or none can get the interpreter lock): the request waits in the queue.
pub(super) fn enqueue(engine: &Engine, guard: &mut LoopGuard<'_, EventLoop>, mut exchange: Box<Exchange>) {
    let key = exchange.key;
    exchange.queued = Some(Instant::now());
    guard.with(EventLoop::flush_gathered);
    match engine.crew.enqueue(exchange) {
        Ok(()) => {
            engine.counters.queued.fetch_add(1, Relaxed);
            guard.with(|event_loop| event_loop.note_queued(key));
        }
        Err(exchange) => guard.with(|event_loop| event_loop.shed(exchange)),
    }
}

/// A request has waited long enough.
fn note_dequeued(engine: &Engine, exchange: &Exchange) {
    if let Some(since) = exchange.queued {
        add_nanoseconds(&engine.counters.queued_nanoseconds, since);
    }
}

fn add_nanoseconds(counter: &AtomicU64, since: Instant) {
    counter.fetch_add(u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX), Relaxed);
}

/// A handler that cannot block: called by whoever has the loop, without the interpreter lock, and not robbed.
pub(super) fn call_native(engine: &Engine, guard: &mut LoopGuard<'_, EventLoop>, mut exchange: Box<Exchange>) {
    tenure::begin(Call::Native);
    call_handler(engine, &mut exchange);
    tenure::end();
    guard.with(|event_loop| event_loop.complete(exchange));
}

/// A panic in a handler is the end of its request, and of nothing else.
pub(super) fn call_handler(engine: &Engine, exchange: &mut Exchange) {
    if exchange.is_superseded() {
        // It was answered while this thread waited for the interpreter lock.
        return;
    }
    let process = Process::current();
    let handled = catch_unwind(AssertUnwindSafe(|| engine.handler.handle(exchange)));
    leave_if_forked(process);
    if let Err(panic) = handled {
        let what = panic.downcast_ref::<&str>().copied();
        let what = what.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)");
        tracing::error!("the handler panicked: {what}");
        exchange.fail();
    }
}
