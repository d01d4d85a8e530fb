//! What follows when a request takes long: the log's record with the stack, the interruption, and the thread counted out.
//!
//! None of it is needed to answer anybody, so it is done apart from the loop, by two threads, because one of them may have to wait for the
//! interpreter lock. The clerk never does: if its hand has not got the lock in time, it makes do with what can be said without.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::calls::{self, Sight};
use crate::deadlines::Millis;
use crate::engine::{Engine, or_abort};
use crate::promote::Fate;
use crate::redaction::shown_target;

/// Where the clerk is told what to do.
#[derive(Debug, Default)]
pub(crate) struct Clerk {
    desk: Mutex<Desk>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Desk {
    notices: Vec<Notice>,
    is_over: bool,
}

/// Something to be dealt with.
#[derive(Debug)]
pub(crate) enum Notice {
    /// This call takes long.
    Slow(Sight),
    /// This call took too long, and its request was answered.
    Overdue(Sight),
    /// All calls are to be shown, in the log or to this one.
    Show(Option<Sender<String>>),
}

/// How long the interpreter lock is waited for. A thread that gives it up at all does so every 5 ms, so this is the turn of 400 threads that
/// compute. Only then does nobody's stack change while it is read without the lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
/// How long an interrupted call may take to end.
const GRACE: Duration = Duration::from_secs(5);

impl Clerk {
    pub(crate) fn tell(&self, notice: Notice) {
        self.desk().notices.push(notice);
        self.changed.notify_all();
    }

    /// There is nothing more to do.
    pub(crate) fn dismiss(&self) {
        self.desk().is_over = true;
        self.changed.notify_all();
    }

