//! What a proxy in front says about the client: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239).
//!
//! Only a trusted peer is believed, and only as far as trust goes: of the addresses that proxies added one behind the other, the last one
//! that is not itself a trusted proxy is the client. If there is an X-Forwarded-For, Forwarded is not looked at: most proxies write only the
//! one, and hand the other on as a client made it up.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use brickwork_http::{FieldName, Span};

use crate::{Peer, RequestView};

/// Addresses that are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedPeers {
    is_everybody: bool,
    networks: Vec<(IpAddr, u8)>,
}

/// What was said about the client of a request; nothing, for most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Its address, and its port if that was said too.
    pub client: Option<(IpAddr, Option<u16>)>,
    /// The scheme it used.
    pub scheme: Option<Scheme>,
    /// The host it asked for, in the bytes of the head.
    pub host: Option<Span>,
}

/// A scheme of a client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// http
    Http,
    /// https
    Https,
}

impl FromStr for TrustedPeers {
    type Err = String;

    /// `127.0.0.1,10.0.0.0/8,::1`, `*` for everybody, or nothing.
    fn from_str(text: &str) -> Result<TrustedPeers, String> {
        let mut trusted = TrustedPeers::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if part == "*" {
                trusted.is_everybody = true;
                continue;
            }
            let (address, bits) = part.split_once('/').map_or((part, None), |(address, bits)| (address, Some(bits)));
            let wrong = || format!("'{part}' is no address (127.0.0.1), network (10.0.0.0/8) or *");
            let address: IpAddr = address.parse().map_err(|_| wrong())?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(most), str::parse).ok().filter(|&bits| bits <= most).ok_or_else(wrong)?;
            trusted.networks.push((address, bits));
        }
        Ok(trusted)
    }
}

impl TrustedPeers {
    /// Whether what this peer says is believed. A unix socket's file has permissions: who can connect is trusted.
    pub(crate) fn trusts(&self, peer: &Peer) -> bool {
        match peer {
            Peer::Unix { .. } => true,
            Peer::Tcp { remote, .. } => self.includes(remote.ip()),
        }
    }

    fn includes(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.is_everybody || self.networks.iter().any(|&(network, bits)| is_within(address, network, bits))
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differing = u32::from(address) ^ u32::from(network);
            bits == 0 || differing >> (32 - u32::from(bits)) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differing = u128::from(address) ^ u128::from(network);
            bits == 0 || differing >> (128 - u32::from(bits)) == 0
        }
        _ => false,
    }
}

impl Forwarded {
    /// Reads what a trusted peer says.
    pub(crate) fn read(request: RequestView<'_>, trusted: &TrustedPeers) -> Forwarded {
        let has = |wanted| request.head.fields.iter().any(|field| field.known == wanted);
        if has(FieldName::XForwardedFor) || has(FieldName::XForwardedProto) || has(FieldName::XForwardedHost) {
            return read_x_forwarded(request, trusted);
        }
        if has(FieldName::Forwarded) { read_forwarded(request, trusted) } else { Forwarded::default() }
    }
}

fn read_x_forwarded(request: RequestView<'_>, trusted: &TrustedPeers) -> Forwarded {
    let elements = |name| elements(request, name, b',');
    let hops = elements(FieldName::XForwardedFor);
    let (chosen, client) = choose(hops.iter().map(|&span| node(request.text(span))), trusted);
    // A proxy that adds to one list adds to the others; one that overwrites leaves a single element.
    let beside = |values: Vec<Span>| match chosen {
        Some(index) if values.len() == hops.len() => values.get(index).copied(),
        _ => values.last().copied(),
    };
    Forwarded {
        client,
        scheme: beside(elements(FieldName::XForwardedProto)).and_then(|span| scheme(request.text(span))),
        host: beside(elements(FieldName::XForwardedHost)).filter(|&span| is_host(request.text(span))),
    }
}

