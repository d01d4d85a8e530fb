//! The two callables that an application is given: `start_response`, and the `write` that it returns (PEP 3333).
//!
//! They are plain built-in functions, called without building a tuple. Both act on the response of the request in hand,
//! for as long as the application's call lasts; afterwards they raise. What the arguments mean is in
//! [`response`](crate::response).

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use brickwork_server::Exchange;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyBytes, PyTraceback, PyTuple};

use crate::gil;
use crate::response::{Response, Stage, type_name};

/// start_response and write, and what they act on. Used for one request after the other as long as no application keeps
/// one of them.
pub(crate) struct Callables {
    target: Py<Target>,
    start_response: Py<PyAny>,
    write: Py<PyAny>,
}

/// What both callables are bound to.
#[pyclass(frozen, module = "brickwork")]
struct Target {
    /// None between requests. Locked while Python waits, so that a second thread of the application is refused instead
    /// of let in.
    active: Mutex<Option<Active>>,
}

struct Active {
    response: Response<'static>,
    /// What start_response returns. Here and not in `Target`, so that the circle lasts only as long as the request.
    write: Py<PyAny>,
}

impl Callables {
    pub(crate) fn new(py: Python<'_>) -> PyResult<Callables> {
        let target = Bound::new(py, Target { active: Mutex::new(None) })?;
        // SAFETY: the definitions are statics and outlive the functions; the functions keep `target` alive, and are
        // only ever bound to a `Target`, as their bodies rely on.
        let (start_response, write) = unsafe {
            let start_response = ffi::PyCFunction_NewEx(&raw mut START_RESPONSE, target.as_ptr(), ptr::null_mut());
            let write = ffi::PyCFunction_NewEx(&raw mut WRITE, target.as_ptr(), ptr::null_mut());
            (Bound::from_owned_ptr_or_err(py, start_response)?, Bound::from_owned_ptr_or_err(py, write)?)
        };
        Ok(Callables { target: target.unbind(), start_response: start_response.unbind(), write: write.unbind() })
    }

    pub(crate) fn start_response<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.start_response.bind(py)
    }

    /// Whether nobody else holds one of the callables.
    pub(crate) fn is_unshared(&self, _lock: Python<'_>) -> bool {
        // SAFETY: both are live objects, and the lock is held.
        unsafe { ffi::Py_REFCNT(self.start_response.as_ptr()) == 1 && ffi::Py_REFCNT(self.write.as_ptr()) == 1 }
    }

    /// Lets the callables act on `exchange` while `work` runs.
    pub(crate) fn lend<R>(&self, py: Python<'_>, exchange: &mut Exchange, work: impl FnOnce(&Self) -> R) -> R {
        /// Takes the exchange back, also when `work` panics.
        struct TakeBack<'a, 'py>(&'a Callables, Python<'py>);
        impl Drop for TakeBack<'_, '_> {
            fn drop(&mut self) {
                *self.0.lock(self.1) = None;
            }
        }
        // SAFETY: the reference is in use no longer than the borrow that it is made from: `TakeBack` removes it before
        // this function ends, and waits for the lock to do so. `exchange` itself is not touched meanwhile.
        let exchange: &'static mut Exchange = unsafe { &mut *ptr::from_mut(exchange) };
        *self.lock(py) = Some(Active { response: Response::new(exchange), write: self.write.clone_ref(py) });
        let _take_back = TakeBack(self, py);
        work(self)
    }

    /// The response in hand. Called within [`lend`](Callables::lend), by the thread that lent.
    pub(crate) fn with_response<R>(&self, py: Python<'_>, work: impl FnOnce(&mut Response<'static>) -> R) -> R {
        let mut active = self.lock(py);
        let active = active.as_mut().expect("within `lend` there is a response");
        work(&mut active.response)
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Option<Active>> {
        self.target.get().active.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Target {
    /// Runs `work` on the response in hand, for a call from Python.
    fn act<R>(&self, name: &str, work: impl FnOnce(&mut Active) -> PyResult<R>) -> PyResult<R> {
        let mut active = match self.active.try_lock() {
            Ok(active) => active,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(PyRuntimeError::new_err(format!(
                    "{name} was called while the response is in use elsewhere"
                )));
            }
        };
        match active.as_mut() {
            Some(active) => work(active),
            None => Err(PyRuntimeError::new_err(format!("{name} was called after the request ended"))),
        }
    }

    /// start_response(status, response_headers, exc_info=None) -> write
    fn start_response(&self, py: Python<'_>, arguments: Arguments<'_, '_>) -> PyResult<Py<PyAny>> {
        let Arguments([status, headers, exc_info]) = arguments;
        let missing = |name| PyTypeError::new_err(format!("start_response() needs the argument {name}"));
        let status = status.ok_or_else(|| missing("status"))?;
        let headers = headers.ok_or_else(|| missing("response_headers"))?;
        self.act("start_response", |Active { response, write }| {
            match exc_info {
                Some(exc_info) if exc_info.is_truthy()? => match response.stage() {
                    Stage::Begun | Stage::Over => return Err(raised_again(&exc_info)),
                    Stage::Waiting | Stage::Refused | Stage::Started => response.replace(&status, &headers)?,
                },
                _ => response.start(&status, &headers)?,
            }
            Ok(write.clone_ref(py))
        })
    }

    /// write(body_data)
    fn write(&self, data: Borrowed<'_, '_, PyAny>) -> PyResult<()> {
        let bytes = data.cast::<PyBytes>().map_err(|_| {
            PyTypeError::new_err(format!("write() was given {}, PEP 3333 needs bytes", type_name(&data)))
        })?;
        self.act("write", |active| active.response.write(gil::foreign(bytes.to_owned())))
    }
}

/// The exception of a `sys.exc_info()` tuple, to be raised again: the head has gone, so that an error page can no
/// longer be sent.
fn raised_again(exc_info: &Bound<'_, PyAny>) -> PyErr {
    let parts = exc_info.cast::<PyTuple>().ok().filter(|parts| parts.len() == 3);
    let Some((value, traceback)) = parts.and_then(|parts| Some((parts.get_item(1).ok()?, parts.get_item(2).ok()?)))
    else {
        return PyTypeError::new_err("exc_info is not what sys.exc_info() returns");
    };
    let py = exc_info.py();
    let error = PyErr::from_value(value);
    error.set_traceback(py, traceback.cast_into::<PyTraceback>().ok());
    error
}

/// The arguments of start_response by position. PEP 3333 has them passed by position only; their names are accepted
/// too.
struct Arguments<'a, 'py>([Option<Borrowed<'a, 'py, PyAny>>; 3]);

const NAMES: [&str; 3] = ["status", "response_headers", "exc_info"];

impl<'a, 'py> Arguments<'a, 'py> {
    fn sort(
        positional: impl ExactSizeIterator<Item = Borrowed<'a, 'py, PyAny>>,
        named: impl ExactSizeIterator<Item = (Borrowed<'a, 'py, PyAny>, Borrowed<'a, 'py, PyAny>)>,
    ) -> PyResult<Self> {
        let count = positional.len();
        if count > NAMES.len() {
            return Err(PyTypeError::new_err(format!("start_response() takes 3 arguments but {count} were given")));
        }
        let mut arguments = [None; 3];
        for (argument, value) in arguments.iter_mut().zip(positional) {
            *argument = Some(value);
        }
        for (name, value) in named {
            match NAMES.iter().position(|known| name.eq(known).unwrap_or(false)) {
                Some(index) if arguments[index].is_none() => arguments[index] = Some(value),
                _ => {
                    return Err(PyTypeError::new_err(format!(
                        "start_response() has no place for the argument {}",
                        *name
                    )));
                }
            }
        }
        Ok(Arguments(arguments))
    }
}

static mut START_RESPONSE: ffi::PyMethodDef = ffi::PyMethodDef {
    ml_name: c"start_response".as_ptr(),
    ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: call_start_response },
    ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
    ml_doc: c"start_response(status, response_headers, exc_info=None) -> write".as_ptr(),
};

