//! Native strings: `str` objects that hold bytes, one ISO-8859-1 character each (PEP 3333, "A Note On String Types").

use std::ffi::c_char;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The native string that holds these bytes.
pub(crate) fn string<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    // SAFETY: pointer and length are of one slice (a slice is at most isize::MAX bytes long); the result is a new
    // reference to a `str`, or null with an exception set.
    unsafe {
        let pointer = bytes.as_ptr().cast::<c_char>();
        let string = ffi::PyUnicode_DecodeLatin1(pointer, bytes.len() as ffi::Py_ssize_t, std::ptr::null());
        Bound::from_owned_ptr_or_err(py, string).map(|string| string.cast_into_unchecked())
    }
}

/// The bytes that a native string holds, or None if it has a character outside ISO-8859-1.
pub(crate) fn bytes<'a>(string: &'a Bound<'_, PyString>) -> Option<&'a [u8]> {
    let object = string.as_ptr();
    // SAFETY: `object` is a `str`. Once it is ready its kind is the narrowest that holds its characters, so another
    // kind than one byte means a character above 0xFF; the data are immutable and live as long as the object.
    unsafe {
        if ffi::PyUnicode_READY(object) != 0 {
            ffi::PyErr_Clear();
            return None;
        }
        if ffi::PyUnicode_KIND(object) != ffi::PyUnicode_1BYTE_KIND {
            return None;
        }
        let len = ffi::PyUnicode_GET_LENGTH(object) as usize;
        Some(std::slice::from_raw_parts(ffi::PyUnicode_1BYTE_DATA(object), len))
    }
}

/// Where a string leaves ISO-8859-1: the index of its first such character, and the character (a lone surrogate reads
/// as U+FFFD).
pub(crate) fn first_outside(string: &Bound<'_, PyString>) -> Option<(usize, char)> {
    string.to_string_lossy().chars().enumerate().find(|(_, character)| u32::from(*character) > 0xFF)
}
