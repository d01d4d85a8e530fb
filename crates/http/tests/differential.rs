//! Beside httparse, a parser of the same purpose that others rely on: where the two disagree about a head, the reason is here.

mod connection;

use std::collections::BTreeSet;

use brickwork_http::h1::{HeadParser, Progress, RequestHead};
use brickwork_http::{Limits, Version};
use connection::{fixtures, made_up, smuggling};
use proptest::prelude::*;

/// httparse finds the parts of a head and leaves what they mean to its caller.
const MEANING: &str = "httparse does not look into what the fields or the request-target mean";
const TARGET: &str = "httparse passes on any bytes but controls, SP and DEL in a target";
const LIMIT: &str = "httparse leaves limits (but for the number of fields) to its caller";
const BARE_LF: &str = "httparse takes a bare LF for a line end, as RFC 9112 section 2.2 allows";

/// Every disagreement: our verdict, httparse's verdict, and why they differ.
#[rustfmt::skip]
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("BW0003", "accepts", BARE_LF),
    ("BW0004", "accepts", "httparse skips any number of line ends before a request-line"),
    ("BW0009", "accepts", TARGET),
    ("BW0010", "accepts", MEANING),
    ("BW0011", "accepts", MEANING),
    ("BW0012", "accepts", MEANING),
    ("BW0013", "accepts", MEANING),
    ("BW0014", "accepts", MEANING),
    ("BW0201", "accepts", MEANING),
    ("BW0202", "accepts", MEANING),
    ("BW0203", "accepts", MEANING),
    ("BW0301", "accepts", MEANING),
    ("BW0302", "accepts", MEANING),
    ("BW0303", "accepts", MEANING),
    ("BW0304", "accepts", MEANING),
    ("BW0305", "accepts", MEANING),
    ("BW0306", "accepts", MEANING),
    ("BW0307", "accepts", MEANING),
    ("BW0308", "accepts", MEANING),
    ("BW0309", "accepts", MEANING),
    ("BW0310", "accepts", MEANING),
    ("BW0501", "accepts", LIMIT),
    ("BW0502", "accepts", "the test gives httparse room for more fields than our limit"),
    ("BW0503", "accepts", LIMIT),
    ("BW0504", "accepts", LIMIT),
    ("BW0505", "accepts", LIMIT),
    ("BW0601", "accepts", MEANING),
    ("accepts", "Version", "httparse refuses HTTP/1.2 to 1.9; RFC 9110 section 6.2 has them read as HTTP/1.1"),
];

/// A verdict on a head, in a word: `accepts`, `waits`, or what is broken.
fn our_verdict(bytes: &[u8], head: &mut RequestHead) -> &'static str {
    match HeadParser::new().parse(bytes, &Limits::default(), head) {
        Ok(Progress::Complete) => "accepts",
        Ok(Progress::Partial) => "waits",
        Err(rejection) => rejection.rule.code(),
    }
}

fn their_verdict(result: Result<httparse::Status<usize>, httparse::Error>) -> &'static str {
    match result {
        Ok(httparse::Status::Complete(_)) => "accepts",
        Ok(httparse::Status::Partial) => "waits",
        Err(httparse::Error::HeaderName) => "HeaderName",
        Err(httparse::Error::HeaderValue) => "HeaderValue",
        Err(httparse::Error::NewLine) => "NewLine",
        Err(httparse::Error::Status) => "Status",
        Err(httparse::Error::Token) => "Token",
        Err(httparse::Error::TooManyHeaders) => "TooManyHeaders",
        Err(httparse::Error::Version) => "Version",
    }
}

/// Where the two differ about these bytes; none if they agree, in refusing or in every part of what they accept.
fn difference(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let mut ours = RequestHead::default();
    let mut fields = [httparse::EMPTY_HEADER; 1000];
    let mut theirs = httparse::Request::new(&mut fields);
    let result = theirs.parse(bytes);
    let (our_verdict, their_verdict) = (our_verdict(bytes, &mut ours), their_verdict(result));
    match (our_verdict, their_verdict) {
        ("accepts", "accepts") => {
            assert_eq!(result, Ok(httparse::Status::Complete(ours.len as usize)));
            assert_eq!(theirs.method.map(str::as_bytes), Some(ours.method_span.of(bytes)));
            assert_eq!(theirs.path.map(str::as_bytes), Some(ours.target.raw.of(bytes)));
            assert_eq!(theirs.version, Some(u8::from(ours.version == Version::Http11)));
            let our_fields = ours.fields.iter().map(|field| (field.name.of(bytes), field.value.of(bytes)));
            let their_fields = theirs.headers.iter().map(|field| (field.name.as_bytes(), field.value));
            assert_eq!(our_fields.collect::<Vec<_>>(), their_fields.collect::<Vec<_>>());
            None
        }
        ("waits", "waits") => None,
        (ours, theirs) if is_refusal(ours) && is_refusal(theirs) => None,
        different => Some(different),
    }
}

fn is_refusal(verdict: &str) -> bool {
    !matches!(verdict, "accepts" | "waits")
}

fn is_listed((ours, theirs): (&str, &str)) -> bool {
    // Of a head that is unfinished, the one may see the fault earlier than the other: ours is raised as soon as it is certain, so
    // that it is the same at any split.
    let is_early = matches!((ours, theirs), (_, "waits") | ("waits", _)) && ![ours, theirs].contains(&"accepts");
    is_early || DIFFERENCES.iter().any(|row| (row.0, row.1) == (ours, theirs))
}

#[test]
fn every_difference_is_listed_and_every_listed_one_is_met() {
    let mut met = BTreeSet::new();
    let attempts = smuggling::attempts().into_iter().map(|attempt| (attempt.name, attempt.bytes));
    for (name, bytes) in fixtures("accept").into_iter().chain(fixtures("reject")).chain(attempts) {
        let Some(found) = difference(&bytes) else { continue };
        assert!(is_listed(found), "{name}: {found:?}");
        met.insert(found);
    }
    for row in DIFFERENCES {
        assert!(met.contains(&(row.0, row.1)), "no fixture shows this difference: {row:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn made_up_requests_differ_only_as_listed(bytes in made_up()) {
        if let Some(found) = difference(&bytes) {
            prop_assert!(is_listed(found), "{found:?}");
        }
    }
}
