//! The table of smuggling attempts.

/// A row of `fixtures/smuggling.txt`, which says what its columns are.
pub(crate) struct Attempt {
    pub(crate) name: String,
    pub(crate) seen: Vec<String>,
    pub(crate) refused_by: Option<&'static str>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn attempts() -> Vec<Attempt> {
    let table = include_str!("../../fixtures/smuggling.txt");
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(attempt).collect()
}

fn attempt(line: &str) -> Attempt {
    let columns: Vec<&str> = line.splitn(5, " | ").collect();
    let [family, what, seen, refused_by, bytes] = columns[..] else { panic!("five columns: {line}") };
    let rule = || brickwork_http::Rule::from_code(refused_by).expect(line).code();
    Attempt {
        name: format!("{family}: {what}"),
        seen: seen.split(' ').filter(|&target| target != "-").map(String::from).collect(),
        refused_by: (refused_by != "ok").then(rule),
        bytes: unescaped(bytes),
    }
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, if byte == b'\\' { rest.next() } else { None }) {
            (b'\\', Some(b'r')) => b'\r',
            (b'\\', Some(b'n')) => b'\n',
            (b'\\', Some(b't')) => b'\t',
            (b'\\', Some(b'\\')) => b'\\',
            (b'\\', Some(b'x')) => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                u8::from_str_radix(str::from_utf8(&digits).expect("ASCII"), 16).expect("two digits")
            }
            (b'\\', other) => panic!("an escape of {other:?} in {text}"),
            (plain, _) => plain,
        });
    }
    bytes
}
