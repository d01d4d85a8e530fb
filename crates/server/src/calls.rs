//! The calls that run now: which thread is in which request, and since when.
//!
//! Each thread of the crew has a post. It writes there itself, plain stores before and after a call; others read without stopping it
//! (a sequence lock: the call's number is odd while it runs, and what was read counts only if the number did not change meanwhile).
//! Time is the kernel's coarse monotonic clock: a few milliseconds exact, and the cheapest there is.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::thread::gettid;
use rustix::time::{ClockId, clock_gettime};

use crate::connections::Key;
use crate::deadlines::Millis;
use crate::{Exchange, ThreadName};

/// All posts.
#[derive(Debug, Default)]
pub(crate) struct Calls {
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
    /// The start of the request line: method and target, as eight bytes each.
    words: [AtomicU64; WORDS],
    length: AtomicU32,
    /// The handler's own code runs. Changes under the interpreter lock only; so does `interrupted`.
    is_interruptible: AtomicBool,
    is_interrupted: AtomicBool,
    /// The thread is counted out; changes under the crew's lock only.
    pub(crate) is_stray: AtomicBool,
    /// For the loop's owner alone: how often it spoke up about which call.
    pub(crate) noted: Mutex<Noted>,
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

const WORDS: usize = 24;
const PAUSED: u64 = 1 << 63;

/// Milliseconds on the clock of calls.
pub(crate) fn now() -> Millis {
    let time = clock_gettime(ClockId::MonotonicCoarse);
    time.tv_sec.unsigned_abs() * 1000 + time.tv_nsec.unsigned_abs() / 1_000_000
}

impl Calls {
    /// The calling thread's new post.
    pub(crate) fn enlist(&self, name: ThreadName) -> Arc<Post> {
        let post = Arc::new(Post {
            name,
            thread_id: gettid().as_raw_nonzero().get(),
            number: AtomicU64::new(0),
            key: AtomicU64::new(0),
            since: AtomicU64::new(0),
            words: [const { AtomicU64::new(0) }; WORDS],
            length: AtomicU32::new(0),
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
        let mut sights: Vec<Sight> = self.lock().iter().filter_map(|post| post.look(now)).collect();
        sights.sort_by_key(|sight| std::cmp::Reverse(sight.age));
        sights
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Post>>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the thread whose post it is.
impl Post {
    /// A call for this request begins.
    pub(crate) fn begin(&self, exchange: &Exchange) {
        let number = self.number.load(Ordering::Relaxed) + 1;
        // Whoever sees what follows sees that the last call is over.
        fence(Ordering::Release);
        self.key.store(exchange.key.to_data(), Ordering::Relaxed);
        self.since.store(now(), Ordering::Relaxed);
        let line = exchange.method_and_target();
        let line = line.get(..WORDS * 8).unwrap_or(line);
        for (word, bytes) in self.words.iter().zip(line.chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_ne_bytes(padded), Ordering::Relaxed);
        }
        self.length.store(line.len() as u32, Ordering::Relaxed);
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
    fn look(self: &Arc<Post>, now: Millis) -> Option<Sight> {
        let number = self.number.load(Ordering::Acquire);
        if number.is_multiple_of(2) {
            return None;
        }
        let key = Key::from_data(self.key.load(Ordering::Relaxed));
        let clock = CallClock::from_raw(self.since.load(Ordering::Relaxed));
        let length = (self.length.load(Ordering::Relaxed) as usize).min(WORDS * 8);
        let words = self.words.iter().take(length.div_ceil(8));
        let mut request: Vec<u8> = words.flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes()).collect();
        request.truncate(length);
        fence(Ordering::Acquire);
        self.is_in(number).then(|| Sight { post: Arc::clone(self), number, key, clock, age: clock.age(now), request })
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
