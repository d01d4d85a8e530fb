//! Static files as their clients see them, over raw bytes on loopback.
#![allow(clippy::unwrap_used)]

mod harness;

use std::fs::{self, File, FileTimes};
use std::net::Shutdown;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brickwork_server::{Config, Content, Dotfiles, Listings, SendfileRoot, StaticFiles, StaticOptions};
use harness::{Client, Response, TestServer};
use tempfile::TempDir;

/// A directory with files in it, served.
struct Site {
    directory: TempDir,
    server: TestServer,
}

impl Site {
    fn new(files: &[(&str, &str)]) -> Site {
        Site::with(files, StaticOptions { listings: Listings::Shown, ..StaticOptions::default() })
    }

    fn with(files: &[(&str, &str)], options: StaticOptions) -> Site {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(directory.path().join("secret.txt"), "SECRET").unwrap();
        for (name, content) in files {
            write(&root, name, content.as_bytes());
        }
        let files = StaticFiles::open(&root, options).unwrap();
        Site { directory, server: TestServer::with(Config::default(), Arc::new(files)) }
    }

    fn root(&self) -> std::path::PathBuf {
        self.directory.path().join("root")
    }

    fn write(&self, name: &str, content: &[u8]) {
        write(&self.root(), name, content);
    }

    fn client(&self) -> Client {
        self.server.client()
    }

    fn get(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.request("GET", path, fields)
    }

