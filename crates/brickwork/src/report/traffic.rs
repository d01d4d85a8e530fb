//! Lines for the log about the heads that went by.

use brickwork_server::redaction::escape_bytes;
use brickwork_server::{Peer, Traffic};

use super::redact::redacted_lines;

/// Who a connection is with.
pub(crate) fn peer_name(peer: &Peer) -> String {
    match peer {
        Peer::Tcp { remote, .. } => remote.to_string(),
        Peer::Unix { path } => format!("unix:{path}"),
    }
}

/// The lines of a head that went by: `<` received, `>` sent.
pub(crate) fn traffic_lines(traffic: &Traffic<'_>) -> Vec<String> {
    let (peer, direction, head) = match traffic {
        Traffic::Received { peer, head } => (peer, '<', head),
        Traffic::Sent { peer, head } => (peer, '>', head),
    };
    let peer = peer_name(peer);
    let lines = redacted_lines(head.strip_suffix(b"\r\n\r\n").unwrap_or(head));
    lines.map(|line| format!("{peer} {direction} {}", escape_bytes(&line))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_shown_line_by_line() {
        let peer = Peer::Tcp { remote: "127.0.0.1:51514".parse().unwrap(), local: "127.0.0.1:8000".parse().unwrap() };
        let head = b"GET /\x1b HTTP/1.1\r\nHost: a\r\nCookie: id=1\r\n\r\n";
        assert_eq!(
            traffic_lines(&Traffic::Received { peer: &peer, head }),
            [
                "127.0.0.1:51514 < GET /\\x1b HTTP/1.1",
                "127.0.0.1:51514 < Host: a",
                "127.0.0.1:51514 < Cookie: [redacted]"
            ]
        );
        let peer = Peer::Unix { path: "/run/app.sock".into() };
        let head = b"HTTP/1.1 200 OK\r\n\r\n";
        assert_eq!(traffic_lines(&Traffic::Sent { peer: &peer, head }), ["unix:/run/app.sock > HTTP/1.1 200 OK"]);
    }
}
