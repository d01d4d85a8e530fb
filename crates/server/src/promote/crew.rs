//! The threads that call the handler, and the queue of requests that wait for one.
//!
//! At most `--threads` calls run at once. A call is either the leader's inline one or a detached one (its thread lost the loop), so it
//! is enough to count the detached: the leader may call while they are fewer than the cap. A thread whose detached call ends takes
//! the next request from the queue and keeps its place in the count; so the count never dips while work waits, and with a cap of 1 there are
//! never two calls at once.

mod strays;
#[cfg(all(test, not(loom)))]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::alarm::{Alarm, Nap};
use super::parker::Parker;
use super::releases::Releases;
use super::tenure;
use crate::connections::Key;
use crate::sync::Timer;
use crate::{Exchange, Record};

pub(crate) use strays::Fate;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Crew {
    counters: Record,
    most_calls: usize,
    detached: AtomicUsize,
    /// No call may begin: the handler is not there yet.
    is_held: AtomicBool,
    /// Length of the queue, readable without its lock.
    waiting: AtomicUsize,
    /// The owner of the loop is in a call, and left work at hand.
    work_left: AtomicBool,
    /// When a call was last seen to block.
    last_blocked: Mutex<Instant>,
    releases: Mutex<Releases>,
    /// How much others were seen to hold the interpreter lock lately.
    contention: AtomicUsize,
    roster: Mutex<Roster>,
    /// Tells whoever waits for the end that a thread has left.
    left: Condvar,
    watcher: Alarm,
    guardian: Alarm,
    /// The guardian leads, because nobody could get the interpreter lock.
    pub(super) guardian_leads: AtomicBool,
    /// A thread that can get the interpreter lock wants the loop from the guardian.
    pub(super) is_loop_wanted: AtomicBool,
}

#[derive(Debug, Default)]
struct Roster {
    queue: VecDeque<Box<Exchange>>,
    /// Idle threads; the last to come is the first to be woken, because its caches are warm and the others may retire.
    parked: Vec<Arc<Parker>>,
    has_watcher: bool,
    threads: usize,
    is_over: bool,
    /// Threads that were counted out and are still there.
    strays: usize,
    /// Further threads that use the interpreter.
    others: usize,
    /// Requests that were still with a handler at the end.
    abandoned: usize,
}

impl Roster {
    fn is_parked(&self, parker: &Arc<Parker>) -> bool {
        self.parked.iter().any(|parked| Arc::ptr_eq(parked, parker))
    }
}

/// What a thread with nothing to do is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Watch the loop's owner.
    Watch,
    /// End, because the server does.
    Leave,
    /// End, because there is nothing to do; not counted any more.
    Retire,
    /// End, because the thread was counted out.
    Stray,
}

/// An idle thread ends after this long, as long as two are left.
const IDLE: Duration = Duration::from_secs(30);
/// Requests that may wait for a thread.
const MOST_WAITING: usize = 4096;

/// Whether this process may run on one processor only.
fn has_one_processor() -> bool {
    rustix::thread::sched_getaffinity(None).is_ok_and(|processors| processors.count() == 1)
}

impl Crew {
    /// The crew of no threads yet.
    ///
    /// # Errors
    /// If timers cannot be had.
    pub(crate) fn new(most_calls: usize, counters: Record) -> io::Result<Crew> {
        Ok(Crew {
            counters,
            most_calls: most_calls.max(1),
            detached: AtomicUsize::new(0),
            is_held: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            work_left: AtomicBool::new(false),
            last_blocked: Mutex::new(Instant::now()),
            releases: Mutex::new(Releases::new(has_one_processor())),
            contention: AtomicUsize::new(0),
            roster: Mutex::new(Roster::default()),
            left: Condvar::new(),
            watcher: Alarm::new(Timer::new()?),
            guardian: Alarm::new(Timer::new()?),
            guardian_leads: AtomicBool::new(false),
            is_loop_wanted: AtomicBool::new(false),
        })
    }

    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner of the loop is about to call the handler: does it leave work at hand?
    pub(crate) fn note_work_left(&self, is_any: bool) {
        self.work_left.store(is_any, Ordering::Relaxed);
    }

    /// Whether the owner that is in a call left work at hand.
    pub(crate) fn is_work_left(&self) -> bool {
        self.work_left.load(Ordering::Relaxed) || self.waiting.load(Ordering::Relaxed) > 0
    }

