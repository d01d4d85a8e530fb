//! The media type of a file, by the end of its name.

/// A media type, and what it means for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    /// Value of Content-Type.
    pub(super) text: &'static str,
    /// Whether a content coding makes such content smaller: compressed siblings are looked for, and the answer varies.
    pub(super) is_compressible: bool,
}

/// The media type of a file name. Text is UTF-8: what else there is cannot be told from outside.
pub(super) fn media_type(name: &[u8]) -> MediaType {
    let (stem, extension) = match name.iter().rposition(|&byte| byte == b'.') {
        Some(dot) => (&name[..dot], &name[dot + 1..]),
        None => (name, &[][..]),
    };
    let is = |known: &str| known.as_bytes().eq_ignore_ascii_case(extension);
    let is_plain = || extension.is_empty() && PLAIN_NAMES.contains(&stem);
    for (text, is_compressible, extensions) in TYPES {
        if extensions.split(' ').any(is) {
            return MediaType { text, is_compressible };
        }
    }
    if is_plain() { TEXT_PLAIN } else { UNKNOWN }
}

pub(super) const TEXT_PLAIN: MediaType = MediaType { text: "text/plain; charset=utf-8", is_compressible: true };
pub(super) const TEXT_HTML: MediaType = MediaType { text: "text/html; charset=utf-8", is_compressible: true };
const UNKNOWN: MediaType = MediaType { text: "application/octet-stream", is_compressible: false };

/// Names without an extension under which projects keep text.
const PLAIN_NAMES: [&[u8]; 9] =
    [b"README", b"LICENSE", b"COPYING", b"NOTICE", b"AUTHORS", b"CHANGELOG", b"CHANGES", b"Makefile", b"Dockerfile"];

/// Media type, whether it is worth compressing, extensions. Source code is shown, not downloaded: text/plain.
const TYPES: [(&str, bool, &str); 65] = [
    (TEXT_HTML.text, true, "html htm"),
    ("text/css; charset=utf-8", true, "css"),
    // RFC 9239 section 6.
    ("text/javascript; charset=utf-8", true, "js mjs cjs"),
    ("application/json", true, "json map"),
    ("application/manifest+json", true, "webmanifest"),
    ("application/ld+json", true, "jsonld"),
    ("application/geo+json", true, "geojson"),
    ("image/svg+xml", true, "svg"),
    ("image/png", false, "png"),
    ("image/jpeg", false, "jpg jpeg jpe jfif"),
    ("image/gif", false, "gif"),
    ("image/webp", false, "webp"),
    ("image/avif", false, "avif"),
    ("image/apng", false, "apng"),
    ("image/jxl", false, "jxl"),
    ("image/heic", false, "heic"),
    ("image/tiff", false, "tif tiff"),
    ("image/bmp", true, "bmp"),
    ("image/vnd.microsoft.icon", true, "ico"),
    ("font/woff2", false, "woff2"),
    ("font/woff", false, "woff"),
    ("font/ttf", true, "ttf"),
    ("font/otf", true, "otf"),
    ("application/vnd.ms-fontobject", true, "eot"),
    ("application/wasm", true, "wasm"),
    (TEXT_PLAIN.text, true, "txt text log ini cfg conf toml lock rst tex diff patch"),
    (TEXT_PLAIN.text, true, "py pyi rs c h cc cpp hpp go java kt swift rb pl lua sh bash zsh fish sql ts tsx jsx vue"),
    ("text/markdown; charset=utf-8", true, "md markdown"),
    ("text/csv; charset=utf-8", true, "csv"),
    ("text/tab-separated-values; charset=utf-8", true, "tsv"),
    ("text/calendar; charset=utf-8", true, "ics"),
    ("text/vcard; charset=utf-8", true, "vcf"),
    ("text/vtt; charset=utf-8", true, "vtt"),
    ("application/yaml", true, "yaml yml"),
    ("application/xml", true, "xml xsl xsd"),
    ("application/xhtml+xml", true, "xhtml"),
    ("application/atom+xml", true, "atom"),
    ("application/rss+xml", true, "rss"),
    ("application/pdf", false, "pdf"),
    ("application/rtf", true, "rtf"),
    ("application/epub+zip", false, "epub"),
    ("video/mp4", false, "mp4 m4v"),
    ("video/webm", false, "webm"),
    ("video/ogg", false, "ogv"),
    ("video/quicktime", false, "mov"),
    ("video/matroska", false, "mkv"),
    ("video/mp2t", false, "m2ts"),
    ("application/vnd.apple.mpegurl", true, "m3u8"),
    ("application/dash+xml", true, "mpd"),
    ("audio/mpeg", false, "mp3"),
    ("audio/mp4", false, "m4a"),
    ("audio/aac", false, "aac"),
    ("audio/ogg", false, "ogg oga opus"),
    ("audio/flac", false, "flac"),
    ("audio/wav", true, "wav"),
    ("audio/midi", true, "mid midi"),
    ("application/zip", false, "zip whl"),
    ("application/gzip", false, "gz tgz"),
    ("application/zstd", false, "zst"),
    ("application/x-tar", true, "tar"),
    ("application/x-xz", false, "xz"),
    ("application/x-bzip2", false, "bz2"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", false, "docx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", false, "xlsx"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", false, "pptx"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_media_types() {
        let rows = [
            ("index.html", "text/html; charset=utf-8"),
            ("INDEX.HTM", "text/html; charset=utf-8"),
            ("app.3f9a2c1b.js", "text/javascript; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("data.json", "application/json"),
            ("a.tar.gz", "application/gzip"),
            ("movie.mp4", "video/mp4"),
            ("README", "text/plain; charset=utf-8"),
            ("main.rs", "text/plain; charset=utf-8"),
            ("readme", "application/octet-stream"),
            ("a.", "application/octet-stream"),
            (".html", "text/html; charset=utf-8"),
            ("html", "application/octet-stream"),
            ("a.html html", "application/octet-stream"),
            ("a.unknown", "application/octet-stream"),
            ("", "application/octet-stream"),
        ];
        for (name, text) in rows {
            assert_eq!(media_type(name.as_bytes()).text, text, "{name}");
        }
    }

    #[test]
    fn no_extension_is_listed_twice_and_all_text_says_its_charset() {
        let mut seen = std::collections::HashSet::new();
        for (text, _, extensions) in TYPES {
            assert!(!text.starts_with("text/") || text.ends_with("; charset=utf-8"), "{text}");
            for extension in extensions.split(' ') {
                assert!(seen.insert(extension), "{extension}");
            }
        }
    }
}
