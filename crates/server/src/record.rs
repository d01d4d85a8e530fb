//! What a server leaves behind, in memory that may outlive its process: its counters, and the requests that were in
//! flight.
//!
//! Everything is an atomic word, written plainly: whoever reads may find a request half written, and a request in
//! flight costs some stores and a copy of its first bytes.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::{Counters, RequestView};

/// Memory for one server. Clones are the same memory.
#[derive(Clone, Debug)]
pub struct Record(Memory);

#[derive(Clone, Debug)]
enum Memory {
    Own(Arc<[AtomicU64]>),
    Shared(&'static [AtomicU64]),
}

/// A request in flight, as the record tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Milliseconds since its head and content were complete.
    pub age: u64,
    /// Method and request-target as they were sent, or the first bytes of them.
    pub line: Vec<u8>,
    /// Whether that is all of them.
    pub is_whole: bool,
}

const COUNTERS: usize = size_of::<Counters>() / size_of::<AtomicU64>();
/// Requests of which more is known than that there are so many.
const ENTRIES: usize = 64;
/// The time when it began (0: nobody), how long the line is, and the line.
const ENTRY: usize = 2 + LINE / size_of::<AtomicU64>();
/// Bytes kept of a line.
const LINE: usize = 128;

impl Record {
    /// So many words are needed.
    pub const WORDS: usize = COUNTERS + ENTRIES * ENTRY;

    /// In memory that others see; None if there are too few words. They are all zero.
    #[must_use]
    pub fn shared(words: &'static [AtomicU64]) -> Option<Record> {
        (words.len() >= Record::WORDS).then_some(Record(Memory::Shared(words)))
    }

    /// The counters.
    #[must_use]
    #[allow(unsafe_code)]
    pub fn counters(&self) -> &Counters {
        let words = self.words();
        // SAFETY: `Counters` consists of atomic words, COUNTERS of them, in the order of C; there are more words than
        // that, which live as long as the borrow of `self`.
        unsafe { &*words.as_ptr().cast::<Counters>() }
    }

    /// The requests in flight, those first that began first. At most 64 of them are known.
    #[must_use]
    pub fn in_flight(&self) -> Vec<InFlight> {
        let now = now();
        let mut found: Vec<InFlight> = (0..ENTRIES).filter_map(|index| self.read(index, now)).collect();
        found.sort_by_key(|request| std::cmp::Reverse(request.age));
        found
    }

    fn words(&self) -> &[AtomicU64] {
        match &self.0 {
            Memory::Own(words) => words,
            Memory::Shared(words) => words,
        }
    }

    fn entry(&self, index: usize) -> Option<(&AtomicU64, &AtomicU64, &[AtomicU64])> {
        let words = self.words().get(COUNTERS + index * ENTRY..)?.get(..ENTRY)?;
        match words {
            [since, length, line @ ..] => Some((since, length, line)),
            _ => None,
        }
    }

    fn read(&self, index: usize, now: u64) -> Option<InFlight> {
        let (since, length, _) = self.entry(index)?;
        let since = since.load(Relaxed);
        if since == 0 {
            return None;
        }
        let is_whole = length.load(Relaxed) <= LINE as u64;
        Some(InFlight { age: now.saturating_sub(since), line: self.line(index), is_whole })
    }

    /// What an entry knows of its request's line.
    pub(crate) fn line(&self, index: usize) -> Vec<u8> {
        let Some((_, length, line)) = self.entry(index) else { return Vec::new() };
        let length = usize::try_from(length.load(Relaxed)).unwrap_or(LINE);
        let mut bytes: Vec<u8> = line.iter().flat_map(|word| word.load(Relaxed).to_ne_bytes()).collect();
        bytes.truncate(length);
        bytes
    }
}

impl Default for Record {
    /// In memory of its own.
    fn default() -> Record {
        Record(Memory::Own((0..Record::WORDS).map(|_| AtomicU64::new(0)).collect()))
    }
}

impl Deref for Record {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        self.counters()
    }
}

/// The loop's side: which entries are free.
#[derive(Debug)]
pub(crate) struct Ledger {
    record: Record,
    free: Vec<u8>,
}

/// An entry that is taken, or none, because all were.
#[derive(Debug, Default)]
pub(crate) struct Entry(Option<u8>);

impl Entry {
    /// Where in the record it is.
    pub(crate) fn index(&self) -> Option<usize> {
        self.0.map(usize::from)
    }
}

impl Ledger {
    pub(crate) fn new(record: Record) -> Ledger {
        // The first ones on top: few pages are touched.
        Ledger { record, free: (0..ENTRIES as u8).rev().collect() }
    }

