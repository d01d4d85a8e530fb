//! Hand-over: an application decides who may have a file and names it in a field X-Sendfile of its response; the server
//! sends it, as it sends static files, in place of the application's content.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use brickwork_http::h1::ResponseHead;

use super::answer::refuse;
use super::media_type::media_type;
use super::representation::Representation;
use super::tree::{Opened, Tree};
use super::validators::Validators;
use crate::{Content, RequestView};

/// The directory beneath which an application may name files.
#[derive(Debug)]
pub struct SendfileRoot {
    tree: Tree,
    /// The directory's own path, without symbolic links: what absolute paths begin with.
    directory: PathBuf,
}

/// A response in the place of the application's.
#[derive(Debug)]
pub(crate) struct HandedOver {
    pub(crate) head: ResponseHead,
    pub(crate) pieces: Vec<Content>,
}

impl SendfileRoot {
    /// Lets files beneath `directory` be named.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn open(directory: &Path) -> io::Result<SendfileRoot> {
        Ok(SendfileRoot { tree: Tree::open(directory)?, directory: directory.canonicalize()? })
    }

    /// The response with the file that the application's names; None if that names none. `now` is seconds since 1970.
    ///
    /// Conditions and ranges are evaluated here, against the file's own validators, whatever the application made of
    /// them. Its other fields are kept.
    pub(crate) fn take_over(&self, request: RequestView<'_>, given: &ResponseHead, now: u64) -> Option<HandedOver> {
        let named = fields(given).find(|(name, _)| is(name, "X-Sendfile"))?.1;
        let content_type = fields(given).find(|(name, _)| is(name, "Content-Type")).map(|(_, value)| value);
        let mut head = ResponseHead::new();
        let pieces = match given.status_code() {
            // 206 and 304: it evaluated the request itself, against validators of its own.
            200 | 206 | 304 => self.respond(request, named, content_type, now, &mut head),
            // It answers something else, for which no file is the content.
            status_code => refuse(&mut head, status_code),
        };
        for (name, value) in fields(given).filter(|(name, _)| !OURS.iter().any(|ours| is(name, ours))) {
            // It was within the grammar before.
            let _ = head.field(name, value);
        }
        if given.wants_close() {
            head.set_close();
        }
        Some(HandedOver { head, pieces })
    }

    fn respond(
        &self,
        request: RequestView<'_>,
        named: &[u8],
        content_type: Option<&[u8]>,
        now: u64,
        head: &mut ResponseHead,
    ) -> Vec<Content> {
        let found = self.relative(named).map(|path| (path, self.tree.find(path)));
        let Some((path, Ok(Opened::File(file, stat)))) = found else {
            tracing::error!("X-Sendfile: there is no file {} to be sent beneath --sendfile-root", named.escape_ascii());
            return refuse(head, 404);
        };
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        Representation {
            file: Arc::new(file),
            len: u64::try_from(stat.st_size).unwrap_or(0),
            validators: Validators::of_file(&stat, now),
            content_type: content_type.unwrap_or(media_type(name).text.as_bytes()),
            coding: None,
            varies: false,
            cache_control: "",
        }
        .respond(request, now, head)
    }

    /// The path beneath the root of one that is given in full or beneath it.
    fn relative<'a>(&self, named: &'a [u8]) -> Option<&'a [u8]> {
        let path = match named.strip_prefix(b"/") {
            Some(_) => named.strip_prefix(self.directory.as_os_str().as_bytes())?.strip_prefix(b"/")?,
            None => named,
        };
        let is_plain = |name: &[u8]| !matches!(name, b"" | b"." | b"..");
        path.split(|&byte| byte == b'/').all(is_plain).then_some(path)
    }
}

/// Fields of the application's response that are not kept: what is the server's to say about the file, and the name of
/// it.
const OURS: [&str; 7] =
    ["X-Sendfile", "Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified"];

fn is(name: &[u8], known: &str) -> bool {
    name.eq_ignore_ascii_case(known.as_bytes())
}

/// Names and values of the field lines of a head that is not finished.
fn fields(head: &ResponseHead) -> impl Iterator<Item = (&[u8], &[u8])> {
    let lines = head.as_bytes().split(|&byte| byte == b'\n').skip(1);
    lines.filter_map(|line| {
        let line = line.strip_suffix(b"\r")?;
        let colon = line.iter().position(|&byte| byte == b':')?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    })
}
