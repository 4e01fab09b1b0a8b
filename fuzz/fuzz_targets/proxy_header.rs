//! Feeds `properties::proxy_header` with whatever the fuzzer thinks of.
#![no_main]

#[path = "../properties/call.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::proxy_header(data));