    /// A call was seen to block.
    pub(super) fn note_blocked(&self) {
        *self.last_blocked.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// What the watcher knows of the application's releases of the interpreter lock.
    pub(super) fn releases(&self) -> MutexGuard<'_, Releases> {
        self.releases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The watcher asked for the interpreter lock, and it was free, or not. Says whether others were seen to hold it lately.
    pub(super) fn note_lock(&self, is_free: bool) -> bool {
        /// Times in a row that the lock has to be free until nobody is thought to contend for it.
        const MEMORY: usize = 16;
        let before = self.contention.load(Ordering::Relaxed);
        let now = if is_free { before.saturating_sub(1) } else { MEMORY };
        self.contention.store(now, Ordering::Relaxed);
        now > 0
    }

    pub(super) fn last_blocked(&self) -> Instant {
        *self.last_blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the leader may call the handler now.
    pub(super) fn may_call(&self) -> bool {
        self.detached.load(Ordering::SeqCst) < self.most_calls && !self.is_held.load(Ordering::Relaxed)
    }

    /// Whether requests wait, however many threads are free.
    pub(crate) fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::Relaxed);
    }

    /// Whether there are calls whose thread lost the loop.
    pub(crate) fn has_detached(&self) -> bool {
        self.detached() > 0
    }

    /// Calls whose thread lost the loop.
    pub(super) fn detached(&self) -> usize {
        self.detached.load(Ordering::Relaxed)
    }

    /// The owner of the loop was robbed in a call (or gave the loop up): one more call is detached.
    pub(crate) fn note_detached(&self) {
        self.detached.fetch_add(1, Ordering::SeqCst);
    }

    /// A detached call has ended: the next request, to be called in its place, or none, and then the place is free. It is already if the
    /// thread was counted out meanwhile.
    pub(super) fn next_in_place(&self) -> Option<Box<Exchange>> {
        let mut roster = self.roster();
        if tenure::is_stray() {
            return None;
        }
        let next = roster.queue.pop_front();
        if next.is_none() {
            self.detached.fetch_sub(1, Ordering::SeqCst);
        }
        self.note_waiting(&roster);
        next
    }

    /// A thread that uses the interpreter, but is not of the crew, begins or ends.
    pub(crate) fn note_other(&self, change: isize) {
        let mut roster = self.roster();
        roster.others = roster.others.saturating_add_signed(change);
        drop(roster);
        self.left.notify_all();
    }

    /// The request that has waited longest, for the leader to call, if it may.
    pub(super) fn next_for_leader(&self) -> Option<Box<Exchange>> {
        if self.waiting.load(Ordering::Relaxed) == 0 || !self.may_call() {
            return None;
        }
        let mut roster = self.roster();
        let next = roster.queue.pop_front();
        self.note_waiting(&roster);
        next
    }

    /// Puts a request behind those that wait; gives it back if there are too many.
    pub(super) fn enqueue(&self, exchange: Box<Exchange>) -> Result<(), Box<Exchange>> {
        let mut roster = self.roster();
        if roster.queue.len() >= MOST_WAITING {
            return Err(exchange);
        }
        roster.queue.push_back(exchange);
        self.note_waiting(&roster);
        Ok(())
    }

    /// Takes a request out of the queue again, if it still waits there.
    pub(crate) fn withdraw(&self, key: Key) -> Option<Box<Exchange>> {
        let mut roster = self.roster();
        let place = roster.queue.iter().position(|exchange| exchange.key == key)?;
        let exchange = roster.queue.remove(place);
        self.note_waiting(&roster);
        exchange
    }

    fn note_waiting(&self, roster: &Roster) {
        self.waiting.store(roster.queue.len(), Ordering::Relaxed);
        self.counters.waiting.store(roster.queue.len() as u64, Ordering::Relaxed);
    }

    /// For a thread with nothing to do: sleeps until there is.
    pub(super) fn stand_by(&self) -> Duty {
        let parker = Arc::new(Parker::new());
        let mut roster = self.roster();
        loop {
            if roster.is_over {
                return Duty::Leave;
            }
            if !roster.has_watcher {
                roster.has_watcher = true;
                roster.parked.retain(|parked| !Arc::ptr_eq(parked, &parker));
                return Duty::Watch;
            }
            if !roster.is_parked(&parker) {
                roster.parked.push(Arc::clone(&parker));
            }
            drop(roster);
            parker.sleep(Some(IDLE), || {
                let roster = self.roster();
                // Not parked any more: it was called, and somebody else may watch already. Asleep now, nobody would find it.
                roster.is_over || !roster.has_watcher || !roster.is_parked(&parker)
            });
            roster = self.roster();
            let is_needed = roster.is_over || !roster.has_watcher || roster.threads <= 2;
            if !is_needed && parker.slept_through() {
                roster.parked.retain(|parked| !Arc::ptr_eq(parked, &parker));
                self.counters.threads_retired.fetch_add(1, Ordering::Relaxed);
                // At once, so that whoever needs a thread meanwhile starts one.
                roster.threads -= 1;
                return Duty::Retire;
            }
        }
    }

