//! Feeds `properties::webhook` with whatever the fuzzer thinks of.
#![no_main]

#[path = "../properties/signals.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::webhook(data));
