//! What around the gateway fails, and what its callers and its operators see then. `docs/failures.md` has the whole list,
//! with the tests that are elsewhere.

mod clock;
mod descriptors;
mod keys;
mod records;
mod upstream;
