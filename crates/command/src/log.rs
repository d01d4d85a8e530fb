//! The error log: events of every crate, one line each, written at once by whoever has something to say.
//!
//! Text: `2026-11-20 19:54:03,123 [INFO] [pid] message`, in local time. A message cannot hold a line end; a field named
//! `traceback` keeps its lines, each behind two spaces, so that nothing in it can pass for a line of the log. JSON: one
//! object a line; a field named `object` is one already, and becomes `details`.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::{self, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock};

use brickwork_supervisor::replace_descriptor;
use jiff::{Zoned, tz::TimeZone};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::config::{LogFormat, LogLevel, LogTarget};
use crate::escape::{escape_text, push_json_string};

/// Where events go. Spans are not used.
#[derive(Debug)]
pub struct Log {
    file: Arc<File>,
    format: LogFormat,
    level: LevelFilter,
    time_zone: TimeZone,
}

impl Log {
    /// A log to `file`.
    pub fn new(file: File, format: LogFormat, level: LogLevel) -> Log {
        let level = match level {
            LogLevel::Trace => LevelFilter::TRACE,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Warning => LevelFilter::WARN,
            LogLevel::Error => LevelFilter::ERROR,
        };
        Log { file: Arc::new(file), format, level, time_zone: TimeZone::system() }
    }

    /// Makes it the log of this process, for good. A panic is logged too: it must not write past the log.
    pub fn install(self) {
        let _ = INSTALLED.set(Arc::clone(&self.file));
        // Fails only where there is one already, which then does the job.
        let _ = tracing::subscriber::set_global_default(self);
        std::panic::set_hook(Box::new(|panic| {
            let backtrace = Backtrace::capture();
            let shown =
                if backtrace.status() == BacktraceStatus::Captured { backtrace.to_string() } else { String::new() };
            tracing::error!(traceback = shown, "{}", panic.to_string().replacen('\n', " ", 1));
        }));
    }
}

/// The installed log's file.
static INSTALLED: OnceLock<Arc<File>> = OnceLock::new();

/// The installed log's file, if there is one.
pub(crate) fn installed() -> Option<BorrowedFd<'static>> {
    INSTALLED.get().map(|file| file.as_fd())
}

/// Opens the file of the installed log again: the one that had its name was moved away.
pub fn reopen(target: &LogTarget) {
    let (LogTarget::File(path), Some(installed)) = (target, INSTALLED.get()) else { return };
    let opened =
        open(target, io::stderr()).and_then(|file| file.map_or(Ok(()), |file| replace_descriptor(&**installed, &file)));
    match opened {
        Ok(()) => tracing::info!("the log was opened again"),
        Err(error) => tracing::warn!("{} cannot be opened again: {error}", path.display()),
    }
}

