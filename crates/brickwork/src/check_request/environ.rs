//! The environ that a request would become, as far as its bytes say: what the connection adds (SERVER_NAME, REMOTE_ADDR ...) and the
//! keys that begin with `wsgi.` are left out. The WSGI gateway makes the real one; a test holds the two together.

use std::collections::BTreeMap;

use brickwork_server::http::h1::Framing;
use brickwork_server::http::{Annotation, FieldName, TargetForm, Version};
use brickwork_wsgi::{environ_key, percent_decoded};

/// Keys and values, which are bytes as PEP 3333 means them.
pub(super) fn environ(bytes: &[u8], annotation: &Annotation) -> BTreeMap<String, Vec<u8>> {
    let head = &annotation.head;
    let target = head.target;
    let raw = target.raw.of(bytes).to_vec();
    let path: &[u8] = match target.form {
        TargetForm::Asterisk | TargetForm::Authority => b"",
        TargetForm::Absolute if target.path.is_empty() => b"/",
        _ => target.path.of(bytes),
    };
    let protocol = if head.version == Version::Http10 { "HTTP/1.0" } else { "HTTP/1.1" };
    let mut environ = BTreeMap::from([
        ("REQUEST_METHOD".into(), head.method_span.of(bytes).to_vec()),
        ("SCRIPT_NAME".into(), Vec::new()),
        ("PATH_INFO".into(), percent_decoded(path).into_owned()),
        ("QUERY_STRING".into(), target.query.map_or(Vec::new(), |query| query.of(bytes).to_vec())),
        ("RAW_URI".into(), raw.clone()),
        ("REQUEST_URI".into(), raw),
        ("SERVER_PROTOCOL".into(), protocol.into()),
    ]);
    let has_authority = matches!(target.form, TargetForm::Absolute | TargetForm::Authority);
    if has_authority {
        environ.insert("HTTP_HOST".into(), target.authority.of(bytes).to_vec());
    }
    for field in &head.fields {
        match (field.known, environ_key(field.name.of(bytes))) {
            (FieldName::Host, _) if has_authority => {}
            (FieldName::TransferEncoding, _) | (_, None) => {}
            (known, Some(key)) => {
                let value = field.value.of(bytes);
                let separator = if known == FieldName::Cookie { "; " } else { ", " };
                environ
                    .entry(String::from_utf8_lossy(&key).into_owned())
                    .and_modify(|held| held.extend_from_slice(&[separator.as_bytes(), value].concat()))
                    .or_insert_with(|| value.to_vec());
            }
        }
    }
    if head.framing == Framing::Chunked {
        let len: u64 = annotation.content.iter().map(|span| u64::from(span.len)).sum();
        environ.insert("CONTENT_LENGTH".into(), len.to_string().into_bytes());
    }
    environ
}
