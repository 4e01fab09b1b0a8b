//! How long it takes until an agent that was just blocked gets no further byte on calls that are open, under load: where
//! the word arrived, and at replicas that hear of it by Redis; and what judging many open calls again costs new ones.
//!
//! `cargo bench --bench enforcement` starts gateways as processes of their own, real TLS on both of their sides;
//! callers, administrator and upstream are this process. Times are as a caller sees them, all on one machine.
//! `BOOMGATE_REDIS` names the `redis-server` to use; without it the replicas are left out, and that is said.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::missing_errors_doc,
    reason = "a benchmark that cannot be set up should stop, it prints, and it borrows from the tests"
)]

#[path = "../../tests/it/open_calls/support.rs"]
mod held;
mod load;
mod many;
mod word;
#[path = "../../tests/it/support"]
mod support {
    pub(crate) mod client;
    pub(crate) mod gateway;
    pub(crate) mod pki;
    pub(crate) mod process;
    pub(crate) mod redis;
    pub(crate) mod servers;
    pub(crate) mod site;
    pub(crate) mod upstream;
}

/// What is measured: in a test only that it runs.
struct Size {
    /// How often somebody is blocked.
    rounds: usize,
    /// Open calls of each who is, at each gateway.
    calls: usize,
    /// Callers that call all the time, at each gateway.
    load: usize,
    /// Open calls that are judged again while others come in.
    many: usize,
    /// How long new calls are measured beside them.
    seconds: u64,
}

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let size = if is_bench {
        Size {
            rounds: 300,
            calls: 5,
            load: 8,
            many: 50_000,
            seconds: 10,
        }
    } else {
        Size {
            rounds: 3,
            calls: 2,
            load: 1,
            many: 100,
            seconds: 1,
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        word::on_one(&size).await;
        word::on_replicas(&size).await;
        many::judged_again(&size).await;
    });
}
