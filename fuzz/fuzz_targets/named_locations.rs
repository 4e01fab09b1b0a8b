//! Feeds `properties::named_locations` with whatever the fuzzer thinks of.
#![no_main]

#[path = "../properties/policy.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::named_locations(data));
