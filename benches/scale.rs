//! What size costs: a directory of a million agents and ten thousand policies are loaded, asked and replaced.
//!
//! `cargo bench --bench scale` prints the time to load each, the memory that the directory takes, what a decision costs
//! with many policies against few, and how long a call's reading takes while the directory is read anew and swapped.
//! `BOOMGATE_SCALE_AGENTS` says another number of agents. Figures of one run are compared with each other only.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot be set up should stop; it prints, waits, and takes its size from the environment"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use boomgate::identity::Directory;
use boomgate::identity::directory::read::{DirectoryParts, read as read_directory};
use boomgate::policy::read::read as read_policies;
use boomgate::policy::{
    AgentFacts, Facts, NamedLocations, OnUnsupported, PolicySet, ResourceFacts, SessionFacts,
    Subject,
};
use boomgate::snapshot::{Cause, Snapshot, Snapshots};
use boomgate::telemetry::ChangeSource;
use boomgate::types::{Attributes, Fact, RiskLevel, Timestamp};

/// Agents per file, as an export in pages has them.
const AGENTS_PER_FILE: u32 = 20_000;
const BLUEPRINTS: u32 = 1_000;
const MANY_POLICIES: u32 = 10_000;
const FEW_POLICIES: u32 = 10;

fn main() {
    // `cargo bench` says so; `cargo test` only wants to see that it runs.
    let is_test = !std::env::args().any(|argument| argument == "--bench");
    let agents = std::env::var("BOOMGATE_SCALE_AGENTS").map_or(1_000_000, |text| {
        text.parse().expect("BOOMGATE_SCALE_AGENTS is a number")
    });
    let agents = if is_test { AGENTS_PER_FILE } else { agents };

    let before = resident_mib();
    let start = Instant::now();
    let directory = Arc::new(directory(agents));
    println!("{agents} agents");
    println!(
        "  load                  {:>8.2} s",
        start.elapsed().as_secs_f64()
    );
    println!("  resident              {:>8} MiB", resident_mib() - before);

    let few = Arc::new(policies(FEW_POLICIES));
    let start = Instant::now();
    let many = Arc::new(policies(MANY_POLICIES));
    println!("{MANY_POLICIES} policies");
    println!(
        "  read and compile      {:>8.3} s",
        start.elapsed().as_secs_f64()
    );
    decisions(&directory, agents, &few, &many);
    reload(&directory, agents, &many, if is_test { 1 } else { 3 });
}

/// A directory as it is read from files.
fn directory(agents: u32) -> Directory {
    let mut parts = DirectoryParts::default();
    let mut add = |text: &str| {
        let (read, faults) = read_directory("scale.json", text.as_bytes());
        assert!(!faults.has_errors(), "{faults:?}");
        parts.extend(read);
    };
    add(&blueprints());
    for first in (0..agents).step_by(20_000) {
        add(&page(first, agents.min(first + AGENTS_PER_FILE)));
    }
    let (directory, faults) = parts.build();
    assert!(!faults.has_errors(), "{faults:?}");
    directory
}

fn blueprints() -> String {
    list((0..BLUEPRINTS).map(|at| {
        format!(
            r##"{{"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "displayName": "Blueprint {at}",
                "id": "b1b1b1b1-0000-4000-9000-{at:012x}", "appId": "b1b1b1b1-0000-4000-8000-{at:012x}"}}"##
        )
    }))
}

/// One page of agents, each with the members that Graph gives.
fn page(first: u32, end: u32) -> String {
    let status = [
        "New",
        "In_Review",
        "HR_Approved",
        "Finance_Approved",
        "IT_Approved",
    ];
    list((first..end).map(|at| {
        let status = status.iter().cycle().nth(usize::try_from(at % 5).unwrap_or(0));
        let (blueprint, sponsor) = (at % BLUEPRINTS, at % 5_000);
        format!(
            r##"{{"@odata.type": "#microsoft.graph.agentIdentity", "displayName": "agent-{at:07}", "accountEnabled": true,
                "id": "{id}", "appId": "{id}", "createdDateTime": "2026-09-01T08:00:00Z",
                "agentIdentityBlueprintId": "b1b1b1b1-0000-4000-8000-{blueprint:012x}",
                "sponsors": [{{"id": "d4d4d4d4-0000-4000-8000-{sponsor:012x}"}}],
                "customSecurityAttributes": {{"AgentAttributes": {{"AgentApprovalStatus@odata.type": "#Collection(String)",
                    "AgentApprovalStatus": ["{status}"], "Department": "HR"}}}}}}"##,
            id = agent_id(at),
            status = status.unwrap_or(&"New"),
        )
    }))
}

fn agent_id(at: u32) -> String {
    format!("a9a9a9a9-0000-4000-8000-{at:012x}")
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    format!(r#"{{"value": [{}]}}"#, items.join(","))
}

/// Policies as an organisation has them: a few for everybody, and many that name a resource or an agent.
fn policies(count: u32) -> PolicySet {
    let mut text = String::from("[");
    for at in 0..count {
        let (resources, agents) = match at {
            0..5 => ("All".to_owned(), "All".to_owned()),
            _ if at % 2 == 0 => (format!("resource-{at}"), "All".to_owned()),
            _ => ("All".to_owned(), agent_id(at)),
        };
        let comma = if at == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"id": "policy-{at}", "displayName": "Policy {at}", "state": "enabled",
                "conditions": {{"applications": {{"includeApplications": ["{resources}"]}}, "agentIdRiskLevels": "high",
                    "clientApplications": {{"includeAgentIdServicePrincipals": ["{agents}"]}}}},
                "grantControls": {{"operator": "OR", "builtInControls": ["block"]}}}}"#
        )
        .expect("a text grows");
    }
    text.push(']');
    let (policies, faults) = read_policies("scale.json", text.as_bytes(), OnUnsupported::Reject);
    assert!(!faults.has_errors(), "{faults:?}");
    PolicySet::compile(policies, &NamedLocations::default())
}

