//! Signals are per process, so these tests take turns.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use nix::sys::signal::kill;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, pause};

use super::*;

static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_signal_that_comes_twice_is_told_twice() {
    let _turn = turn();
    let signals = Signals::install(&[Signal::SIGUSR1, Signal::SIGUSR2]).unwrap();
    for _ in 0..2 {
        nix::sys::signal::raise(Signal::SIGUSR2).unwrap();
    }
    assert_eq!(signals.wait(&[]).unwrap(), Woken::Signal(Signal::SIGUSR2));
    assert_eq!(signals.wait(&[]).unwrap(), Woken::Signal(Signal::SIGUSR2));
    assert_eq!(signals.next_arrived(), None);
}

#[test]
fn a_waker_in_another_thread_ends_the_wait() {
    let _turn = turn();
    let signals = Signals::install(&[Signal::SIGUSR1]).unwrap();
    let waker = signals.waker();
    let caller = thread::spawn(move || waker.wake());
    assert_eq!(signals.wait(&[]).unwrap(), Woken::Called);
    caller.join().unwrap();
}

#[test]
fn a_call_is_not_lost_behind_a_signal() {
    let _turn = turn();
    let signals = Signals::install(&[Signal::SIGUSR1]).unwrap();
    nix::sys::signal::raise(Signal::SIGUSR1).unwrap();
    signals.waker().wake();
    assert_eq!(signals.wait(&[]).unwrap(), Woken::Signal(Signal::SIGUSR1));
    assert_eq!(signals.wait(&[]).unwrap(), Woken::Called);
}

#[test]
fn bytes_on_the_other_descriptor_end_the_wait() {
    use std::io::Write;
    let _turn = turn();
    let signals = Signals::install(&[Signal::SIGUSR1]).unwrap();
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"x").unwrap();
    assert_eq!(signals.wait(&[reader.as_fd()]).unwrap(), Woken::Readable);
}

#[test]
#[allow(unsafe_code)]
fn dropping_gives_the_signals_back() {
    let _turn = turn();
    drop(Signals::install(&[Signal::SIGUSR1]).unwrap());
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: ignoring a signal runs no code.
    let before = unsafe { nix::sys::signal::sigaction(Signal::SIGUSR1, &ignore) }.unwrap();
    assert!(matches!(before.handler(), SigHandler::SigDfl), "{before:?}");
    // SAFETY: as above; it puts back what was there.
    unsafe { nix::sys::signal::sigaction(Signal::SIGUSR1, &before) }.unwrap();
}

#[test]
#[allow(unsafe_code)]
fn a_forked_child_dies_of_a_signal_that_its_parent_takes() {
    let _turn = turn();
    let signals = Signals::install(&[Signal::SIGTERM]).unwrap();
    // SAFETY: the child only waits, which is async-signal-safe.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => loop {
            pause();
        },
        ForkResult::Parent { child } => {
            kill(child, Signal::SIGTERM).unwrap();
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Signaled(child, Signal::SIGTERM, false));
        }
    }
    assert_eq!(signals.next_arrived(), None);
}
