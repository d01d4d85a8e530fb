//! The top of Brickwork.
