//! Integration tests: one binary, so that the crate is linked once; a module per subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test that meets what it did not expect should stop there"
)]

mod architecture;
mod deploy;
mod observability;
mod typestate;
