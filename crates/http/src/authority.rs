//! Host and port, as in the Host field, in absolute-form and in authority-form: RFC 9110 section 7.2, RFC 3986 section 3.2.

use core::net::Ipv6Addr;

use crate::grammar::{REG_NAME, hex_digit};
use crate::scan;

/// Checks `uri-host [ ":" port ]` and returns the length of uri-host. The host must not be empty: the http scheme forbids it
/// (RFC 9110 section 4.2.1).
///
/// # Errors
/// The offset of the first byte that fits no longer.
#[inline]
pub(crate) fn host_len(authority: &[u8]) -> Result<usize, usize> {
    // What nearly every client sends: a name without a port.
    if !authority.is_empty() && REG_NAME.has_all(authority) { Ok(authority.len()) } else { checked_host_len(authority) }
}

#[inline(never)]
fn checked_host_len(authority: &[u8]) -> Result<usize, usize> {
    // host = IP-literal / IPv4address / reg-name; every IPv4address is a reg-name too
    let host_len = match authority.first() {
        Some(b'[') => ip_literal_len(authority)?,
        _ => reg_name_len(authority)?,
    };
    match authority.get(host_len) {
        None => Ok(host_len),
        Some(b':') => check_port(authority, host_len + 1).map(|()| host_len),
        Some(_) => Err(host_len),
    }
}

// reg-name = *( unreserved / pct-encoded / sub-delims )
fn reg_name_len(authority: &[u8]) -> Result<usize, usize> {
    let mut at = 0;
    loop {
        at = scan::end_of(REG_NAME, authority, at);
        match authority.get(at..) {
            // pct-encoded = "%" HEXDIG HEXDIG
            Some([b'%', high, low, ..]) if hex_digit(*high).is_some() && hex_digit(*low).is_some() => at += 3,
            _ if at == 0 => return Err(0),
            _ => return Ok(at),
        }
    }
}

// IP-literal = "[" ( IPv6address / IPvFuture ) "]"
fn ip_literal_len(authority: &[u8]) -> Result<usize, usize> {
    let end = authority.iter().position(|&byte| byte == b']').ok_or(authority.len())?;
    let address = &authority[1..end];
    let is_valid = match address.first() {
        Some(b'v' | b'V') => is_ip_future(address),
        // The grammar of IPv6address is that of RFC 3513, which core parses: no zone, no general number parser.
        _ => core::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok()),
    };
    if is_valid { Ok(end + 1) } else { Err(1) }
}

// IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
fn is_ip_future(address: &[u8]) -> bool {
    let Some(dot) = address.iter().position(|&byte| byte == b'.') else {
        return false;
    };
    let (version, rest) = (&address[1..dot], &address[dot + 1..]);
    let is_rest_byte = |byte: &u8| REG_NAME.has(*byte) || *byte == b':';
    !version.is_empty()
        && version.iter().all(|&byte| hex_digit(byte).is_some())
        && !rest.is_empty()
        && rest.iter().all(is_rest_byte)
}

// port = *DIGIT, and a TCP port has 16 bits
fn check_port(authority: &[u8], start: usize) -> Result<(), usize> {
    let mut port = 0u32;
    for (index, byte) in authority[start..].iter().enumerate() {
        if !byte.is_ascii_digit() {
            return Err(start + index);
        }
        port = port * 10 + u32::from(byte - b'0');
        if port > u32::from(u16::MAX) {
            return Err(start + index);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
