//! Settings of processes that need more than a number: how many workers, variables, a umask, a path.

use std::str::FromStr;

/// How many workers to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerCount {
    /// So many.
    Fixed(usize),
    /// What processors and memory allow.
    Auto,
}

impl FromStr for WorkerCount {
    type Err = String;

    fn from_str(text: &str) -> Result<WorkerCount, String> {
        match text.parse::<usize>() {
            _ if text == "auto" => Ok(WorkerCount::Auto),
            Ok(count @ 1..=MOST_WORKERS) => Ok(WorkerCount::Fixed(count)),
            _ => Err(format!("a number from 1 to {MOST_WORKERS}, or auto")),
        }
    }
}

const MOST_WORKERS: usize = 1024;

/// `NAME=value`
pub(super) fn parse_variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("a variable is NAME=value".into()),
    }
}

/// An octal number, as for umask(1).
pub(super) fn parse_umask(text: &str) -> Result<u32, String> {
    let mask = u32::from_str_radix(text.trim_start_matches("0o"), 8).ok().filter(|&mask| mask <= 0o777);
    mask.ok_or_else(|| "a umask is an octal number such as 027".into())
}

/// The path of health checks: absolute, without a query, without a slash at its end.
pub(super) fn parse_health_path(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte));
    if text.len() < 2 || !text.starts_with('/') || text.ends_with('/') || !is_plain {
        return Err("a path such as /healthz".into());
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_flags_take() {
        assert_eq!("auto".parse(), Ok(WorkerCount::Auto));
        assert_eq!("4".parse(), Ok(WorkerCount::Fixed(4)));
        for text in ["0", "-1", "x", "1025", ""] {
            assert!(text.parse::<WorkerCount>().is_err(), "{text}");
        }
        assert_eq!(parse_variable("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert!(parse_variable("A").is_err() && parse_variable("=b").is_err());
        assert_eq!(parse_umask("027"), Ok(0o27));
        assert!(parse_umask("888").is_err() && parse_umask("1777").is_err());
        assert_eq!(parse_health_path("/healthz"), Ok("/healthz".into()));
        for path in ["healthz", "/", "/a/", "/a?b", "/a b"] {
            assert!(parse_health_path(path).is_err(), "{path}");
        }
    }
}
