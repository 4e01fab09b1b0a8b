//! Integration tests: one binary, so that the crate is linked once; a module per subject.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::too_many_lines,
    clippy::missing_errors_doc,
    reason = "a test that meets what it did not expect should stop there"
)]

mod architecture;
mod assertion;
mod attacks;
mod binary;
mod client_address;
mod config;
mod corpora;
mod dataplane;
mod decisions;
mod deploy;
mod detections;
mod differential;
mod effects;
mod events;
mod failures;
mod forwarding;
mod fuzz_call;
mod fuzz_policy;
mod fuzz_signals;
mod graph;
mod graph_source;
mod grpc;
mod http2_library;
mod impact;
mod issuance;
mod management;
mod management_tls;
mod observability;
mod open_calls;
mod path;
mod policy_import;
mod policy_lint;
mod policy_support;
mod policy_test;
mod possession;
mod properties;
mod real_http;
mod reasons;
mod reload;
mod restart;
mod risk_command;
mod samples;
mod sdk;
mod sidecar;
mod signals;
mod slow;
mod soak;
mod spiffe;
mod store;
mod support;
mod tls_openssl;
mod tokens;
mod twin;
mod typestate;
mod upstream_dns;
mod upstream_tls;
mod volume;
mod websocket;
mod what_if;
mod without_gateway;
mod writes;
