//! A connection's worth of bytes, read as a server would: one request after the other, until the bytes end or break a rule.

// Each test program uses its part of this.
#![allow(dead_code, unused_imports)]

mod made_up;
pub(crate) mod smuggling;

pub(crate) use made_up::{TIGHT, made_up};

use brickwork_http::h1::{BodyReader, Framing, HeadParser, Persistence, Progress, RequestHead, Step};
use brickwork_http::{FieldName, Limits, Method, Rejection, Rule, Span, Version};

/// A request as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) method_bytes: Vec<u8>,
    pub(crate) target: Vec<u8>,
    pub(crate) authority: Option<Vec<u8>>,
    pub(crate) version: Version,
    pub(crate) fields: Vec<(FieldName, Vec<u8>, Vec<u8>)>,
    pub(crate) framing: Framing,
    pub(crate) persistence: Persistence,
    pub(crate) expects_continue: bool,
    pub(crate) content: Vec<u8>,
}

/// What a server made of the bytes of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) requests: Vec<Seen>,
    /// The rule that ended it, and the offset in all bytes of the connection.
    pub(crate) rejection: Option<(Rule, usize)>,
}

/// Reads `input`, which arrives in pieces that end at `cuts` (ascending) and at its end.
pub(crate) fn read(input: &[u8], cuts: &[usize], limits: &Limits) -> Outcome {
    let mut connection =
        Connection { input, cuts: cuts.iter().copied().filter(|&cut| cut < input.len()).collect(), start: 0, end: 0 };
    connection.cuts.push(input.len());
    connection.cuts.reverse();
    let mut outcome = Outcome { requests: Vec::new(), rejection: None };
    loop {
        match connection.request(limits) {
            Ok(Some(seen)) => {
                let closes = seen.persistence == Persistence::Close;
                outcome.requests.push(seen);
                if closes {
                    return outcome;
                }
            }
            Ok(None) => return outcome,
            Err(rejection) => {
                outcome.rejection = Some(rejection);
                return outcome;
            }
        }
    }
}

struct Connection<'a> {
    input: &'a [u8],
    /// Where pieces still to come end, the next one last.
    cuts: Vec<usize>,
    /// `input[start..end]` is received and not discarded.
    start: usize,
    end: usize,
}

impl Connection<'_> {
    fn buffer(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    /// Receives the next piece; false at the end.
    fn receive(&mut self) -> bool {
        match self.cuts.pop() {
            Some(cut) => {
                self.end = cut;
                true
            }
            None => false,
        }
    }

    fn request(&mut self, limits: &Limits) -> Result<Option<Seen>, (Rule, usize)> {
        let (mut parser, mut head) = (HeadParser::new(), RequestHead::default());
        loop {
            let place = |rejection: Rejection| (rejection.rule, self.start + rejection.at as usize);
            if parser.parse(self.buffer(), limits, &mut head).map_err(place)? == Progress::Complete {
                break;
            }
            if !self.receive() {
                let is_idle = self.buffer().iter().all(|byte| b"\r\n".contains(byte));
                return if is_idle { Ok(None) } else { Err((Rule::ContentCutOff, self.end)) };
            }
        }
        head.check_origin(self.buffer(), "http")
            .map_err(|rejection| (rejection.rule, self.start + rejection.at as usize))?;
        let bytes = |span: Span| span.of(self.buffer()).to_vec();
        let mut seen = Seen {
            method: head.method,
            method_bytes: bytes(head.method_span),
            target: bytes(head.target.raw),
            authority: head.authority().map(bytes),
            version: head.version,
            fields: head.fields.iter().map(|field| (field.known, bytes(field.name), bytes(field.value))).collect(),
            framing: head.framing,
            persistence: head.persistence,
            expects_continue: head.expects_continue,
            content: Vec::new(),
        };
        self.start += head.len as usize;
        seen.content = self.content(head.framing, limits)?;
        Ok(Some(seen))
    }

    fn content(&mut self, framing: Framing, limits: &Limits) -> Result<Vec<u8>, (Rule, usize)> {
        let mut reader = BodyReader::new(framing);
        let mut content = Vec::new();
        loop {
            match reader.step(self.buffer(), limits) {
                Ok(Step::Content { skip, len }) => {
                    content.extend_from_slice(&self.buffer()[skip..skip + len]);
                    self.start += skip + len;
                }
                Ok(Step::Complete { skip }) => {
                    self.start += skip;
                    return Ok(content);
                }
                Ok(Step::Partial { skip }) => {
                    self.start += skip;
                    if !self.receive() {
                        return Err((Rule::ContentCutOff, self.end));
                    }
                }
                Err(rejection) => {
                    return Err((rejection.rule, self.start + reader.element_start() + rejection.at as usize));
                }
            }
        }
    }
}

/// The fixtures of a folder, by name.
pub(crate) fn fixtures(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut found: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder of fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "http"))
        .map(|path| {
            let name = path.file_name().expect("a file name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a readable fixture"))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}
