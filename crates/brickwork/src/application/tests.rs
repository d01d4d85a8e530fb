//! Modules written to a temporary directory, imported into an interpreter of the test's own. Every row has a module of
//! its own name, because an interpreter imports a name once.

use std::path::PathBuf;
use std::{fs, process};

use super::*;

/// Makes `name`.py of `source` and loads `target` of it: `name` or `name:...`.
fn load_from(name: &str, source: &str, target: &str) -> Result<String, LoadError> {
    let directory: PathBuf = std::env::temp_dir().join(format!("brickwork-application-{}-{name}", process::id()));
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(format!("{name}.py")), source).unwrap();
    Python::initialize();
    let result = Python::attach(|py| {
        let path = py.import("sys").unwrap().getattr("path").unwrap();
        path.call_method1("insert", (0, directory.to_str().unwrap())).unwrap();
        let loaded = load(py, &target.parse().unwrap());
        loaded.map(|application| application.call1((py.None(), py.None())).unwrap().to_string())
    });
    fs::remove_dir_all(&directory).unwrap();
    result
}

#[test]
fn finds_every_form() {
    let rows = [
        ("form_a", "def application(e, s): return 'application'\ndef app(e, s): return 'app'", "form_a", "application"),
        ("form_b", "def app(e, s): return 'app'", "form_b", "app"),
        ("form_c", "def other(e, s): return 'other'", "form_c:other", "other"),
        ("form_d", "class Site:\n  def wsgi(self, e, s): return 'bound'\nsite = Site()", "form_d:site.wsgi", "bound"),
        ("form_e", "def make(x=1): return lambda e, s: 'made'", "form_e:make()", "made"),
        ("form_f", "class App:\n  def __call__(self, e, s): return 'object'\napp = App()", "form_f:app", "object"),
        (
            "form_g",
            "class App:\n  def __init__(self, e, s): pass\n  def __str__(self): return 'class'",
            "form_g:App",
            "class",
        ),
        ("form_h", "def app(*args): return 'star'", "form_h:app", "star"),
        ("form_j", "def app(e, s, x=1, *, y=2): return 'defaults'", "form_j:app", "defaults"),
        (
            "form_k",
            "class App:\n  @staticmethod\n  def __call__(e, s): return 'static'\napp = App()",
            "form_k:app",
            "static",
        ),
        (
            "form_l",
            "import functools\ndef inner(e, s): return 'wrapped'\n\
             @functools.wraps(inner)\ndef app(*a): return inner(*a)",
            "form_l:app",
            "wrapped",
        ),
        ("form_i", "def __getattr__(name): return lambda e, s: name", "form_i:lazy", "lazy"),
    ];
    for (name, source, target, answer) in rows {
        assert_eq!(load_from(name, source, target).unwrap(), answer, "{target}");
    }
}

#[test]
fn a_wrong_name_is_one_sentence_without_a_traceback() {
    let rows = [
        ("miss_a", "", "no_such_module:app", "there is no module 'no_such_module'"),
        ("miss_b", "", "no_such_package.wsgi:app", "there is no module 'no_such_package'"),
        ("miss_c", "", "miss_c.wsgi:app", "there is no module 'miss_c.wsgi'"),
        (
            "miss_d",
            "from os import getcwd\nfrom json import JSONEncoder\ndef wsgi(e, s): pass\n_x = wsgi\nn = 1",
            "miss_d:app",
            "module 'miss_d' has no attribute 'app'; callable are: wsgi",
        ),
        ("miss_e", "n = 1", "miss_e", "has neither 'application' nor 'app'; nothing in it is callable"),
        ("miss_f", "class A: pass\na = A()", "miss_f:a.b", "'a' of module 'miss_f' has no attribute 'b'"),
        ("miss_g", "app = {}", "miss_g:app", "miss_g:app is a dict, which is not callable"),
        ("miss_h", "def make(): pass", "miss_h:make()", "miss_h:make() returned None, which is not callable"),
        ("miss_i", "def make(): pass", "miss_i:make", "if it makes the application, say miss_i:make()"),
        ("miss_j", "def make(a, b): pass", "miss_j:make()", "cannot be called without arguments"),
        ("miss_k", "async def app(scope, receive, send): pass", "miss_k:app", "brickwork serves WSGI"),
        (
            "miss_l",
            "class A:\n  async def __call__(self, scope, receive, send): pass\napp = A()",
            "miss_l:app",
            "brickwork serves WSGI",
        ),
        ("miss_m", "def app(a, b, c): pass", "miss_m:app", "takes three arguments"),
        ("miss_o", "def app(a): pass", "miss_o:app", "miss_o:app cannot be called with (environ, start_response)"),
        ("miss_p", "def app(a, b, *, c): pass", "miss_p:app", "cannot be called with (environ, start_response)"),
        ("miss_q", "class A:\n  def __call__(self, a): pass\na = A()", "miss_q:a", "cannot be called with (environ"),
        (
            "miss_r",
            "import functools\nasync def inner(a, b): pass\n@functools.wraps(inner)\nasync def app(*a): pass",
            "miss_r:app",
            "brickwork serves WSGI",
        ),
        ("miss_n", "make = 1", "miss_n:make()", "miss_n:make() cannot be called: it is an int"),
    ];
    for (name, source, target, fragment) in rows {
        let error = load_from(name, source, target).unwrap_err();
        assert!(error.message.contains(fragment), "{target}: {}", error.message);
        assert_eq!(error.traceback, "", "{target}");
    }
}

#[test]
fn what_the_users_code_raises_comes_with_its_traceback_only() {
    let rows = [
        ("raise_a", "import no_such_thing", "raise_a:app", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("raise_b", "def f(): 1/0\nf()", "raise_b:app", "ZeroDivisionError: division by zero"),
        ("raise_c", "def f(:\n", "raise_c:app", "SyntaxError"),
        ("raise_d", "def make(): raise ValueError('why')", "raise_d:make()", "ValueError: why"),
        ("raise_e", "import sys\nsys.exit(3)", "raise_e:app", "SystemExit: 3"),
        ("raise_f", "def __getattr__(name): raise RuntimeError(name)", "raise_f:app", "RuntimeError: app"),
        ("raise_g", "def make(): return make(1)", "raise_g:make()", "TypeError"),
    ];
    for (name, source, target, last_line) in rows {
        let error = load_from(name, source, target).unwrap_err();
        assert!(error.traceback.contains(last_line), "{target}: {}", error.traceback);
        assert!(error.traceback.contains(&format!("{name}.py")), "{target}: {}", error.traceback);
        assert!(!error.traceback.contains("importlib"), "{target}: {}", error.traceback);
        assert!(!error.message.contains('\n'), "{target}: {}", error.message);
    }
}
