//! What a child process forked by an application has to do first: let go of the server's listeners and connections.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// Makes every `os.fork` of this process (and `multiprocessing`'s) let go of the server's descriptors in the child. Registered once.
///
/// # Errors
/// If Python is out of memory.
pub fn let_go_after_fork(py: Python<'_>) -> PyResult<()> {
    static REGISTERED: PyOnceLock<()> = PyOnceLock::new();
    REGISTERED
        .get_or_try_init(py, || {
            let hooks = PyDict::new(py);
            hooks.set_item(intern!(py, "after_in_child"), pyo3::wrap_pyfunction!(after_fork_in_child, py)?)?;
            py.import("os")?.call_method("register_at_fork", (), Some(&hooks))?;
            Ok(())
        })
        .copied()
}

#[pyfunction]
fn after_fork_in_child() {
    brickwork_server::after_fork_in_child();
}
