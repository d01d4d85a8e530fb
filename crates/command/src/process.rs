//! What every process of a server does first.

use std::io;

use crate::config::Config;
use crate::log::{self, Log};

/// Goes to the directory and opens the error log: afterwards, the log can tell what is wrong.
///
/// # Errors
/// One sentence that names the flag.
pub fn prepare(config: &Config) -> Result<(), String> {
    if let Some(directory) = &config.chdir {
        std::env::set_current_dir(directory).map_err(|error| format!("--chdir {}: {error}", directory.display()))?;
    }
    let file = log::open(&config.error_log, io::stderr()).map_err(|error| format!("--error-logfile: {error}"))?;
    if let Some(file) = file {
        Log::new(file, config.log_format, config.log_level).install();
    }
    Ok(())
}
