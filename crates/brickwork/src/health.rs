//! Health checks, answered on the loop: they need neither a thread nor the interpreter, so they never wait behind requests.
//! Also the probe that a worker sends to itself before it says that it is ready.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use brickwork_server::http::Method;
use brickwork_server::{Content, Exchange, Handler, Peer, RequestView};

/// A handler that answers health checks and probes itself, and passes on the rest.
pub(crate) struct Watched {
    /// Empty until the application is imported; meanwhile only checks and probes get here.
    inner: OnceLock<Arc<dyn Handler>>,
    path: Option<String>,
    readiness: Arc<Readiness>,
}

/// How far a worker's life has got, as health checks see it.
#[derive(Debug)]
pub(crate) struct Readiness(AtomicU8);

const BOOTING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;

impl Readiness {
    pub(crate) fn booting() -> Readiness {
        Readiness(AtomicU8::new(BOOTING))
    }

    /// From now on it serves; unless it has begun to drain.
    pub(crate) fn begin(&self) {
        self.0.fetch_max(READY, Ordering::Relaxed);
    }

    /// From now on it does not take part any more.
    pub(crate) fn end(&self) {
        self.0.store(DRAINING, Ordering::Relaxed);
    }
}

/// The name of the listening socket that a probe's connection seems to come from. No real one is called so.
pub(crate) const PROBE: &str = "(probe)";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Live,
    Ready,
}

impl Watched {
    pub(crate) fn new(path: Option<String>, readiness: Arc<Readiness>) -> Watched {
        Watched { inner: OnceLock::new(), path, readiness }
    }

    /// Whom the rest is passed on to. Once.
    pub(crate) fn complete(&self, inner: Arc<dyn Handler>) {
        let _ = self.inner.set(inner);
    }

    fn check(&self, request: RequestView<'_>) -> Option<Check> {
        let path = request.text(request.head.target.path).strip_prefix(self.path.as_deref()?.as_bytes())?;
        if !matches!(request.head.method, Method::Get | Method::Head) {
            return None;
        }
        match path {
            b"/live" => Some(Check::Live),
            b"" | b"/ready" => Some(Check::Ready),
            _ => None,
        }
    }

    fn answer(&self, exchange: &mut Exchange, check: Check) {
        let (status, reason, text) = match (check, self.readiness.0.load(Ordering::Relaxed)) {
            (Check::Live, _) => (200, "OK", "live"),
            (Check::Ready, READY) => (200, "OK", "ready"),
            (Check::Ready, BOOTING) => (503, "Service Unavailable", "booting"),
            (Check::Ready, _) => (503, "Service Unavailable", "draining"),
        };
        exchange.leave_out_of_log();
        let body = format!("{{\"status\":\"{text}\",\"pid\":{}}}\n", std::process::id());
        let started = exchange.response.start(status, reason.as_bytes()).is_ok()
            && exchange.response.field(b"Content-Type", b"application/json").is_ok()
            && exchange.response.field(b"Cache-Control", b"no-store").is_ok();
        if started {
            // Whoever asked has gone if this fails.
            let _ = exchange.send(Content::Owned(body.into_bytes()));
        }
    }
}

impl Handler for Watched {
    fn handle(&self, exchange: &mut Exchange) {
        if matches!(exchange.peer(), Peer::Unix { path } if &**path == PROBE) {
            return self.answer(exchange, Check::Live);
        }
        match (self.check(exchange.request()), self.inner.get()) {
            (Some(check), _) => self.answer(exchange, check),
            (None, Some(inner)) => inner.handle(exchange),
            // Calls are held back until there is an inner one: nobody gets here, and whoever did would be answered 500.
            (None, None) => {}
        }
    }

    fn is_native(&self, request: RequestView<'_>) -> bool {
        self.check(request).is_some() || self.inner.get().is_some_and(|inner| inner.is_native(request))
    }
}
