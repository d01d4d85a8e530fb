//! The flags about static files, and what they mean: directories, each with the part of the URL's path that stands for
//! it.

use std::path::PathBuf;
use std::str::FromStr;

use brickwork_server::{Dotfiles, Listings, StaticOptions};
use clap::Args;

/// The flags of whatever serves files.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RawFiles {
    /// Cache-Control of static files; one with a hash in its name (app.3f9a2c1b.js) is cached for good in any case
    /// (default no-cache)
    #[arg(long, value_name = "VALUE", help_heading = "Static files")]
    cache_control: Option<String>,
    /// Serve files whose name begins with a dot; /.well-known is served in any case (default false)
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        help_heading = "Static files"
    )]
    dotfiles: Option<bool>,
}

/// The flags for files beside an application.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RawMounts {
    /// Serve the files beneath DIR at PREFIX without asking the application: /static=app/static. May be repeated
    #[arg(long = "static", value_name = "PREFIX=DIR", help_heading = "Static files")]
    mounts: Vec<RawMount>,
    /// Send the file that the application names in a field X-Sendfile of its response, if it is beneath DIR
    #[arg(long, value_name = "DIR", help_heading = "Static files")]
    pub sendfile_root: Option<PathBuf>,
    #[command(flatten)]
    files: RawFiles,
}

/// `PREFIX=DIR`
#[derive(Clone, Debug)]
struct RawMount {
    prefix: String,
    directory: PathBuf,
}

/// A directory that is served.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The directory.
    pub directory: PathBuf,
    /// How its files are served, and where.
    pub options: StaticOptions,
}

impl FromStr for RawMount {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<RawMount, &'static str> {
        let (prefix, directory) = text.split_once('=').unwrap_or((text, ""));
        if !prefix.starts_with('/') || directory.is_empty() {
            return Err("a path and a directory are meant, such as /static=app/static");
        }
        match prefix.trim_end_matches('/') {
            "" => Err("this would leave nothing to the application; `brickwork static DIR` serves files alone"),
            prefix => Ok(RawMount { prefix: prefix.into(), directory: directory.into() }),
        }
    }
}

impl RawFiles {
    fn options(&self, prefix: String, listings: Listings) -> StaticOptions {
        let defaults = StaticOptions::default();
        StaticOptions {
            prefix,
            cache_control: self.cache_control.clone().unwrap_or(defaults.cache_control),
            listings,
            dotfiles: if self.dotfiles.unwrap_or(false) { Dotfiles::Served } else { Dotfiles::Hidden },
        }
    }

    /// For `brickwork static DIR`.
    pub(crate) fn alone(&self, directory: PathBuf) -> Vec<Mount> {
        vec![Mount { directory, options: self.options(String::new(), Listings::Shown) }]
    }
}

impl RawMounts {
    /// The directories beside the application, the longest prefix first: it is the one that counts.
    pub(crate) fn beside(&self) -> Vec<Mount> {
        let mount = |raw: &RawMount| Mount {
            directory: raw.directory.clone(),
            options: self.files.options(raw.prefix.clone(), Listings::Off),
        };
        let mut mounts: Vec<Mount> = self.mounts.iter().map(mount).collect();
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.options.prefix.len()));
        mounts
    }
}
