//! The least that a server of one thread can do: `serve_fixed(port)` answers every request with the same bytes,
//! `serve(app, port)` makes the least possible WSGI call. They show what is left when everything that makes a server is
//! taken away.
//!
//! No server to be used: no limits, no deadlines, hardly a check, nothing for an application that blocks.

mod event_loop;
mod wsgi;

use pyo3::prelude::*;

const FIXED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\
Date: Fri, 20 Nov 2026 19:54:03 GMT\r\nServer: limit\r\n\r\nHello, World!";

const FIXED_LAST: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nConnection: close\r\n\
Date: Fri, 20 Nov 2026 19:54:03 GMT\r\nServer: limit\r\n\r\nHello, World!";

/// Answers every request with hello, for ever, without the interpreter lock.
#[pyfunction]
fn serve_fixed(py: Python<'_>, port: u16) -> PyResult<()> {
    py.detach(|| {
        event_loop::run(port, |request, output| {
            output.extend_from_slice(if request.closes { FIXED_LAST } else { FIXED });
        })
    })?;
    Ok(())
}

/// Calls `app` for every request, for ever. The interpreter lock is kept, also while waiting: nobody else is there to
/// take it.
#[pyfunction]
fn serve(app: Bound<'_, PyAny>, port: u16) -> PyResult<()> {
    let gateway = wsgi::Gateway::new(app, port)?;
    event_loop::run(port, |request, output| gateway.answer(request, output))?;
    Ok(())
}

#[pymodule]
fn limit(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(serve_fixed, module)?)?;
    module.add_function(wrap_pyfunction!(serve, module)?)
}
