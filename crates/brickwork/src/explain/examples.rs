//! For every rule, what breaks it and what keeps it. What breaks it is a fixture of the parser's tests.

use brickwork_server::http::Rule;

/// A row of the table.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) rule: Rule,
    pub(super) wrong: Wrong,
    /// What keeps the rule: a request or, for a rule about responses, a line of an application. Empty where the rule tolerates.
    pub(super) right: &'static [u8],
}

/// What a rule is about.
#[derive(Debug)]
pub(super) enum Wrong {
    /// A request that is refused.
    Request(&'static [u8]),
    /// A request that is accepted all the same.
    Tolerated(&'static [u8]),
    /// A line of an application.
    Response(&'static str),
    /// It takes time, or too many bytes to be shown.
    Nothing,
}

#[rustfmt::skip]
pub(super) const EXAMPLES: &[Example] = &[
    Example { rule: Rule::TlsHello, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0001-tls-client-hello.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::BareCr, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0002-cr-in-value.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::BareLf, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0003-lf-ends-field-line.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::LeadingEmptyLines, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0004-three-empty-lines.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::MethodNotToken, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0005-method-quoted.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::RequestLineShort, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0006-method-only.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::Http09, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0007-http09.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::RequestLineSpace, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0008-space-in-target.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::TargetByte, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0009-fragment.http")), right: b"GET /a%20b%23c HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::TargetForm, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0010-authority-form-of-get.http")), right: b"GET /path?query HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::AsteriskFormMethod, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0011-asterisk-of-get.http")), right: b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::AuthorityForm, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0012-connect-path.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::TargetAuthority, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0013-empty-host-in-target.http")), right: b"GET /path HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::TargetUserinfo, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0014-userinfo.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\nAuthorization: Basic dTpw\r\n\r\n" },
    Example { rule: Rule::VersionMalformed, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0015-lower-case-name.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::VersionUnsupported, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0016-http09-named.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::MisdirectedScheme, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0017-https-on-plain-connection.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::LeadingEmptyLineIgnored, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/leading-empty-lines.http")), right: b"" },
    Example { rule: Rule::TargetRawByte, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/target-with-raw-browser-bytes.http")), right: b"" },
    Example { rule: Rule::MinorVersionAboveOne, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/minor-version-above-one.http")), right: b"" },
    Example { rule: Rule::FieldNameEmpty, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0101-empty-name.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Field: value\r\n\r\n" },
    Example { rule: Rule::FieldNameByte, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0102-delimiter-in-name.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Field: value\r\n\r\n" },
    Example { rule: Rule::FieldLineNoColon, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0103-no-colon.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Field: value\r\n\r\n" },
    Example { rule: Rule::SpaceBeforeColon, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0104-space-before-colon.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Field: value\r\n\r\n" },
    Example { rule: Rule::LineFolding, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0105-line-folding.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Field: value\r\n\r\n" },
    Example { rule: Rule::SpaceBeforeFields, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0106-whitespace-before-first-field.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::SpaceInFieldName, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0107-space-in-field-name.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Field: value\r\n\r\n" },
    Example { rule: Rule::FieldValueControl, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0108-nul-in-value.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Field: value\r\n\r\n" },
    Example { rule: Rule::FieldValueObsText, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/obs-text-in-value.http")), right: b"" },
    Example { rule: Rule::HostMissing, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0201-no-host.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::HostRepeated, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0202-two-hosts-http10.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::HostMalformed, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0203-path-in-host.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::HostEmpty, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/empty-host.http")), right: b"" },
    Example { rule: Rule::HostOverridden, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/absolute-form.http")), right: b"" },
    Example { rule: Rule::ContentLengthDigits, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0301-plus-sign.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello" },
    Example { rule: Rule::ContentLengthOverflow, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0302-too-many-digits.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello" },
    Example { rule: Rule::ContentLengthRepeated, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0303-different-values.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello" },
    Example { rule: Rule::ContentLengthList, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0304-list.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello" },
    Example { rule: Rule::TransferEncodingMalformed, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0305-empty-element.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::ChunkedNotFinal, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0306-not-final.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::ChunkedTwice, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0307-twice.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::TransferCodingUnknown, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0308-gzip.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::TransferEncodingHttp10, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0309-http10.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello" },
    Example { rule: Rule::TransferEncodingWithLength, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0310-chunked-then-length.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::ChunkSizeDigits, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0401-prefix.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::ChunkSizeOverflow, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0402-seventeen-digits.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::ChunkExtension, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0403-unended-quote.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::ChunkDataEnd, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0404-no-crlf.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::ContentCutOff, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0405-length-cut-off.http")), right: b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello" },
    Example { rule: Rule::ChunkExtensionIgnored, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/chunk-extensions.http")), right: b"" },
    Example { rule: Rule::TrailerDiscarded, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/trailers.http")), right: b"" },
    Example { rule: Rule::RequestLineTooLong, wrong: Wrong::Nothing, right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::TooManyFields, wrong: Wrong::Nothing, right: b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Field: value\r\n\r\n" },
    Example { rule: Rule::FieldLineTooLong, wrong: Wrong::Nothing, right: b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Field: value\r\n\r\n" },
    Example { rule: Rule::HeadTooLarge, wrong: Wrong::Nothing, right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::ContentTooLarge, wrong: Wrong::Nothing, right: b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello" },
    Example { rule: Rule::ChunkLineTooLong, wrong: Wrong::Nothing, right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::TrailerSectionTooLarge, wrong: Wrong::Nothing, right: b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" },
    Example { rule: Rule::HeadDeadline, wrong: Wrong::Nothing, right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::ContentDeadline, wrong: Wrong::Nothing, right: b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello" },
    Example { rule: Rule::ExpectationUnknown, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0601-expectation.http")), right: b"PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello" },
    Example { rule: Rule::ConnectMethod, wrong: Wrong::Request(include_bytes!("../../../http/fixtures/reject/BW0602-connect-before-more.http")), right: b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n" },
    Example { rule: Rule::ExpectationHttp10, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/expect-in-http10.http")), right: b"" },
    Example { rule: Rule::ConnectionOptionMalformed, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/connection-option-malformed.http")), right: b"" },
    Example { rule: Rule::UpgradeIgnored, wrong: Wrong::Tolerated(include_bytes!("../../../http/fixtures/accept/upgrade-offered.http")), right: b"" },
    Example { rule: Rule::StatusCodeRange, wrong: Wrong::Response("start_response(\"099 Odd\", [])"), right: b"start_response(\"200 OK\", [])" },
    Example { rule: Rule::StatusCodeInterim, wrong: Wrong::Response("start_response(\"103 Early Hints\", [])"), right: b"start_response(\"200 OK\", [])" },
    Example { rule: Rule::ReasonPhraseByte, wrong: Wrong::Response("start_response(\"200 OK\\r\\nX: y\", [])"), right: b"start_response(\"200 OK\", [(\"X\", \"y\")])" },
    Example { rule: Rule::ResponseFieldName, wrong: Wrong::Response("start_response(\"200 OK\", [(\"X Y\", \"z\")])"), right: b"start_response(\"200 OK\", [(\"X-Y\", \"z\")])" },
    Example { rule: Rule::ResponseFieldValue, wrong: Wrong::Response("start_response(\"302 Found\", [(\"Location\", \"/\\r\\nSet-Cookie: a=b\")])"), right: b"start_response(\"302 Found\", [(\"Location\", \"/%0D%0ASet-Cookie:%20a=b\")])" },
    Example { rule: Rule::ResponseContentLength, wrong: Wrong::Response("start_response(\"200 OK\", [(\"Content-Length\", \"five\")])"), right: b"start_response(\"200 OK\", [(\"Content-Length\", \"5\")])" },
    Example { rule: Rule::ResponseContentLengthRepeated, wrong: Wrong::Response("start_response(\"200 OK\", [(\"Content-Length\", \"5\"), (\"Content-Length\", \"5\")])"), right: b"start_response(\"200 OK\", [(\"Content-Length\", \"5\")])" },
    Example { rule: Rule::ResponseLengthForbidden, wrong: Wrong::Response("start_response(\"204 No Content\", [(\"Content-Length\", \"0\")])"), right: b"start_response(\"204 No Content\", [])" },
    Example { rule: Rule::HopByHopField, wrong: Wrong::Response("start_response(\"200 OK\", [(\"Keep-Alive\", \"timeout=5\")])"), right: b"start_response(\"200 OK\", [])" },
    Example { rule: Rule::ResponseContentForbidden, wrong: Wrong::Response("start_response(\"204 No Content\", []); return [b\"content\"]"), right: b"start_response(\"204 No Content\", []); return []" },
    Example { rule: Rule::ContentOverrun, wrong: Wrong::Response("start_response(\"200 OK\", [(\"Content-Length\", \"4\")]); return [b\"hello\"]"), right: b"start_response(\"200 OK\", [(\"Content-Length\", \"5\")]); return [b\"hello\"]" },
    Example { rule: Rule::ContentShort, wrong: Wrong::Response("start_response(\"200 OK\", [(\"Content-Length\", \"6\")]); return [b\"hello\"]"), right: b"start_response(\"200 OK\", [(\"Content-Length\", \"5\")]); return [b\"hello\"]" },
    Example { rule: Rule::StatusMalformed, wrong: Wrong::Response("start_response(\"OK\", [])"), right: b"start_response(\"200 OK\", [])" },
    Example { rule: Rule::ResponseNotLatin1, wrong: Wrong::Response("start_response(\"200 OK\", [(\"X\", \"\\u20ac\")])"), right: b"start_response(\"200 OK\", [(\"X\", \"%E2%82%AC\")])" },
    Example { rule: Rule::ResponseTransferEncoding, wrong: Wrong::Response("start_response(\"200 OK\", [(\"Transfer-Encoding\", \"chunked\")])"), right: b"start_response(\"200 OK\", [])" },
    Example { rule: Rule::ResponseBrokenOff, wrong: Wrong::Response("yield b\"half\"; raise OSError(\"the database has gone\")"), right: b"read all that can fail, then yield" },
];
