//! Counts requests, so that a worker that has served enough asks for its replacement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use brickwork_server::{Exchange, Handler, RequestView};
use brickwork_supervisor::Waker;

/// A handler that tells the main thread when it has served enough, and goes on serving: the replacement comes first.
pub(crate) struct Counted {
    inner: Arc<dyn Handler>,
    left: AtomicU64,
    is_worn: Arc<AtomicBool>,
    main_thread: Waker,
}

impl Counted {
    /// After `most` requests, and up to `jitter` more, which differ from worker to worker.
    pub(crate) fn new(
        inner: Arc<dyn Handler>,
        (most, jitter): (u64, u64),
        is_worn: Arc<AtomicBool>,
        main_thread: Waker,
    ) -> Counted {
        // Consecutive process ids end up far from each other (Fibonacci hashing).
        let hash = u64::from(std::process::id().wrapping_mul(2_654_435_769));
        let more = ((u128::from(hash) * (u128::from(jitter) + 1)) >> 32) as u64;
        Counted { inner, left: AtomicU64::new(most.saturating_add(more)), is_worn, main_thread }
    }
}

impl Handler for Counted {
    fn handle(&self, exchange: &mut Exchange) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.is_worn.store(true, Ordering::Relaxed);
            self.main_thread.wake();
        }
        self.inner.handle(exchange);
    }

    fn is_native(&self, request: RequestView<'_>) -> bool {
        self.inner.is_native(request)
    }
}
