//! What is printed, and the exit status.

use super::*;

fn run_on(path: &str, format: Format) -> (String, u8) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../http/fixtures").join(path);
    let mut out = Vec::new();
    let status = run(&CheckRequest { path, format, limits: Limits::default() }, &mut out);
    (String::from_utf8(out).unwrap(), status)
}

#[test]
fn an_accepted_request_is_taken_apart() {
    let bytes = b"POST /a%20b?q HTTP/1.1\r\nHost: a\r\nA: x\r\na: y\r\nContent-Length: 2\r\n\r\nhi";
    let (text, is_refused) = one(bytes, "it", Format::Text, &Limits::default());
    assert!(!is_refused);
    for line in [
        "accepted: it request #1, 68 bytes",
        "       0  request-line     method             'POST'",
        "       5  origin-form      absolute-path      '/a%20b'",
        "      39  field-line       field-name         'a'",
        "      40                   \":\"                ':'",
        "  framing: RFC 9112 section 6.3 step 6: a valid Content-Length is present without Transfer-Encoding",
        "  content: 2 bytes",
        "  connection: may carry another request",
        "    HTTP_A                    'x, y'",
        "    PATH_INFO                 '/a b'",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n---\n{text}");
    }
    let (json, _) = one(bytes, "it", Format::Json, &Limits::default());
    assert!(
        json.starts_with("{\"source\":\"it\",\"accepted\":[{\"offset\":0,\"length\":68,\"parts\":[{\"start\":0,"),
        "{json}"
    );
    assert!(json.contains("\"framing\":{\"step\":6,"), "{json}");
}

#[test]
fn a_refused_request_is_reported_behind_the_accepted_ones() {
    let good = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let bytes = format!("{good}GET / HTTP/1.1\r\nHost: x\r\nContent Length: 5\r\n\r\n");
    let (text, is_refused) = one(bytes.as_bytes(), "it", Format::Text, &Limits::default());
    assert!(is_refused && text.starts_with("accepted: it request #1"));
    let report = "\
error[BW0107]: field-name contains a space
 --> it request #2, line 3, byte 8
  |
3 | Content Length: 5\\r\\n
  |        ^ not a tchar
  = rule: RFC 9110 section 5.1: field-name = token
  = help: ";
    assert!(text.contains(report), "{text}");
}

#[test]
fn the_exit_status_says_whether_all_was_accepted() {
    let rows = [
        ("accept", ALL_ACCEPTED),
        ("accept/minimal.http", ALL_ACCEPTED),
        ("reject", ANY_REFUSED),
        ("reject/BW0107-space-in-field-name.http", ANY_REFUSED),
        ("", ANY_REFUSED),
        ("nowhere", WRONG_USAGE),
    ];
    for (path, status) in rows {
        for format in [Format::Text, Format::Json] {
            assert_eq!(run_on(path, format).1, status, "{path}");
        }
    }
}

#[test]
fn a_folder_is_a_table_with_the_rule_of_each_refused_file() {
    let (text, _) = run_on("reject", Format::Text);
    for line in text.lines().filter(|line| line.starts_with("refused")) {
        let mut words = line.split_whitespace().skip(1);
        let (file, code) = (words.next().unwrap(), words.next().unwrap());
        assert!(file.starts_with(code), "{line}");
    }
    let (text, _) = run_on("accept", Format::Text);
    assert!(text.lines().last().unwrap().ends_with(" accepted, 0 refused"), "{text}");
}

#[test]
fn bytes_without_a_request_are_not_accepted() {
    for bytes in [b"".as_slice(), b"\r\n"] {
        let (text, is_refused) = one(bytes, "it", Format::Text, &Limits::default());
        assert!(is_refused);
        assert_eq!(text, "error: it: no request in these bytes\n");
    }
}

#[test]
fn the_limits_are_those_that_are_given() {
    let bytes = b"GET /0123456789 HTTP/1.1\r\nHost: a\r\n\r\n";
    for (request_line, is_refused) in [(24, false), (23, true)] {
        let limits = Limits { request_line, ..Limits::default() };
        assert_eq!(one(bytes, "it", Format::Text, &limits).1, is_refused, "{request_line}");
    }
}
