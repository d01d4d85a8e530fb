//! A broken rule on its way to Python.

use brickwork_server::http::Rule;
use pyo3::prelude::*;

pyo3::create_exception!(
    _brickwork,
    RuleBroken,
    pyo3::exceptions::PyException,
    "A rule was broken; the arguments are its code, section, title, help, status code, and the offset in bytes."
);

pub(super) fn rule_broken(rule: Rule, at: u64) -> PyErr {
    RuleBroken::new_err((rule.code(), rule.section(), rule.title(), rule.help(), rule.status(), at))
}
