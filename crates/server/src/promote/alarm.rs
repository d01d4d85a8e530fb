//! The sleep of one who watches: it ends when there is reason to look, and is put off as long as there is none.
//!
//! A watchdog timer. Where calls come and go quickly, nobody need look at them; but to find that out a thread that sleeps for some
//! milliseconds would have to wake up, on the processor and in the caches of the thread that works. So the one who is watched puts the
//! end of the sleep off: a system call now and then instead of two switches.
//!
//! `drowse` sees to it that no wake-up is lost on the way to sleep. Here one more could be: who puts the alarm off just when another
//! sounds it would silence it. So it looks afterwards whether that happened.

use std::time::Duration;

use super::drowse::Drowse;
use super::parker::Parker;
use crate::sync::{AtomicBool, AtomicU64, Ordering, Step, Timer, fence, is_done};

/// A place to sleep, for one thread at a time.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// For naps that nobody puts off: it is woken more quickly than the timer.
    parker: Parker,
    /// For those that are put off.
    drowse: Drowse,
    timer: Timer,
    /// How far it is put off at a time, in nanoseconds; 0: it is not.
    reach: AtomicU64,
    /// Somebody sounded it since the sleep began.
    is_sounded: AtomicBool,
}

/// How long to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nap {
    /// For this time at the most.
    For(Duration),
    /// Until nobody has put the alarm off for this time.
    Unattended(Duration),
    /// Until woken.
    Deep,
}

/// Whoever has nothing to put off asks again after this long.
const ASK_AGAIN: Duration = Duration::from_micros(250);

impl Alarm {
    pub(crate) fn new(timer: Timer) -> Alarm {
        Alarm {
            parker: Parker::new(),
            drowse: Drowse::new(),
            timer,
            reach: AtomicU64::new(0),
            is_sounded: AtomicBool::new(false),
        }
    }

    /// Sleeps, unless `reason_to_stay` holds. May return early.
    pub(crate) fn sleep(&self, nap: Nap, reason_to_stay: impl FnOnce() -> bool) {
        match nap {
            Nap::For(time) => self.parker.sleep(Some(time), reason_to_stay),
            Nap::Deep => self.parker.sleep(None, reason_to_stay),
            Nap::Unattended(reach) => self.sleep_unattended(reach, reason_to_stay),
        }
    }

    fn sleep_unattended(&self, reach: Duration, reason_to_stay: impl FnOnce() -> bool) {
        if self.may_sleep_unattended(reach, reason_to_stay) {
            self.timer.wait();
        }
        self.drowse.wake_up();
        self.reach.store(0, Ordering::Relaxed);
    }

    fn may_sleep_unattended(&self, reach: Duration, reason_to_stay: impl FnOnce() -> bool) -> bool {
        self.is_sounded.store(false, Ordering::Relaxed);
        self.reach.store(u64::try_from(reach.as_nanos()).unwrap_or(0), Ordering::Relaxed);
        // Before anybody can see that there is a sleeper: what they set is not to be overwritten.
        self.timer.set(reach);
        self.drowse.may_sleep(reason_to_stay)
    }

    /// Nothing needs to be looked at now. Says after how long to say so again.
    pub(crate) fn put_off(&self) -> Duration {
        let reach = Duration::from_nanos(self.reach.load(Ordering::Relaxed));
        if reach.is_zero() {
            return ASK_AGAIN;
        }
        self.timer.set(reach);
        if is_done(Step::SoundAgain) {
            fence(Ordering::SeqCst);
            if self.is_sounded.load(Ordering::Relaxed) {
                self.timer.set(Duration::ZERO);
            }
        }
        reach / 2
    }

    /// Wakes the sleeper, if there is one. The reason for it must be stored before.
    pub(crate) fn wake(&self) {
        // It publishes the reason for both.
        self.parker.wake();
        if self.drowse.is_asleep() {
            self.is_sounded.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            self.timer.set(Duration::ZERO);
        }
    }

    /// Wakes those of the sleepers that would not wake by themselves, at the price of one fence.
    pub(crate) fn stir<const N: usize>(alarms: [&Alarm; N]) {
        Parker::stir(alarms.map(|alarm| &alarm.parker));
    }
}

/// For the model: the steps without the sleep between them.
#[cfg(loom)]
impl Alarm {
    /// Says whether the timer would now be slept on.
    pub(crate) fn begin(&self, reach: Duration, reason_to_stay: impl FnOnce() -> bool) -> bool {
        self.may_sleep_unattended(reach, reason_to_stay)
    }

    pub(crate) fn has_gone_off(&self) -> bool {
        self.timer.has_gone_off()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::Instant;

    use super::*;

    const REACH: Duration = Duration::from_millis(20);

    /// Puts an alarm off for some time. None if there was a gap in which it may have gone off; otherwise whether it did, and when it was last
    /// put off.
    fn attend(alarm: &Alarm, is_over: impl Fn() -> bool) -> Option<(bool, Instant)> {
        let (began, mut last) = (Instant::now(), Instant::now());
        while began.elapsed() < REACH * 3 {
            let before = Instant::now();
            let again = alarm.put_off();
            assert!([ASK_AGAIN, REACH / 2].contains(&again), "{again:?}");
            if last.elapsed() >= REACH {
                return None;
            }
            last = before;
            std::thread::sleep(again / 4);
        }
        let is_over = is_over();
        (last.elapsed() < REACH).then_some((is_over, last))
    }

    #[test]
    fn is_put_off_while_somebody_attends_and_no_longer() {
        let alarm = Alarm::new(Timer::new().unwrap());
        let is_shown = || {
            std::thread::scope(|scope| {
                let sleeper = scope.spawn(|| {
                    alarm.sleep(Nap::Unattended(REACH), || false);
                    Instant::now()
                });
                let attended = attend(&alarm, || sleeper.is_finished());
                let ended = sleeper.join().unwrap();
                assert_eq!(alarm.put_off(), ASK_AGAIN, "nobody sleeps");
                let Some((is_over, last)) = attended else { return false };
                assert!(!is_over, "it was put off all the time");
                assert!(ended - last >= REACH);
                true
            })
        };
        // On a machine that is busy with something else it may take several trials.
        while !is_shown() {}
    }

    #[test]
    fn a_nap_for_a_time_is_not_put_off_and_a_deep_one_ends_when_stirred() {
        let alarm = Alarm::new(Timer::new().unwrap());
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| alarm.sleep(Nap::For(REACH), || false));
            while !sleeper.is_finished() {
                assert_eq!(alarm.put_off(), ASK_AGAIN);
            }
            let sleeper = scope.spawn(|| alarm.sleep(Nap::Deep, || false));
            while !sleeper.is_finished() {
                Alarm::stir([&alarm]);
            }
            let sleeper = scope.spawn(|| alarm.sleep(Nap::Unattended(Duration::from_secs(3600)), || false));
            while !sleeper.is_finished() {
                alarm.put_off();
                alarm.wake();
            }
        });
    }
}