static mut WRITE: ffi::PyMethodDef = ffi::PyMethodDef {
    ml_name: c"write".as_ptr(),
    ml_meth: ffi::PyMethodDefPointer { PyCFunction: call_write },
    ml_flags: ffi::METH_O as c_int,
    ml_doc: c"write(body_data): sends a block of the response's content".as_ptr(),
};

/// # Safety
/// Called by CPython as METH_FASTCALL | METH_KEYWORDS functions are, bound to a `Target`.
unsafe extern "C" fn call_start_response(
    target: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: this function's contract: `values` holds the positional arguments, then one for each of the tuple `names`
    // (null: none).
    unsafe {
        enter(target, |py, target| {
            let positional = positional as usize;
            let value = |index| Borrowed::from_ptr(py, *values.add(index));
            let name = |index| Borrowed::from_ptr(py, ffi::PyTuple_GET_ITEM(names, index as ffi::Py_ssize_t));
            let named = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) as usize };
            let named = (0..named).map(|index| (name(index), value(positional + index)));
            target.start_response(py, Arguments::sort((0..positional).map(value), named)?)
        })
    }
}

/// # Safety
/// Called by CPython as METH_O functions are, bound to a `Target`.
unsafe extern "C" fn call_write(target: *mut ffi::PyObject, data: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: this function's contract.
    unsafe {
        enter(target, |py, target| {
            target.write(Borrowed::from_ptr(py, data))?;
            Ok(py.None())
        })
    }
}

/// From CPython's calling convention into Rust's: an error is raised, and so is a panic, which must not unwind into C.
///
/// # Safety
/// The interpreter lock is held, and `target` is a `Target`.
unsafe fn enter(
    target: *mut ffi::PyObject,
    body: impl FnOnce(Python<'_>, &Target) -> PyResult<Py<PyAny>>,
) -> *mut ffi::PyObject {
    // SAFETY: this function's contract; the caller's reference keeps `target` alive.
    let (py, target) = unsafe {
        let py = Python::assume_attached();
        (py, Borrowed::from_ptr(py, target).cast_unchecked::<Target>())
    };
    let result = catch_unwind(AssertUnwindSafe(|| body(py, target.get())))
        .unwrap_or_else(|_| Err(PyRuntimeError::new_err("the server failed in the application's call")));
    match result {
        Ok(object) => object.into_ptr(),
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }
}
