//! A request for the unit tests of this folder, parsed from its bytes.

use brickwork_http::Limits;
use brickwork_http::h1::{HeadParser, Progress, RequestHead};

use crate::RequestView;

pub(super) struct TestRequest {
    bytes: Vec<u8>,
    head: RequestHead,
}

impl TestRequest {
    pub(super) fn get(target: &str, fields: &[String]) -> TestRequest {
        let lines: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: test\r\n{lines}\r\n").into_bytes();
        let mut head = RequestHead::default();
        let progress = HeadParser::new().parse(&bytes, &Limits::default(), &mut head).unwrap();
        assert_eq!(progress, Progress::Complete);
        TestRequest { bytes, head }
    }

    pub(super) fn view(&self) -> RequestView<'_> {
        RequestView { head: &self.head, bytes: &self.bytes }
    }
}
