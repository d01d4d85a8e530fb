//! What the main thread does while others serve: it waits for signals, runs the handlers that the application set with
//! `signal.signal` (they run nowhere else), and sees to it that the process is left in order.

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use brickwork_command::{Config, DurationText, LogTarget, open_log, reopen_log};
use brickwork_server::{AccessLog, Ended, Server, Stopper};
use brickwork_supervisor::{Channel, Heard, Inspection, Order, Report, Signal, Signals, Woken, exit_now};
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::health::Readiness;
use crate::pulse::Pulse;
use crate::recycle::Worn;

/// Waits until the server has ended, then does what is left to do. Returns the exit status; the caller returns it to
/// Python, so that `atexit` runs. If requests are stuck in the application it does not return: Python would wait for
/// their threads.
pub(crate) fn wait_and_leave(
    py: Python<'_>,
    signals: Signals,
    server: Server,
    mut supervised: Supervised,
    access_log: Option<AccessLog>,
) -> u8 {
    let wakeup = PythonWakeup::install(py)
        .inspect_err(|error| tracing::warn!("the application's signal handlers may run late: {error}"))
        .ok();
    let pulse = supervised.pulse.take();
    let grace = supervised.config.graceful_timeout;
    let stopping = Stopping {
        stopper: server.stopper(),
        grace,
        supervised,
        access_log: access_log.clone(),
        inspection: Inspection::open()
            .inspect_err(|error| tracing::warn!("brickwork stacks will not work: {error}"))
            .ok(),
        has_lost_supervisor: false,
    };
    let watch = Watch::over(server, &signals, access_log.clone());
    let ended = obey_signals(py, &signals, wakeup.as_ref(), stopping, &watch);
    if let Some(wakeup) = wakeup {
        wakeup.remove(py);
    }
    // From here on a signal does again what Python, or the application, set it to: nothing can hang unkillably.
    drop(signals);
    match ended {
        Ended::Drained => tracing::debug!("drained"),
        Ended::Abandoned(count) => tracing::warn!("stopped; calls still in the application: {count}"),
    }
    if let Some(log) = access_log {
        py.detach(|| log.flush());
    }
    if let Ended::Abandoned(_) = ended {
        leave_stuck_threads_behind(py);
    }
    // Before Python finalizes: nobody may take its lock then.
    py.detach(|| pulse.into_iter().for_each(Pulse::stop));
    0
}

/// Waits without the interpreter lock, which a stuck application may never give back; signals are obeyed all the same.
fn obey_signals(
    py: Python<'_>,
    signals: &Signals,
    wakeup: Option<&PythonWakeup>,
    mut stopping: Stopping,
    watch: &Watch,
) -> Ended {
    loop {
        match py.check_signals() {
            Ok(()) => {}
            Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => stopping.leave("INT"),
            Err(error) if error.is_instance_of::<PySystemExit>(py) => {
                stopping.leave("a signal handler of the application called sys.exit()");
            }
            Err(error) => log_raised(py, &error, "a signal handler of the application raised"),
        }
        if let Some(ended) = py.detach(|| wait_detached(signals, wakeup, &mut stopping, watch)) {
            watch.is_main_back.store(true, Ordering::Release);
            return ended;
        }
    }
}

/// Obeys signals until the server has ended, or until there may be something for Python to handle (None).
fn wait_detached(
    signals: &Signals,
    wakeup: Option<&PythonWakeup>,
    stopping: &mut Stopping,
    watch: &Watch,
) -> Option<Ended> {
    loop {
        let woken = {
            let mut others: Vec<BorrowedFd<'_>> = wakeup.iter().map(|wakeup| wakeup.reader.as_fd()).collect();
            if !stopping.has_lost_supervisor {
                others.push(stopping.supervised.channel.as_fd());
            }
            others.extend(stopping.inspection.iter().map(Inspection::as_fd));
            signals.wait(&others)
        };
        match woken {
            Ok(Woken::Signal(signal)) => stopping.obey(signal),
            Ok(Woken::Called) => stopping.supervised.ask_for_replacement(),
            Ok(Woken::Readable) => {
                stopping.take_orders();
                stopping.answer_inspections();
                if wakeup.is_some_and(PythonWakeup::empty) {
                    return watch.ended.get().copied();
                }
            }
            // Python's own handler leaves a note. Without one there is nothing to do that takes the interpreter lock, which may be
            // out of reach: CPython has only written its stacks.
            Ok(Woken::Interrupted) => {
                if wakeup.is_none_or(PythonWakeup::empty) {
                    return watch.ended.get().copied();
                }
            }
            Err(error) => {
                tracing::error!("waiting for signals: {error}");
                stopping.stopper.stop_now();
                return Some(*watch.ended.wait());
            }
        }
        if let Some(&ended) = watch.ended.get() {
            return Some(ended);
        }
    }
}

