//! Feeds `properties::odata_filter` with whatever the fuzzer thinks of.
#![no_main]

#[path = "../properties/odata.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::odata_filter(data));
