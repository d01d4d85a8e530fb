//! Files and directories of one tree over HTTP: GET and HEAD, conditional requests, ranges, compressed siblings,
//! listings. Native: no interpreter lock, no thread of its own, content by sendfile(2).
//!
//! This file decides what a path stands for; the others hold one matter each: `served_path` names, `tree` opening,
//! `representation` the answer, `validators` and `conditional` RFC 9110 sections 8.8 and 13, `range` and `multipart`
//! section 14, `precompressed` section 12.5.3, `media_type`, `cache_control`, `listing`.
//!
//! Reading a directory or the start of a file may wait for a disk, and with it the event loop: files that are served
//! are in the page cache nearly always.

mod answer;
mod cache_control;
mod conditional;
mod list;
mod listing;
mod media_type;
mod multipart;
mod precompressed;
mod range;
mod representation;
mod sendfile_root;
mod served_path;
#[cfg(test)]
mod test_request;
mod tree;
mod validators;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use brickwork_http::Method;
use brickwork_http::h1::ResponseHead;
use rustix::fs::Stat;

use self::answer::{allow, put, redirect, refuse, start};
use self::media_type::{MediaType, TEXT_HTML, media_type};
use self::representation::Representation;
pub(crate) use self::sendfile_root::HandedOver;
pub use self::sendfile_root::SendfileRoot;
pub use self::served_path::Dotfiles;
use self::served_path::{PathFault, ServedPath, strip_prefix};
use self::tree::{Missing, Opened, Tree};
use self::validators::Validators;
use crate::{Content, Exchange, Handler, RequestView};

/// Serves the files beneath a directory: a [`Handler`] of its own, or beside another one for the paths it
/// [serves](StaticFiles::serves).
#[derive(Debug)]
pub struct StaticFiles {
    tree: Tree,
    options: StaticOptions,
}

/// How files are served.
#[derive(Clone, Debug)]
pub struct StaticOptions {
    /// The part of the URL's path that stands for the directory, decoded: `/static`. Empty for all of it.
    pub prefix: String,
    /// Value of Cache-Control, empty for none. Files whose name holds their content's hash are cached for good in any
    /// case.
    pub cache_control: String,
    /// What a directory without `index.html` is answered with.
    pub listings: Listings,
    /// Whether names that begin with a dot are served.
    pub dotfiles: Dotfiles,
}

/// What a directory without `index.html` is answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listings {
    /// Nothing: 404.
    #[default]
    Off,
    /// A page that lists it.
    Shown,
}

impl Default for StaticOptions {
    fn default() -> Self {
        StaticOptions {
            prefix: String::new(),
            // Asking again costs a 304; an answer that is out of date costs an afternoon.
            cache_control: String::from("no-cache"),
            listings: Listings::default(),
            dotfiles: Dotfiles::default(),
        }
    }
}

impl StaticFiles {
    /// Serves `directory`, as it is now: when the name comes to stand for another directory, that one is not served.
    ///
    /// # Errors
    /// The directory cannot be opened; the prefix is no path, or the Cache-Control value no field value.
    pub fn open(directory: &Path, mut options: StaticOptions) -> io::Result<StaticFiles> {
        options.prefix.truncate(options.prefix.trim_end_matches('/').len());
        if !options.prefix.is_empty() && !options.prefix.starts_with('/') {
            return Err(invalid("a prefix begins with '/'"));
        }
        let mut head = ResponseHead::new();
        start(&mut head, 200);
        if head.field(b"Cache-Control", options.cache_control.as_bytes()).is_err() {
            return Err(invalid("the Cache-Control value has a control character in it"));
        }
        Ok(StaticFiles { tree: Tree::open(directory)?, options })
    }

    /// Whether a request's path is the prefix or beneath it.
    #[must_use]
    pub fn serves(&self, request: RequestView<'_>) -> bool {
        self.strip_prefix(request).is_some()
    }

