//! How much memory the content of all requests together may take. What finds no room waits in a file.
//!
//! A share is taken for what a request announces, before it has come: many that announce much and send nothing push
//! others into files, and can do no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is left of it.
#[derive(Debug)]
pub(crate) struct ContentMemory {
    free: AtomicU64,
}

/// Part of it, until dropped.
#[derive(Debug)]
pub(crate) struct Share {
    memory: Arc<ContentMemory>,
    bytes: u64,
}

impl ContentMemory {
    pub(crate) fn new(bytes: u64) -> Arc<ContentMemory> {
        Arc::new(ContentMemory { free: AtomicU64::new(bytes) })
    }

    /// A share of nothing yet.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { memory: Arc::clone(self), bytes: 0 }
    }
}

impl Share {
    /// Makes it at least so many bytes; false, and as it was, if there is not as much.
    pub(crate) fn grow_to(&mut self, bytes: u64) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let taken = self.memory.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(more));
        self.bytes += if taken.is_ok() { more } else { 0 };
        taken.is_ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.free.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_what_there_is_and_come_back() {
        let memory = ContentMemory::new(100);
        let (mut one, mut two) = (memory.share(), memory.share());
        assert!(one.grow_to(60));
        assert!(one.grow_to(10), "it has more already");
        assert!(!two.grow_to(41));
        assert!(two.grow_to(40));
        assert!(!one.grow_to(61));
        drop(two);
        assert!(one.grow_to(100));
        drop(one);
        assert!(memory.share().grow_to(100));
    }
}
