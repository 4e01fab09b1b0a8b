//! What it costs to know the risk of a million agents: keeping it, reading it again at a start, and one more word.
//!
//! `cargo bench --bench state` prints the time of each, the file's size and the memory that the state takes.
//! `BOOMGATE_SCALE_AGENTS` says another number of agents. The folder is a temporary one: its disk is part of the figures.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot be set up should stop; it prints, and takes its size from the environment"
)]

use std::time::{Duration, Instant};

use boomgate::feeds::KnownState;
use boomgate::risk::{RiskEntry, RiskSubject};
use boomgate::store::{EmbeddedStore, Entry, StateStore};
use boomgate::types::{RiskLevel, RiskState, Timestamp};

/// Entries that are kept together, as from one page of a source.
const TOGETHER: usize = 10_000;

fn main() {
    // `cargo bench` says so; `cargo test` only wants to see that it runs.
    let is_test = !std::env::args().any(|argument| argument == "--bench");
    let agents = std::env::var("BOOMGATE_SCALE_AGENTS").map_or(1_000_000, |text| {
        text.parse().expect("BOOMGATE_SCALE_AGENTS is a number")
    });
    let agents = if is_test { TOGETHER } else { agents };
    let words = if is_test { 10 } else { 500 };
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");

    println!("risk of {agents} agents");
    let (store, kept) = EmbeddedStore::open(folder.path()).expect("a new store");
    assert_eq!(kept.len(), 0);
    timed("keep", || runtime.block_on(fill(&store, agents)));
    drop(store);

    let before = resident_mib();
    let (store, kept) = timed("open and read the file", || {
        EmbeddedStore::open(folder.path()).expect("the store")
    });
    let mut state = KnownState::default();
    timed("put in force", || state.read(&kept));
    assert_eq!(state.risk.len(), agents);
    drop(kept);
    println!("  {:<26} {:>9} MiB", "resident", resident_mib() - before);
    println!("  {:<26} {:>9} MiB", "on disk", size_mib(folder.path()));

    let times = runtime.block_on(say(&store, &state, agents, words));
    println!(
        "  {:<26} p50 {:.2?}, p99 {:.2?}",
        "one more word, on disk", times.0, times.1
    );
    println!(
        "  {:<26} p50 {:.2?}, p99 {:.2?}",
        "its place in the table", times.2, times.3
    );
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    println!("  {what:<26} {:>9.2} s", start.elapsed().as_secs_f64());
    done
}

/// A level for one agent, at a time that is later in each round.
fn entry(at: usize, round: i64) -> Entry {
    let levels = [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High];
    let level = levels.iter().cycle().nth(at % 3).copied();
    Entry::Risk(RiskEntry {
        id: format!("a9a9a9a9-0000-4000-8000-{at:012x}").into(),
        subject: RiskSubject::AgentIdentity,
        level,
        state: RiskState::AtRisk,
        detail: "none".into(),
        last_modified: Timestamp::from_seconds(1_790_000_000 + round),
        source: "management".into(),
    })
}

async fn fill(store: &EmbeddedStore, agents: usize) {
    for first in (0..agents).step_by(TOGETHER) {
        let last = agents.min(first + TOGETHER);
        let sealed = (first..last).map(|at| entry(at, 0).seal()).collect();
        let above = store.put(sealed).await.expect("kept");
        assert_eq!(above.len(), 0);
    }
}

/// Says one thing after the other; gives the p50 and p99 of keeping it, and those of putting it in force.
async fn say(
    store: &EmbeddedStore,
    state: &KnownState,
    agents: usize,
    words: usize,
) -> (Duration, Duration, Duration, Duration) {
    let (mut kept, mut shown) = (Vec::new(), Vec::new());
    let mut table = state.risk.clone();
    for word in 0..words {
        let sealed = entry(word * 7_919 % agents, 1).seal();
        let start = Instant::now();
        store.put(vec![sealed.clone()]).await.expect("kept");
        kept.push(start.elapsed());
        let start = Instant::now();
        let mut heard = KnownState::default();
        heard.read(&[sealed]);
        table = table.joined(&heard.risk);
        shown.push(start.elapsed());
    }
    let (kept, shown) = (quantiles(kept), quantiles(shown));
    (kept.0, kept.1, shown.0, shown.1)
}

fn quantiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = times.len().saturating_sub(1) * percent / 100;
        times.get(place).copied().unwrap_or_default()
    };
    (at(50), at(99))
}

fn size_mib(folder: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("the folder");
    let sizes = files.map(|file| {
        file.and_then(|file| file.metadata())
            .map_or(0, |it| it.len())
    });
    sizes.sum::<u64>() / (1024 * 1024)
}

/// The memory that the process has, in MiB (proc_pid_status(5)).
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.expect("a figure") / 1024
}
