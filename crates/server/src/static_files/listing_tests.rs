//! The listing's parts; the page as a client gets it is in tests/static_files.rs.

use super::*;

fn entry(name: &str, is_directory: bool, size: u64, modified: u64) -> Entry {
    Entry { name: name.into(), is_directory, size, modified }
}

#[test]
fn directories_come_first_in_every_order() {
    let rows = [
        ("", "Dir zoo a.txt B.txt c.txt"),
        ("sort=name", "Dir zoo a.txt B.txt c.txt"),
        ("sort=name&order=desc", "zoo Dir c.txt B.txt a.txt"),
        ("sort=size", "Dir zoo c.txt a.txt B.txt"),
        ("sort=size&order=desc", "Dir zoo a.txt B.txt c.txt"),
        ("order=desc&sort=modified", "zoo Dir B.txt c.txt a.txt"),
        ("sort=modified&order=asc", "Dir zoo a.txt c.txt B.txt"),
        ("sort=colour&order=up", "Dir zoo a.txt B.txt c.txt"),
        ("sort=%6eame&&=&order", "Dir zoo a.txt B.txt c.txt"),
    ];
    for (query, expected) in rows {
        let mut entries = [
            entry("c.txt", false, 1, 20),
            entry("a.txt", false, 5, 10),
            entry("zoo", true, 0, 9),
            entry("B.txt", false, 5, 30),
            entry("Dir", true, 0, 1),
        ];
        let order = Order::of_query(query.as_bytes());
        entries.sort_by(|a, b| order.compare(a, b));
        let names: Vec<_> = entries.iter().map(|entry| String::from_utf8_lossy(&entry.name)).collect();
        assert_eq!(names.join(" "), expected, "{query}");
    }
}

#[test]
fn sizes_are_short() {
    let rows = [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1_048_523, "1023.9 KiB"),
        (1_048_575, "1.0 MiB"),
        (10 << 20, "10.0 MiB"),
        (u64::MAX, "16.0 EiB"),
    ];
    for (bytes, text) in rows {
        assert_eq!(size_text(bytes), text);
    }
}

#[test]
fn dates_are_in_the_order_that_sorts() {
    assert_eq!(date_and_time(784_111_777), ("1994-11-06".into(), "08:49:37".into()));
    assert_eq!(date_and_time(0), ("1970-01-01".into(), "00:00:00".into()));
}

#[test]
fn a_name_cannot_become_markup() {
    let names = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "javascript:alert(1)",
        "a&lt;b",
        "new\nline",
        "?sort=size",
        "#top",
        "//evil.example",
    ];
    for name in names {
        let mut row = String::new();
        push_row(&entry(name, false, 1, 0), &mut row);
        let (_, behind_href) = row.split_once("href=\"").unwrap();
        let (href, behind) = behind_href.split_once('"').unwrap();
        assert!(href.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{name}: {href}");
        let (text, _) = behind.strip_prefix("><bdi>").unwrap().split_once("</bdi>").unwrap();
        assert!(!text.contains(['<', '>', '"', '\'', '\n']), "{name}: {text}");
        assert_eq!(row.matches('<').count(), 14, "{row}");
    }
}
