//! The watcher: one standby that takes the loop over when the handler blocks.
//!
//! It looks at the token from time to time. The same call seen twice may be blocked or may compute, and its thread's processor time tells
//! which: a thread that used next to none since the last look is waiting for something. Only then does the watcher ask for the interpreter
//! lock, and take the loop if the call still stands. So a handler that lets the lock go briefly and often (a log line, a query) is never
//! queued behind, and pays nothing. A call that computes for long loses the loop too: its thread goes on under the interpreter's own
//! time slices, and others have theirs.
//!
//! Where those that let the lock go mostly do so for long, the watcher does not look but waits for the lock (`releases`): the interpreter
//! wakes it in the moment the handler lets go.
//!
//! How often it looks follows from how often there was something to find (docs/decisions/0002): a look costs some microseconds, and
//! a blocked loop costs the time until the look that finds it. For take-overs at intervals T the sum is least at a pause proportional to
//! the square root of T; with the last one as the guess for T, the watcher is eager after a take-over and calms down by itself.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::alarm::Nap;
use super::crew::Napper;
use super::thread_clock::ThreadClock;
use super::token::{LoopGuard, Stamp, State};
use crate::engine::Engine;
use crate::event_loop::EventLoop;

/// The shortest and the longest pause between two looks.
const EAGER: Duration = Duration::from_micros(40);
const CALM: Duration = Duration::from_millis(4);
/// From here on a pause is put off by every call that begins: that costs the caller less than a look.
const SELDOM: Duration = Duration::from_micros(500);
/// What a look costs, about: the pause is the root of twice this times the time since the last take-over.
const LOOK_COSTS: f64 = 2e-6;
/// A call that has computed for so long loses the loop; CPython's switch interval is half of it.
const HOG: Duration = Duration::from_millis(10);
/// Without other work at hand there is no hurry: a blocked call keeps an idle loop for so long.
const NO_HURRY: Duration = Duration::from_millis(8);
/// Got sooner than this, the interpreter lock was held by nobody.
const AT_ONCE: Duration = Duration::from_micros(25);
/// Waited for so long, the lock may have been taken from a call that computes: CPython's switch interval is 5 ms.
const FORCED: Duration = Duration::from_millis(2);
/// When no call was seen to block for so long, nothing is waited for.
const LATELY: Duration = Duration::from_millis(100);
/// Looks at a sleeping loop before the watcher sleeps too, until it is stirred.
const IDLE_LOOKS: u32 = 50;

/// Watches until the loop is ours (then says whether we hold the interpreter lock) or the server is over.
pub(super) fn watch(engine: &Arc<Engine>) -> Option<(LoopGuard<'_, EventLoop>, bool)> {
    let promoted =
        Watch { engine, seen: None, last_found: engine.crew.last_blocked(), timer: ExactTimer::default() }.run();
    if promoted.is_some() {
        engine.crew.leave_watch();
    }
    promoted
}

struct Watch<'a> {
    engine: &'a Arc<Engine>,
    /// The call that was seen last.
    seen: Option<Sight>,
    last_found: Instant,
    timer: ExactTimer,
}

/// Sleeps of this thread end on time, from the first short one until the end: the kernel rounds them up by 50 us otherwise, which is as
/// much as the shortest pause.
#[derive(Default)]
struct ExactTimer {
    /// The slack before, in nanoseconds, once it was changed.
    slack_before: Option<Option<NonZeroU64>>,
}

impl ExactTimer {
    fn set(&mut self) {
        if self.slack_before.is_none() {
            self.slack_before = Some(rustix::thread::current_timer_slack().ok().and_then(NonZeroU64::new));
            let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1_000));
        }
    }
}

impl Drop for ExactTimer {
    fn drop(&mut self) {
        if let Some(slack) = self.slack_before {
            let _ = rustix::thread::set_current_timer_slack(slack);
        }
    }
}

/// A call, as it was seen.
#[derive(Clone, Copy)]
struct Sight {
    stamp: Stamp,
    first: Instant,
    last: Instant,
    clock: ThreadClock,
    used: Option<Duration>,
    /// The interpreter lock was free while it stood.
    lock_was_free: bool,
}

/// What a call that stands still is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Waiting,
    Computing,
}