/// What a worker and its supervisor share.
pub(crate) struct Supervised {
    pub(crate) channel: Arc<Channel>,
    /// What health checks say.
    pub(crate) readiness: Arc<Readiness>,
    /// Enough requests were served.
    pub(crate) worn: Worn,
    pub(crate) pulse: Option<Pulse>,
    pub(crate) config: Config,
}

impl Supervised {
    fn ask_for_replacement(&self) {
        if self.worn.take() {
            self.channel.report(&Report::Recycle);
        }
    }
}

/// What signals and the supervisor do to the server.
struct Stopping {
    stopper: Stopper,
    grace: Duration,
    supervised: Supervised,
    access_log: Option<AccessLog>,
    /// Where `brickwork stacks` asks.
    inspection: Option<Inspection>,
    has_lost_supervisor: bool,
}

impl Stopping {
    fn obey(&mut self, signal: Signal) {
        let name = signal.as_str().trim_start_matches("SIG");
        match signal {
            Signal::SIGTERM => self.leave(name),
            // From the terminal, to everybody: the supervisor says what it means.
            Signal::SIGINT => {}
            Signal::SIGUSR2 => self.stopper.log_calls(),
            _ => {
                tracing::info!("{name}: ending at once");
                self.stopper.stop_now();
            }
        }
    }

    fn take_orders(&mut self) {
        loop {
            match self.supervised.channel.next_order() {
                Heard::Message(Order::Drain { idle }) => self.drain(idle),
                Heard::Message(Order::Unready) => self.supervised.readiness.end(),
                Heard::Message(Order::Stop) => self.stopper.stop_now(),
                Heard::Message(Order::ReopenLogs) => self.reopen_logs(),
                Heard::Message(Order::ShowCalls) => self.stopper.log_calls(),
                Heard::Message(Order::Fork { .. }) => {}
                Heard::Nothing => return,
                Heard::End => {
                    if !std::mem::replace(&mut self.has_lost_supervisor, true) {
                        self.leave("the supervisor is gone");
                    }
                    return;
                }
            }
        }
    }

    /// Tells whoever asks where requests are. That may take a moment, and signals are to be obeyed meanwhile.
    fn answer_inspections(&self) {
        const PATIENCE: Duration = Duration::from_secs(5);
        while let Some(mut client) = self.inspection.as_ref().and_then(Inspection::next_client) {
            let stopper = self.stopper.clone();
            thread::spawn(move || {
                let text = stopper.show_calls(PATIENCE);
                let text = text.as_deref().unwrap_or("it cannot be said where its requests are\n");
                // Whoever asked may have left.
                let _ = client.write_all(text.as_bytes());
            });
        }
    }

    /// Leaves of its own accord: others serve, or will.
    fn leave(&mut self, why: &str) {
        tracing::info!("{why}: finishing what is in flight, for {} at the most", DurationText(self.grace));
        self.drain(self.grace);
    }

