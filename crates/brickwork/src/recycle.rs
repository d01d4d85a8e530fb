//! Counts requests, so that a worker that has served enough asks for its replacement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use brickwork_server::{Exchange, Handler, RequestView};
use brickwork_supervisor::Waker;

/// Says to the main thread that this worker is to be replaced.
#[derive(Clone, Debug)]
pub(crate) struct Worn {
    is_worn: Arc<AtomicBool>,
    main_thread: Waker,
}

impl Worn {
    pub(crate) fn new(main_thread: Waker) -> Worn {
        Worn { is_worn: Arc::default(), main_thread }
    }

    /// It is to be replaced; from any thread.
    pub(crate) fn note(&self) {
        self.is_worn.store(true, Ordering::Relaxed);
        self.main_thread.wake();
    }

    /// Whether that was said since the last time.
    pub(crate) fn take(&self) -> bool {
        self.is_worn.swap(false, Ordering::Relaxed)
    }
}

/// A handler that tells the main thread when it has served enough, and goes on serving: the replacement comes first.
pub(crate) struct Counted {
    inner: Arc<dyn Handler>,
    left: AtomicU64,
    worn: Worn,
}

impl Counted {
    /// After `most` requests, and up to `jitter` more, which differ from worker to worker.
    pub(crate) fn new(inner: Arc<dyn Handler>, (most, jitter): (u64, u64), worn: Worn) -> Counted {
        // Consecutive process ids end up far from each other (Fibonacci hashing).
        let hash = u64::from(std::process::id().wrapping_mul(2_654_435_769));
        let more = ((u128::from(hash) * (u128::from(jitter) + 1)) >> 32) as u64;
        Counted { inner, left: AtomicU64::new(most.saturating_add(more)), worn }
    }
}

impl Handler for Counted {
    fn handle(&self, exchange: &mut Exchange) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.worn.note();
        }
        self.inner.handle(exchange);
    }

    fn is_native(&self, request: RequestView<'_>) -> bool {
        self.inner.is_native(request)
    }
}