impl<'a> Watch<'a> {
    fn run(&mut self) -> Option<(LoopGuard<'a, EventLoop>, bool)> {
        let (mut idle, mut before) = (0, None);
        while !self.engine.crew.is_over() {
            let stamp = self.engine.cell.look();
            match stamp.state() {
                State::Free | State::GaveUp => {
                    let Some(guard) = self.engine.cell.rob(stamp) else { continue };
                    self.engine.count_detached(stamp);
                    return Some((guard, false));
                }
                State::App => {
                    if let Some(guard) = self.look_at_call(stamp) {
                        return Some((guard, true));
                    }
                }
                State::Wait => {}
                State::Poll | State::Loop => self.look_at_loop(),
            }
            idle = if stamp.state() == State::Poll && before == Some(stamp) { idle + 1 } else { 0 };
            before = Some(stamp);
            self.pause(stamp, idle);
        }
        None
    }

    /// Until the next look. `idle`: so many looks have seen the same sleep of the loop.
    fn pause(&mut self, stamp: Stamp, idle: u32) {
        let since = self.last_found.elapsed().as_secs_f64();
        let pause = Duration::from_secs_f64((2.0 * LOOK_COSTS * since).sqrt()).clamp(EAGER, CALM);
        let pause = match self.seen.filter(|sight| sight.stamp == stamp) {
            // The lock was free once and has to be twice: that is soon known.
            Some(sight) if sight.lock_was_free => EAGER,
            // The pause before the first look was as long as it was because no call had begun meanwhile.
            Some(sight) if sight.first == sight.last => (pause / 2).max(EAGER),
            _ => pause,
        };
        // While nothing happens at all the pauses double: no longer than what has passed already.
        let pause = if idle == 0 { pause } else { pause.max(EAGER * (1 << idle.min(6))).min(CALM) };
        let engine = self.engine;
        // Whoever is going to wait for the lock need not look before there is a call.
        let needs_call = matches!(stamp.state(), State::Poll | State::Loop) && self.are_calls_expected_to_block();
        let nap = if needs_call || (pause == CALM && idle >= IDLE_LOOKS) {
            Nap::Deep
        } else if pause >= SELDOM {
            Nap::Unattended(pause)
        } else {
            Nap::For(pause)
        };
        self.nap(nap, || {
            let now = engine.cell.look();
            engine.crew.is_over()
                || matches!(now.state(), State::Free | State::GaveUp)
                || (nap == Nap::Deep && (now != stamp || engine.crew.guardian_leads.load(Relaxed)))
        });
    }

    fn nap(&mut self, nap: Nap, reason_to_stay: impl FnOnce() -> bool) {
        if matches!(nap, Nap::For(_)) {
            self.timer.set();
        }
        self.engine.crew.nap(Napper::Watcher, nap, reason_to_stay);
    }

    /// The guardian leads: as soon as the interpreter lock can be had, the loop comes back to a thread that can use it.
    fn look_at_loop(&self) {
        let engine = self.engine;
        if engine.crew.guardian_leads.load(Relaxed) {
            engine.setup.interpreter.acquire();
            engine.setup.interpreter.release();
            engine.crew.is_loop_wanted.store(true, Relaxed);
            engine.doorbell.ring();
        }
    }

