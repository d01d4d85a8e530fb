//! `RequestTimeout`: what is raised in a thread whose request has taken too long.
//!
//! It is set from another thread, under the interpreter lock, and Python raises it at one of the next instructions that
//! the thread runs: not while it sleeps or is in C code. When the request's own code is over and it has not been raised
//! yet, it must not be any more; see `brickwork_server::interruptible`.

use std::ptr;

use pyo3::exceptions::PyBaseException;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

pyo3::create_exception!(
    brickwork,
    RequestTimeout,
    PyBaseException,
    "The request took longer than --timeout allows and was answered 504. Raised in the thread that runs it, anywhere in\n\
     the application; let it pass, as SystemExit."
);

/// What Python calls this thread.
pub(crate) fn this_thread() -> u64 {
    // SAFETY: it has no preconditions. CPython's thread identifiers are the values of pthread_self().
    unsafe { libc::pthread_self() as u64 }
}

/// Has it raised in a thread. True if there is such a thread.
pub(crate) fn raise_in(py: Python<'_>, thread: u64) -> bool {
    // SAFETY: the lock is held; the class is alive, and CPython takes its own reference to it.
    unsafe { ffi::PyThreadState_SetAsyncExc(thread as _, py.get_type::<RequestTimeout>().as_ptr()) == 1 }
}

/// Sees to it that it is not raised in this thread any more.
#[cold]
pub(crate) fn forget(py: Python<'_>) {
    // Taken back only, it would leave the interpreter (up to 3.12) looking for it at every turn. So let it be raised, here.
    let _ = idle(py).and_then(|idle| idle.bind(py).call0());
    // SAFETY: the lock is held; no exception takes back one that is set.
    unsafe { ffi::PyThreadState_SetAsyncExc(this_thread() as _, ptr::null_mut()) };
}

/// A function of Python code that does nothing, for a few instructions.
fn idle(py: Python<'_>) -> PyResult<&Py<PyAny>> {
    static IDLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    IDLE.get_or_try_init(py, || Ok(py.eval(c"lambda: [None for _ in (1, 2, 3)]", None, None)?.unbind()))
}
