//! What the supervisor has to know of the interpreter that this process runs in, before it takes the process over.

use std::ffi::OsString;
use std::path::PathBuf;

use brickwork_command::{Config, InterpreterCommand};
use pyo3::prelude::*;

/// The supervisor's program, beside the extension module.
const SUPERVISOR: &str = "brickwork-supervisor";

/// Becomes the supervisor of a server that is to serve as `config`, which was made of `arguments`, says. Returns only if
/// that fails, the exit status.
pub(crate) fn supervise(module: &Bound<'_, PyModule>, config: &Config, arguments: Vec<OsString>) -> PyResult<u8> {
    let interpreter = here(module.py())?;
    let extension: PathBuf = module.filename()?.extract()?;
    Ok(brickwork_command::supervise(&extension.with_file_name(SUPERVISOR), interpreter, config, arguments))
}

fn here(py: Python<'_>) -> PyResult<InterpreterCommand> {
    let sys = py.import("sys")?;
    let program = sys.getattr("executable")?.extract()?;
    let command_line: Vec<OsString> = sys.getattr("orig_argv")?.extract()?;
    Ok(InterpreterCommand::new(name(py)?, program, &command_line))
}

fn name(py: Python<'_>) -> PyResult<String> {
    // As `platform` says it, which would import a megabyte of modules.
    let sys = py.import("sys")?;
    let name: String = sys.getattr("implementation")?.getattr("name")?.extract()?;
    let version: String = sys.getattr("version")?.extract()?;
    let name = if name == "cpython" { "CPython" } else { &name };
    Ok(format!("{name} {}", version.split(' ').next().unwrap_or_default().trim_end_matches('+')))
}
