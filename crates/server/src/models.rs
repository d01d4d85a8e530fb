//! Models of the protocols that hand the loop over, run by loom in every interleaving. Each protocol with one of its steps left out must
//! fail, so that a model that cannot fail is noticed. Run by `make test-loom`.

use std::time::Duration;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::claim::Claim;
use crate::promote::alarm::Alarm;
use crate::promote::drowse::Drowse;
use crate::promote::token::{LoopCell, State};
use crate::returns::ReturnQueue;
use crate::sync::{Step, Timer, without};

/// An owner makes two calls; a watcher robs it in one of them, or not. Each touches the loop's value as its owner would: loom fails on
/// accesses that are not ordered.
fn ownership() {
    loom::model(|| {
        let cell = Arc::new(LoopCell::new(0u32));
        let free = cell.look();
        let watched = Arc::clone(&cell);
        let mut guard = cell.rob(free).expect("nobody owns it yet");
        guard.with(|value| *value += 1);
        let watcher = thread::spawn(move || {
            for _ in 0..2 {
                let stamp = watched.look();
                if stamp.state() == State::App
                    && let Some(mut guard) = watched.rob(stamp)
                {
                    guard.with(|value| *value += 10);
                    return 1;
                }
            }
            0
        });
        let mut lost = 0;
        for _ in 0..2 {
            let in_app = guard.enter_app();
            match in_app.reclaim(&cell) {
                Ok(again) => guard = again,
                Err(_) => {
                    lost = 1;
                    assert_eq!(watcher.join().unwrap(), lost);
                    return;
                }
            }
            guard.with(|value| *value += 1);
        }
        assert_eq!(watcher.join().unwrap(), lost, "robbed, and not robbed");
    });
}

/// The owner waits for the interpreter lock, may be robbed there, and gives the loop up in its call.
fn waiting_and_giving_up() {
    loom::model(|| {
        let cell = Arc::new(LoopCell::new(0u32));
        let mut guard = cell.rob(cell.look()).expect("nobody owns it yet");
        guard.with(|value| *value += 1);
        let watched = Arc::clone(&cell);
        let waiting = guard.enter_wait();
        let robber = thread::spawn(move || {
            let stamp = watched.look();
            watched.rob(stamp).map(|mut guard| guard.with(|value| *value += 10)).is_some()
        });
        let kept = match waiting.enter_app(&cell) {
            Err(_) => false,
            Ok(in_app) => match in_app.give_up(&cell) {
                (_, false) => false,
                (gave_up, true) => match gave_up.reclaim(&cell) {
                    Err(_) => false,
                    Ok(mut guard) => {
                        guard.with(|value| *value += 1);
                        true
                    }
                },
            },
        };
        assert_ne!(robber.join().unwrap(), kept, "exactly one of them has the loop in the end");
    });
}

/// A stamp from a former call must not rob a later one: the watcher looks, sleeps over two calls, and then robs.
fn old_stamps() {
    loom::model(|| {
        let cell = Arc::new(LoopCell::new(0u32));
        let guard = cell.rob(cell.look()).expect("nobody owns it yet");
        let in_app = guard.enter_app();
        let old = cell.look();
        let watched = Arc::clone(&cell);
        let watcher = thread::spawn(move || watched.rob(old).is_some());
        let Ok(guard) = in_app.reclaim(&cell) else {
            assert!(watcher.join().unwrap());
            return;
        };
        let _second = guard.enter_app();
        assert!(!watcher.join().unwrap(), "a later call was robbed with an old stamp");
    });
}

/// Either the sleeper sees the reason to stay awake, or the waker sees the sleeper.
fn sleep_and_wake() {
    loom::model(|| {
        let drowse = Arc::new(Drowse::new());
        let reason = Arc::new(AtomicBool::new(false));
        let (sleeping, reasons) = (Arc::clone(&drowse), Arc::clone(&reason));
        let sleeper = thread::spawn(move || sleeping.may_sleep(|| reasons.load(Ordering::Relaxed)));
        reason.store(true, Ordering::Relaxed);
        Drowse::publish_reason();
        let is_woken = drowse.is_asleep();
        assert!(is_woken || !sleeper.join().unwrap(), "a wake-up was lost");
    });
}

