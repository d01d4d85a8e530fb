//! Tells the compiler which CPython this is, and where its library is found by the tests.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
    pyo3_build_config::add_libpython_rpath_link_args();
}
