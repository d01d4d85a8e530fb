//! What a server is told when it is made.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use brickwork_http::{Limits, Piece, Rejection};

use crate::content_memory::ContentMemory;
use crate::courier::Courier;
use crate::{AccessLog, Balance, Interpreter, Peer, Record, SendfileRoot, TrustedPeers};

/// Settings of a [`Server`](crate::Server). Start from `Config::default()`.
#[derive(Clone)]
pub struct Config {
    /// Bounds on requests.
    pub limits: Limits,
    /// How long a peer may take.
    pub deadlines: Deadlines,
    /// At most so many calls into the handler at once; 1 means strictly one after the other.
    pub threads: usize,
    /// Connections accepted from one listener before others have their turn. Few, if other processes share the listener: the rest is
    /// for whoever is less busy.
    pub accepts_at_once: usize,
    /// What this server leaves behind.
    pub record: Record,
    /// How many connections the processes have that share the listeners.
    pub balance: Option<Balance>,
    /// How long a request may wait for one of them before it is answered 503.
    pub queue_timeout: Duration,
    /// How long a handler may take until it begins to answer, not counting its waits for the client's content; then the request is
    /// answered 504 in its place. None: as long as it likes.
    pub timeout: Option<Duration>,
    /// A request whose handler has not begun to answer for so long is logged with the place where it is, and again at doubling ages.
    pub slow_request: Option<Duration>,
    /// Called once when so many threads are stuck in handlers that the process had better be replaced.
    pub on_stuck: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Where large content waits for the handler.
    pub spool: Spool,
    /// Whose word about clients is believed.
    pub trusted: TrustedPeers,
    /// Value of the Server field; empty for none.
    pub server_field: String,
    /// How requests get to threads; only for comparison.
    #[cfg(feature = "reference-schedulers")]
    pub scheduler: Scheduler,
    /// Where files are that a handler may name in a field X-Sendfile, to be sent in place of its content.
    pub sendfile_root: Option<Arc<SendfileRoot>>,
    /// One line per response.
    pub access_log: Option<AccessLog>,
    /// Told of every refused request, off the hot path, with its bytes. What it returns is the content of the answer, as plain text;
    /// None: the status in words.
    pub on_rejection: Option<Arc<OnRejection>>,
    /// Told of every head received and sent, for `--log-level trace`.
    pub on_traffic: Option<Arc<OnTraffic>>,
}

/// The product's scheduler and the two it is measured against.
#[cfg(feature = "reference-schedulers")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheduler {
    /// The loop changes hands.
    #[default]
    Promote,
    /// Every call on the loop's thread.
    Inline,
    /// Every call handed to a pool of `threads` threads.
    Pool,
}

/// Is told of a refused request. Called on the loop's thread: it must not block.
pub type OnRejection = dyn Fn(&RejectionNotice<'_>) -> Option<String> + Send + Sync;
/// Is told of a head that went by. Called on the thread that sends or receives it.
pub type OnTraffic = dyn Fn(&Traffic<'_>) + Send + Sync;

/// What an exchange needs of its server.
pub(crate) struct Setup {
    /// The server is leaving: every response is its connection's last.
    pub(crate) is_draining: AtomicBool,
    pub(crate) config: Config,
    pub(crate) content_memory: Arc<ContentMemory>,
    pub(crate) interpreter: Arc<dyn Interpreter>,
    /// Sends the blocks that handlers leave in their slots.
    pub(crate) courier: Courier,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Setup")
    }
}

/// How long a peer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Between two requests on a connection.
    pub keep_alive: Duration,
    /// From the first byte of a head to its last.
    pub head: Duration,
    /// Without a byte of content.
    pub content: Duration,
    /// How long content may come slower than `content_rate`.
    pub content_grace: Duration,
    /// Bytes of content a second that a client must reach on average once the grace is over; 0 for any.
    pub content_rate: u64,
    /// Without taking a byte of the response.
    pub write: Duration,
}

impl Deadlines {
    /// Whether so much content in so long a time is less than a client must send.
    pub(crate) fn is_too_slow(&self, received: u64, took: Duration) -> bool {
        took > self.content_grace && received < self.content_rate.saturating_mul(took.as_secs())
    }
}

/// Where content goes that is too large for memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spool {
    /// Content of more bytes than this goes to an unlinked file.
    pub threshold: u64,
    /// So many bytes may the content of all requests together take in memory; what finds no room goes to a file. Content of up to 64 KiB
    /// does not count.
    pub memory: u64,
    /// The directory; None: there is no writable one. Then all content stays in memory, and what is over `threshold` is refused with 413.
    pub directory: Option<PathBuf>,
}

/// A request was refused.
#[derive(Debug)]
#[non_exhaustive]
pub struct RejectionNotice<'a> {
    /// The bytes of the head, chunk line or trailer section in hand.
    pub bytes: &'a [u8],
    /// Which of these they are.
    pub piece: Piece,
    /// The rule and the offset in `bytes`.
    pub rejection: Rejection,
    /// The connection's two ends.
    pub peer: &'a Peer,
    /// Which request on its connection, from 1.
    pub request_number: u32,
}

/// A head went by.
#[derive(Debug)]
pub enum Traffic<'a> {
    /// A request head as received.
    Received {
        /// Who sent it.
        peer: &'a Peer,
        /// Its bytes.
        head: &'a [u8],
    },
    /// A response head as sent.
    Sent {
        /// Who gets it.
        peer: &'a Peer,
        /// Its bytes.
        head: &'a [u8],
    },
}

impl Default for Config {
    fn default() -> Self {
        Config {
            limits: Limits::default(),
            deadlines: Deadlines {
                keep_alive: Duration::from_secs(75),
                head: Duration::from_secs(30),
                content: Duration::from_secs(30),
                content_grace: Duration::from_secs(30),
                content_rate: 500,
                write: Duration::from_secs(60),
            },
            threads: 64,
            accepts_at_once: 64,
            record: Record::default(),
            balance: None,
            queue_timeout: Duration::from_secs(30),
            timeout: Some(Duration::from_secs(30)),
            slow_request: Some(Duration::from_secs(5)),
            on_stuck: None,
            spool: Spool { threshold: 2 << 20, memory: 64 << 20, directory: Some(std::env::temp_dir()) },
            trusted: TrustedPeers::default(),
            server_field: String::from("brickwork"),
            #[cfg(feature = "reference-schedulers")]
            scheduler: Scheduler::Promote,
            sendfile_root: None,
            access_log: None,
            on_rejection: None,
            on_traffic: None,
        }
    }
}
