//! What is a host with a port, and where it stops being one.

use super::*;

#[test]
fn hosts_are_accepted_by_the_grammar() {
    let rows: [(&[u8], usize); 14] = [
        (b"a", 1),
        (b"example.com", 11),
        (b"example.com:", 11),
        (b"example.com:8080", 11),
        (b"127.0.0.1:65535", 9),
        (b"under_score.example", 19),
        (b"xn--bcher-kva.example.", 22),
        (b"a%2Fb", 5),
        (b"a,b;c=d", 7),
        (b"[::1]", 5),
        (b"[::1]:80", 5),
        (b"[2001:db8::ffff:192.0.2.1]", 26),
        (b"[v1.fe80::a+en1]", 16),
        (b"localhost:0", 9),
    ];
    for (authority, expected) in rows {
        assert_eq!(host_len(authority), Ok(expected), "{}", authority.escape_ascii());
    }
}

#[test]
fn other_bytes_are_refused_where_they_stand() {
    let rows: [(&[u8], usize); 20] = [
        (b"", 0),
        (b":80", 0),
        (b"a b", 1),
        (b"a/b", 1),
        (b"user@a", 4),
        (b"a:b", 2),
        (b"a:80:80", 4),
        (b"a:65536", 6),
        (b"a:000000000000000000000000000000000000000000000099999", 52),
        (b"a:+80", 2),
        (b"a%2", 1),
        (b"a%zz", 1),
        (b"a\x80", 1),
        (b"a[", 1),
        (b"[::1", 4),
        (b"[]", 1),
        (b"[::1%25eth0]", 1),
        (b"[1:2:3:4:5:6:7:8:9]", 1),
        (b"[::1]a", 5),
        (b"[v.a]", 1),
    ];
    for (authority, expected) in rows {
        assert_eq!(host_len(authority), Err(expected), "{}", authority.escape_ascii());
    }
}
