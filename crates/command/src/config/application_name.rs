//! How an application is named: `module:callable`, `module:object.attribute`, `module:factory()`, or just `module`.

use std::fmt;
use std::str::FromStr;

/// Where to find an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationName {
    /// The dotted name of the module.
    pub module: String,
    /// The attributes to follow from the module; none means `application`, else `app`.
    pub attributes: Vec<String>,
    /// Whether what is found there makes the application when it is called.
    pub is_factory: bool,
}

impl FromStr for ApplicationName {
    type Err = String;

    fn from_str(text: &str) -> Result<ApplicationName, String> {
        let (module, rest) = match text.split_once(':') {
            Some((module, rest)) => (module, Some(rest)),
            None => (text, None),
        };
        if module.contains('/') || module.ends_with(".py") {
            let stem = module.trim_end_matches(".py").trim_start_matches("./").replace('/', ".");
            let name = rest.unwrap_or("application");
            return Err(format!("'{module}' is the name of a file; a module is meant: {stem}:{name}"));
        }
        if !module.split('.').all(is_identifier) {
            return Err(format!("'{module}' is not the name of a module. {SYNTAX}"));
        }
        let Some(rest) = rest else {
            return Ok(ApplicationName { module: module.into(), attributes: Vec::new(), is_factory: false });
        };
        let (chain, is_factory) = match rest.strip_suffix("()") {
            Some(chain) => (chain, true),
            None => (rest, false),
        };
        if chain.ends_with(')') {
            return Err(format!("'{rest}': a factory is called without arguments, as in module:factory()"));
        }
        if !chain.split('.').all(is_identifier) {
            return Err(format!("'{chain}' is not the name of a callable. {SYNTAX}"));
        }
        let attributes = chain.split('.').map(String::from).collect();
        Ok(ApplicationName { module: module.into(), attributes, is_factory })
    }
}

const SYNTAX: &str = "An application is module:callable, module:object.attribute, module:factory(), or a module";

impl fmt::Display for ApplicationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.module)?;
        if !self.attributes.is_empty() {
            write!(f, ":{}{}", self.attributes.join("."), if self.is_factory { "()" } else { "" })?;
        }
        Ok(())
    }
}

/// Close to Python's rule; what slips through is an attribute that nobody has.
fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && characters.all(|character| character == '_' || character.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        let rows: [(&str, &str, &[&str], bool); 6] = [
            ("app", "app", &[], false),
            ("site.wsgi", "site.wsgi", &[], false),
            ("app:application", "app", &["application"], false),
            ("app:site.wsgi_app", "app", &["site", "wsgi_app"], false),
            ("app:create_app()", "app", &["create_app"], true),
            ("größe:größe", "größe", &["größe"], false),
        ];
        for (text, module, attributes, is_factory) in rows {
            let name: ApplicationName = text.parse().unwrap();
            assert_eq!(name.module, module, "{text}");
            assert_eq!(name.attributes, attributes, "{text}");
            assert_eq!(name.is_factory, is_factory, "{text}");
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let rows = [
            ("", "not the name of a module"),
            (":app", "not the name of a module"),
            ("app:", "not the name of a callable"),
            ("my-app:app", "not the name of a module"),
            ("app..b:app", "not the name of a module"),
            ("app:a b", "not the name of a callable"),
            ("app:1", "not the name of a callable"),
            ("app:()", "not the name of a callable"),
            ("app:a:b", "not the name of a callable"),
            ("app:create(1)", "without arguments"),
            ("app.py", "a module is meant: app:application"),
            ("./site/app.py:wsgi", "a module is meant: site.app:wsgi"),
        ];
        for (text, fragment) in rows {
            let message = text.parse::<ApplicationName>().unwrap_err();
            assert!(message.contains(fragment), "{text:?}: {message}");
        }
    }
}
