//! The page that lists a directory: names, sizes, dates, sorted by a query; for light and dark, wide and narrow,
//! keyboard and screen reader, without a script. Every name is escaped for where it stands.

use std::cmp::{Ordering, Reverse};
use std::fmt::Write;
use std::os::fd::OwnedFd;

use brickwork_http::h1::ResponseHead;
use rustix::fs::{AtFlags, Dir, FileType, Stat, fstat, statat};
use rustix::io::Errno;

use super::answer::{put, refuse, start};
use super::conditional::{Verdict, evaluate};
use super::media_type::TEXT_HTML;
use super::served_path::{Dotfiles, ServedPath, encode_segment, is_dotfile};
use super::tree::{Opened, Tree};
use super::validators::{Validators, http_date};
use crate::{Content, RequestView};

/// What there is to see in a directory.
#[derive(Debug)]
pub(super) struct Listing {
    entries: Vec<Entry>,
    /// There is more than is listed.
    is_cut: bool,
}

#[derive(Debug)]
struct Entry {
    name: Vec<u8>,
    is_directory: bool,
    /// Bytes; 0 for a directory.
    size: u64,
    /// Seconds since 1970.
    modified: u64,
}

/// So many entries are looked at: each costs a system call, and nobody reads a longer page.
const MOST_ENTRIES: usize = 10_000;

/// Reads a directory, which `path` leads to. What a request could not get is not listed.
pub(super) fn read(tree: &Tree, path: &ServedPath, directory: OwnedFd, dotfiles: Dotfiles) -> Result<Listing, Errno> {
    let mut listing = Listing { entries: Vec::new(), is_cut: false };
    for entry in Dir::read_from(&directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let is_well_known = path.as_bytes().is_empty() && name == b".well-known";
        let is_hidden = dotfiles == Dotfiles::Hidden && is_dotfile(name) && !is_well_known;
        if matches!(name, b"." | b"..") || is_hidden {
            continue;
        }
        if listing.entries.len() == MOST_ENTRIES {
            listing.is_cut = true;
            break;
        }
        let Ok(mut stat) = statat(&directory, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            stat = match tree.find(path.join(name).as_bytes()) {
                Ok(Opened::File(_, target)) => target,
                Ok(Opened::Directory(target)) => fstat(target)?,
                Err(_) => continue,
            };
        }
        listing.entries.extend(Entry::new(name, &stat));
    }
    Ok(listing)
}

impl Entry {
    fn new(name: &[u8], stat: &Stat) -> Option<Entry> {
        let is_directory = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => true,
            FileType::RegularFile => false,
            _ => return None,
        };
        Some(Entry {
            name: name.to_vec(),
            is_directory,
            size: if is_directory { 0 } else { u64::try_from(stat.st_size).unwrap_or(0) },
            modified: u64::try_from(stat.st_mtime).unwrap_or(0),
        })
    }
}

/// What the page is sorted by; directories come first in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    column: Column,
    is_descending: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Size,
    Modified,
}

impl Column {
    const ALL: [(Column, &'static str, &'static str); 3] = [
        (Column::Name, "name", "Name"),
        (Column::Size, "size", "Size"),
        (Column::Modified, "modified", "Modified (UTC)"),
    ];
}

impl Order {
    /// Reads `sort=size&order=desc`; what is not understood is passed over.
    fn of_query(query: &[u8]) -> Order {
        let mut order = Order { column: Column::Name, is_descending: false };
        for parameter in query.split(|&byte| byte == b'&') {
            if let Some(sort) = parameter.strip_prefix(b"sort=") {
                let known = Column::ALL.iter().find(|(_, word, _)| word.as_bytes() == sort);
                order.column = known.map_or(order.column, |(column, ..)| *column);
            } else if let Some(direction) = parameter.strip_prefix(b"order=") {
                order.is_descending = direction == b"desc";
            }
        }
        order
    }

    fn compare(self, a: &Entry, b: &Entry) -> Ordering {
        let by_column = match self.column {
            Column::Name => by_name(a, b),
            Column::Size => a.size.cmp(&b.size),
            Column::Modified => a.modified.cmp(&b.modified),
        };
        let by_column = if self.is_descending { by_column.reverse() } else { by_column };
        let by_kind = Reverse(a.is_directory).cmp(&Reverse(b.is_directory));
        by_kind.then(by_column).then_with(|| by_name(a, b))
    }
}

