//! A file on its way to the client: as a whole, in part, or only by its validators.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use brickwork_http::h1::ResponseHead;
use brickwork_http::{FieldName, Method};

use super::answer::{put, refuse, start};
use super::conditional::{Verdict, evaluate, permits_range};
use super::list::single;
use super::multipart::{Boundary, content_range};
use super::precompressed::Coding;
use super::range::{Selection, select};
use super::validators::{Validators, http_date};
use crate::{Content, RequestView};

/// The selected representation of a resource (RFC 9110 section 3.2).
#[derive(Debug)]
pub(super) struct Representation<'a> {
    pub(super) file: Arc<File>,
    pub(super) len: u64,
    pub(super) validators: Validators,
    /// Value of Content-Type.
    pub(super) content_type: &'a [u8],
    pub(super) coding: Option<Coding>,
    /// Whether another client may get the resource in another coding.
    pub(super) varies: bool,
    /// Value of Cache-Control, empty for none.
    pub(super) cache_control: &'a str,
}

/// A file of up to this many bytes is read, so that it leaves in one piece with its head; more goes from the page cache
/// to the socket.
const READ_AT_ONCE: u64 = 16 * 1024;

impl Representation<'_> {
    /// Writes the head of the answer to GET (or HEAD, whose content the exchange leaves out) and returns the content in
    /// pieces.
    pub(super) fn respond(&self, request: RequestView<'_>, now: u64, head: &mut ResponseHead) -> Vec<Content> {
        match evaluate(request, &self.validators, now) {
            Verdict::Failed => return refuse(head, 412),
            Verdict::NotModified => {
                start(head, 304);
                self.put_cache_fields(head);
                return Vec::new();
            }
            Verdict::Perform => {}
        }
        match self.selection(request, now) {
            Selection::Whole => {
                start(head, 200);
                self.put_fields(head, self.content_type);
                put(head, "Accept-Ranges", "bytes");
                if self.len == 0 {
                    // For HEAD, whose answer would not state it otherwise.
                    put(head, "Content-Length", "0");
                }
                vec![self.content(0..self.len)]
            }
            Selection::Ranges(ranges) => match &ranges[..] {
                [range] => {
                    start(head, 206);
                    self.put_fields(head, self.content_type);
                    put(head, "Content-Range", &content_range(range, self.len));
                    vec![self.content(range.clone())]
                }
                several => self.multipart(several, &Boundary::random(), head),
            },
            Selection::Unsatisfiable => {
                let content = refuse(head, 416);
                put(head, "Content-Range", &format!("bytes */{}", self.len));
                content
            }
        }
    }

    /// Section 14.2: Range is for GET, and comes after the preconditions.
    fn selection(&self, request: RequestView<'_>, now: u64) -> Selection {
        match single(request, FieldName::Range) {
            Some(value) if request.head.method == Method::Get && permits_range(request, &self.validators, now) => {
                select(value, self.len)
            }
            _ => Selection::Whole,
        }
    }

    fn multipart(&self, ranges: &[Range<u64>], boundary: &Boundary, head: &mut ResponseHead) -> Vec<Content> {
        start(head, 206);
        self.put_fields(head, boundary.content_type().as_bytes());
        let mut pieces = Vec::with_capacity(2 * ranges.len() + 1);
        for (index, range) in ranges.iter().enumerate() {
            let part_head = boundary.part_head(index == 0, self.content_type, range, self.len);
            pieces.push(Content::Owned(part_head));
            pieces.push(self.content(range.clone()));
        }
        pieces.push(Content::Owned(boundary.end().into_bytes()));
        pieces
    }

    /// The fields of a 200. Section 15.3.7 wants them in a 206 too (after If-Range it advises to leave some out;
    /// players look for them).
    fn put_fields(&self, head: &mut ResponseHead, content_type: &[u8]) {
        let _ = head.field(b"Content-Type", content_type);
        put(head, "X-Content-Type-Options", "nosniff");
        if let Some(coding) = self.coding {
            put(head, "Content-Encoding", coding.name());
        }
        if let Some(modified) = self.validators.last_modified {
            let _ = head.field(b"Last-Modified", &http_date(modified));
        }
        self.put_cache_fields(head);
    }

    /// What section 15.4.5 wants in a 304 too.
    fn put_cache_fields(&self, head: &mut ResponseHead) {
        put(head, "ETag", &self.validators.entity_tag.to_text());
        if !self.cache_control.is_empty() {
            put(head, "Cache-Control", self.cache_control);
        }
        if self.varies {
            put(head, "Vary", "Accept-Encoding");
        }
    }

    fn content(&self, range: Range<u64>) -> Content {
        let len = range.end - range.start;
        if len <= READ_AT_ONCE {
            let mut bytes = vec![0; len as usize];
            if self.file.read_exact_at(&mut bytes, range.start).is_ok() {
                return Content::Owned(bytes);
            }
            // It has shrunk since it was looked at: sending it will fail, and end the connection, at the byte that is
            // missing.
        }
        Content::File { file: Arc::clone(&self.file), offset: range.start, len }
    }
}