/// Opens a log's file for appending; `standard` is the stream that [`LogTarget::Standard`] means. None for
/// [`LogTarget::Off`].
pub fn open(target: &LogTarget, standard: impl AsFd) -> io::Result<Option<File>> {
    match target {
        LogTarget::Off => Ok(None),
        LogTarget::Standard => Ok(Some(File::from(standard.as_fd().try_clone_to_owned()?))),
        LogTarget::File(path) => OpenOptions::new().create(true).append(true).open(path).map(Some),
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let now = Zoned::now().with_time_zone(self.time_zone.clone());
        let mut message = Message::default();
        event.record(&mut message);
        let pid = std::process::id();
        let line = match self.format {
            LogFormat::Text => text_line(&now, *event.metadata().level(), pid, &message),
            LogFormat::Json => json_line(&now, *event.metadata().level(), pid, &message),
        };
        // One write a line, without a lock: lines of several threads do not mix, and a child forked meanwhile finds no
        // lock held.
        let _ = (&*self.file).write_all(line.as_bytes());
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What an event says.
#[derive(Debug, Default)]
struct Message {
    text: String,
    traceback: String,
    /// A JSON object.
    object: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Message {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.text.push_str(value),
            "traceback" => self.traceback.push_str(value),
            "object" => self.object.push_str(value),
            name => self.fields.push((name, value.into())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

fn text_line(now: &Zoned, level: Level, pid: u32, message: &Message) -> String {
    let time = now.strftime("%Y-%m-%d %H:%M:%S");
    let mut line =
        format!("{time},{:03} [{}] [{pid}] {}", now.millisecond(), level_name(level), escape_text(&message.text));
    for (name, value) in &message.fields {
        let _ = write!(line, " {name}={}", escape_text(value));
    }
    line.push('\n');
    for traceback_line in message.traceback.lines() {
        let _ = writeln!(line, "  {}", escape_text(traceback_line));
    }
    line
}

fn json_line(now: &Zoned, level: Level, pid: u32, message: &Message) -> String {
    let time = now.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z");
    let level = level_name(level).to_ascii_lowercase();
    let mut line = format!("{{\"time\":\"{time}\",\"level\":\"{level}\",\"pid\":{pid},\"message\":");
    push_json_string(&mut line, &message.text);
    let traceback = (!message.traceback.is_empty()).then_some(("traceback", &message.traceback));
    for (name, value) in message.fields.iter().map(|(name, value)| (*name, value)).chain(traceback) {
        line.push(',');
        push_json_string(&mut line, name);
        line.push(':');
        push_json_string(&mut line, value);
    }
    if !message.object.is_empty() {
        line.push_str(",\"details\":");
        line.push_str(&message.object);
    }
    line.push_str("}\n");
    line
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::TRACE => "TRACE",
        Level::DEBUG => "DEBUG",
        Level::INFO => "INFO",
        Level::WARN => "WARNING",
        Level::ERROR => "ERROR",
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    fn at() -> Zoned {
        let offset = TimeZone::fixed(jiff::tz::offset(1));
        jiff::civil::date(2026, 11, 20).at(19, 54, 3, 123_000_000).to_zoned(offset).unwrap()
    }

    #[test]
    fn a_text_line_has_time_level_and_process() {
        let message = Message { text: "listening".into(), ..Message::default() };
        assert_eq!(text_line(&at(), Level::INFO, 7, &message), "2026-11-20 19:54:03,123 [INFO] [7] listening\n");
        assert!(text_line(&at(), Level::WARN, 7, &message).contains(" [WARNING] "));
    }

    #[test]
    fn a_message_cannot_forge_a_line_and_a_traceback_is_indented() {
        let message = Message {
            text: "one\n2026-11-20 19:54:03,123 [INFO] [7] forged\x1b[2J".into(),
            traceback: "Traceback (most recent call last):\n  File \"a.py\"\nE: \x07x\n2026 [INFO] forged\n".into(),
            fields: vec![("peer", "a\nb".into())],
            ..Message::default()
        };
        assert_eq!(
            text_line(&at(), Level::ERROR, 7, &message),
            "2026-11-20 19:54:03,123 [ERROR] [7] one\\n2026-11-20 19:54:03,123 [INFO] [7] forged\\x1b[2J peer=a\\nb\n  \
             Traceback (most recent call last):\n    File \"a.py\"\n  E: \\x07x\n  2026 [INFO] forged\n"
        );
    }

    #[test]
    fn a_json_line_is_one_object() {
        let message = Message {
            text: "a \"quoted\"\nmessage".into(),
            traceback: "Traceback:\n  x".into(),
            fields: vec![("peer", "127.0.0.1".into())],
            ..Message::default()
        };
        let line = json_line(&at(), Level::WARN, 7, &message);
        assert!(line.starts_with("{\"time\":\"2026-11-20T19:54:03.123+01:00\""), "{line}");
        assert!(
            line.ends_with(
                "\"level\":\"warning\",\"pid\":7,\"message\":\"a \\\"quoted\\\"\\nmessage\",\"peer\":\"127.0.0.1\",\
                 \"traceback\":\"Traceback:\\n  x\"}\n"
            ),
            "{line}"
        );
    }

    #[test]
    fn events_below_the_level_are_left_out() {
        let path = std::env::temp_dir().join(format!("brickwork-log-test-{}", std::process::id()));
        let mut file = OpenOptions::new().read(true).append(true).create_new(true).open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let log = Log::new(file.try_clone().unwrap(), LogFormat::Text, LogLevel::Warning);
        tracing::subscriber::with_default(log, || {
            tracing::info!("hidden");
            tracing::warn!(peer = "p", "seen");
        });
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert!(text.ends_with("seen peer=p\n"), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
