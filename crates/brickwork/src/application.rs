//! Finds the application in the user's code: imports the module, follows the attributes, calls the factory.
//!
//! A traceback is part of an error only when the user's own code raised; a wrong name is one sentence.

use brickwork_command::ApplicationName;
use pyo3::exceptions::{PyAttributeError, PyKeyboardInterrupt, PyModuleNotFoundError};
use pyo3::prelude::*;
use pyo3::types::{PyFunction, PyModule, PyTraceback, PyTuple, PyType};

/// Why there is no application.
#[derive(Debug)]
pub(crate) struct LoadError {
    /// One sentence.
    pub(crate) message: String,
    /// Where the user's code raised; empty if it did not.
    pub(crate) traceback: String,
}

/// Loads the application. The current directory comes first on `sys.path`.
pub(crate) fn load<'py>(py: Python<'py>, name: &ApplicationName) -> Result<Bound<'py, PyAny>, LoadError> {
    put_current_directory_first(py).map_err(|error| raised(py, "sys.path cannot be set", &error))?;
    let module = import(py, name)?;
    let found = match name.attributes.is_empty() {
        true => conventional(&module, name)?,
        false => follow(&module, name)?,
    };
    let application = if name.is_factory { make(&found, name)? } else { found };
    check_is_application(&application, name)?;
    Ok(application)
}

/// Names the directory that we were started in where `sys.path` has the empty name, which would follow the application to
/// wherever it goes. It is not there under `-P` and `-I`.
pub(crate) fn put_start_directory_on_path(py: Python<'_>) -> PyResult<()> {
    let path = py.import("sys")?.getattr("path")?;
    if path.len()? > 0 && path.get_item(0)?.eq("")? {
        path.set_item(0, py.import("os")?.call_method0("getcwd")?)?;
    }
    Ok(())
}

fn put_current_directory_first(py: Python<'_>) -> PyResult<()> {
    let directory = py.import("os")?.call_method0("getcwd")?;
    let path = py.import("sys")?.getattr("path")?;
    if path.len()? == 0 || !path.get_item(0)?.eq(&directory)? {
        path.call_method1("insert", (0, directory))?;
    }
    Ok(())
}

fn import<'py>(py: Python<'py>, name: &ApplicationName) -> Result<Bound<'py, PyModule>, LoadError> {
    py.import(name.module.as_str()).map_err(|error| {
        if error.is_instance_of::<PyModuleNotFoundError>(py) && own_frames(py, &error).is_none() {
            let missing = error.value(py).getattr("name").and_then(|name| name.extract::<String>()).unwrap_or_default();
            if name.module == missing || name.module.starts_with(&format!("{missing}.")) {
                let directory = std::env::current_dir().unwrap_or_default();
                let searched = directory.display();
                return one_line(format!("there is no module '{missing}' in {searched} or elsewhere on sys.path"));
            }
        }
        raised(py, &format!("importing '{}' failed", name.module), &error)
    })
}

/// The application of a bare module.
fn conventional<'py>(module: &Bound<'py, PyModule>, name: &ApplicationName) -> Result<Bound<'py, PyAny>, LoadError> {
    for attribute in ["application", "app"] {
        match module.getattr(attribute) {
            Ok(found) => return Ok(found),
            Err(error) if is_plain_miss(module.py(), &error) => {}
            Err(error) => return Err(raised(module.py(), &format!("reading {name}:{attribute} failed"), &error)),
        }
    }
    let callables = callables_text(module);
    Err(one_line(format!("module '{}' has neither 'application' nor 'app'{callables}", name.module)))
}

fn follow<'py>(module: &Bound<'py, PyModule>, name: &ApplicationName) -> Result<Bound<'py, PyAny>, LoadError> {
    let mut reached = module.as_any().clone();
    let mut path = format!("module '{}'", name.module);
    for attribute in &name.attributes {
        reached = match reached.getattr(attribute.as_str()) {
            Ok(next) => next,
            Err(error) if is_plain_miss(module.py(), &error) => {
                let callables = if reached.is(module) { callables_text(module) } else { String::new() };
                return Err(one_line(format!("{path} has no attribute '{attribute}'{callables}")));
            }
            Err(error) => return Err(raised(module.py(), &format!("reading '{attribute}' of {path} failed"), &error)),
        };
        path = format!("'{attribute}' of {path}");
    }
    Ok(reached)
}

