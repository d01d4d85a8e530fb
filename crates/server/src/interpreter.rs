//! The lock that handlers run under, held without knowing what it is, and what only the interpreter can say of a thread.

/// An interpreter lock as the server needs it: the GIL, nothing at all, or a test double.
///
/// `acquire`, `release` and what is around them are called on the thread that is to hold (or holds) the lock.
pub trait Interpreter: Send + Sync + 'static {
    /// A server thread begins; called once on it, before anything else. The lock is not held afterwards.
    fn enter_thread(&self) {}
    /// A server thread ends; called once on it. The lock is not held, before or after.
    fn leave_thread(&self) {}
    /// Takes the lock, waiting as long as it takes.
    fn acquire(&self);
    /// Lets the lock go.
    fn release(&self);

    /// What the methods below call this thread. Asked once, on the thread, after `enter_thread`.
    fn thread_name(&self) -> ThreadName {
        ThreadName(0)
    }
    /// Where a thread is in the handler's code, as lines for a log. The lock is held.
    fn stack(&self, thread: ThreadName) -> Option<String> {
        let _ = thread;
        None
    }
    /// The same for all threads, without the lock: for when nobody can get it, and then best effort.
    fn stacks_without_lock(&self) -> Vec<(ThreadName, String)> {
        Vec::new()
    }
    /// Makes the handler's code in that thread end soon, if it can. The lock is held. True if it may be under way.
    fn interrupt(&self, thread: ThreadName) -> bool {
        let _ = thread;
        false
    }
    /// Takes back an interruption of this thread that has not arrived yet. The lock is held.
    fn forget_interruption(&self) {}
}

/// What an interpreter calls one of its threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThreadName(pub u64);

/// For handlers that need no lock.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInterpreter;

impl Interpreter for NoInterpreter {
    fn acquire(&self) {}
    fn release(&self) {}
}
