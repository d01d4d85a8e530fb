//! Where a thread is in Python code, for the log; with the interpreter lock, and without it.
//!
//! With the lock it is `sys._current_frames()`. Without it, CPython's faulthandler can write the stacks of all threads
//! from a signal handler, which looks at frames that nobody holds still: right where a C function holds the lock and
//! every other thread waits for it, and for nothing else. It writes to a file in memory. The thread that asks raises the
//! signal for itself, so no system call of another is interrupted.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, OnceLock, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The stack of a thread, as `traceback` shows it: the innermost call last.
pub(crate) fn of_thread(py: Python<'_>, thread: u64) -> PyResult<Option<String>> {
    let frames = py.import("sys")?.call_method0("_current_frames")?;
    let Some(frame) = frames.cast::<PyDict>()?.get_item(thread)? else {
        return Ok(None);
    };
    let lines: Vec<String> = py.import("traceback")?.call_method1("format_stack", (frame,))?.extract()?;
    Ok(Some(lines.concat()))
}

/// Prepares for [`without_lock`]: gives a signal of this process to faulthandler. For processes that are the server's
/// own; in somebody else's program there is no signal to be had.
///
/// # Errors
/// If there is no memory for the file, or faulthandler cannot have the signal.
pub fn prepare_stacks_without_lock(py: Python<'_>) -> PyResult<()> {
    if DUMP.get().is_some() {
        return Ok(());
    }
    let file = memory_file()?;
    // A real-time signal that no program is known to use.
    let signal = libc::SIGRTMAX() - 3;
    let options = PyDict::new(py);
    options.set_item("file", file.as_raw_fd())?;
    options.set_item("all_threads", true)?;
    py.import("faulthandler")?.call_method("register", (signal,), Some(&options))?;
    let _ = DUMP.set(Dump { file: Mutex::new(file), signal });
    Ok(())
}

/// The stacks of all threads that Python knows, the innermost call first. Empty without
/// [`prepare_stacks_without_lock`].
pub(crate) fn without_lock() -> Vec<(u64, String)> {
    let Some(dump) = DUMP.get() else { return Vec::new() };
    let text = dump.take().unwrap_or_else(|error| format!("faulthandler: {error}"));
    parse(&text)
}

/// Where faulthandler writes to, and when.
struct Dump {
    file: Mutex<File>,
    signal: i32,
}

static DUMP: OnceLock<Dump> = OnceLock::new();

impl Dump {
    fn take(&self) -> io::Result<String> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.set_len(0)?;
        file.rewind()?;
        // SAFETY: raise(3) has no preconditions; faulthandler's handler has run when it returns.
        unsafe { libc::raise(self.signal) };
        file.rewind()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn memory_file() -> io::Result<File> {
    // SAFETY: the name is a C string; the result is a descriptor of our own, or -1.
    let fd = unsafe { libc::memfd_create(c"stacks".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// Takes apart what faulthandler writes: a line that names the thread in hexadecimal, then one for each call.
fn parse(text: &str) -> Vec<(u64, String)> {
    let mut stacks: Vec<(u64, String)> = Vec::new();
    for line in text.lines() {
        let thread = line.strip_prefix("Current thread 0x").or_else(|| line.strip_prefix("Thread 0x"));
        let thread = thread.and_then(|rest| u64::from_str_radix(rest.split(' ').next()?, 16).ok());
        match (thread, stacks.last_mut()) {
            (Some(thread), _) => stacks.push((thread, String::new())),
            (None, Some((_, stack))) if line.starts_with(' ') => {
                stack.push_str(line);
                stack.push('\n');
            }
            (None, _) => {}
        }
    }
    stacks
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn takes_apart_what_faulthandler_writes() {
        let text = "Thread 0x00007f0000000001 (most recent call first):\n  File \"a.py\", line 3 in f\n  File \"a.py\", line 9 in <module>\n\n\
                    Current thread 0x00000000000000ff [worker] (most recent call first):\n  <no Python frame>\n";
        let expected = vec![
            (0x7f00_0000_0001, "  File \"a.py\", line 3 in f\n  File \"a.py\", line 9 in <module>\n".to_owned()),
            (0xff, "  <no Python frame>\n".to_owned()),
        ];
        assert_eq!(parse(text), expected);
        assert_eq!(parse("Fatal Python error: x\n\n"), []);
    }
}
