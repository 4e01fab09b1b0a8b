//! The integration tests, in one binary. What needs a socket binds 127.0.0.1, port 0.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what is wrong by panicking"
)]

mod decisions;
mod properties;
mod samples;
mod twin;
