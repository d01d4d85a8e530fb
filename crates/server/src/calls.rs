//! The calls that run now: which thread is in which request, and since when.
//!
//! Each thread of the crew has a post. It writes there itself, plain stores before and after a call; others read without stopping it
//! (a sequence lock: the call's number is odd while it runs, and what was read counts only if the number did not change meanwhile).
//! Time is the coarse clock of `record.rs`.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::thread::gettid;

use crate::connections::Key;
use crate::deadlines::Millis;
pub(crate) use crate::record::now;
use crate::{Record, ThreadName};

/// All posts.
#[derive(Debug)]
pub(crate) struct Calls {
    record: Record,
    posts: Mutex<Vec<Arc<Post>>>,
}

/// One thread's place, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Post {
    /// What the interpreter calls the thread, and what the kernel does.
    pub(crate) name: ThreadName,
    pub(crate) thread_id: i32,
    /// Odd while the thread is in a call, and a different one for each.
    number: AtomicU64,
    key: AtomicU64,
    /// When the call began, less the time that it waited for its client; with [`PAUSED`], how long it had run when that wait began.
    since: AtomicU64,
    /// Where the record has the request's method and target; with [`NOWHERE`] they are in `line`.
    entry: AtomicUsize,
    line: Mutex<Vec<u8>>,
    /// The handler's own code runs. Changes under the interpreter lock only; so does `interrupted`.
    is_interruptible: AtomicBool,
    is_interrupted: AtomicBool,
    /// The thread is counted out; changes under the crew's lock only.
    pub(crate) is_stray: AtomicBool,
    /// For the loop's owner alone: how often it spoke up about which call.
    noted: Mutex<Noted>,
}

/// A call as it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    pub(crate) post: Arc<Post>,
    pub(crate) number: u64,
    pub(crate) key: Key,
    pub(crate) clock: CallClock,
    /// How long it had run then.
    pub(crate) age: Millis,
    /// Method and target, as they came.
    pub(crate) request: Vec<u8>,
}

/// How long a call has run, without its waiting for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallClock {
    /// It runs since then.
    Since(Millis),
    /// It ran for so long, and waits for its client.
    Paused(Millis),
}

/// What was said of a call so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Noted {
    /// Which call that was.
    pub(crate) number: u64,
    /// Times that it was called slow.
    pub(crate) slow: u32,
    /// Nothing more is to be said.
    pub(crate) is_settled: bool,
}

const NOWHERE: usize = usize::MAX;
const PAUSED: u64 = 1 << 63;

impl Calls {
    /// Nobody is there yet. Most requests are found in `record`.
    pub(crate) fn new(record: Record) -> Calls {
        Calls { record, posts: Mutex::default() }
    }

    /// The calling thread's new post.
    pub(crate) fn enlist(&self, name: ThreadName) -> Arc<Post> {
        let post = Arc::new(Post {
            name,
            thread_id: gettid().as_raw_nonzero().get(),
            number: AtomicU64::new(0),
            key: AtomicU64::new(0),
            since: AtomicU64::new(0),
            entry: AtomicUsize::new(NOWHERE),
            line: Mutex::default(),
            is_interruptible: AtomicBool::new(false),
            is_interrupted: AtomicBool::new(false),
            is_stray: AtomicBool::new(false),
            noted: Mutex::default(),
        });
        self.lock().push(Arc::clone(&post));
        post
    }

    /// The thread of this post ends.
    pub(crate) fn strike(&self, post: &Arc<Post>) {
        self.lock().retain(|known| !Arc::ptr_eq(known, post));
    }

