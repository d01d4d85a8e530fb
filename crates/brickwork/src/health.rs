//! Health checks, answered on the loop: they need neither a thread nor the interpreter, so they never wait behind requests.
//! Also the probe that a worker sends to itself before it says that it is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use brickwork_server::http::Method;
use brickwork_server::{Content, Exchange, Handler, Peer, RequestView};

/// A handler that answers health checks and probes itself, and passes on the rest.
pub(crate) struct Watched {
    inner: Arc<dyn Handler>,
    path: Option<String>,
    is_ready: Arc<AtomicBool>,
}

/// The name of the listening socket that a probe's connection seems to come from. No real one is called so.
pub(crate) const PROBE: &str = "(probe)";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Live,
    Ready,
}

impl Watched {
    pub(crate) fn new(inner: Arc<dyn Handler>, path: Option<String>, is_ready: Arc<AtomicBool>) -> Watched {
        Watched { inner, path, is_ready }
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
        let is_ready = self.is_ready.load(Ordering::Relaxed);
        let (status, reason, text) = match (check, is_ready) {
            (Check::Live, _) => (200, "OK", "live"),
            (Check::Ready, true) => (200, "OK", "ready"),
            (Check::Ready, false) => (503, "Service Unavailable", "draining"),
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
        match self.check(exchange.request()) {
            Some(check) => self.answer(exchange, check),
            None => self.inner.handle(exchange),
        }
    }

    fn is_native(&self, request: RequestView<'_>) -> bool {
        self.check(request).is_some() || self.inner.is_native(request)
    }
}