    /// What is to be done, after waiting for it until `until`; None at the end.
    fn wait(&self, until: Option<Instant>) -> Option<Vec<Notice>> {
        let mut desk = self.desk();
        loop {
            if desk.is_over {
                return None;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if !desk.notices.is_empty() || left.is_some_and(|left| left.is_zero()) {
                return Some(std::mem::take(&mut desk.notices));
            }
            desk = match left {
                None => self.changed.wait(desk).unwrap_or_else(PoisonError::into_inner),
                Some(left) => self.changed.wait_timeout(desk, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clerk's life.
pub(crate) fn keep_records(engine: &Arc<Engine>) {
    let mut office = Office { engine, hand: None, unanswered: None, interrupted: Vec::new() };
    while let Some(notices) = engine.clerk.wait(office.next_check()) {
        for notice in notices {
            office.deal_with(notice);
        }
        office.count_out();
    }
}

struct Office<'a> {
    engine: &'a Arc<Engine>,
    /// The thread that takes the interpreter lock; started when it is first needed.
    hand: Option<Sender<Job>>,
    /// The answer of the hand that was not waited for any longer: while it is out, nobody gets the lock.
    unanswered: Option<Receiver<Vec<String>>>,
    /// Calls that were interrupted, and until when they may take to end. The first in is the first out.
    interrupted: Vec<(Sight, Instant)>,
}

/// What the hand is to do under the interpreter lock: see where these calls are, tell, and interrupt them.
struct Job {
    sights: Vec<Sight>,
    interrupts: bool,
    reply: Sender<Vec<String>>,
}

impl Office<'_> {
    fn deal_with(&mut self, notice: Notice) {
        match notice {
            Notice::Slow(sight) => {
                let stack = self.stacks(vec![sight.clone()], false).concat();
                tracing::warn!(traceback = stack, "no answer after {}", sight.described());
            }
            Notice::Overdue(sight) => {
                let stack = self.stacks(vec![sight.clone()], true).concat();
                tracing::error!(traceback = stack, "timed out, answered 504: no answer after {}", sight.described());
                self.interrupted.push((sight, Instant::now() + GRACE));
            }
            Notice::Show(reader) => self.show(reader),
        }
    }

    /// Shows every call with its age and stack.
    fn show(&mut self, reader: Option<Sender<String>>) {
        let sights = self.engine.calls.sights();
        let stacks = self.stacks(sights.clone(), false);
        let Some(reader) = reader else {
            tracing::info!("requests in the application: {}", sights.len());
            for (sight, stack) in sights.iter().zip(stacks) {
                tracing::info!(traceback = stack, "in the application for {}", sight.described());
            }
            return;
        };
        let count = format!("requests in the application: {}\n", sights.len());
        let shown =
            sights.iter().zip(stacks).map(|(sight, stack)| format!("\n{}\n{}", sight.described(), indented(&stack)));
        // Whoever asked may have left.
        let _ = reader.send(count + &shown.collect::<String>());
    }

    /// Where calls are, each as lines; afterwards, or as soon as somebody can, they are interrupted if that was asked for.
    fn stacks(&mut self, sights: Vec<Sight>, interrupts: bool) -> Vec<String> {
        if self.unanswered.as_ref().is_some_and(|answer| answer.try_recv() != Err(TryRecvError::Empty)) {
            self.unanswered = None;
        }
        let is_hand_free = self.unanswered.is_none();
        let names: Vec<_> = sights.iter().map(|sight| sight.post.name).collect();
        if is_hand_free || interrupts {
            let (reply, answer) = channel();
            let hand = self.hand.get_or_insert_with(|| start_hand(self.engine));
            let sent = hand.send(Job { sights, interrupts, reply });
            if is_hand_free && sent.is_ok() {
                match answer.recv_timeout(LOCK_PATIENCE) {
                    Ok(stacks) => return stacks,
                    Err(_) => self.unanswered = Some(answer),
                }
            }
        }
        let all = self.engine.setup.interpreter.stacks_without_lock();
        let stack_of = |name| match all.iter().find(|(known, _)| *known == name) {
            Some((_, stack)) => format!("{NO_LOCK}, and it is at (most recent call first):\n{stack}"),
            None => format!("{NO_LOCK}\n"),
        };
        names.into_iter().map(stack_of).collect()
    }

    /// When the first interrupted call must have ended.
    fn next_check(&self) -> Option<Instant> {
        self.interrupted.first().map(|(_, until)| *until)
    }

    /// Has threads replaced that did not come back.
    fn count_out(&mut self) {
        let now = Instant::now();
        let age = |sight: &Sight| sight.clock.age(calls::now());
        while self.next_check().is_some_and(|until| until <= now) {
            let (sight, _) = self.interrupted.remove(0);
            let crew = &self.engine.crew;
            let is_too_much = match crew.count_out(&sight.post, sight.number) {
                Fate::CameBack => false,
                Fate::Replaced { strays, is_too_much } => {
                    self.engine.counters.threads_abandoned.fetch_add(1, Relaxed);
                    self.engine.replace_stray();
                    tracing::error!(
                        "interrupted, but still there after {}: another takes its place (such threads: {strays})",
                        sight.described_at(age(&sight))
                    );
                    is_too_much
                }
                Fate::Irreplaceable => {
                    tracing::error!(
                        "interrupted, but still there after {}: with --threads 1 no other may be called beside it",
                        sight.described_at(age(&sight))
                    );
                    true
                }
            };
            if is_too_much && let Some(on_stuck) = &self.engine.setup.config.on_stuck {
                on_stuck();
            }
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

const NO_LOCK: &str = "nobody gets the interpreter lock";

impl Sight {
    /// `1.0 s: GET /path (thread 4711)`
    fn described(&self) -> String {
        self.described_at(self.age)
    }

    fn described_at(&self, age: Millis) -> String {
        let (seconds, tenths) = (age / 1000, age % 1000 / 100);
        let stray = if self.post.is_stray.load(Relaxed) { ", counted out" } else { "" };
        format!("{seconds}.{tenths} s: {} (thread {}{stray})", shown_target(&self.request), self.post.thread_id)
    }
}

/// Starts the thread that takes the interpreter lock. It ends when the sender is dropped.
fn start_hand(engine: &Arc<Engine>) -> Sender<Job> {
    let (sender, jobs) = channel();
    let hand = Arc::clone(engine);
    engine.crew.note_other(1);
    let started = std::thread::Builder::new().name("hand".into()).spawn(move || {
        or_abort(|| lend_hand(&hand, &jobs));
        hand.crew.note_other(-1);
    });
    if let Err(error) = started {
        tracing::error!("no thread can be started to see where requests are: {error}");
        engine.crew.note_other(-1);
    }
    sender
}

fn lend_hand(engine: &Engine, jobs: &Receiver<Job>) {
    let interpreter = &*engine.setup.interpreter;
    interpreter.enter_thread();
    while let Ok(job) = jobs.recv() {
        interpreter.acquire();
        let stack = |sight: &Sight| match interpreter.stack(sight.post.name) {
            _ if !sight.post.is_in(sight.number) => String::from("it has ended meanwhile\n"),
            Some(stack) => format!("Stack (most recent call last):\n{stack}"),
            None => String::from("it is not in Python code\n"),
        };
        // Nobody may be waiting for it any more.
        let _ = job.reply.send(job.sights.iter().map(stack).collect());
        if job.interrupts {
            for sight in &job.sights {
                sight.post.interrupt_in(sight.number, || interpreter.interrupt(sight.post.name));
            }
        }
        interpreter.release();
    }
    interpreter.leave_thread();
}