    /// The calls that run now, those that run longest first.
    pub(crate) fn sights(&self) -> Vec<Sight> {
        let now = now();
        let mut sights: Vec<Sight> = self.lock().iter().filter_map(|post| post.look(&self.record, now)).collect();
        sights.sort_by_key(|sight| std::cmp::Reverse(sight.age));
        sights
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Post>>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the thread whose post it is.
impl Post {
    /// A call begins, for the request of this connection. If the record has no entry of it, its method and target are kept here.
    pub(crate) fn begin(&self, key: Key, entry: Option<usize>, line: &[u8]) {
        let number = self.number.load(Ordering::Relaxed) + 1;
        // Whoever sees what follows sees that the last call is over.
        fence(Ordering::Release);
        self.key.store(key.to_data(), Ordering::Relaxed);
        self.since.store(now(), Ordering::Relaxed);
        self.entry.store(entry.unwrap_or(NOWHERE), Ordering::Relaxed);
        if entry.is_none() {
            line.clone_into(&mut self.line());
        }
        self.number.store(number, Ordering::Release);
    }

    /// The call is over.
    pub(crate) fn end(&self) {
        let number = self.number.load(Ordering::Relaxed);
        self.number.store(number.next_multiple_of(2), Ordering::Release);
    }

    /// Waits for the client: that time does not count.
    pub(crate) fn pause(&self) {
        if let CallClock::Since(since) = CallClock::from_raw(self.since.load(Ordering::Relaxed)) {
            self.since.store(PAUSED | now().saturating_sub(since), Ordering::Relaxed);
        }
    }

    /// The client has moved.
    pub(crate) fn resume(&self) {
        if let CallClock::Paused(ran) = CallClock::from_raw(self.since.load(Ordering::Relaxed)) {
            self.since.store(now().saturating_sub(ran), Ordering::Relaxed);
        }
    }

    /// The handler's own code begins or ends. Under the interpreter lock. True if it was interrupted, which may not have arrived yet.
    pub(crate) fn set_interruptible(&self, is_so: bool) -> bool {
        self.is_interruptible.store(is_so, Ordering::Relaxed);
        self.is_interrupted.load(Ordering::Relaxed) && self.is_interrupted.swap(false, Ordering::Relaxed)
    }
}

/// For others.
impl Post {
    /// The call that runs now.
    fn look(self: &Arc<Post>, record: &Record, now: Millis) -> Option<Sight> {
        let number = self.number.load(Ordering::Acquire);
        if number.is_multiple_of(2) {
            return None;
        }
        let key = Key::from_data(self.key.load(Ordering::Relaxed));
        let clock = CallClock::from_raw(self.since.load(Ordering::Relaxed));
        let request = match self.entry.load(Ordering::Relaxed) {
            NOWHERE => self.line().clone(),
            entry => record.line(entry),
        };
        fence(Ordering::Acquire);
        self.is_in(number).then(|| Sight { post: Arc::clone(self), number, key, clock, age: clock.age(now), request })
    }

    fn line(&self) -> MutexGuard<'_, Vec<u8>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said of the thread's call so far; it may have been another call.
    pub(crate) fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the thread is in this very call.
    pub(crate) fn is_in(&self, number: u64) -> bool {
        self.number.load(Ordering::Acquire) == number
    }

    /// Has the handler's own code interrupted, if the thread is in it, in this very call. Under the interpreter lock, so that it stays there
    /// until `interrupt` is done.
    pub(crate) fn interrupt_in(&self, number: u64, interrupt: impl FnOnce() -> bool) {
        if self.is_in(number) && self.is_interruptible.load(Ordering::Relaxed) && interrupt() {
            self.is_interrupted.store(true, Ordering::Relaxed);
        }
    }
}

impl CallClock {
    fn from_raw(raw: u64) -> CallClock {
        if raw & PAUSED == 0 { CallClock::Since(raw) } else { CallClock::Paused(raw & !PAUSED) }
    }

    /// For how long it has run.
    pub(crate) fn age(self, now: Millis) -> Millis {
        match self {
            CallClock::Since(since) => now.saturating_sub(since),
            CallClock::Paused(ran) => ran,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { index: 3, generation: 7 };

    #[test]
    fn a_call_is_seen_while_it_runs() {
        let calls = Calls::new(Record::default());
        let post = calls.enlist(ThreadName(1));
        assert!(calls.sights().is_empty());
        for line in ["GET /", "GET /twelve", "POST /a/longer/path?with=a&query=1"] {
            post.begin(KEY, None, line.as_bytes());
            let [sight] = calls.sights().try_into().unwrap();
            assert_eq!((sight.key, sight.request.as_slice()), (KEY, line.as_bytes()));
            assert!(post.is_in(sight.number));
            post.end();
            assert!(calls.sights().is_empty() && !post.is_in(sight.number));
        }
        calls.strike(&post);
        assert!(calls.sights().is_empty());
    }

    #[test]
    fn the_clock_stands_while_the_client_is_waited_for() {
        let calls = Calls::new(Record::default());
        let post = calls.enlist(ThreadName(1));
        post.begin(KEY, None, b"GET /");
        post.since.store(now() - 500, Ordering::Relaxed);
        post.pause();
        let sight = calls.sights().pop().unwrap();
        assert!(matches!(sight.clock, CallClock::Paused(500..600)), "{:?}", sight.clock);
        assert_eq!(sight.clock.age(now() + 10_000), sight.age);
        post.resume();
        let sight = calls.sights().pop().unwrap();
        assert!(matches!(sight.clock, CallClock::Since(_)) && sight.age >= 500 && sight.age < 1000, "{sight:?}");
    }

    #[test]
    fn what_is_read_while_calls_begin_and_end_belongs_together() {
        let calls = Arc::new(Calls::new(Record::default()));
        let writing = {
            let calls = Arc::clone(&calls);
            std::thread::spawn(move || {
                let post = calls.enlist(ThreadName(1));
                for round in 0..200_000u32 {
                    let digit = b'0' + (round % 10) as u8;
                    post.begin(
                        Key { index: u32::from(digit), generation: 1 },
                        None,
                        &vec![digit; 8 + round as usize % 90],
                    );
                    post.end();
                }
            })
        };
        while !writing.is_finished() {
            for sight in calls.sights() {
                let digit = sight.request[0];
                assert!(sight.request.iter().all(|byte| *byte == digit), "{sight:?}");
                assert_eq!(sight.key.index, u32::from(digit));
                assert_eq!((sight.request.len() - 8) % 10, (sight.number as usize / 2 % 90) % 10);
            }
        }
    }

    #[test]
    fn only_the_call_that_was_meant_is_interrupted() {
        let calls = Calls::new(Record::default());
        let post = calls.enlist(ThreadName(1));
        post.begin(KEY, None, b"GET /");
        let meant = calls.sights().pop().unwrap();
        let interrupts = || {
            let mut is_done = false;
            post.interrupt_in(meant.number, || {
                is_done = true;
                true
            });
            is_done
        };
        assert!(!interrupts(), "the handler's own code has not begun");
        assert!(!post.set_interruptible(true));
        assert!(interrupts());
        assert!(post.set_interruptible(false), "it has to be taken back");
        assert!(!interrupts(), "the handler's own code is over");
        post.end();
        post.begin(KEY, None, b"GET /");
        assert!(!post.set_interruptible(true));
        assert!(!interrupts(), "another call");
        assert!(!post.set_interruptible(false));
    }
}
