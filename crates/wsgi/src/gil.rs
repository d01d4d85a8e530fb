//! CPython's interpreter lock as the server crate's [`Interpreter`], and the references that outlive it.
//!
//! A server thread gets its Python thread state once and keeps it until it ends; taking and releasing the lock in
//! between only swaps that state in and out. A response's bytes are sent straight from Python's objects, and may be
//! done with on a thread that does not hold the lock: such references wait in a queue for the next thread that takes
//! it.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use brickwork_server::{Content, Foreign, Interpreter, ThreadName};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::{stacks, thread, timeout};

/// The interpreter lock of CPython.
///
/// Once the interpreter finalizes nobody may take its lock any more: a thread that tries is parked for good, which
/// is what the process is about to do to it anyway.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gil;

/// What the server's own calls have done with the lock on this thread. What an application's C code does to it in
/// between is not seen here and need not be: nothing of ours runs meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// Not a server thread: one that the application started, and that waits for content or writability through us.
    Stranger,
    Released,
    Held,
}

thread_local! {
    /// The thread state set aside while the lock is not held.
    static STATE: Cell<*mut ffi::PyThreadState> = const { Cell::new(ptr::null_mut()) };
    static HOLD: Cell<Hold> = const { Cell::new(Hold::Stranger) };
}

impl Interpreter for Gil {
    fn enter_thread(&self) {
        park_if_finalizing();
        // SAFETY: the interpreter is initialized (it made the application) and not finalizing. `PyGILState_Ensure`
        // makes this thread's state and takes the lock, `PyEval_SaveThread` gives the lock up and returns that state.
        let state = unsafe {
            ffi::PyGILState_Ensure();
            ffi::PyEval_SaveThread()
        };
        STATE.set(state);
        HOLD.set(Hold::Released);
    }

    fn leave_thread(&self) {
        if is_finalizing() {
            return;
        }
        self.acquire();
        thread::forget_objects();
        HOLD.set(Hold::Stranger);
        // SAFETY: the lock is held under the state that `enter_thread` made; releasing the only `PyGILState_Ensure` of
        // this thread deletes that state and lets the lock go.
        unsafe { ffi::PyGILState_Release(ffi::PyGILState_STATE::PyGILState_UNLOCKED) };
    }

    fn acquire(&self) {
        park_if_finalizing();
        // SAFETY: `enter_thread` or `release` left this thread's own state in STATE, and the thread does not hold the
        // lock.
        unsafe { ffi::PyEval_RestoreThread(STATE.get()) };
        if HOLD.get() != Hold::Stranger {
            HOLD.set(Hold::Held);
        }
        PENDING.release_all();
    }

    fn release(&self) {
        if HOLD.get() == Hold::Held {
            HOLD.set(Hold::Released);
        }
        // SAFETY: the caller holds the lock; that is the contract of `Interpreter::release`.
        STATE.set(unsafe { ffi::PyEval_SaveThread() });
    }

    fn thread_name(&self) -> ThreadName {
        ThreadName(timeout::this_thread())
    }

    fn stack(&self, thread: ThreadName) -> Option<String> {
        Python::attach(|py| stacks::of_thread(py, thread.0).unwrap_or_else(|error| Some(format!("{error}\n"))))
    }

    fn stacks_without_lock(&self) -> Vec<(ThreadName, String)> {
        if is_finalizing() {
            return Vec::new();
        }
        stacks::without_lock().into_iter().map(|(thread, stack)| (ThreadName(thread), stack)).collect()
    }

    fn interrupt(&self, thread: ThreadName) -> bool {
        Python::attach(|py| timeout::raise_in(py, thread.0))
    }

    fn forget_interruption(&self) {
        Python::attach(timeout::forget);
    }
}

/// Content made of a `bytes` object, without a copy where that is safe.
pub(crate) fn foreign(bytes: Bound<'_, PyBytes>) -> Content {
    if bytes.as_bytes().is_empty() {
        return Content::Empty;
    }
    if !bytes.is_exact_instance_of::<PyBytes>() {
        // The last reference to an instance of a subclass may run Python code, which must not happen wherever the
        // server drops content.
        return Content::Owned(bytes.as_bytes().to_vec());
    }
    let (start, len) = (bytes.as_bytes().as_ptr(), bytes.as_bytes().len());
    let owner = bytes.into_ptr().cast::<()>();
    // SAFETY: `owner` is a reference of our own to a `bytes` object, whose bytes do not move or change while it lives;
    // `release_bytes` gives that one reference back, and copes with any thread.
    Content::Foreign(unsafe { Foreign::new(start, len, owner, release_bytes) })
}

/// Gives one reference to an exact `bytes` object back, at once if this thread holds the lock and else as soon as one
/// takes it.
///
/// # Safety
/// `owner` must be an owned reference to an exact `bytes` object.
unsafe fn release_bytes(owner: *mut ()) {
    let object = owner.cast::<ffi::PyObject>();
    // A thread that is ending has no thread-locals any more, and no lock.
    if HOLD.try_with(Cell::get) == Ok(Hold::Held) {
        // SAFETY: the lock is held, and the caller hands its reference over.
        unsafe { ffi::Py_DECREF(object) };
    } else {
        PENDING.push(Reference(object));
    }
}

/// References to exact `bytes` objects that wait for a thread that holds the lock.
struct Pending {
    is_any: AtomicBool,
    references: Mutex<Vec<Reference>>,
}

/// An owned reference to an exact `bytes` object.
struct Reference(*mut ffi::PyObject);

// SAFETY: it is only carried between threads; the object is touched by `release_all`, under the lock.
unsafe impl Send for Reference {}

static PENDING: Pending = Pending { is_any: AtomicBool::new(false), references: Mutex::new(Vec::new()) };

impl Pending {
    fn push(&self, reference: Reference) {
        let mut references = self.references.lock().unwrap_or_else(PoisonError::into_inner);
        references.push(reference);
        self.is_any.store(true, Ordering::Relaxed);
    }

    /// Releases what waits. The caller holds the interpreter lock.
    fn release_all(&self) {
        // Relaxed: one missed now is released with the next request.
        if !self.is_any.load(Ordering::Relaxed) {
            return;
        }
        let references = {
            let mut references = self.references.lock().unwrap_or_else(PoisonError::into_inner);
            self.is_any.store(false, Ordering::Relaxed);
            std::mem::take(&mut *references)
        };
        for Reference(object) in references {
            // SAFETY: the lock is held, and the queue owned this reference.
            unsafe { ffi::Py_DECREF(object) };
        }
    }
}

/// A thread that takes the lock of a finalizing interpreter is ended or hung by CPython, by unwinding foreign to Rust
/// before 3.14: so it stops here instead.
fn park_if_finalizing() {
    while is_finalizing() {
        std::thread::park();
    }
}

fn is_finalizing() -> bool {
    #[cfg(Py_3_13)]
    use ffi::Py_IsFinalizing as is_finalizing;
    #[cfg(not(Py_3_13))]
    unsafe extern "C" {
        // Its name until 3.13 made it public.
        #[link_name = "_Py_IsFinalizing"]
        fn is_finalizing() -> std::ffi::c_int;
    }
    // SAFETY: callable at any time, on any thread, with or without the lock.
    unsafe { is_finalizing() != 0 }
}
