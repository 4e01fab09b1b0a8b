//! Feeds `properties::filter_rules` with whatever the fuzzer thinks of.
#![no_main]

#[path = "../properties/policy.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::filter_rules(data));
