//! Load for what wrk cannot see. One thread, one epoll instance; the result is one line of JSON on standard output.
//!
//! With `--rate`, requests fall due at fixed times, and latency counts from then: a server that stalls is charged for
//! every request that it kept from being sent (no coordinated omission). Without it, each connection sends its next
//! request when it has its answer, and latency counts from sending. Every answer is checked: status 200, the expected
//! content length, nothing behind it. Content in chunks is not understood, and counts as an error.

mod connection;
mod histogram;
mod load;
mod options;

use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match load::run(&options) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