/// What is done for one call: the agent is looked up, and judged.
fn decide(directory: &Directory, policies: &PolicySet, id: &str) {
    let agent = directory.agent(id).expect("an agent of the directory");
    let blueprint = agent.blueprint.as_ref();
    let facts = Facts {
        subject: Subject::AgentIdentity(AgentFacts {
            id: agent.id.as_str(),
            blueprint_app_id: blueprint.map(|id| id.as_str()),
            blueprint_principal_id: None,
            attributes: &agent.attributes,
            risk: Fact::Known(RiskLevel::Low),
        }),
        resource: ResourceFacts {
            app_id: Fact::Known("resource-8"),
            attributes: Fact::Known(&Attributes::NONE),
            is_agent: Fact::Known(false),
            authentication_contexts: &[],
        },
        session: SessionFacts::UNKNOWN,
        now: Timestamp::from_seconds(1_790_000_000),
        entra_parity: false,
    };
    let _evaluation = black_box(policies.evaluate(black_box(&facts)));
}

/// Few policies and many, in turns, so that what else the machine does meets both.
fn decisions(directory: &Directory, agents: u32, few: &PolicySet, many: &PolicySet) {
    const ROUNDS: u32 = 20;
    const PASSES: u32 = 10;
    const AGENTS: u32 = 1_000;
    let ids: Vec<String> = (0..AGENTS)
        .map(|at| agent_id(at * 7_919 % agents))
        .collect();
    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (set, best) in [few, many].into_iter().zip(&mut best) {
            let start = Instant::now();
            for id in (0..PASSES).flat_map(|_| &ids) {
                decide(directory, set, id);
            }
            *best = start.elapsed().min(*best);
        }
    }
    let [few, many] = best.map(|time| (time / (PASSES * AGENTS)).as_nanos());
    println!(
        "  a decision with {FEW_POLICIES:>6}  {few:>8} ns (the agent's look-up included; best of {ROUNDS})"
    );
    println!("  a decision with {MANY_POLICIES:>6}  {many:>8} ns");
    println!("  ratio                 {:>8.2}", ratio(many, few));
}

fn ratio(one: u128, other: u128) -> f64 {
    let number = |nanos: u128| f64::from(u32::try_from(nanos).unwrap_or(u32::MAX));
    number(one) / number(other).max(1.0)
}

/// Reads and swaps the whole directory while calls go on, and says how long the calls' reading took.
fn reload(first: &Arc<Directory>, agents: u32, policies: &Arc<PolicySet>, reloads: u32) {
    let snapshots = Arc::new(Snapshots::new(snapshot(first, policies)));
    let quiet = reading_times(&snapshots, || std::thread::sleep(Duration::from_secs(1)));
    let busy = reading_times(&snapshots, || {
        for _ in 0..reloads {
            let next = Arc::new(directory(agents));
            let cause = Cause::now(ChangeSource::Configuration);
            snapshots.update(cause, |_| snapshot(&next, policies));
            snapshots.free_retired();
        }
    });
    println!("a call's reading         p50       p99     p99.9       max");
    for (name, times) in [("without a reload", quiet), ("while reloading", busy)] {
        let at = |permille: usize| {
            let place = times.len().saturating_sub(1) * permille / 1_000;
            times.get(place).copied().unwrap_or_default()
        };
        let [p50, p99, p999, max] = [500, 990, 999, 1_000].map(at);
        println!("  {name:<17} {p50:>8.0?} {p99:>9.1?} {p999:>9.1?} {max:>9.1?}");
    }
}

/// How long calls took to read a snapshot and be judged while `meanwhile` ran, shortest first.
fn reading_times(snapshots: &Arc<Snapshots>, meanwhile: impl FnOnce()) -> Vec<Duration> {
    let done = Arc::new(AtomicBool::new(false));
    let calls = std::thread::spawn({
        let (snapshots, done) = (Arc::clone(snapshots), Arc::clone(&done));
        move || {
            let mut times = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let start = Instant::now();
                let snapshot = snapshots.load();
                decide(&snapshot.directory, &snapshot.policies, &agent_id(7));
                drop(snapshot);
                times.push(start.elapsed());
                std::thread::sleep(Duration::from_micros(200));
            }
            times
        }
    });
    meanwhile();
    done.store(true, Ordering::Relaxed);
    let mut times = calls.join().expect("calls that end");
    times.sort_unstable();
    times
}

fn snapshot(directory: &Arc<Directory>, policies: &Arc<PolicySet>) -> Snapshot {
    Snapshot {
        generation: "bench".into(),
        directory: Arc::clone(directory),
        policies: Arc::clone(policies),
        ..Snapshot::default()
    }
}

/// The memory that the process has, in MiB (proc_pid_status(5)).
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.expect("a figure") / 1024
}
