//! Parsing a head allocates nothing once its vector of fields has grown.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use brickwork_http::Limits;
use brickwork_http::h1::{HeadParser, Progress, RequestHead};

/// The system's allocator, counting what this thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to `System` with the arguments it came with; counting touches a thread-local without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: `ptr` came from `System` with this layout.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const REQUESTS: [&[u8]; 4] = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: te, close\r\n\r\n",
    b"PUT http://[::1]:8/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nCookie: a=b; c=d\r\nA: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
];

#[test]
fn parsing_allocates_nothing_after_the_first_request() {
    let (limits, mut head) = (Limits::default(), RequestHead::default());
    let mut parse_all = || {
        for input in REQUESTS {
            let mut parser = HeadParser::new();
            for end in 1..input.len() {
                let progress = parser.parse(&input[..end], &limits, &mut head);
                if progress != Ok(Progress::Partial) {
                    break;
                }
            }
        }
    };
    parse_all();
    let before = ALLOCATIONS.get();
    parse_all();
    assert_eq!(ALLOCATIONS.get(), before);
    drop(Box::new(1));
    assert!(ALLOCATIONS.get() > before, "the counter does not count");
}
