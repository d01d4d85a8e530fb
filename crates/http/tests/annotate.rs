//! An annotated message is the parsed one: same verdict, same content, and every byte has a name.

mod connection;

use std::collections::BTreeSet;

use brickwork_http::h1::Persistence;
use brickwork_http::{Limits, Rule, RuleKind, annotate};
use connection::{Outcome, fixtures, read};
use proptest::prelude::*;

/// What annotating a connection's bytes tells, in the words of an outcome; and every rule that was bent.
fn annotated(bytes: &[u8], limits: &Limits, outcome: &Outcome) -> BTreeSet<Rule> {
    let mut tolerated = BTreeSet::new();
    let (mut start, mut seen) = (0, outcome.requests.iter());
    loop {
        let message = &bytes[start..];
        match annotate(message, "http", limits) {
            Ok(None) => {
                assert_eq!((seen.next(), outcome.rejection), (None, None));
                return tolerated;
            }
            Ok(Some(annotation)) => {
                let seen = seen.next().expect("the parser saw this request, too");
                let content: Vec<&[u8]> = annotation.content.iter().map(|span| span.of(message)).collect();
                assert_eq!((annotation.head.framing, content.concat()), (seen.framing, seen.content.clone()));
                let mut next = 0;
                for part in &annotation.parts {
                    assert_eq!(part.span.start, next, "{part:?}");
                    assert!(!part.span.is_empty(), "{part:?}");
                    next += part.span.len;
                }
                assert_eq!(next, annotation.len);
                tolerated.extend(annotation.tolerated.iter().map(|(rule, _)| *rule));
                start += annotation.len as usize;
                if annotation.head.persistence == Persistence::Close {
                    return tolerated;
                }
            }
            Err(refused) => {
                let at = start + refused.piece_start as usize + refused.rejection.at as usize;
                assert_eq!(Some((refused.rejection.rule, at)), outcome.rejection);
                return tolerated;
            }
        }
    }
}

#[test]
fn annotating_a_fixture_tells_what_the_parser_did() {
    for (name, bytes) in fixtures("accept").into_iter().chain(fixtures("reject")) {
        println!("{name}"); // shown if an assertion fails
        annotated(&bytes, &Limits::default(), &read(&bytes, &[], &Limits::default()));
    }
}

#[test]
fn every_rule_that_tolerates_has_a_fixture_that_is_accepted_with_it() {
    let mut met = BTreeSet::new();
    for (_, bytes) in fixtures("accept") {
        met.extend(annotated(&bytes, &Limits::default(), &read(&bytes, &[], &Limits::default())));
    }
    let tolerating = Rule::all().filter(|rule| rule.kind() == RuleKind::Tolerate).collect();
    assert_eq!(met, tolerating);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn annotating_any_bytes_tells_what_the_parser_did(bytes in connection::made_up(), is_tight in any::<bool>()) {
        let limits = if is_tight { connection::TIGHT } else { Limits::default() };
        annotated(&bytes, &limits, &read(&bytes, &[], &limits));
    }
}