fn make<'py>(factory: &Bound<'py, PyAny>, name: &ApplicationName) -> Result<Bound<'py, PyAny>, LoadError> {
    if !factory.is_callable() {
        return Err(one_line(format!("{name} cannot be called: it is {}", type_text(factory))));
    }
    factory.call0().map_err(|error| {
        if own_frames(factory.py(), &error).is_none() && accepts(factory, 0) == Some(false) {
            return one_line(format!("{name} cannot be called without arguments"));
        }
        raised(factory.py(), &format!("calling {name} failed"), &error)
    })
}

/// PEP 3333 asks for a callable with two positional arguments. Whatever cannot say what it takes is believed.
fn check_is_application(found: &Bound<'_, PyAny>, name: &ApplicationName) -> Result<(), LoadError> {
    if !found.is_callable() {
        let what = if name.is_factory { "returned" } else { "is" };
        return Err(one_line(format!(
            "{name} {what} {}, which is not callable and so no application",
            type_text(found)
        )));
    }
    if is_coroutine_function(found) {
        return Err(one_line(format!(
            "{name} is an ASGI application (its call is a coroutine); brickwork serves WSGI"
        )));
    }
    if accepts(found, 2) != Some(false) {
        return Ok(());
    }
    Err(one_line(if accepts(found, 0) == Some(true) && !name.is_factory && !name.attributes.is_empty() {
        format!("{name} takes no arguments: if it makes the application, say {name}()")
    } else if accepts(found, 3) == Some(true) {
        format!(
            "{name} takes three arguments, as ASGI applications do; brickwork serves WSGI: (environ, start_response)"
        )
    } else {
        format!("{name} cannot be called with (environ, start_response)")
    }))
}

/// Whether a callable can be called with so many positional arguments, if it can be told.
fn accepts(callable: &Bound<'_, PyAny>, count: usize) -> Option<bool> {
    if let Some(function) = PlainFunction::behind(callable) {
        return function.accepts(count).ok();
    }
    let inspect = callable.py().import("inspect").ok()?;
    let signature = inspect.call_method1("signature", (callable,)).ok()?;
    let arguments = PyTuple::new(callable.py(), vec![0; count]).ok()?;
    Some(signature.call_method1("bind", arguments).is_ok())
}

fn is_coroutine_function(callable: &Bound<'_, PyAny>) -> bool {
    if let Some(function) = PlainFunction::behind(callable) {
        return function.is_coroutine().unwrap_or(false);
    }
    let is_one = |callable: &Bound<'_, PyAny>| -> PyResult<bool> {
        callable.py().import("inspect")?.call_method1("iscoroutinefunction", (callable,))?.is_truthy()
    };
    let of_type = || callable.get_type().getattr("__call__").and_then(|call| is_one(&call));
    is_one(callable).unwrap_or(false) || of_type().unwrap_or(false)
}

/// What most callables come down to. Its code says what `inspect` would, which is a megabyte and a half of modules in
/// every worker.
struct PlainFunction<'py> {
    function: Bound<'py, PyFunction>,
    /// Arguments that are passed on top of the caller's: `self`.
    bound: usize,
}

