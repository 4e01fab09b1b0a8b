//! What must not compile: every way round the states of a call, as a program of its own in `tests/ui`.
//!
//! The `.stderr` beside each program says which error stops it, so that none is stopped by a mere slip.
//! `TRYBUILD=overwrite cargo test --test it typestate` writes them anew; read the difference before you keep it.

#[test]
fn no_call_is_forwarded_but_by_its_own_permit() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
