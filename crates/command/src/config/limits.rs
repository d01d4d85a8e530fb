//! The flags that bound requests, for whoever reads requests: a server, and `check-request`.

use brickwork_server::http::Limits;
use clap::{Args, value_parser};

use super::SizeText;
use super::size::{parse_head_size, parse_size};

/// As they were typed.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RawLimits {
    /// Longest request-line (default 8190)
    #[arg(long, value_name = "SIZE", value_parser = parse_head_size, help_heading = "Limits")]
    pub limit_request_line: Option<u32>,
    /// Most field lines in a request (default 100)
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=32768), help_heading = "Limits")]
    pub limit_request_fields: Option<u32>,
    /// Longest field line (default 8190)
    #[arg(
        long = "limit-request-field_size",
        alias = "limit-request-field-size",
        value_name = "SIZE",
        value_parser = parse_head_size,
        help_heading = "Limits"
    )]
    pub limit_request_field_size: Option<u32>,
    /// Longest request head (default 64KiB)
    #[arg(long, value_name = "SIZE", value_parser = parse_head_size, help_heading = "Limits")]
    pub limit_request_head: Option<u32>,
    /// Most content in a request (default 1GiB)
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits")]
    pub limit_content: Option<u64>,
    /// Longest chunk line of chunked content (default 256)
    #[arg(long, value_name = "SIZE", value_parser = parse_head_size, help_heading = "Limits")]
    pub limit_chunk_line: Option<u32>,
    /// Longest trailer section of chunked content (default 8KiB)
    #[arg(long, value_name = "SIZE", value_parser = parse_head_size, help_heading = "Limits")]
    pub limit_trailers: Option<u32>,
}

impl RawLimits {
    /// With the defaults filled in.
    ///
    /// # Errors
    /// One sentence that names the flag.
    pub(crate) fn resolve(&self) -> Result<Limits, String> {
        let limits = Limits {
            request_line: self.limit_request_line.unwrap_or(8190),
            fields: self.limit_request_fields.unwrap_or(100),
            field_line: self.limit_request_field_size.unwrap_or(8190),
            head: self.limit_request_head.unwrap_or(64 << 10),
            content: self.limit_content.unwrap_or(1 << 30),
            chunk_line: self.limit_chunk_line.unwrap_or(256),
            trailer_section: self.limit_trailers.unwrap_or(8 << 10),
        };
        let lines = [
            ("--limit-request-line", self.limit_request_line),
            ("--limit-request-field_size", self.limit_request_field_size),
        ];
        for (flag, typed) in lines {
            if let Some(line) = typed.filter(|&line| line > limits.head) {
                return Err(format!(
                    "{flag} ({}) is more than --limit-request-head ({}): raise that one too",
                    SizeText(line.into()),
                    SizeText(limits.head.into())
                ));
            }
        }
        Ok(limits)
    }
}
