//! What was made of a connection's bytes, as one JSON object:
//! `{"source", "accepted": [{"offset", "length", "parts": [{"start", "length", "production", "within"}], "framing": {"step", "reason"},
//! "content_length", "persistent", "tolerated": [{"rule", "offset"}], "environ": {}}], "refused": null or the report, "unread"}`.
//! Text stands for bytes one by one (ISO-8859-1), as in an environ.

use std::fmt::Write;

use brickwork_command::push_json_string;
use brickwork_server::http::Annotation;
use brickwork_server::http::h1::Persistence;

use super::{Checked, environ};

pub(super) fn connection(checked: &Checked<'_>) -> String {
    let mut json = String::from("{\"source\":");
    push_json_string(&mut json, checked.source);
    json.push_str(",\"accepted\":[");
    let mut offset = 0;
    list(&mut json, checked.accepted.iter(), |json, (bytes, annotation)| {
        let _ = write!(json, "{{\"offset\":{offset},");
        offset += bytes.len();
        message(json, bytes, annotation);
        json.push('}');
    });
    let _ = write!(json, "],\"unread\":{},\"refused\":", checked.unread);
    match &checked.refused {
        Some(report) => json.push_str(&report.json()),
        None => json.push_str("null"),
    }
    json.push('}');
    json
}

fn message(json: &mut String, bytes: &[u8], annotation: &Annotation) {
    let _ = write!(json, "\"length\":{},\"parts\":[", annotation.len);
    list(json, annotation.parts.iter(), |json, part| {
        let (start, len) = (part.span.start, part.span.len);
        let _ = write!(json, "{{\"start\":{start},\"length\":{len},\"production\":");
        push_json_string(json, part.production);
        json.push_str(",\"within\":");
        push_json_string(json, part.within);
        json.push('}');
    });
    let _ = write!(json, "],\"framing\":{{\"step\":{},\"reason\":", annotation.framing.step);
    push_json_string(json, annotation.framing.reason);
    let content: u64 = annotation.content.iter().map(|span| u64::from(span.len)).sum();
    let is_persistent = annotation.head.persistence == Persistence::Persistent;
    let _ = write!(json, "}},\"content_length\":{content},\"persistent\":{is_persistent},\"tolerated\":[");
    list(json, annotation.tolerated.iter(), |json, (rule, at)| {
        let _ = write!(json, "{{\"rule\":\"{}\",\"offset\":{at}}}", rule.code());
    });
    json.push_str("],\"environ\":{");
    list(json, environ::environ(bytes, annotation).iter(), |json, (key, value)| {
        push_json_string(json, key);
        json.push(':');
        let text: String = value.iter().copied().map(char::from).collect();
        push_json_string(json, &text);
    });
    json.push('}');
}

fn list<T>(json: &mut String, items: impl Iterator<Item = T>, mut push: impl FnMut(&mut String, T)) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            json.push(',');
        }
        push(json, item);
    }
}
