//! Which content coding a client prefers, RFC 9110 section 12.5.3: a file `app.js` may have siblings `app.js.br`,
//! `app.js.zst` and `app.js.gz` that are sent in its place. Nothing is compressed here.

use brickwork_http::FieldName;

use super::list::{elements, trim_ows, values};
use crate::RequestView;

/// A content coding that a sibling can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Zstandard,
    Gzip,
}

impl Coding {
    /// In the order of the server's own preference: the smallest first.
    const ALL: [Coding; 3] = [Coding::Brotli, Coding::Zstandard, Coding::Gzip];

    /// Value of Content-Encoding.
    pub(super) fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstandard => "zstd",
            Coding::Gzip => "gzip",
        }
    }

    /// What a sibling's name has behind that of the file.
    pub(super) fn suffix(self) -> &'static [u8] {
        match self {
            Coding::Brotli => b".br",
            Coding::Zstandard => b".zst",
            Coding::Gzip => b".gz",
        }
    }

    fn is(self, name: &[u8]) -> bool {
        // Section 8.4.1.3: x-gzip is the same.
        name.eq_ignore_ascii_case(self.name().as_bytes())
            || (self == Coding::Gzip && name.eq_ignore_ascii_case(b"x-gzip"))
    }
}

/// The codings that the client takes rather than none, the best first.
///
/// ```text
/// Accept-Encoding = #( codings [ weight ] )
/// codings         = content-coding / "identity" / "*"
/// ```
pub(super) fn acceptable(request: RequestView<'_>) -> Vec<Coding> {
    let mut given: [Option<u16>; 3] = [None; 3];
    let (mut any, mut identity) = (None, None);
    for element in values(request, FieldName::AcceptEncoding).flat_map(elements) {
        let Some((name, weight)) = weighted(element) else { continue };
        if name == b"*" {
            any = Some(weight);
        } else if name.eq_ignore_ascii_case(b"identity") {
            identity = Some(weight);
        } else if let Some(index) = Coding::ALL.iter().position(|coding| coding.is(name)) {
            given[index] = Some(weight);
        }
    }
    // Sent as it is, a file is acceptable without having been named; who names something wants that rather.
    let least = identity.unwrap_or(0).max(1);
    let mut acceptable: Vec<(u16, Coding)> = given
        .iter()
        .zip(Coding::ALL)
        .map(|(given, coding)| (given.or(any).unwrap_or(0), coding))
        .filter(|(weight, _)| *weight >= least)
        .collect();
    acceptable.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    acceptable.into_iter().map(|(_, coding)| coding).collect()
}

/// A member of the list and its weight in thousandths; None if the weight is none.
///
/// ```text
/// weight = OWS ";" OWS "q=" qvalue
/// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
/// ```
fn weighted(element: &[u8]) -> Option<(&[u8], u16)> {
    let Some(semicolon) = element.iter().position(|&byte| byte == b';') else { return Some((element, 1000)) };
    let parameter = trim_ows(&element[semicolon + 1..]);
    let (name, value) = parameter.split_at_checked(2)?;
    if !name.eq_ignore_ascii_case(b"q=") {
        return None;
    }
    let (whole, thousandths) = match value {
        [whole] => (whole, 0),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 && decimals.iter().all(u8::is_ascii_digit) => {
            let digits = decimals.iter().chain(b"000").take(3);
            (whole, digits.fold(0, |value, digit| value * 10 + u16::from(digit - b'0')))
        }
        _ => return None,
    };
    let weight = match whole {
        b'0' => thousandths,
        b'1' if thousandths == 0 => 1000,
        _ => return None,
    };
    Some((trim_ows(&element[..semicolon]), weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::static_files::test_request::TestRequest;

    #[test]
    fn codings_come_by_weight_and_then_by_our_preference() {
        use Coding::{Brotli, Gzip, Zstandard};
        let rows: [(&[&str], &[Coding]); 20] = [
            (&[], &[]),
            (&[""], &[]),
            (&["gzip"], &[Gzip]),
            (&["X-GZip"], &[Gzip]),
            (&["gzip, deflate, br, zstd"], &[Brotli, Zstandard, Gzip]),
            (&["gzip", "br"], &[Brotli, Gzip]),
            (&["br;q=0.5, gzip;q=0.8"], &[Gzip, Brotli]),
            (&["br;q=0, gzip"], &[Gzip]),
            (&["br;q=0.000, gzip;q=0.001"], &[Gzip]),
            (&["*"], &[Brotli, Zstandard, Gzip]),
            (&["*;q=0.5, gzip;q=1.0"], &[Gzip, Brotli, Zstandard]),
            (&["*;q=0, gzip"], &[Gzip]),
            (&["identity"], &[]),
            (&["identity;q=0.5, gzip;q=0.4"], &[]),
            (&["identity;q=0.5, gzip;q=0.5"], &[Gzip]),
            (&["identity;q=0"], &[]),
            (&["gzip;q=0"], &[]),
            (&["gzip ; Q=0.3 , br\t;q=1."], &[Brotli, Gzip]),
            (&["gzip;q=1.001, br;q=2, zstd;q=0.1234"], &[]),
            (&["gzip;level=9, br;q=x, deflate, zstd;q="], &[]),
        ];
        for (lines, expected) in rows {
            let fields: Vec<String> = lines.iter().map(|line| format!("Accept-Encoding: {line}")).collect();
            let request = TestRequest::get("/", &fields);
            assert_eq!(acceptable(request.view()), expected, "{lines:?}");
        }
    }
}
