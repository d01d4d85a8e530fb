//! `brickwork check-request`: reads raw bytes as the server would read them from a connection, and says what it makes of them.
//! Serves nothing, and needs no Python.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use brickwork_command::{CheckRequest, Format};
use brickwork_server::http::h1::Persistence;
use brickwork_server::http::{Annotation, Limits, annotate};

use crate::report::Report;

mod environ;
mod json;
mod text;

/// Exit statuses.
const ALL_ACCEPTED: u8 = 0;
const ANY_REFUSED: u8 = 1;
const WRONG_USAGE: u8 = 2;

/// Checks, writes to `out`, and returns the exit status.
pub(crate) fn run(check: &CheckRequest, out: &mut impl Write) -> u8 {
    let CheckRequest { path, format, limits } = check;
    let checked = match (path.to_str(), path.is_dir()) {
        (Some("-"), _) => standard_input().map(|bytes| one(&bytes, "standard input", *format, limits)),
        (_, true) => folder(path, *format, limits),
        _ => std::fs::read(path).map(|bytes| one(&bytes, &path.display().to_string(), *format, limits)),
    };
    match checked {
        Ok((text, is_refused)) => {
            // A stream that nobody reads is no reason to fail.
            let _ = out.write_all(text.as_bytes());
            if is_refused { ANY_REFUSED } else { ALL_ACCEPTED }
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}: {error}", path.display());
            WRONG_USAGE
        }
    }
}

fn standard_input() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What was made of the bytes of one connection.
pub(crate) struct Checked<'a> {
    source: &'a str,
    /// Each message with its bytes.
    accepted: Vec<(&'a [u8], Annotation)>,
    pub(crate) refused: Option<Report<'a>>,
    /// Bytes behind the last request of the connection: nothing is made of them.
    unread: usize,
}

/// Reads the bytes of a connection.
pub(crate) fn check<'a>(bytes: &'a [u8], source: &'a str, limits: &Limits) -> Checked<'a> {
    let mut checked = Checked { source, accepted: Vec::new(), refused: None, unread: 0 };
    let mut rest = bytes;
    loop {
        match annotate(rest, "http", limits) {
            Ok(None) => return checked,
            Ok(Some(annotation)) => {
                let (message, behind) = rest.split_at(annotation.len as usize);
                let is_last = annotation.head.persistence == Persistence::Close;
                checked.accepted.push((message, annotation));
                rest = behind;
                if is_last {
                    checked.unread = rest.len();
                    return checked;
                }
            }
            Err(refused) => {
                checked.refused = Some(Report {
                    bytes: rest.get(refused.piece_start as usize..).unwrap_or(&[]),
                    piece: refused.piece,
                    rejection: refused.rejection,
                    source: source.into(),
                    request_number: checked.accepted.len() as u32 + 1,
                });
                return checked;
            }
        }
    }
}

impl Checked<'_> {
    /// Whether anything is wrong; bytes that hold no request at all are.
    fn is_refused(&self) -> bool {
        self.refused.is_some() || self.accepted.is_empty()
    }
}

fn one(bytes: &[u8], source: &str, format: Format, limits: &Limits) -> (String, bool) {
    let checked = check(bytes, source, limits);
    let text = match format {
        Format::Text => text::in_full(&checked),
        Format::Json => json::connection(&checked) + "\n",
    };
    (text, checked.is_refused())
}

/// Every file of a folder and its folders, one line each.
fn folder(path: &Path, format: Format, limits: &Limits) -> io::Result<(String, bool)> {
    let mut files = Vec::new();
    collect(path, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no file in this folder"));
    }
    let names: Vec<String> =
        files.iter().map(|file| file.strip_prefix(path).unwrap_or(file).display().to_string()).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let (mut text, mut refused) = (String::new(), 0);
    for (file, name) in files.iter().zip(&names) {
        let bytes = std::fs::read(file)?;
        let checked = check(&bytes, name, limits);
        refused += usize::from(checked.is_refused());
        match format {
            Format::Text => text::in_a_line(&checked, width, &mut text),
            Format::Json => text.push_str(&(json::connection(&checked) + "\n")),
        }
    }
    if format == Format::Text {
        let _ = writeln!(text, "{} accepted, {refused} refused", files.len() - refused);
    }
    Ok((text, refused > 0))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
