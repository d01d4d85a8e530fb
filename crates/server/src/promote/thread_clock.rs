//! How much processor time another thread of this process has used: whether it computes or waits.
//!
//! The one question about a handler that needs no help from the interpreter, whatever its version: a call whose thread uses no time is
//! waiting for something.

use std::time::Duration;

/// The CPU-time clock of one thread, readable from any other (clock_gettime(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadClock(libc::clockid_t);

impl ThreadClock {
    /// The clock of no thread.
    pub(crate) const NONE: ThreadClock = ThreadClock(0);

    /// The clock of the calling thread.
    pub(crate) fn of_this_thread() -> ThreadClock {
        /// CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED of the kernel's interface: what pthread_getcpuclockid(3) makes of a thread id.
        const SCHEDULED_TIME_OF_THREAD: libc::clockid_t = 4 | 2;
        let thread = rustix::thread::gettid().as_raw_nonzero().get();
        ThreadClock(!thread << 3 | SCHEDULED_TIME_OF_THREAD)
    }

    /// For an atomic.
    pub(crate) fn to_raw(self) -> i32 {
        self.0
    }

    pub(crate) fn from_raw(raw: i32) -> ThreadClock {
        ThreadClock(raw)
    }

    /// Processor time used so far; None once the thread has ended.
    pub(crate) fn read(self) -> Option<Duration> {
        if self == ThreadClock::NONE {
            return None;
        }
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid place for the result; an unknown clock is an error, not a fault.
        #[allow(unsafe_code)]
        let result = unsafe { libc::clock_gettime(self.0, &raw mut time) };
        (result == 0).then(|| Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn tells_a_thread_that_computes_from_one_that_waits() {
        let (tell, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            tell.send(ThreadClock::of_this_thread()).unwrap();
            gone.recv().unwrap();
            let own = ThreadClock::of_this_thread();
            let began = own.read().unwrap();
            while own.read().unwrap() - began < Duration::from_millis(20) {}
            tell.send(own).unwrap();
            gone.recv().unwrap();
        });
        let clock: ThreadClock = told.recv().unwrap();
        // It waits for us: until it is quite asleep its clock may still run.
        let mut before = clock.read().unwrap();
        loop {
            std::thread::yield_now();
            let now = clock.read().unwrap();
            if now == before {
                break;
            }
            before = now;
        }
        go.send(()).unwrap();
        assert_eq!(told.recv().unwrap(), clock);
        assert!(clock.read().unwrap() - before >= Duration::from_millis(20));
        go.send(()).unwrap();
        thread.join().unwrap();
    }
}