/// A watcher sleeps because nobody is in a call; the owner publishes its call and then looks for a sleeper.
fn sleep_until_a_call() {
    loom::model(|| {
        let (cell, drowse) = (Arc::new(LoopCell::new(0u32)), Arc::new(Drowse::new()));
        let guard = cell.rob(cell.look()).expect("nobody owns it yet");
        let (watched, sleeping) = (Arc::clone(&cell), Arc::clone(&drowse));
        let watcher = thread::spawn(move || {
            let stamp = watched.look();
            stamp.state() == State::Loop && sleeping.may_sleep(|| watched.look() != stamp)
        });
        let _in_app = guard.enter_app();
        Drowse::publish_reason();
        let is_woken = drowse.is_asleep();
        assert!(is_woken || !watcher.join().unwrap(), "a call stands, and its watcher sleeps");
    });
}

/// Somebody sounds an alarm just when its sleep begins, or when another puts it off: its time must have come in the end.
fn sounding() {
    loom::model(|| {
        let alarm = Arc::new(Alarm::new(Timer::new().expect("it opens nothing here")));
        let reason = Arc::new(AtomicBool::new(false));
        let (sleeping, reasons) = (Arc::clone(&alarm), Arc::clone(&reason));
        let sleeper =
            thread::spawn(move || sleeping.begin(Duration::from_millis(1), || reasons.load(Ordering::Relaxed)));
        let attended = Arc::clone(&alarm);
        let owner = thread::spawn(move || attended.put_off());
        reason.store(true, Ordering::Relaxed);
        alarm.wake();
        owner.join().unwrap();
        assert!(!sleeper.join().unwrap() || alarm.has_gone_off(), "an alarm was silenced");
    });
}

/// The handler and the loop both want to answer.
fn claiming() {
    loom::model(|| {
        let claim = Arc::new(Claim::new());
        let in_app = Arc::clone(&claim);
        let app = thread::spawn(move || in_app.win_for_app());
        let by_loop = claim.win_for_loop();
        assert_ne!(app.join().unwrap(), by_loop, "a request has exactly one answer");
    });
}

/// Two threads send exchanges home; the loop takes what there is whenever the bell has rung. The bell is the kernel's, and so a lock here.
fn returning() {
    loom::model(|| {
        let queue = Arc::new(ReturnQueue::new());
        let bell = Arc::new(Mutex::new(false));
        let threads: Vec<_> = (0..2)
            .map(|item| {
                let (queue, bell) = (Arc::clone(&queue), Arc::clone(&bell));
                thread::spawn(move || {
                    if queue.push(item) {
                        *bell.lock().unwrap() = true;
                    }
                })
            })
            .collect();
        let mut home = Vec::new();
        if std::mem::take(&mut *bell.lock().unwrap()) {
            queue.take_all(&mut home);
        }
        for thread in threads {
            thread.join().unwrap();
        }
        if std::mem::take(&mut *bell.lock().unwrap()) {
            queue.take_all(&mut home);
        }
        home.sort_unstable();
        assert_eq!(home, [0, 1], "an exchange was left in the queue with nobody to ring for it");
    });
}

#[test]
fn the_loop_has_one_owner_at_a_time() {
    ownership();
    waiting_and_giving_up();
    without(Step::PublishCall, ownership);
    without(Step::TakeLoop, ownership);
}

#[test]
fn a_later_call_is_not_robbed_with_an_old_stamp() {
    old_stamps();
    without(Step::CompareSequence, old_stamps);
}

#[test]
fn no_wake_up_is_lost() {
    for model in [sleep_and_wake, sleep_until_a_call] {
        model();
        without(Step::SleeperFence, model);
        without(Step::WakerFence, model);
    }
}

#[test]
fn no_alarm_is_silenced() {
    sounding();
    for step in [Step::SleeperFence, Step::WakerFence, Step::SoundAgain] {
        without(step, sounding);
    }
}

#[test]
fn a_request_has_one_answer() {
    claiming();
    without(Step::WinClaim, claiming);
}

#[test]
fn every_exchange_comes_home() {
    returning();
    without(Step::RingOnPush, returning);
}
