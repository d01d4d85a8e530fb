//! Every fixture is accepted or refused by the rule it is named for, and every rule that a peer can break has one.

mod connection;

use std::collections::BTreeSet;

use brickwork_http::{Limits, Rule, RuleKind};
use connection::{fixtures, read};

#[test]
fn every_accept_fixture_is_accepted() {
    for (name, bytes) in fixtures("accept") {
        let outcome = read(&bytes, &[], &Limits::default());
        assert_eq!(outcome.rejection, None, "{name}");
        assert_eq!(outcome.requests.len(), requests_of(&name), "{name}");
    }
}

/// How many requests a fixture holds: `name.3.http` has three, `name.http` one.
fn requests_of(name: &str) -> usize {
    name.trim_end_matches(".http").rsplit_once('.').map_or(1, |(_, count)| count.parse().expect(name))
}

#[test]
fn every_reject_fixture_trips_the_rule_it_is_named_for() {
    for (name, bytes) in fixtures("reject") {
        let (code, _) = name.split_once('-').expect("BWnnnn-what.http");
        let rule = Rule::from_code(code).expect(&name);
        let outcome = read(&bytes, &[], &Limits::default());
        let found = outcome.rejection.map(|(rule, at)| (rule.code(), at));
        assert_eq!(found.map(|(code, _)| code), Some(rule.code()), "{name}: {found:?}");
        assert!(found.is_some_and(|(_, at)| at <= bytes.len()), "{name}: {found:?}");
        assert_eq!(outcome.requests.len(), requests_of(&name) - 1, "{name}");
    }
}

#[test]
fn every_rule_a_peer_can_break_has_a_fixture() {
    let fixtures = fixtures("reject");
    let covered: BTreeSet<&str> = fixtures.iter().filter_map(|(name, _)| Some(name.split_once('-')?.0)).collect();
    // A deadline is broken by time, not by bytes.
    let by_time = [Rule::HeadDeadline, Rule::ContentDeadline];
    for rule in Rule::all().filter(|rule| rule.kind() == RuleKind::Reject && !by_time.contains(rule)) {
        assert!(covered.contains(rule.code()), "{} {rule:?} has no fixture", rule.code());
    }
}