/// Alike but for the case of letters, names are in the order of their bytes.
fn by_name(a: &Entry, b: &Entry) -> Ordering {
    let (folded_a, folded_b) = (a.name.iter().map(u8::to_ascii_lowercase), b.name.iter().map(u8::to_ascii_lowercase));
    folded_a.cmp(folded_b).then_with(|| a.name.cmp(&b.name))
}

impl Listing {
    pub(super) fn respond(
        mut self,
        request: RequestView<'_>,
        path: &ServedPath,
        now: u64,
        head: &mut ResponseHead,
    ) -> Vec<Content> {
        let order = Order::of_query(request.head.target.query.map_or(&[], |query| request.text(query)));
        self.entries.sort_unstable_by(|a, b| order.compare(a, b));
        let html = self.page(path, order).into_bytes();
        let validators = Validators::of_content(&html);
        let content = match evaluate(request, &validators, now) {
            Verdict::Failed => return refuse(head, 412),
            Verdict::NotModified => {
                start(head, 304);
                Vec::new()
            }
            Verdict::Perform => {
                start(head, 200);
                put(head, "Content-Type", TEXT_HTML.text);
                put(head, "X-Content-Type-Options", "nosniff");
                put(head, "Content-Security-Policy", POLICY);
                vec![Content::Owned(html)]
            }
        };
        put(head, "ETag", &validators.entity_tag.to_text());
        put(head, "Cache-Control", "no-cache");
        content
    }

    fn page(&self, path: &ServedPath, order: Order) -> String {
        let mut page = String::with_capacity(4096 + 200 * self.entries.len());
        let shown = String::from_utf8_lossy(path.as_bytes());
        page.push_str(BEFORE_TITLE);
        page.push_str("Index of /");
        escape(&shown, &mut page);
        page.push_str(AFTER_TITLE);
        push_heading(path, &mut page);
        page.push_str("<table>\n<caption>");
        self.push_summary(&mut page);
        page.push_str("</caption>\n<thead>\n<tr>");
        for (column, word, title) in Column::ALL {
            push_column(order, column, word, title, &mut page);
        }
        page.push_str("</tr>\n</thead>\n<tbody>\n");
        if !path.as_bytes().is_empty() {
            page.push_str("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
        }
        for entry in &self.entries {
            push_row(entry, &mut page);
        }
        page.push_str("</tbody>\n</table>\n");
        if self.is_cut {
            let _ = writeln!(page, "<p>There is more: only {MOST_ENTRIES} entries are listed.</p>");
        }
        page.push_str(END);
        page
    }

    fn push_summary(&self, page: &mut String) {
        let directories = self.entries.iter().filter(|entry| entry.is_directory).count();
        let files = self.entries.len() - directories;
        let total = self.entries.iter().map(|entry| entry.size).fold(0, u64::saturating_add);
        let plural = |count: usize, one, many| if count == 1 { one } else { many };
        let _ = match (directories, files) {
            (0, 0) => write!(page, "This directory is empty"),
            (_, 0) => write!(page, "{directories} {}", plural(directories, "directory", "directories")),
            (0, _) => write!(page, "{files} {}, {}", plural(files, "file", "files"), size_text(total)),
            _ => write!(
                page,
                "{directories} {}, {files} {}, {}",
                plural(directories, "directory", "directories"),
                plural(files, "file", "files"),
                size_text(total)
            ),
        };
    }
}

/// The path, each of its directories a link. Links go up by "../", so that they hold behind a proxy that takes a prefix
/// away.
fn push_heading(path: &ServedPath, page: &mut String) {
    let names: Vec<&[u8]> = path.as_bytes().split(|&byte| byte == b'/').filter(|name| !name.is_empty()).collect();
    page.push_str("<h1>");
    if names.is_empty() {
        page.push_str("Index");
    } else {
        let _ = write!(page, "<a href=\"{}\">Index</a>", "../".repeat(names.len()));
    }
    for (index, name) in names.iter().enumerate() {
        let above = names.len() - 1 - index;
        page.push_str(" / ");
        let name = String::from_utf8_lossy(name);
        if above == 0 {
            page.push_str("<bdi>");
            escape(&name, page);
            page.push_str("</bdi>");
        } else {
            let _ = write!(page, "<a href=\"{}\"><bdi>", "../".repeat(above));
            escape(&name, page);
            page.push_str("</bdi></a>");
        }
    }
    page.push_str("</h1>\n");
}

fn push_column(order: Order, column: Column, word: &str, title: &str, page: &mut String) {
    let (sorted, next) = match (order.column == column, order.is_descending) {
        (false, _) => ("", ""),
        (true, false) => (" aria-sort=\"ascending\"", "&amp;order=desc"),
        (true, true) => (" aria-sort=\"descending\"", ""),
    };
    let _ = write!(page, "<th scope=\"col\"{sorted}><a href=\"?sort={word}{next}\">{title}</a></th>");
}

fn push_row(entry: &Entry, page: &mut String) {
    let slash = if entry.is_directory { "/" } else { "" };
    page.push_str("<tr><td><a href=\"");
    encode_segment(&entry.name, page);
    let _ = write!(page, "{slash}\"><bdi>");
    escape(&String::from_utf8_lossy(&entry.name), page);
    let _ = write!(page, "{slash}</bdi></a></td>");
    if entry.is_directory {
        page.push_str("<td></td>");
    } else {
        let _ = write!(page, "<td title=\"{} bytes\">{}</td>", entry.size, size_text(entry.size));
    }
    let (date, time) = date_and_time(entry.modified);
    let _ = writeln!(page, "<td><time datetime=\"{date}T{time}Z\">{date} {}</time></td></tr>", &time[..5]);
}

/// Text for any place in an element or a quoted attribute. Control characters, which HTML cannot hold, are shown as
/// unknown ones.
fn escape(text: &str, page: &mut String) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            character if character.is_control() => page.push('\u{fffd}'),
            character => page.push(character),
        }
    }
}

fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be rounded to 1024 is one of the next unit.
    while size >= 1023.95 {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// As `2026-11-21` and `01:02:03`, taken from the HTTP-date.
fn date_and_time(seconds: u64) -> (String, String) {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let http_date = http_date(seconds);
    let text = String::from_utf8_lossy(&http_date);
    let month = MONTHS.find(&text[8..11]).map_or(0, |at| at / 3 + 1);
    (format!("{}-{month:02}-{}", &text[12..16], &text[5..7]), text[17..25].to_owned())
}

/// Nothing but the page's own style sheet: a name that got past the escaping still could not load or run anything.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const BEFORE_TITLE: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>";

const AFTER_TITLE: &str = "</title>
<style>
:root { color-scheme: light dark;
  --ink: #1d1f23; --faint: #5b616b; --line: #d9dce1; --link: #0b57b8; --paper: #fff; --hover: #f2f5f9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6ea; --faint: #a0a6b0; --line: #363a42; --link: #8ab8ff; --paper: #17191d; --hover: #22262c; }
}
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.25rem; font-weight: 600; margin: 0 0 1rem; overflow-wrap: anywhere; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
table { width: 100%; border-collapse: collapse; }
caption { caption-side: bottom; text-align: left; padding: .75rem .5rem; color: var(--faint); font-size: .875rem; }
th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: baseline; }
th { font-weight: 600; font-size: .875rem; white-space: nowrap; }
th[aria-sort=ascending] a::after { content: \" \\2191\"; }
th[aria-sort=descending] a::after { content: \" \\2193\"; }
tbody tr:hover { background: var(--hover); }
td:first-child { width: 100%; overflow-wrap: anywhere; }
td:first-child a { display: block; }
td:nth-child(n+2) { color: var(--faint); white-space: nowrap; font-variant-numeric: tabular-nums; }
th:nth-child(2), td:nth-child(2) { text-align: right; }
@media (max-width: 36rem) { th:nth-child(3), td:nth-child(3) { display: none; } }
</style>
</head>
<body>
<main>
";

const END: &str = "</main>
</body>
</html>
";

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
