//! The integration tests: one binary, real sockets on loopback, port 0 only.
#![allow(
    unreachable_pub,
    reason = "one binary: `pub` says that another file may use it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that panics has failed, which is what it is for"
)]

mod dataplane;
mod support;
