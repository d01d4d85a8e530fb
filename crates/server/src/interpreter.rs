//! The lock that handlers run under, held without knowing what it is.

/// An interpreter lock as the server needs it: the GIL, nothing at all, or a test double. Every method is called on the thread
/// that is to hold (or holds) the lock.
pub trait Interpreter: Send + Sync + 'static {
    /// A server thread begins; called once on it, before anything else. The lock is not held afterwards.
    fn enter_thread(&self) {}
    /// A server thread ends; called once on it. The lock is not held, before or after.
    fn leave_thread(&self) {}
    /// Takes the lock, waiting as long as it takes.
    fn acquire(&self);
    /// Lets the lock go.
    fn release(&self);
}

/// For handlers that need no lock.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInterpreter;

impl Interpreter for NoInterpreter {
    fn acquire(&self) {}
    fn release(&self) {}
}
