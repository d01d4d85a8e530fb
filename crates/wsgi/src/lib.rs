//! The WSGI gateway of Brickwork.