// Forwarded         = 1#forwarded-element
// forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
fn read_forwarded(request: RequestView<'_>, trusted: &TrustedPeers) -> Forwarded {
    let hops = elements(request, FieldName::Forwarded, b',');
    let parameter = |hop: Span, wanted: &[u8]| {
        split(request, hop, b';').into_iter().find_map(|pair| {
            let equals = request.text(pair).iter().position(|&byte| byte == b'=')?;
            let (name, _) = request.text(pair).split_at_checked(equals)?;
            name.eq_ignore_ascii_case(wanted).then(|| unquoted(request, cut(pair, equals + 1, 0)))
        })
    };
    let addresses = hops.iter().map(|&hop| parameter(hop, b"for").and_then(|span| node(request.text(span))));
    let (chosen, client) = choose(addresses, trusted);
    let Some(hop) = chosen.and_then(|index| hops.get(index)).or(hops.last()).copied() else {
        return Forwarded::default();
    };
    Forwarded {
        client,
        scheme: parameter(hop, b"proto").and_then(|span| scheme(request.text(span))),
        host: parameter(hop, b"host").filter(|&span| is_host(request.text(span))),
    }
}

type Address = (IpAddr, Option<u16>);

/// The last hop that is not a trusted proxy; if all are, the first. One that names no address ends the search: what lies before it was
/// said by somebody unknown.
fn choose(
    hops: impl DoubleEndedIterator<Item = Option<Address>> + ExactSizeIterator,
    trusted: &TrustedPeers,
) -> (Option<usize>, Option<Address>) {
    let mut chosen = (None, None);
    for (index, hop) in hops.enumerate().rev() {
        let Some(address) = hop else { return chosen };
        chosen = (Some(index), Some(address));
        if !trusted.includes(address.0) || trusted.is_everybody && index == 0 {
            return chosen;
        }
    }
    chosen
}

/// The elements of all field lines of a name, the empty ones left out.
fn elements(request: RequestView<'_>, name: FieldName, separator: u8) -> Vec<Span> {
    let lines = request.head.fields.iter().filter(|field| field.known == name);
    lines.flat_map(|field| split(request, field.value, separator)).collect()
}

/// The parts of a span between separators outside quotes, without space around them; empty ones are left out.
fn split(request: RequestView<'_>, span: Span, separator: u8) -> Vec<Span> {
    let (text, mut start, mut is_quoted, mut parts) = (request.text(span), 0, false, Vec::new());
    for at in 0..=text.len() {
        match text.get(at) {
            Some(b'"') => is_quoted = !is_quoted,
            Some(&byte) if byte != separator || is_quoted => {}
            _ => {
                let part = text.get(start..at).unwrap_or_default();
                let leading = part.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                let trailing = part.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
                if leading < part.len() {
                    parts.push(cut(span, start + leading, text.len() - at + trailing));
                }
                start = at + 1;
            }
        }
    }
    parts
}

/// A span without so many bytes at its start and end.
fn cut(span: Span, start: usize, end: usize) -> Span {
    Span { start: span.start + start as u32, len: span.len.saturating_sub((start + end) as u32) }
}

/// The inside of a quoted-string. One with escapes is left as it is, and then is no value that we know.
fn unquoted(request: RequestView<'_>, span: Span) -> Span {
    match request.text(span) {
        [b'"', inside @ .., b'"'] if !inside.contains(&b'\\') => cut(span, 1, 1),
        _ => span,
    }
}

/// An address with or without a port; IPv6 with brackets, or bare without a port. None for "unknown" and for what is hidden.
fn node(text: &[u8]) -> Option<Address> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some((address.ip().to_canonical(), Some(address.port())));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    Some((bare.parse::<IpAddr>().ok()?.to_canonical(), None))
}

fn scheme(text: &[u8]) -> Option<Scheme> {
    match text {
        text if text.eq_ignore_ascii_case(b"https") => Some(Scheme::Https),
        text if text.eq_ignore_ascii_case(b"http") => Some(Scheme::Http),
        _ => None,
    }
}

/// Narrower than RFC 3986: what hosts on the web look like, and a port.
fn is_host(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte))
}

#[cfg(test)]
mod tests {
    use brickwork_http::Limits;
    use brickwork_http::h1::{HeadParser, RequestHead};

    use super::*;

    fn read(fields: &str, trusted: &str) -> (Option<String>, Option<Scheme>, Option<String>) {
        let bytes = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n\r\n", fields.replace('\n', "\r\n"));
        let mut head = RequestHead::default();
        HeadParser::new().parse(bytes.as_bytes(), &Limits::default(), &mut head).unwrap();
        let request = RequestView { head: &head, bytes: bytes.as_bytes() };
        let said = Forwarded::read(request, &trusted.parse().unwrap());
        let client = said.client.map(|(ip, port)| port.map_or(ip.to_string(), |port| format!("{ip} {port}")));
        let host = said.host.map(|span| String::from_utf8_lossy(request.text(span)).into_owned());
        (client, said.scheme, host)
    }