    fn look_at_call(&mut self, stamp: Stamp) -> Option<LoopGuard<'a, EventLoop>> {
        let crew = &self.engine.crew;
        if self.are_calls_expected_to_block() {
            return self.wait_for_release();
        }
        if self.is_new(stamp) {
            return None;
        }
        let (doing, stands) = self.judge()?;
        if doing == Doing::Waiting && stands < NO_HURRY && !self.engine.has_work() {
            return None;
        }
        let guard = self.take_over(stamp, doing, stands)?;
        crew.releases().note_found();
        Some(guard)
    }

    fn are_calls_expected_to_block(&self) -> bool {
        let crew = &self.engine.crew;
        crew.last_blocked().elapsed() < LATELY && crew.releases().are_waited_for()
    }

    /// Whether the call was not seen before; from now on it was.
    fn is_new(&mut self, stamp: Stamp) -> bool {
        if self.seen.is_some_and(|sight| sight.stamp == stamp) {
            return false;
        }
        let (now, clock) = (Instant::now(), self.engine.owner_clock());
        self.seen = Some(Sight { stamp, first: now, last: now, clock, used: clock.read(), lock_was_free: false });
        true
    }

    /// What the call in sight did since it was last seen, and for how long it has stood. None: it computes, and may go on.
    fn judge(&mut self) -> Option<(Doing, Duration)> {
        let now = Instant::now();
        let sight = self.seen.as_mut()?;
        let used = sight.clock.read();
        let since = now.saturating_duration_since(sight.last);
        // None: the thread has ended, and the call with it; or there is no such clock, and then every call that stands is suspicious.
        let worked = used.zip(sight.used).map(|(now, before)| now.saturating_sub(before));
        let doing = if worked.is_some_and(|worked| worked * 4 >= since) { Doing::Computing } else { Doing::Waiting };
        let stands = now.saturating_duration_since(sight.first);
        (sight.last, sight.used) = (now, used);
        (doing == Doing::Waiting || stands >= HOG).then_some((doing, stands))
    }

    /// Waits for the interpreter lock, and takes the loop from the call that has let it go, at once or after an examination.
    fn wait_for_release(&mut self) -> Option<LoopGuard<'a, EventLoop>> {
        let (interpreter, crew) = (&*self.engine.setup.interpreter, &self.engine.crew);
        let began = Instant::now();
        interpreter.acquire();
        let is_forced = began.elapsed() >= FORCED;
        let stamp = self.engine.cell.look();
        if stamp.state() != State::App {
            interpreter.release();
            return None;
        }
        if is_forced || crew.releases().is_examination_due() {
            interpreter.release();
            let guard = self.examine(stamp);
            crew.releases().note_release((!is_forced || guard.is_some()).then_some(guard.is_some()));
            return guard;
        }
        crew.releases().note_release(None);
        let guard = self.engine.cell.rob(stamp);
        match guard {
            // It may be a short one: that calls block is known from those that were looked at.
            Some(_) => self.note_taken(Doing::Waiting),
            None => interpreter.release(),
        }
        guard
    }

    /// Whether a call that let the lock go has not come back for it a moment later; if so, takes the loop. Looks twice: between two looks
    /// something else may have had the processor.
    fn examine(&mut self, stamp: Stamp) -> Option<LoopGuard<'a, EventLoop>> {
        self.is_new(stamp);
        let mut found = None;
        for _ in 0..2 {
            let engine = self.engine;
            self.nap(Nap::For(EAGER), || engine.cell.look() != stamp);
            if engine.cell.look() != stamp {
                return None;
            }
            found = Some(self.judge()?);
        }
        let (doing, stands) = found?;
        self.take_over(stamp, doing, stands)
    }

    /// Asks for the interpreter lock, and takes the loop if the call seen still stands.
    fn take_over(&mut self, seen: Stamp, doing: Doing, stands: Duration) -> Option<LoopGuard<'a, EventLoop>> {
        let interpreter = &*self.engine.setup.interpreter;
        let began = Instant::now();
        interpreter.acquire();
        // If others hold the lock, the call may only be queueing behind them for it: it is about to go on. Where that happens the lock
        // may also be free for the moment that the next in the queue takes to wake up: there it has to be free twice.
        let is_free = began.elapsed() < AT_ONCE;
        let is_contended = self.engine.crew.note_lock(is_free);
        let was_free = self.seen.as_mut().is_some_and(|sight| std::mem::replace(&mut sight.lock_was_free, is_free));
        let is_blocked = is_free && (was_free || !is_contended) || stands >= HOG;
        let guard = if is_blocked { self.engine.cell.rob(seen) } else { None };
        let Some(guard) = guard else {
            interpreter.release();
            return None;
        };
        if doing == Doing::Waiting {
            self.engine.crew.note_blocked();
        }
        self.note_taken(doing);
        Some(guard)
    }

    fn note_taken(&self, doing: Doing) {
        let (crew, counters) = (&self.engine.crew, &self.engine.counters);
        crew.note_detached();
        match doing {
            Doing::Waiting => counters.taken_from_waiting.fetch_add(1, Relaxed),
            Doing::Computing => counters.taken_from_busy.fetch_add(1, Relaxed),
        };
    }
}
