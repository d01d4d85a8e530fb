//! RFC 9112 section 9.3, row by row.

use super::*;

#[test]
fn connection_options_decide_by_version() {
    use Persistence::{Close, Persistent};
    let rows: [(&[&str], Persistence, Persistence); 11] = [
        (&[], Persistent, Close),
        (&["keep-alive"], Persistent, Persistent),
        (&["Keep-Alive"], Persistent, Persistent),
        (&["close"], Close, Close),
        (&["CLOSE"], Close, Close),
        (&["keep-alive, close"], Close, Close),
        (&["keep-alive", "upgrade", "te, close"], Close, Close),
        (&["upgrade"], Persistent, Close),
        (&[", ,keep-alive,"], Persistent, Persistent),
        (&["closed"], Persistent, Close),
        (&["clo se"], Close, Close),
    ];
    for (values, http11, http10) in rows {
        let mut options = ConnectionOptions::default();
        for value in values {
            options.add(value.as_bytes());
        }
        assert_eq!(options.persistence(Version::Http11), http11, "{values:?}");
        assert_eq!(options.persistence(Version::Http10), http10, "{values:?}");
    }
}