    fn request(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut client = self.client();
        client.send(format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{lines}\r\n"));
        let response = client.response_to(method);
        client.finish_sending();
        client.assert_closed();
        response
    }
}

/// Files whose last change is long ago, so that their tags are strong, have to be so by a date that cannot be set:
/// ctime. Tests that need a strong tag wait for one.
fn write(root: &Path, name: &str, content: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn set_modified(path: &Path, seconds: u64) {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(modified)).unwrap();
}

/// The tag of a file, once it is strong.
fn strong_tag(site: &Site, path: &str) -> String {
    for _ in 0..1000 {
        let tag = site.get(path, &[]).field("ETag").unwrap().to_owned();
        if !tag.starts_with("W/") {
            return tag;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the tag of {path} stayed weak");
}

fn digits(count: usize) -> String {
    "0123456789".chars().cycle().take(count).collect()
}

#[test]
fn a_file_comes_with_all_that_describes_it() {
    let site = Site::new(&[("a/page.html", "<p>hello"), ("data.bin", "x"), ("empty.txt", "")]);
    set_modified(&site.root().join("a/page.html"), 784_111_777);
    let response = site.get("/a/page.html", &[]);
    assert_eq!((response.status, response.text()), (200, "<p>hello"));
    let fields = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", "8"),
        ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", "no-cache"),
        ("Vary", "Accept-Encoding"),
        ("X-Content-Type-Options", "nosniff"),
    ];
    for (name, value) in fields {
        assert_eq!(response.field(name), Some(value), "{name}");
    }
    let tag = response.field("ETag").unwrap();
    assert!(tag.ends_with('"') && (tag.starts_with('"') || tag.starts_with("W/\"")), "{tag}");

    let head = site.request("HEAD", "/a/page.html", &[]);
    assert_eq!((head.status, head.field("Content-Length")), (200, Some("8")));
    assert_eq!(head.field("Last-Modified"), response.field("Last-Modified"));

    let binary = site.get("/data.bin", &[]);
    assert_eq!((binary.field("Content-Type"), binary.field("Vary")), (Some("application/octet-stream"), None));
    for method in ["GET", "HEAD"] {
        let empty = site.request(method, "/empty.txt", &[]);
        assert_eq!((empty.status, empty.field("Content-Length"), empty.text()), (200, Some("0"), ""), "{method}");
    }
}

#[test]
fn other_methods_learn_what_is_allowed() {
    let site = Site::new(&[("f.txt", "x")]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "BREW"] {
        let response = site.request(method, "/f.txt", &[]);
        assert_eq!((response.status, response.field("Allow")), (405, Some("GET, HEAD, OPTIONS")), "{method}");
    }
    for target in ["/f.txt", "*", "/nothing"] {
        let response = site.request("OPTIONS", target, &[]);
        assert_eq!((response.status, response.field("Allow")), (204, Some("GET, HEAD, OPTIONS")), "{target}");
    }
}

#[test]
fn files_of_every_size_come_whole_and_the_connection_goes_on() {
    let site = Site::new(&[]);
    let mut client = site.client();
    for size in [1usize, 4096, 4097, 16 << 10, (16 << 10) + 1, 1 << 20, 9_000_001] {
        let content = digits(size);
        site.write("f.txt", content.as_bytes());
        let response = client.get("/f.txt");
        assert_eq!(response.field("Content-Length"), Some(size.to_string().as_str()));
        assert!(response.text() == content, "{size} bytes");
    }
    // Pipelined: small, large, not there, large and in parts.
    let request = |path, field| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{field}\r\n");
    client
        .send([request("/f.txt", ""), request("/-", ""), request("/f.txt", "Range: bytes=0-5000000,7-7\r\n")].concat());
    assert_eq!(client.response().content.len(), 9_000_001);
    assert_eq!(client.response().status, 404);
    assert!(client.response().content.len() > 5_000_002);
}

#[test]
fn conditional_requests_end_to_end() {
    let site = Site::new(&[("f.txt", "hello")]);
    set_modified(&site.root().join("f.txt"), 784_111_777);
    let tag = strong_tag(&site, "/f.txt");
    let (same, earlier) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT");
    let weak = format!("W/{tag}");
    let rows: [(&[(&str, &str)], u16); 12] = [
        (&[("If-None-Match", &tag)], 304),
        (&[("If-None-Match", &weak)], 304),
        (&[("If-None-Match", "\"x\"")], 200),
        (&[("If-Match", &tag)], 200),
        (&[("If-Match", &weak)], 412),
        (&[("If-Match", "\"x\""), ("If-None-Match", &tag)], 412),
        (&[("If-Modified-Since", same)], 304),
        (&[("If-Modified-Since", earlier)], 200),
        (&[("If-Unmodified-Since", earlier)], 412),
        (&[("If-None-Match", "\"x\""), ("If-Modified-Since", same)], 200),
        (&[("If-None-Match", &tag), ("Range", "bytes=0-1")], 304),
        (&[("If-Match", &tag), ("Range", "bytes=0-1")], 206),
    ];
    for (fields, status) in rows {
        for method in ["GET", "HEAD"] {
            let response = site.request(method, "/f.txt", fields);
            // Range is for GET alone.
            let expected = if method == "HEAD" && status == 206 { 200 } else { status };
            assert_eq!(response.status, expected, "{method} {fields:?}");
            if status == 304 {
                assert_eq!(response.field("ETag"), Some(tag.as_str()));
                assert_eq!(response.field("Cache-Control"), Some("no-cache"));
                assert_eq!(response.field("Vary"), Some("Accept-Encoding"));
                assert_eq!(response.field("Content-Length"), None);
            }
        }
    }
    // Section 13.2.1: preconditions do not hide that there is nothing.
    assert_eq!(site.get("/nothing", &[("If-None-Match", "*")]).status, 404);
    assert_eq!(site.get("/nothing", &[("If-Match", "\"x\"")]).status, 404);
}

#[test]
fn a_changed_file_has_another_tag() {
    let site = Site::new(&[("f.txt", "hello")]);
    set_modified(&site.root().join("f.txt"), 784_111_777);
    let before = strong_tag(&site, "/f.txt");
    // The same size, and the same date: what a reproducible build leaves behind.
    site.write("f.txt", b"jello");
    set_modified(&site.root().join("f.txt"), 784_111_777);
    assert_ne!(site.get("/f.txt", &[]).field("ETag"), Some(before.as_str()));
    assert_eq!(site.get("/f.txt", &[("If-None-Match", &before)]).status, 200);
    let range = [("Range", "bytes=0-0"), ("If-Range", before.as_str())];
    assert_eq!(site.get("/f.txt", &range).text(), "jello");
}

#[test]
fn one_range_comes_as_it_is() {
    let content = digits(10_000);
    let site = Site::new(&[("f.txt", &content)]);
    let rows = [
        ("bytes=0-499", 0, 499),
        ("bytes=500-999", 500, 999),
        ("bytes=-500", 9500, 9999),
        ("bytes=9500-", 9500, 9999),
        ("bytes=9999-20000", 9999, 9999),
        ("bytes=0-", 0, 9999),
        ("bytes=9990-9999,20000-", 9990, 9999),
    ];
    for (value, first, last) in rows {
        let response = site.get("/f.txt", &[("Range", value)]);
        assert_eq!((response.status, response.text()), (206, &content[first..=last]), "{value}");
        assert_eq!(response.field("Content-Range"), Some(format!("bytes {first}-{last}/10000").as_str()));
        assert_eq!(response.field("Content-Type"), Some("text/plain; charset=utf-8"));
        for name in ["ETag", "Last-Modified", "Cache-Control", "Vary", "Date"] {
            assert!(response.field(name).is_some(), "{name} in the answer to {value}");
        }
    }
}

#[test]
fn ranges_that_cannot_be_had_are_416_and_those_that_make_no_sense_are_ignored() {
    let site = Site::new(&[("f.txt", "0123456789"), ("empty", "")]);
    for value in ["bytes=10-", "bytes=10-12,20-30", "bytes=-0"] {
        let response = site.get("/f.txt", &[("Range", value)]);
        assert_eq!((response.status, response.field("Content-Range")), (416, Some("bytes */10")), "{value}");
    }
    let flood = format!("bytes={}", vec!["0-0"; 17].join(","));
    for value in ["bytes=5-4", "bytes=x", "lines=1-2", "bytes=0-,0-", &flood] {
        let response = site.get("/f.txt", &[("Range", value)]);
        assert_eq!((response.status, response.text()), (200, "0123456789"), "{value}");
    }
    let twice = site.get("/f.txt", &[("Range", "bytes=0-1"), ("Range", "bytes=2-3")]);
    assert_eq!((twice.status, twice.text()), (200, "0123456789"));
    assert_eq!(site.get("/empty", &[("Range", "bytes=0-")]).status, 200);
    assert_eq!(site.get("/nothing", &[("Range", "bytes=0-")]).status, 404);
}

#[test]
fn if_range_decides_between_the_part_and_the_whole() {
    let site = Site::new(&[("f.txt", "0123456789")]);
    set_modified(&site.root().join("f.txt"), 784_111_777);
    let tag = strong_tag(&site, "/f.txt");
    let weak = format!("W/{tag}");
    let rows = [
        (tag.as_str(), 206),
        (&weak, 200),
        ("\"x\"", 200),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 206),
        ("Sun, 06 Nov 1994 08:49:38 GMT", 200),
        ("nonsense", 200),
    ];
    for (value, status) in rows {
        let response = site.get("/f.txt", &[("Range", "bytes=2-3"), ("If-Range", value)]);
        assert_eq!(response.status, status, "{value}");
        // A range that cannot be had is no error when it would not be applied.
        let beyond = site.get("/f.txt", &[("Range", "bytes=10-"), ("If-Range", value)]);
        assert_eq!(beyond.status, if status == 206 { 416 } else { 200 }, "{value}");
    }
}

/// The parts of a multipart/byteranges answer: the fields of each, and its bytes. RFC 2046 section 5.1.1.
fn parts(response: &Response) -> Vec<(String, String)> {
    let boundary = response.field("Content-Type").unwrap().strip_prefix("multipart/byteranges; boundary=").unwrap();
    let content = response.text().strip_prefix(&format!("--{boundary}\r\n")).unwrap();
    let content = content.strip_suffix(&format!("\r\n--{boundary}--\r\n")).unwrap();
    let split = |part: &str| part.split_once("\r\n\r\n").map(|(fields, bytes)| (fields.to_owned(), bytes.to_owned()));
    content.split(&format!("\r\n--{boundary}\r\n")).map(|part| split(part).unwrap()).collect()
}

#[test]
fn several_ranges_come_in_parts_in_the_order_asked_for() {
    let content = digits(1_000_000);
    let site = Site::new(&[("f.css", &content)]);
    let rows: [(&str, &[(usize, usize)]); 5] = [
        ("bytes=0-99,200-299", &[(0, 99), (200, 299)]),
        ("bytes=0-0,-1", &[(0, 0), (999_999, 999_999)]),
        ("bytes= 500-700 , 601-999", &[(500, 700), (601, 999)]),
        ("bytes=900000-,5-5,2000000-", &[(900_000, 999_999), (5, 5)]),
        ("bytes=0-399999,500000-899999,-1", &[(0, 399_999), (500_000, 899_999), (999_999, 999_999)]),
    ];
    for (value, ranges) in rows {
        let response = site.get("/f.css", &[("Range", value)]);
        assert_eq!((response.status, response.field("Content-Range")), (206, None), "{value}");
        let parts = parts(&response);
        assert_eq!(parts.len(), ranges.len(), "{value}");
        for ((fields, bytes), (first, last)) in parts.iter().zip(ranges) {
            let expected =
                format!("Content-Type: text/css; charset=utf-8\r\nContent-Range: bytes {first}-{last}/1000000");
            assert_eq!(fields, &expected, "{value}");
            assert!(bytes == &content[*first..=*last], "{value}: {first}-{last}");
        }
    }
    let boundary = || site.get("/f.css", &[("Range", "bytes=0-0,2-2")]).field("Content-Type").unwrap().to_owned();
    assert_ne!(boundary(), boundary());
}

#[test]
fn a_compressed_sibling_is_sent_to_who_takes_it() {
    let site = Site::new(&[
        ("app.js", "plain"),
        ("app.js.br", "brotli"),
        ("app.js.gz", "gz"),
        ("photo.png", "png"),
        ("photo.png.gz", "no"),
        ("stale.css", "new"),
        ("stale.css.gz", "old"),
        ("dir.css", "plain"),
        ("dir.css.gz/x", ""),
    ]);
    set_modified(&site.root().join("stale.css.gz"), 784_111_777);
    symlink("../secret.txt", site.root().join("dir.css.br")).unwrap();
    let rows = [
        ("/app.js", "gzip, deflate, br, zstd", Some("br"), "brotli"),
        ("/app.js", "gzip, zstd", Some("gzip"), "gz"),
        ("/app.js", "zstd", None, "plain"),
        ("/app.js", "br;q=0, gzip;q=0", None, "plain"),
        ("/app.js", "", None, "plain"),
        ("/app.js.gz", "gzip", None, "gz"),
        ("/photo.png", "gzip", None, "png"),
        ("/stale.css", "gzip", None, "new"),
        ("/dir.css", "gzip, br", None, "plain"),
    ];
    for (path, accepted, coding, content) in rows {
        let response = site.get(path, &[("Accept-Encoding", accepted)]);
        assert_eq!((response.field("Content-Encoding"), response.text()), (coding, content), "{path} {accepted}");
    }
    let coded = site.get("/app.js", &[("Accept-Encoding", "br")]);
    assert_eq!(coded.field("Content-Type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(coded.field("Vary"), Some("Accept-Encoding"));
    // Section 8.8.3: representations of one resource have tags of their own; section 14.1.2: ranges count the coded
    // bytes.
    assert_ne!(coded.field("ETag"), site.get("/app.js", &[]).field("ETag"));
    let part = site.get("/app.js", &[("Accept-Encoding", "br"), ("Range", "bytes=2-")]);
    assert_eq!((part.field("Content-Encoding"), part.field("Content-Range")), (Some("br"), Some("bytes 2-5/6")));
    assert_eq!(part.text(), "otli");
}

#[test]
fn hashed_names_are_cached_for_good() {
    let options = StaticOptions { cache_control: "public, max-age=60".into(), ..StaticOptions::default() };
    let site = Site::with(&[("app.3f9a2c1b.js", "x"), ("app.js", "x")], options);
    assert_eq!(site.get("/app.js", &[]).field("Cache-Control"), Some("public, max-age=60"));
    let hashed = site.get("/app.3f9a2c1b.js", &[]);
    assert_eq!(hashed.field("Cache-Control"), Some("public, max-age=31536000, immutable"));
    let without =
        Site::with(&[("a.js", "")], StaticOptions { cache_control: String::new(), ..StaticOptions::default() });
    assert_eq!(without.get("/a.js", &[]).field("Cache-Control"), None);
}

#[test]
fn directories_have_their_index_or_a_listing_and_a_slash() {
    let site = Site::new(&[("docs/index.html", "index"), ("plain/a b.txt", "x"), ("we:ird?#/f", "x"), ("f.txt", "x")]);
    assert_eq!(site.get("/docs/", &[]).text(), "index");
    assert_eq!(site.get("/docs/", &[]).field("Content-Type"), Some("text/html; charset=utf-8"));
    let rows = [
        ("/docs", "./docs/"),
        ("/docs?a=b&c", "./docs/?a=b&c"),
        ("//docs", "./docs/"),
        ("/plain", "./plain/"),
        ("/we:ird%3f%23", "./we%3Aird%3F%23/"),
        ("/%64ocs", "./docs/"),
    ];
    for (path, location) in rows {
        let response = site.get(path, &[]);
        assert_eq!((response.status, response.field("Location")), (301, Some(location)), "{path}");
    }
    for path in
        ["/f.txt/", "/f.txt/x", "/docs/nothing", "//evil.example", "//evil.example/%2e%2e", "/\\evil.example/.."]
    {
        let response = site.get(path, &[]);
        assert_eq!((response.status, response.field("Location")), (404, None), "{path}");
    }
    let listing = site.get("/plain/", &[]);
    assert_eq!((listing.status, listing.field("Content-Type")), (200, Some("text/html; charset=utf-8")));
    assert!(listing.text().contains("<a href=\"a%20b.txt\">"), "{}", listing.text());
    assert!(listing.text().contains("<a href=\"../\">../</a>"));
    assert!(listing.field("Content-Security-Policy").unwrap().starts_with("default-src 'none'"));
    let tag = listing.field("ETag").unwrap();
    assert_eq!(site.get("/plain/", &[("If-None-Match", tag)]).status, 304);
    assert_eq!(site.request("HEAD", "/plain/", &[]).field("Content-Length"), listing.field("Content-Length"));
}

#[test]
fn no_listing_unless_it_was_asked_for() {
    let site = Site::with(&[("docs/index.html", "index"), ("plain/f.txt", "x")], StaticOptions::default());
    assert_eq!(site.get("/docs/", &[]).status, 200);
    assert_eq!(site.get("/plain/", &[]).status, 404);
    assert_eq!(site.get("/", &[]).status, 404);
    assert_eq!(site.get("/plain/f.txt", &[]).status, 200);
}

#[test]
fn a_listing_shows_what_can_be_had_and_nothing_else() {
    let site = Site::new(&[("dir/f", "x"), ("a.txt", "x"), (".hidden", "x"), (".well-known/x", ""), ("target/f", "")]);
    let root = site.root();
    symlink("a.txt", root.join("inside")).unwrap();
    symlink("target", root.join("inside-directory")).unwrap();
    symlink("../secret.txt", root.join("outside")).unwrap();
    symlink("nothing", root.join("dangling")).unwrap();
    let listing = site.get("/", &[]);
    let names: Vec<&str> =
        listing.text().split("<tr><td><a href=\"").skip(1).map(|row| row.split('"').next().unwrap()).collect();
    assert_eq!(names, [".well-known/", "dir/", "inside-directory/", "target/", "a.txt", "inside"]);
}

#[test]
fn a_tree_can_have_its_own_page_for_what_is_not_there() {
    let site = Site::new(&[("404.html", "<h1>lost</h1>"), ("f.txt", "x")]);
    for path in ["/nothing", "/a/b/c", "/.git/config", "/f.txt/", "/%2e%2e/secret.txt"] {
        let response = site.get(path, &[("Range", "bytes=0-1"), ("If-None-Match", "*")]);
        assert_eq!((response.status, response.text()), (404, "<h1>lost</h1>"), "{path}");
        assert_eq!(response.field("Content-Type"), Some("text/html; charset=utf-8"));
    }
    assert_eq!(site.get("/404.html", &[]).status, 200);
    let head = site.request("HEAD", "/nothing", &[]);
    assert_eq!((head.status, head.field("Content-Length")), (404, Some("13")));
}

#[test]
fn dotfiles_are_hidden_unless_served() {
    let files = [(".env", "x"), (".git/config", "x"), ("a/.b/c", "x"), (".well-known/security.txt", "x")];
    let hidden = Site::new(&files);
    let served = Site::with(&files, StaticOptions { dotfiles: Dotfiles::Served, ..StaticOptions::default() });
    for path in ["/.env", "/%2eenv", "/.git/config", "/.git/", "/.git", "/a/.b/c"] {
        assert_eq!(hidden.get(path, &[]).status, 404, "{path}");
    }
    for path in ["/.env", "/.git/config", "/a/.b/c"] {
        assert_eq!(served.get(path, &[]).status, 200, "{path}");
    }
    assert_eq!(hidden.get("/.well-known/security.txt", &[]).status, 200);
}

#[test]
fn nothing_outside_the_tree_is_served_however_it_is_asked_for() {
    let site = Site::new(&[("a/f.txt", "x"), ("404.html", "not found")]);
    let root = site.root();
    symlink("../secret.txt", root.join("link.txt")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink(site.directory.path(), root.join("absolute")).unwrap();
    symlink("/proc/self/cwd", root.join("magic")).unwrap();
    let dots = [
        "..",
        "%2e%2e",
        "%2E%2E",
        ".%2e",
        "%2e.",
        "%252e%252e",
        "%c0%ae%c0%ae",
        "%e0%80%ae%e0%80%ae",
        "%f0%80%80%ae.",
        "..%00",
        "%00..",
        "..;",
        "...",
        "..%20",
        "%uff0e%uff0e",
        "..%c0%af",
        "..%01",
        "../.",
        "..%2f.",
        "..%5c.",
    ];
    let slashes = ["/", "//", "/./", "%2f", "%2F", "%5c", "\\", "%252f", "%c0%af", "%e0%80%af", "%00/", "/%00", ";/"];
    let starts = ["/", "//", "/a/", "/a/f.txt/", "/%2f", "/\\", "/up/", "/absolute/"];
    let mut client = site.client();
    for start in starts {
        for dot in dots {
            for slash in slashes {
                for depth in [1, 3] {
                    let path = format!("{start}{}secret.txt", format!("{dot}{slash}").repeat(depth));
                    let response = client.get(&path);
                    assert!(matches!(response.status, 400 | 404), "{path}: {}", response.status);
                    assert!(!response.text().contains("SECRET"), "{path}");
                }
            }
        }
    }
    let others = [
        "/link.txt",
        "/up/secret.txt",
        "/up",
        "/up/",
        "/absolute/secret.txt",
        "/absolute",
        "/magic/Cargo.toml",
        "/magic",
        "/../secret.txt",
        "http://test/../secret.txt",
        "http://test/%2e%2e/secret.txt",
        "/a/../../secret.txt?/../../secret.txt",
        "/secret.txt",
    ];
    for path in others {
        let response = site.get(path, &[]);
        assert_eq!((response.status, response.text()), (404, "not found"), "{path}");
    }
    assert_eq!(site.get("/%zz", &[]).status, 400);
}

#[test]
fn fifos_and_sockets_are_not_opened_for_anybody() {
    let site = Site::new(&[]);
    let path = site.root().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(site.root().join("socket")).unwrap();
    for path in ["/fifo", "/socket", "/fifo/"] {
        assert_eq!(site.get(path, &[]).status, 404, "{path}");
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_ends_the_connection() {
    let site = Site::new(&[]);
    let size = 64usize << 20;
    let path = site.root().join("large");
    File::create(&path).unwrap().set_len(size as u64).unwrap();
    let mut client = site.client();
    client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    // The head has come, and the socket is full: the rest is still in the file.
    let mut first = [0; 1];
    std::io::Read::read_exact(&mut client.stream, &mut first).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
    let received = client.rest();
    assert!(received.len() < size, "{} of {size} bytes came", received.len());
    client.stream.shutdown(Shutdown::Both).ok();
    assert_eq!(site.get("/large", &[]).content.len(), 1000);
}

#[test]
fn a_file_that_is_removed_while_it_is_sent_comes_whole() {
    let site = Site::new(&[]);
    let path = site.root().join("large");
    fs::write(&path, vec![7; 32 << 20]).unwrap();
    let mut client = site.client();
    client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut first = [0; 1];
    std::io::Read::read_exact(&mut client.stream, &mut first).unwrap();
    fs::remove_file(&path).unwrap();
    client.finish_sending();
    assert!(client.rest().len() > 32 << 20);
}

#[test]
fn a_prefix_stands_for_the_directory() {
    let options = StaticOptions { prefix: "/assets/v1/".into(), ..StaticOptions::default() };
    let site = Site::with(&[("f.txt", "x"), ("d/index.html", "d"), ("index.html", "root")], options);
    let rows = [
        ("/assets/v1/f.txt", 200, None),
        ("/assets/v1/", 200, None),
        ("/assets/v1", 301, Some("./v1/")),
        ("/assets/v1/d", 301, Some("./d/")),
        ("/%61ssets/v1/f.txt", 200, None),
        ("/assets/v1x/f.txt", 404, None),
        ("/assets/f.txt", 404, None),
        ("/f.txt", 404, None),
        ("/assets/v1/../v1/f.txt", 404, None),
    ];
    for (path, status, location) in rows {
        let response = site.get(path, &[]);
        assert_eq!((response.status, response.field("Location")), (status, location), "{path}");
    }
}

#[test]
fn what_cannot_be_served_is_said_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let open = |path: &Path, options| StaticFiles::open(path, options).map(|_| ()).unwrap_err().to_string();
    assert!(open(&directory.path().join("nothing"), StaticOptions::default()).contains("No such file"));
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(open(&file, StaticOptions::default()).contains("Not a directory"));
    let prefix = StaticOptions { prefix: "static".into(), ..StaticOptions::default() };
    assert!(open(directory.path(), prefix).contains("begins with '/'"));
    let cache_control = StaticOptions { cache_control: "a\r\nb".into(), ..StaticOptions::default() };
    assert!(open(directory.path(), cache_control).contains("Cache-Control"));
}

/// How a browser seeks in a video: all of it, cut off after the index at its start; the index at its end; from the
/// middle on, cut off again.
#[test]
fn a_video_can_be_sought_in() {
    let site = Site::new(&[]);
    let size = 32usize << 20;
    let content: Vec<u8> = (0..size).map(|at| (at / 4096) as u8).collect();
    site.write("film.mp4", &content);
    let total = content.len();
    let tag = strong_tag(&site, "/film.mp4");
    for first in [0, total - 1000, total / 2, total / 3] {
        let mut client = site.client();
        client.send(format!(
            "GET /film.mp4 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: identity;q=1, *;q=0\r\n\
             Range: bytes={first}-\r\nIf-Range: {tag}\r\n\r\n"
        ));
        let (head, start) = client.head_and(1000);
        assert!(head.starts_with("HTTP/1.1 206 "), "{head}");
        assert!(head.contains(&format!("Content-Range: bytes {first}-{}/{total}\r\n", total - 1)), "{head}");
        assert!(head.contains("Content-Type: video/mp4\r\n"), "{head}");
        assert!(start == content[first..first + 1000], "from {first}");
        // The browser goes away in the middle of the rest.
    }
    assert_eq!(site.get("/film.mp4", &[("Range", "bytes=0-1")]).status, 206);
}

/// `curl -C -` and `wget -c`: the rest from what is there already, without a validator; 416 when all of it is.
#[test]
fn a_download_is_taken_up_again() {
    let content = digits(300_000);
    let site = Site::new(&[("f.tar.gz", &content)]);
    let mut have = String::new();
    for missing in [300_000, 200_000, 1] {
        have.truncate(300_000 - missing);
        let response = site.get("/f.tar.gz", &[("Range", &format!("bytes={}-", have.len()))]);
        assert_eq!(response.status, 206);
        let range = format!("bytes {}-299999/300000", have.len());
        assert_eq!(response.field("Content-Range"), Some(range.as_str()));
        have.push_str(response.text());
        assert!(have == content);
    }
    let response = site.get("/f.tar.gz", &[("Range", "bytes=300000-")]);
    assert_eq!((response.status, response.field("Content-Range")), (416, Some("bytes */300000")));
}

/// A server whose handler names the file that the query says, with some fields of its own.
fn handing_over(root: &Path) -> TestServer {
    let root = SendfileRoot::open(root).unwrap();
    let config = Config { sendfile_root: Some(Arc::new(root)), ..Config::default() };
    TestServer::start(config, |target, exchange| {
        let (path, file) = target.split_once('?').unwrap();
        let (status, reason) = if path == "/gone" { (410, "Gone") } else { (200, "OK") };
        exchange.response.start(status, reason.as_bytes()).unwrap();
        let content_length = if path == "/none" { "7" } else { "0" };
        let fields = [
            ("Content-Type", "application/pdf"),
            ("Content-Length", content_length),
            ("ETag", "\"theirs\""),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Cache-Control", "private"),
            ("Connection", "close"),
        ];
        for (name, value) in fields {
            exchange.response.field(name.as_bytes(), value.as_bytes()).unwrap();
        }
        if path != "/none" {
            exchange.response.field(b"x-sendfile", file.as_bytes()).unwrap();
        }
        let _ = exchange.send(Content::Static(b"theirs!"));
    })
}

#[test]
fn a_file_that_the_application_names_is_sent_in_place_of_its_content() {
    let site = Site::new(&[("a/file.txt", "0123456789"), (".hidden", "dot")]);
    let server = handing_over(&site.root());
    let get = |target: &str, field: &str| {
        server.client().send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n{field}\r\n")).response()
    };
    let root = site.root().canonicalize().unwrap();
    for named in ["a/file.txt".to_owned(), format!("{}/a/file.txt", root.display())] {
        let response = get(&format!("/?{named}"), "");
        assert_eq!((response.status, response.text()), (200, "0123456789"), "{named}");
        assert_eq!(response.field("Content-Type"), Some("application/pdf"));
        assert_eq!(response.field("Cache-Control"), Some("private"));
        assert_eq!(response.field("Accept-Ranges"), Some("bytes"));
        assert_eq!(response.field("Connection"), Some("close"));
        assert_eq!(response.field("X-Sendfile"), None);
        assert_eq!(response.head.matches("Set-Cookie: ").count(), 2);
        assert_eq!((response.head.matches("ETag").count(), response.head.contains("theirs")), (1, false));
    }
    let part = get("/?a/file.txt", "Range: bytes=2-3\r\n");
    assert_eq!((part.status, part.text(), part.field("Content-Range")), (206, "23", Some("bytes 2-3/10")));
    let tag = get("/?a/file.txt", "").field("ETag").unwrap().to_owned();
    assert_eq!(get("/?a/file.txt", &format!("If-None-Match: {tag}\r\n")).status, 304);
    assert_eq!(get("/?.hidden", "").text(), "dot");
    assert_eq!(get("/gone?a/file.txt", "").status, 410);
    let none = get("/none?", "");
    assert_eq!((none.status, none.text(), none.field("ETag")), (200, "theirs!", Some("\"theirs\"")));
}

#[test]
fn the_application_cannot_name_a_file_elsewhere() {
    let site = Site::new(&[("file.txt", "x"), ("d/x", "")]);
    symlink("../secret.txt", site.root().join("link")).unwrap();
    let server = handing_over(&site.root());
    let root = site.root().canonicalize().unwrap();
    let outside = site.directory.path().canonicalize().unwrap();
    let named = [
        "../secret.txt".to_owned(),
        "link".to_owned(),
        "d".to_owned(),
        "d/../file.txt".to_owned(),
        "".to_owned(),
        "/etc/passwd".to_owned(),
        format!("{}/../secret.txt", root.display()),
        format!("{}/secret.txt", outside.display()),
        format!("{}x/file.txt", root.display()),
        format!("{}", root.display()),
    ];
    for named in named {
        let response = server.client().get(&format!("/?{named}"));
        assert_eq!((response.status, response.field("X-Sendfile")), (404, None), "{named}");
        assert!(!response.text().contains("SECRET") && !response.text().contains("theirs"), "{named}");
    }
}