    #[test]
    fn the_client_is_the_last_hop_that_is_no_trusted_proxy() {
        let rows = [
            ("X-Forwarded-For: 192.0.2.1", "10.0.0.0/8", Some("192.0.2.1")),
            ("X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.1.2.3", "10.0.0.0/8", Some("192.0.2.1")),
            ("X-Forwarded-For: 6.6.6.6\nX-Forwarded-For: 192.0.2.1", "10.0.0.0/8", Some("192.0.2.1")),
            ("X-Forwarded-For: 10.1.1.1, 10.2.2.2", "10.0.0.0/8", Some("10.1.1.1")),
            ("X-Forwarded-For: 192.0.2.1, unknown, 10.2.2.2", "10.0.0.0/8", Some("10.2.2.2")),
            ("X-Forwarded-For: nonsense", "10.0.0.0/8", None),
            ("X-Forwarded-For: 192.0.2.1:4711", "", Some("192.0.2.1 4711")),
            ("X-Forwarded-For: 2001:db8::1", "", Some("2001:db8::1")),
            ("X-Forwarded-For: [2001:db8::1]:80", "", Some("2001:db8::1 80")),
            ("X-Forwarded-For: 1.1.1.1, 2.2.2.2", "*", Some("1.1.1.1")),
            ("X-Forwarded-For: 1.1.1.1\nForwarded: for=6.6.6.6", "", Some("1.1.1.1")),
            ("Forwarded: for=192.0.2.1", "", Some("192.0.2.1")),
            ("Forwarded: for=6.6.6.6, for=192.0.2.1;proto=http, For=\"10.0.0.9:80\"", "10.0.0.0/8", Some("192.0.2.1")),
            ("Forwarded: for=\"[2001:db8::17]:4711\"", "", Some("2001:db8::17 4711")),
            ("Forwarded: for=_hidden", "", None),
            ("Accept: */*", "", None),
        ];
        for (fields, trusted, client) in rows {
            assert_eq!(read(fields, trusted).0.as_deref(), client, "{fields}");
        }
    }

    #[test]
    fn scheme_and_host_are_those_of_the_same_hop() {
        let rows = [
            ("X-Forwarded-Proto: https\nX-Forwarded-Host: a.example", Some(Scheme::Https), Some("a.example")),
            ("X-Forwarded-For: 1.1.1.1, 10.0.0.1\nX-Forwarded-Proto: https, http", Some(Scheme::Https), None),
            ("X-Forwarded-For: 1.1.1.1, 10.0.0.1\nX-Forwarded-Proto: https", Some(Scheme::Https), None),
            ("X-Forwarded-Proto: javascript\nX-Forwarded-Host: a/b", None, None),
            (
                "Forwarded: for=1.1.1.1;proto=https;host=\"a.example:81\", for=10.0.0.1",
                Some(Scheme::Https),
                Some("a.example:81"),
            ),
            ("Forwarded: proto=HTTPS ; host=b", Some(Scheme::Https), Some("b")),
        ];
        for (fields, scheme, host) in rows {
            let (_, said_scheme, said_host) = read(fields, "10.0.0.0/8");
            assert_eq!((said_scheme, said_host.as_deref()), (scheme, host), "{fields}");
        }
    }

    #[test]
    fn reads_lists_of_the_trusted() {
        let includes =
            |list: &str, address: &str| list.parse::<TrustedPeers>().unwrap().includes(address.parse().unwrap());
        assert!(includes("127.0.0.1, ::1", "::ffff:127.0.0.1"));
        assert!(includes("fd00::/8", "fd12::1") && !includes("fd00::/8", "fe12::1"));
        assert!(includes("10.0.0.0/7", "11.9.9.9") && !includes("10.0.0.0/7", "12.0.0.0"));
        assert!(includes("0.0.0.0/0", "1.2.3.4") && !includes("", "127.0.0.1"));
        assert!(includes("*", "2001:db8::1"));
        for list in ["localhost", "10.0.0.0/33", "1.2.3", "::1/129"] {
            assert!(list.parse::<TrustedPeers>().is_err(), "{list}");
        }
    }
}