impl<'py> PlainFunction<'py> {
    /// The function itself, or the `__call__` of an object's class. None for anything else, and for a function with
    /// attributes: `__wrapped__`, `__signature__` or a marker may change what it takes.
    fn behind(callable: &Bound<'py, PyAny>) -> Option<PlainFunction<'py>> {
        let (function, bound) = match callable.cast_exact::<PyFunction>() {
            Ok(function) => (function.clone(), 0),
            Err(_) if callable.is_instance_of::<PyType>() => return None,
            Err(_) => {
                let of_class = callable.get_type().getattr("__call__").ok()?.cast_into_exact::<PyFunction>().ok()?;
                let call = callable.getattr("__call__").ok()?;
                let is_static = call.is(&of_class);
                let is_method = call.getattr("__func__").is_ok_and(|function| function.is(&of_class));
                // Neither: the object has another, which a call of it does not use.
                (is_static || is_method).then_some((of_class, usize::from(is_method)))?
            }
        };
        let has_attributes = function.getattr("__dict__").and_then(|attributes| attributes.is_truthy());
        (!has_attributes.ok()?).then_some(PlainFunction { function, bound })
    }

    fn accepts(&self, count: usize) -> PyResult<bool> {
        const CO_VARARGS: u32 = 0x04;
        let code = self.function.getattr("__code__")?;
        let number = |name: &str| code.getattr(name)?.extract::<usize>();
        let defaults = |name: &str| match self.function.getattr(name)? {
            none if none.is_none() => Ok(0),
            defaults => defaults.len(),
        };
        let (given, positional) = (count + self.bound, number("co_argcount")?);
        let is_variadic = self.flags()? & CO_VARARGS != 0;
        Ok(given + defaults("__defaults__")? >= positional
            && (given <= positional || is_variadic)
            && defaults("__kwdefaults__")? >= number("co_kwonlyargcount")?)
    }

    fn is_coroutine(&self) -> PyResult<bool> {
        const CO_COROUTINE: u32 = 0x80;
        Ok(self.flags()? & CO_COROUTINE != 0)
    }

    fn flags(&self) -> PyResult<u32> {
        self.function.getattr("__code__")?.getattr("co_flags")?.extract()
    }
}

/// The names in a module that could have been meant: its own functions and classes, and callable objects that it made.
fn callables_text(module: &Bound<'_, PyModule>) -> String {
    let own_name = module.name().map(|name| name.to_string()).unwrap_or_default();
    let names = module.dict().iter().filter_map(|(key, value)| {
        let name = key.extract::<String>().ok().filter(|name| !name.starts_with('_'))?;
        if !value.is_callable() {
            return None;
        }
        let is_definition = value.is_instance_of::<PyType>() || value.hasattr("__qualname__").unwrap_or(false);
        let home = value.getattr("__module__").and_then(|home| home.extract::<String>()).unwrap_or_default();
        (!is_definition || home == own_name).then_some(name)
    });
    let names: Vec<String> = names.take(8).collect();
    if names.is_empty() {
        "; nothing in it is callable".into()
    } else {
        format!("; callable are: {}", names.join(", "))
    }
}

fn type_text(object: &Bound<'_, PyAny>) -> String {
    if object.is_none() {
        return "None".into();
    }
    let name = object.get_type().name().map(|name| name.to_string()).unwrap_or_default();
    format!("{} {name}", if name.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) { "an" } else { "a" })
}

/// Whether this is the AttributeError of an attribute that is not there, and not one out of the user's code.
fn is_plain_miss(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyAttributeError>(py) && own_frames(py, error).is_none()
}

fn one_line(message: String) -> LoadError {
    LoadError { message, traceback: String::new() }
}

fn raised(py: Python<'_>, message: &str, error: &PyErr) -> LoadError {
    if error.is_instance_of::<PyKeyboardInterrupt>(py) {
        return one_line(format!("{message}: interrupted"));
    }
    let formatted = || -> PyResult<String> {
        let traceback = py.import("traceback")?;
        let arguments = (error.get_type(py), error.value(py), own_frames(py, error));
        let lines: Vec<String> = traceback.call_method1("format_exception", arguments)?.extract()?;
        Ok(lines.concat())
    };
    let traceback = formatted().unwrap_or_else(|_| error.to_string());
    let told = error.to_string();
    LoadError { message: format!("{message}: {}", told.lines().next().unwrap_or_default()), traceback }
}

/// The traceback without the import machinery's frames at its start; None if nothing else is in it.
fn own_frames<'py>(py: Python<'py>, error: &PyErr) -> Option<Bound<'py, PyAny>> {
    let mut traceback: Option<Bound<'py, PyTraceback>> = error.traceback(py);
    while let Some(frame) = &traceback {
        if !is_import_machinery(frame).unwrap_or(false) {
            break;
        }
        let next = frame.getattr("tb_next").ok()?;
        traceback = next.cast_into::<PyTraceback>().ok();
    }
    traceback.map(Bound::into_any)
}

fn is_import_machinery(frame: &Bound<'_, PyTraceback>) -> PyResult<bool> {
    let code = frame.getattr("tb_frame")?.getattr("f_code")?;
    Ok(code.getattr("co_filename")?.extract::<String>()?.starts_with("<frozen importlib"))
}

#[cfg(test)]
mod tests;
