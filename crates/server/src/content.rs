//! What a response's content is made of.

use std::fs::File;
use std::sync::Arc;

/// A piece of content, owned until the kernel has taken it.
#[derive(Debug)]
pub enum Content {
    /// No bytes.
    Empty,
    /// Bytes that live as long as the program.
    Static(&'static [u8]),
    /// Bytes owned by the server.
    Owned(Vec<u8>),
    /// Bytes owned by somebody else (Python's `bytes`), sent without a copy.
    Foreign(Foreign),
    /// A range of a regular file, sent with sendfile(2).
    File {
        /// The file; its own read position is neither used nor moved. Shared, where an answer has several ranges of it.
        file: Arc<File>,
        /// First byte, from the file's start.
        offset: u64,
        /// Number of bytes.
        len: u64,
    },
}

impl Content {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Content::Empty => 0,
            Content::Static(bytes) => bytes.len() as u64,
            Content::Owned(bytes) => bytes.len() as u64,
            Content::Foreign(foreign) => foreign.as_bytes().len() as u64,
            Content::File { len, .. } => *len,
        }
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Bytes in memory that another owner keeps alive until `release` is called. Dropped on any thread, with or without the
/// interpreter lock: `release` has to cope.
#[derive(Debug)]
pub struct Foreign {
    ptr: *const u8,
    len: usize,
    owner: *mut (),
    release: unsafe fn(*mut ()),
}

#[allow(unsafe_code)]
mod foreign {
    use super::Foreign;

    // SAFETY: the constructor's contract makes the bytes immutable and `release` callable from any thread.
    unsafe impl Send for Foreign {}
    // SAFETY: shared access only reads the immutable bytes.
    unsafe impl Sync for Foreign {}

    impl Foreign {
        /// Takes over one reference to `owner`, which keeps `ptr..ptr + len` alive and unchanged until `release(owner)` is called.
        ///
        /// # Safety
        /// The bytes must be readable and unchanging until `release(owner)` is called, once, from any thread.
        #[must_use]
        pub unsafe fn new(ptr: *const u8, len: usize, owner: *mut (), release: unsafe fn(*mut ())) -> Foreign {
            Foreign { ptr, len, owner, release }
        }

        /// The bytes.
        #[must_use]
        pub fn as_bytes(&self) -> &[u8] {
            if self.len == 0 {
                return &[];
            }
            // SAFETY: the constructor's contract; `release` is called only by drop.
            unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
        }
    }

    impl Drop for Foreign {
        fn drop(&mut self) {
            // SAFETY: the constructor's contract; drop runs once.
            unsafe { (self.release)(self.owner) }
        }
    }
}
