//! The pulse that a worker shows to its supervisor: two threads that do nothing but try, again and again, whether the
//! loop goes round and whether the interpreter lock can be had. Two, because one that waits for the lock could not tell
//! of the loop.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use brickwork_server::{Interpreter, Server};

/// See the module's documentation.
pub(crate) struct Pulse {
    end: Arc<End>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct End {
    is_over: Mutex<bool>,
    told: Condvar,
}

/// So often within the time after which a worker that stands still is replaced.
const BEATS: u32 = 16;
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Pulse {
    /// Beats often enough for a supervisor that notices a worker that stood still for `timeout`.
    pub(crate) fn start(
        server: &Server,
        interpreter: Arc<dyn Interpreter>,
        shown: brickwork_supervisor::Pulse,
        timeout: Duration,
    ) -> std::io::Result<Pulse> {
        let pause = (timeout / BEATS).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        let end = Arc::new(End::default());
        let (bell, counters) = (server.bell(), server.counters());
        let of_loop = spawn("pulse-loop", Arc::clone(&end), move |end| {
            let mut seen = counters.turns.load(Relaxed);
            while !end.comes_within(pause) {
                let turns = counters.turns.load(Relaxed);
                if turns != seen {
                    beat(shown.turns);
                }
                seen = turns;
                // A loop that has nothing to do sleeps until then.
                bell.ring();
            }
        })?;
        let of_lock = spawn("pulse-lock", Arc::clone(&end), move |end| {
            interpreter.enter_thread();
            while !end.comes_within(pause) {
                interpreter.acquire();
                beat(shown.lock);
                interpreter.release();
            }
            interpreter.leave_thread();
        })?;
        Ok(Pulse { end, threads: vec![of_loop, of_lock] })
    }

    /// Ends the threads. Not to be called with the interpreter lock held; nobody may take that lock once the
    /// interpreter finalizes.
    pub(crate) fn stop(self) {
        *self.end.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.end.told.notify_all();
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, end: Arc<End>, work: impl FnOnce(&End) + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(move || work(&end))
}

fn beat(number: &AtomicU32) {
    number.fetch_add(1, Relaxed);
}

impl End {
    fn comes_within(&self, pause: Duration) -> bool {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        *self.told.wait_timeout_while(is_over, pause, |is_over| !*is_over).unwrap_or_else(PoisonError::into_inner).0
    }
}