    /// A request sets out.
    pub(crate) fn begin(&mut self, request: RequestView<'_>) -> Entry {
        self.record.in_flight.fetch_add(1, Relaxed);
        let Some(index) = self.free.pop() else { return Entry(None) };
        if let Some((since, length, line)) = self.record.entry(index.into()) {
            let (method, target) = (request.text(request.head.method_span), request.text(request.head.target.raw));
            length.store((method.len() + 1 + target.len()) as u64, Relaxed);
            write(line, method, target);
            since.store(now().max(1), Relaxed);
        }
        Entry(Some(index))
    }

    /// It is back, or was given up.
    pub(crate) fn end(&mut self, entry: Option<Entry>) {
        let Some(Entry(index)) = entry else { return };
        self.record.in_flight.fetch_sub(1, Relaxed);
        let Some(index) = index else { return };
        if let Some((since, ..)) = self.record.entry(index.into()) {
            since.store(0, Relaxed);
        }
        self.free.push(index);
    }
}

/// Writes `method SP target`, or as much of it as there is room for.
fn write(line: &[AtomicU64], method: &[u8], target: &[u8]) {
    let mut bytes = [0; LINE];
    let mut rest = &mut bytes[..];
    for part in [method, b" ", target] {
        let length = part.len().min(rest.len());
        let (here, behind) = rest.split_at_mut(length);
        here.copy_from_slice(&part[..length]);
        rest = behind;
    }
    let length = LINE - rest.len();
    for (word, bytes) in line.iter().zip(bytes.chunks_exact(8)).take(length.div_ceil(8)) {
        word.store(bytes.try_into().map_or(0, u64::from_ne_bytes), Relaxed);
    }
}

/// Milliseconds on the clock that all processes share: a few of them exact, and the cheapest there is.
#[allow(unsafe_code)]
pub(crate) fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // By way of libc: rustix looks for the vDSO by itself and does not survive where it is hidden, which valgrind does.
    // SAFETY: `now` is a valid place for the result; the clock always exists, and if it did not, the time would be 0.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut now) };
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(record: &Record) -> Vec<(String, bool)> {
        let in_flight = record.in_flight();
        in_flight.iter().map(|one| (String::from_utf8_lossy(&one.line).into_owned(), one.is_whole)).collect()
    }

    fn begin(ledger: &mut Ledger, target: &str) -> Entry {
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        let mut head = brickwork_http::h1::RequestHead::default();
        let limits = brickwork_http::Limits::default();
        brickwork_http::h1::HeadParser::new().parse(bytes.as_bytes(), &limits, &mut head).unwrap();
        ledger.begin(RequestView { head: &head, bytes: bytes.as_bytes() })
    }

    #[test]
    fn shows_what_is_in_flight_and_nothing_else() {
        let record = Record::default();
        let mut ledger = Ledger::new(record.clone());
        let long = format!("/{}", "x".repeat(200));
        let entries: Vec<Entry> = ["/a", "/b?c=d", &long].map(|target| begin(&mut ledger, target)).into();
        let mut shown = lines(&record);
        shown.sort();
        let cut = format!("GET {}", &long[..LINE - 4]);
        assert_eq!(shown, [("GET /a".into(), true), ("GET /b?c=d".into(), true), (cut, false)]);
        assert_eq!(record.in_flight.load(Relaxed), 3);
        for entry in entries {
            ledger.end(Some(entry));
        }
        ledger.end(None);
        assert!(record.in_flight().is_empty());
        assert_eq!(record.in_flight.load(Relaxed), 0);
    }

    #[test]
    fn counts_those_for_which_there_is_no_entry() {
        let record = Record::default();
        let mut ledger = Ledger::new(record.clone());
        let entries: Vec<Entry> = (0..ENTRIES + 10).map(|_| begin(&mut ledger, "/")).collect();
        assert_eq!(record.in_flight().len(), ENTRIES);
        assert_eq!(record.in_flight.load(Relaxed), ENTRIES as u64 + 10);
        entries.into_iter().for_each(|entry| ledger.end(Some(entry)));
        assert_eq!((record.in_flight().len(), ledger.free.len()), (0, ENTRIES));
    }

    #[test]
    fn shared_memory_holds_the_same_record() {
        let words: &'static [AtomicU64] = Box::leak((0..Record::WORDS).map(|_| AtomicU64::new(0)).collect());
        let (ours, theirs) = (Record::shared(words).unwrap(), Record::shared(words).unwrap());
        ours.accepted.fetch_add(7, Relaxed);
        let _entry = begin(&mut Ledger::new(ours), "/shared");
        assert_eq!(theirs.counters().accepted.load(Relaxed), 7);
        assert_eq!(lines(&theirs), [("GET /shared".into(), true)]);
        assert!(Record::shared(&words[1..]).is_none());
    }
}
