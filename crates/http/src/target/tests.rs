//! Each form is taken apart where the RFC says.

use super::*;

#[test]
fn forms_are_taken_apart() {
    let rows: [(Method, &str, TargetForm, &str, &str, &str, Option<&str>); 12] = [
        (Method::Get, "/", TargetForm::Origin, "", "", "/", None),
        (Method::Get, "/a/b?c=d?e", TargetForm::Origin, "", "", "/a/b", Some("c=d?e")),
        (Method::Get, "/?", TargetForm::Origin, "", "", "/", Some("")),
        (Method::Get, "//a", TargetForm::Origin, "", "", "//a", None),
        (Method::Options, "*", TargetForm::Asterisk, "", "", "", None),
        (Method::Options, "/x", TargetForm::Origin, "", "", "/x", None),
        (Method::Connect, "a.example:443", TargetForm::Authority, "", "a.example:443", "", None),
        (Method::Connect, "[::1]:443", TargetForm::Authority, "", "[::1]:443", "", None),
        (Method::Get, "http://a.example", TargetForm::Absolute, "http", "a.example", "", None),
        (Method::Get, "http://a.example?q", TargetForm::Absolute, "http", "a.example", "", Some("q")),
        (Method::Get, "HTTPS://a.example:8/p?q", TargetForm::Absolute, "HTTPS", "a.example:8", "/p", Some("q")),
        (Method::Other, "x-y+z.1://[::1]/", TargetForm::Absolute, "x-y+z.1", "[::1]", "/", None),
    ];
    for (method, raw, form, scheme, authority, path, query) in rows {
        let padded = alloc::format!("..{raw}");
        let target = RequestTarget::parse(method, raw.as_bytes(), 2).expect(raw);
        let of = |span: Span| core::str::from_utf8(span.of(padded.as_bytes())).expect("ASCII");
        assert_eq!(target.form, form, "{raw}");
        assert_eq!(of(target.raw), raw);
        assert_eq!((of(target.scheme), of(target.authority), of(target.path)), (scheme, authority, path), "{raw}");
        assert_eq!(target.query.map(of), query, "{raw}");
    }
}

#[test]
fn a_target_of_no_form_is_refused_where_it_fails() {
    let rows = [
        (Method::Get, "a", Rule::TargetForm, 0),
        (Method::Get, "a.example:80", Rule::TargetForm, 0),
        (Method::Get, "urn:a:b", Rule::TargetForm, 0),
        (Method::Get, "http:/a", Rule::TargetForm, 0),
        (Method::Get, "1http://a", Rule::TargetForm, 0),
        (Method::Get, "?a", Rule::TargetForm, 0),
        (Method::Options, "**", Rule::TargetForm, 0),
        (Method::Get, "*", Rule::AsteriskFormMethod, 0),
        (Method::Get, "http://", Rule::TargetAuthority, 7),
        (Method::Get, "http:///a", Rule::TargetAuthority, 7),
        (Method::Get, "http://a:b/", Rule::TargetAuthority, 9),
        (Method::Get, "http://a\\b/", Rule::TargetAuthority, 8),
        (Method::Get, "http://u:p@a/", Rule::TargetUserinfo, 10),
        (Method::Connect, "/", Rule::AuthorityForm, 0),
        (Method::Connect, "a", Rule::AuthorityForm, 0),
        (Method::Connect, "a:", Rule::AuthorityForm, 1),
        (Method::Connect, "a:x", Rule::AuthorityForm, 2),
        (Method::Connect, "http://a:80", Rule::AuthorityForm, 5),
    ];
    for (method, raw, rule, at) in rows {
        assert_eq!(RequestTarget::parse(method, raw.as_bytes(), 0), Err(Rejection { rule, at }), "{raw}");
    }
}
