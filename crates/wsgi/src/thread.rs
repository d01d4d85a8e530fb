//! Python objects that a server thread keeps from one request to the next, so that the common request makes few.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use brickwork_http::FieldName;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::start_response::Callables;
use crate::{latin1, names};

/// What one thread keeps. Belongs to the thread's Python state: filled under the lock, and dropped under it by
/// [`forget_objects`].
#[derive(Default)]
pub(crate) struct ThreadObjects {
    /// start_response and write of the last request, if its application has let go of them.
    callables: Option<Callables>,
    /// environ keys of field names that the parser does not know, by the bytes that were sent.
    keys: HashMap<Box<[u8]>, Py<PyString>>,
    values: FieldValues,
    /// The last client's address: connections are kept, and proxies in front are few.
    remote: Option<(IpAddr, Py<PyString>)>,
    /// The last address that was connected to: there are as many as listeners.
    local: Option<(SocketAddr, Py<PyString>, Py<PyString>)>,
}

/// The values that known fields had last, at the names' numbers: browsers and proxies say much the same in every request.
struct FieldValues([Option<Py<PyString>>; FieldName::COUNT]);

impl Default for FieldValues {
    fn default() -> FieldValues {
        FieldValues([const { None }; FieldName::COUNT])
    }
}

/// So many keys and no longer ones are kept: clients choose the names.
const KEYS_KEPT: usize = 128;
const KEY_LENGTH_KEPT: usize = 64;
/// No longer field values are kept.
const VALUE_LENGTH_KEPT: usize = 256;

thread_local! {
    static OBJECTS: RefCell<ThreadObjects> = RefCell::default();
}

/// Lends this thread's objects to `work`, which must not call the application.
pub(crate) fn with_objects<R>(work: impl FnOnce(&mut ThreadObjects) -> R) -> R {
    OBJECTS.with_borrow_mut(work)
}

/// Drops this thread's objects. The caller holds the lock.
pub(crate) fn forget_objects() {
    OBJECTS.take();
}

impl ThreadObjects {
    /// start_response and write for a request: those of the last one, or new ones.
    pub(crate) fn take_callables(&mut self, py: Python<'_>) -> PyResult<Callables> {
        self.callables.take().map_or_else(|| Callables::new(py), Ok)
    }

    /// Keeps start_response and write for the next request, unless the application still holds one of them: what it
    /// does with it must never reach a later request.
    pub(crate) fn give_back(&mut self, py: Python<'_>, callables: Callables) {
        if callables.is_unshared(py) {
            self.callables = Some(callables);
        }
    }

    /// The value of a known field: the string of the last request, if that said the same.
    #[inline]
    pub(crate) fn value<'py>(
        &mut self,
        py: Python<'py>,
        name: FieldName,
        value: &[u8],
    ) -> PyResult<Bound<'py, PyString>> {
        if !is_repeated(name) || value.len() > VALUE_LENGTH_KEPT {
            return latin1::string(py, value);
        }
        let Some(last) = self.values.0.get_mut(name as usize) else { return latin1::string(py, value) };
        if let Some(last) = last.as_ref().map(|last| last.bind(py))
            && latin1::bytes(last) == Some(value)
        {
            return Ok(last.clone());
        }
        let value = latin1::string(py, value)?;
        *last = Some(value.clone().unbind());
        Ok(value)
    }

    /// The environ key of any field name; None for names that have none.
    pub(crate) fn key<'py>(&mut self, py: Python<'py>, field_name: &[u8]) -> PyResult<Option<Bound<'py, PyString>>> {
        if let Some(key) = self.keys.get(field_name) {
            return Ok(Some(key.bind(py).clone()));
        }
        let Some(key) = names::environ_key(field_name) else {
            return Ok(None);
        };
        let key = latin1::string(py, &key)?;
        if field_name.len() <= KEY_LENGTH_KEPT {
            if self.keys.len() == KEYS_KEPT {
                self.keys.clear();
            }
            self.keys.insert(field_name.into(), key.clone().unbind());
        }
        Ok(Some(key))
    }

    /// REMOTE_ADDR: an IPv4 address that came in over an IPv6 socket is shown as the IPv4 address it is.
    pub(crate) fn remote_addr<'py>(&mut self, py: Python<'py>, remote: IpAddr) -> Bound<'py, PyString> {
        match &self.remote {
            Some((address, text)) if *address == remote => text.bind(py).clone(),
            _ => {
                let text = PyString::new(py, &remote.to_canonical().to_string());
                self.remote = Some((remote, text.clone().unbind()));
                text
            }
        }
    }

    /// SERVER_NAME and SERVER_PORT: the address that the client connected to, IPv6 in brackets so that it fits into a
    /// URL (RFC 3875 section 4.1.14).
    pub(crate) fn server<'py>(
        &mut self,
        py: Python<'py>,
        local: SocketAddr,
    ) -> (Bound<'py, PyString>, Bound<'py, PyString>) {
        match &self.local {
            Some((address, name, port)) if *address == local => (name.bind(py).clone(), port.bind(py).clone()),
            _ => {
                let name = match local.ip().to_canonical() {
                    IpAddr::V4(ip) => PyString::new(py, &ip.to_string()),
                    IpAddr::V6(ip) => PyString::new(py, &format!("[{ip}]")),
                };
                let port = PyString::new(py, &local.port().to_string());
                self.local = Some((local, name.clone().unbind(), port.clone().unbind()));
                (name, port)
            }
        }
    }
}

/// Whether the values of a field are worth keeping. Not those that differ from request to request and from client to client, and none that
/// lets its bearer in: it is to be forgotten with its request.
fn is_repeated(name: FieldName) -> bool {
    !matches!(
        name,
        FieldName::Other
            | FieldName::Authorization
            | FieldName::ContentLength
            | FieldName::Cookie
            | FieldName::Forwarded
            | FieldName::IfMatch
            | FieldName::IfModifiedSince
            | FieldName::IfNoneMatch
            | FieldName::IfRange
            | FieldName::IfUnmodifiedSince
            | FieldName::Range
            | FieldName::Referer
            | FieldName::XForwardedFor
            | FieldName::XRealIp
            | FieldName::XRequestId
    )
}
