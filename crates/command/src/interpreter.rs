//! The interpreter that workers run in, as the supervisor knows it, which has none itself.

use std::ffi::OsString;

/// An interpreter, and how it was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterpreterCommand {
    /// Such as "CPython 3.11.7", for the log.
    pub name: String,
    /// `sys.executable`.
    pub program: OsString,
    /// Its own flags, such as `-X dev`.
    pub flags: Vec<OsString>,
}

impl InterpreterCommand {
    /// `program`, started with this command line (`sys.orig_argv`).
    #[must_use]
    pub fn new(name: String, program: OsString, command_line: &[OsString]) -> InterpreterCommand {
        InterpreterCommand { name, program, flags: flags(command_line) }
    }
}

/// The interpreter's own flags (-X, -W, -E, -I and so on) of a command line: what stands between it and the program.
fn flags(command_line: &[OsString]) -> Vec<OsString> {
    let mut flags = Vec::new();
    let mut words = command_line.iter().skip(1);
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        // `-m` and `-c` name the program, perhaps behind other flags; `-X`, `-W` and one long flag take a value, perhaps in the next word.
        let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) else { break };
        if letters.starts_with('-') {
            flags.push(word.clone());
            flags.extend((letters == "-check-hash-based-pycs").then(|| words.next().cloned()).flatten());
            continue;
        }
        match letters.find(['m', 'c', 'X', 'W']) {
            None => flags.push(word.clone()),
            Some(at) if letters[at..].starts_with(['m', 'c']) => {
                flags.extend((at > 0).then(|| OsString::from(format!("-{}", &letters[..at]))));
                break;
            }
            Some(at) => {
                flags.push(word.clone());
                flags.extend((at + 1 == letters.len()).then(|| words.next().cloned()).flatten());
            }
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn workers_get_the_flags_of_the_interpreter() {
        let table = [
            ("python -m brickwork app", ""),
            ("python -B -m brickwork -X", "-B"),
            ("python -Bm brickwork app", "-B"),
            ("python -X dev -W error -OO -m brickwork app", "-X dev -W error -OO"),
            (
                "python -Xdev -bbWerror --check-hash-based-pycs always -I bin/brickwork -B",
                "-Xdev -bbWerror --check-hash-based-pycs always -I",
            ),
            ("python -c code -B", ""),
            ("python - -B", ""),
            ("python -W", "-W"),
            ("python", ""),
            ("", ""),
        ];
        for (command_line, flags) in table {
            assert_eq!(super::flags(&words(command_line)), words(flags), "{command_line}");
        }
    }
}
