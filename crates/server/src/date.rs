//! The Date field's value, formatted once a second (RFC 9110 section 6.6.1).

use std::time::{SystemTime, UNIX_EPOCH};

use brickwork_http::write_imf_fixdate;

/// An IMF-fixdate of the current second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Date {
    second: u64,
    text: [u8; 29],
}

impl Default for Date {
    fn default() -> Date {
        let mut text = [0; 29];
        write_imf_fixdate(0, &mut text);
        Date { second: 0, text }
    }
}

impl Date {
    /// Brings the value up to date.
    pub(crate) fn refresh(&mut self) {
        let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if second != self.second {
            self.second = second;
            write_imf_fixdate(second, &mut self.text);
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}
