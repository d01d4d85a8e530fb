//! A file server: `cargo run --example static -- DIR`, then open http://127.0.0.1:8080/ in a browser.

use std::io;
use std::path::{Path, PathBuf};

use brickwork_server::{Listings, StaticFiles, StaticOptions, serve};

fn main() -> io::Result<()> {
    let directory = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    serve("127.0.0.1:8080", files(&directory)?)
}

/// Conditional requests, ranges, compressed siblings and sendfile come with it, and nothing outside the directory is
/// ever served.
fn files(directory: &Path) -> io::Result<StaticFiles> {
    StaticFiles::open(directory, StaticOptions { listings: Listings::Shown, ..StaticOptions::default() })
}