    fn drain(&mut self, idle: Duration) {
        self.supervised.readiness.end();
        self.stopper.drain_keeping_idle(self.grace, idle);
        // A reload is through when nobody is served by the old code who comes anew. The loop answers within milliseconds.
        for _ in 0..1000 {
            if self.stopper.is_draining() {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.supervised.channel.report(&Report::Quiet);
    }

    fn reopen_logs(&self) {
        let config = &self.supervised.config;
        reopen_log(&config.error_log);
        if let (Some(log), LogTarget::File(path)) = (&self.access_log, &config.access_log) {
            match open_log(&config.access_log, std::io::stdout()) {
                Ok(Some(file)) => log.reopen(file),
                Ok(None) => {}
                Err(error) => tracing::warn!("{} cannot be opened again: {error}", path.display()),
            }
        }
    }
}

/// What the thread that waits for the server's end, and the main thread, tell each other.
struct Watch {
    ended: OnceLock<Ended>,
    /// Whether the main thread got the interpreter lock after that end.
    is_main_back: AtomicBool,
}

impl Watch {
    fn over(server: Server, signals: &Signals, access_log: Option<AccessLog>) -> Arc<Watch> {
        let watch = Arc::new(Watch { ended: OnceLock::new(), is_main_back: AtomicBool::new(false) });
        let (ours, waker) = (Arc::clone(&watch), signals.waker());
        thread::spawn(move || {
            let ended = *ours.ended.get_or_init(|| server.join());
            waker.wake();
            if let Ended::Abandoned(count) = ended {
                thread::sleep(LAST_CHANCE);
                if !ours.is_main_back.load(Ordering::Acquire) {
                    tracing::error!(
                        "the interpreter lock does not come back (stuck calls: {count}): leaving without atexit"
                    );
                    access_log.inspect(AccessLog::flush);
                    exit_now(0);
                }
            }
        });
        watch
    }
}

/// So long may the interpreter lock be out of reach before a process whose requests were abandoned ends without it. A
/// thread that gives the lock up at all does so every 5 ms.
const LAST_CHANCE: Duration = Duration::from_secs(2);

/// The descriptor that CPython's signal handler writes to, so that a signal that comes just before the wait still ends
/// it.
struct PythonWakeup {
    reader: UnixStream,
    writer: UnixStream,
}

impl PythonWakeup {
    fn install(py: Python<'_>) -> PyResult<PythonWakeup> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        let previous = set_wakeup_fd(py, writer.as_raw_fd())?;
        if previous != -1 {
            // The application's own: it has its reasons, and a late handler is all that it costs us.
            set_wakeup_fd(py, previous)?;
        }
        Ok(PythonWakeup { reader, writer })
    }

    /// Takes what was written; says whether there was anything.
    fn empty(&self) -> bool {
        let (mut numbers, mut was_written) = ([0; 64], false);
        while matches!((&self.reader).read(&mut numbers), Ok(count) if count > 0) {
            was_written = true;
        }
        was_written
    }

    fn remove(self, py: Python<'_>) {
        let ours = self.writer.as_raw_fd();
        match set_wakeup_fd(py, -1) {
            Ok(found) if found != ours && found != -1 => drop(set_wakeup_fd(py, found)),
            _ => {}
        }
    }
}

fn set_wakeup_fd(py: Python<'_>, fd: i32) -> PyResult<i32> {
    let options = PyDict::new(py);
    options.set_item("warn_on_full_buffer", false)?;
    signal_module(py)?.call_method("set_wakeup_fd", (fd,), Some(&options))?.extract()
}

/// The built-in half of `signal`, without the enumerations that the other half makes of its numbers.
fn signal_module(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("_signal")
}

/// Says which handlers of the application ours have replaced.
pub(crate) fn warn_of_replaced_handlers(py: Python<'_>) {
    let check = || -> PyResult<()> {
        let signal = signal_module(py)?;
        for (name, default) in [("SIGTERM", "SIG_DFL"), ("SIGINT", "default_int_handler"), ("SIGQUIT", "SIG_DFL")] {
            let handler = signal.call_method1("getsignal", (signal.getattr(name)?,))?;
            if !handler.eq(signal.getattr(default)?)? && !handler.eq(signal.getattr("SIG_IGN")?)? && !handler.is_none()
            {
                tracing::warn!(
                    "the application's handler of {name} is not called: brickwork ends on it; use atexit instead"
                );
            }
        }
        Ok(())
    };
    if let Err(error) = check() {
        log_raised(py, &error, "looking for signal handlers");
    }
}

fn log_raised(py: Python<'_>, error: &PyErr, what: &str) {
    let lines =
        py.import("traceback").and_then(|traceback| traceback.call_method1("format_exception", (error.value(py),)));
    let lines = lines.and_then(|lines| lines.extract::<Vec<String>>()).unwrap_or_default();
    tracing::error!(traceback = lines.concat(), "{what}: {error}");
}

/// Does by hand what Python's finalization would, except for waiting for threads that will not end.
fn leave_stuck_threads_behind(py: Python<'_>) -> ! {
    let last_words = || -> PyResult<()> {
        py.import("atexit")?.call_method0("_run_exitfuncs")?;
        let sys = py.import("sys")?;
        for stream in ["stdout", "stderr"] {
            let stream = sys.getattr(stream)?;
            if !stream.is_none() {
                stream.call_method0("flush")?;
            }
        }
        Ok(())
    };
    if let Err(error) = last_words() {
        log_raised(py, &error, "leaving");
    }
    exit_now(0)
}
