//! A timer that one thread sleeps on and that others set anew meanwhile: a timerfd. A sleep with a time limit of its own could only be
//! ended by another thread, not made longer.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::descriptors;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Timer {
    timerfd: OwnedFd,
}

impl Timer {
    /// One that is not set.
    ///
    /// # Errors
    /// If no descriptor can be had.
    pub(crate) fn new() -> io::Result<Timer> {
        let timerfd = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        descriptors::note(&timerfd);
        Ok(Timer { timerfd })
    }

    /// It goes off after `time` (at the earliest in a nanosecond) and not before, even if it just did and nobody has noticed.
    pub(crate) fn set(&self, time: Duration) {
        let it_value = Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            // Both zero would mean never.
            tv_nsec: time.subsec_nanos().max(u32::from(time.is_zero())).into(),
        };
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // It fails for times that are none, and in a child that was forked and has let go of it.
        let _ = timerfd_settime(&self.timerfd, TimerfdTimerFlags::empty(), &Itimerspec { it_interval: once, it_value });
    }

    /// Sleeps until it goes off, or a signal comes.
    pub(crate) fn wait(&self) {
        let _ = rustix::io::read(&self.timerfd, &mut [0; 8]);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        descriptors::forget(&self.timerfd);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn goes_off_after_its_time_and_not_before_the_last_one_set() {
        let timer = Timer::new().unwrap();
        let began = Instant::now();
        timer.set(Duration::ZERO);
        timer.wait();
        timer.set(Duration::ZERO);
        // It has gone off, but that is forgotten when it is set anew.
        std::thread::sleep(Duration::from_millis(1));
        timer.set(SHORT);
        timer.wait();
        assert!(began.elapsed() >= SHORT);
    }

    #[test]
    fn who_sleeps_on_it_sleeps_longer_or_shorter_when_it_is_set_anew() {
        let timer = Timer::new().unwrap();
        let is_shown = || {
            std::thread::scope(|scope| {
                let began = Instant::now();
                timer.set(SHORT);
                let sleeper = scope.spawn(|| timer.wait());
                timer.set(Duration::from_secs(3600));
                // On a machine that is busy with something else it may have gone off in between.
                let is_in_time = began.elapsed() < SHORT;
                std::thread::sleep(SHORT * 2);
                assert!(!is_in_time || !sleeper.is_finished(), "it was to sleep longer");
                timer.set(Duration::ZERO);
                sleeper.join().unwrap();
                is_in_time
            })
        };
        while !is_shown() {}
    }
}
