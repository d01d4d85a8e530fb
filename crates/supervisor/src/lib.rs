//! The processes and signals of Brickwork.