    fn strip_prefix<'a>(&self, request: RequestView<'a>) -> Option<&'a [u8]> {
        strip_prefix(request.text(request.head.target.path), self.options.prefix.as_bytes())
    }

    /// Writes the head of the answer and returns its content in pieces. `now` is seconds since 1970.
    fn respond(&self, request: RequestView<'_>, now: u64, head: &mut ResponseHead) -> Vec<Content> {
        match request.head.method {
            Method::Get | Method::Head => {}
            Method::Options => return allow(head, 204),
            _ => return allow(head, 405),
        }
        let Some(encoded) = self.strip_prefix(request) else { return self.not_found(head) };
        if encoded.is_empty() && !self.options.prefix.is_empty() {
            let name = self.options.prefix.rsplit('/').next().unwrap_or_default();
            return redirect(request, name.as_bytes(), head);
        }
        let path = match ServedPath::decode(encoded, self.options.dotfiles) {
            Ok(path) => path,
            Err(PathFault::Malformed) => return refuse(head, 400),
            Err(PathFault::NotServed) => return self.not_found(head),
        };
        match self.tree.find(path.as_bytes()) {
            Ok(Opened::File(..)) if path.is_directory => self.not_found(head),
            Ok(Opened::File(file, stat)) => self.select(request, &path, file, &stat, now).respond(request, now, head),
            Ok(Opened::Directory(_)) if !path.is_directory => redirect(request, path.name(), head),
            Ok(Opened::Directory(directory)) => self.directory(request, &path, directory, now, head),
            Err(missing) => self.missing(missing, head),
        }
    }

    fn directory(
        &self,
        request: RequestView<'_>,
        path: &ServedPath,
        directory: OwnedFd,
        now: u64,
        head: &mut ResponseHead,
    ) -> Vec<Content> {
        let index = path.join(b"index.html");
        match self.tree.find(index.as_bytes()) {
            Ok(Opened::File(file, stat)) => self.select(request, &index, file, &stat, now).respond(request, now, head),
            Ok(Opened::Directory(_)) | Err(Missing::NotFound) if self.options.listings == Listings::Shown => {
                match listing::read(&self.tree, path, directory, self.options.dotfiles) {
                    Ok(listing) => listing.respond(request, path, now, head),
                    Err(error) => self.missing(Missing::of(error), head),
                }
            }
            Ok(Opened::Directory(_)) => self.not_found(head),
            Err(missing) => self.missing(missing, head),
        }
    }

    /// Content negotiation: the file, or the best of its compressed siblings that the client takes.
    fn select(
        &self,
        request: RequestView<'_>,
        path: &ServedPath,
        file: File,
        stat: &Stat,
        now: u64,
    ) -> Representation<'_> {
        let media_type = media_type(path.name());
        let cache_control =
            if cache_control::is_hashed(path.name()) { cache_control::FOR_GOOD } else { &self.options.cache_control };
        let codings = if media_type.is_compressible { precompressed::acceptable(request) } else { Vec::new() };
        let mut selected = (file, *stat, None);
        for coding in codings {
            let sibling = [path.as_bytes(), coding.suffix()].concat();
            // One that is older than the file was made of something else.
            if let Ok(Opened::File(file, sibling)) = self.tree.find(&sibling)
                && sibling.st_mtime >= stat.st_mtime
            {
                selected = (file, sibling, Some(coding));
                break;
            }
        }
        let (file, stat, coding) = selected;
        Representation {
            file: Arc::new(file),
            len: u64::try_from(stat.st_size).unwrap_or(0),
            validators: Validators::of_file(&stat, now),
            content_type: media_type.text.as_bytes(),
            coding,
            varies: media_type.is_compressible,
            cache_control,
        }
    }

    fn missing(&self, missing: Missing, head: &mut ResponseHead) -> Vec<Content> {
        match missing {
            Missing::NotFound => self.not_found(head),
            Missing::Forbidden => refuse(head, 403),
            Missing::Trouble(error) => {
                tracing::error!("a static file could not be opened: {error}");
                refuse(head, 503)
            }
        }
    }

    /// 404, with the tree's own page for it if there is one.
    fn not_found(&self, head: &mut ResponseHead) -> Vec<Content> {
        let Ok(Opened::File(file, stat)) = self.tree.find(b"404.html") else { return refuse(head, 404) };
        let MediaType { text, .. } = TEXT_HTML;
        start(head, 404);
        put(head, "Content-Type", text);
        vec![Content::File { file: Arc::new(file), offset: 0, len: u64::try_from(stat.st_size).unwrap_or(0) }]
    }
}

impl Handler for StaticFiles {
    fn handle(&self, exchange: &mut Exchange) {
        let now = unix_seconds();
        let mut head = std::mem::take(&mut exchange.response);
        let pieces = self.respond(exchange.request(), now, &mut head);
        exchange.response = head;
        // A client that has left needs no answer.
        let _ = exchange.send_pieces(pieces);
    }

    fn is_native(&self, _request: RequestView<'_>) -> bool {
        true
    }
}

/// The time, in seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
