//! The integration tests: one binary, one module per subject.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed; the lints' own exceptions cover test functions only, not helpers"
)]

mod corpora;
mod tokens;