    /// The watcher has become the leader. Whoever has nothing to do may watch; nobody has to until the leader calls the handler.
    pub(super) fn leave_watch(&self) {
        self.roster().has_watcher = false;
    }

    /// The leader calls the handler for the first time: somebody has to watch. True if a thread must be started for it.
    #[must_use]
    pub(crate) fn replace_watcher(&self) -> bool {
        let mut roster = self.roster();
        if roster.has_watcher {
            drop(roster);
            self.stir();
            return false;
        }
        if let Some(parker) = roster.parked.pop() {
            drop(roster);
            parker.wake();
            return false;
        }
        // One thread for each call, and one for the loop.
        let is_missing = roster.threads <= self.most_calls;
        if is_missing {
            roster.threads += 1;
        }
        is_missing
    }

    /// A thread was started (or, as `replace_watcher` counts it already, could not be).
    pub(crate) fn note_thread(&self, change: isize) {
        let mut roster = self.roster();
        roster.threads = roster.threads.saturating_add_signed(change);
        drop(roster);
        self.left.notify_all();
    }

    /// The watcher's and the guardian's nap; `reason_to_stay` is what they would miss.
    pub(super) fn nap(&self, who: Napper, nap: Nap, reason_to_stay: impl FnOnce() -> bool) {
        self.alarm(who).sleep(nap, reason_to_stay);
    }

    /// The loop's owner calls the handler: the calls before are over, and nobody need look whether they are. Says after how long to say
    /// so again.
    pub(super) fn put_off(&self, who: Napper) -> Duration {
        self.alarm(who).put_off()
    }

    pub(super) fn wake_watcher(&self) {
        self.watcher.wake();
    }

    /// The loop's owner calls the handler: whoever went to sleep because nothing happened looks again. The token must say so already.
    pub(super) fn stir(&self) {
        Alarm::stir([&self.watcher, &self.guardian]);
    }

    fn alarm(&self, who: Napper) -> &Alarm {
        match who {
            Napper::Watcher => &self.watcher,
            Napper::Guardian => &self.guardian,
        }
    }

    /// Everybody is to leave. Requests that still wait are dropped.
    pub(crate) fn dismiss(&self) {
        let mut roster = self.roster();
        roster.is_over = true;
        roster.queue.clear();
        self.note_waiting(&roster);
        let parked = std::mem::take(&mut roster.parked);
        drop(roster);
        for parker in parked {
            parker.wake();
        }
        self.watcher.wake();
        self.guardian.wake();
        self.left.notify_all();
    }

    pub(super) fn is_over(&self) -> bool {
        self.roster().is_over
    }

    /// So many requests are still with a handler when the server ends.
    pub(crate) fn abandon(&self, requests: usize) {
        self.roster().abandoned = requests;
    }

    /// See [`abandon`](Crew::abandon).
    pub(crate) fn abandoned(&self) -> usize {
        let roster = self.roster();
        roster.abandoned + roster.strays
    }

    /// Waits until `done` or the time is up; woken by every thread that leaves.
    pub(crate) fn wait_for(&self, at_most: Option<Duration>, done: impl Fn(usize, bool) -> bool) -> (usize, bool) {
        let deadline = at_most.map(|time| Instant::now() + time);
        let mut roster = self.roster();
        loop {
            let (threads, is_over) = (roster.threads + roster.strays + roster.others, roster.is_over);
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if done(threads, is_over) || left.is_some_and(|left| left.is_zero()) {
                return (threads, is_over);
            }
            roster = match left {
                None => self.left.wait(roster).unwrap_or_else(PoisonError::into_inner),
                Some(left) => self.left.wait_timeout(roster, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// Wakes whoever waits in [`wait_for`](Crew::wait_for), because the deadline has changed.
    pub(crate) fn note_change(&self) {
        drop(self.roster());
        self.left.notify_all();
    }
}

/// Who naps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Napper {
    Watcher,
    Guardian,
}
