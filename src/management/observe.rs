//! `/metrics`: what was counted, and the state of the moment, computed from the snapshot at each scrape.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use super::{Control, State};
use crate::feeds::status::Source;
use crate::identity::{Agent, AgentIdentity, Caller};
use crate::policy::PolicyState;
use crate::risk::{RiskSettings, SignInIds};
use crate::snapshot::Snapshot;
use crate::telemetry::{Observation, SignalSource, SubjectKind};
use crate::types::{Fact, RiskLevel, Timestamp};

/// Prometheus' text format, version 0.0.4.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics.
pub(super) async fn metrics(extract::State(control): extract::State<Arc<Control>>) -> Response {
    let state = &control.state;
    state.metrics.observe(&observe(state));
    ([(CONTENT_TYPE, TEXT_FORMAT)], state.metrics.encode()).into_response()
}

/// The state of the moment.
fn observe(state: &State) -> Observation {
    let (snapshot, now) = (state.snapshots.load(), state.clock.now());
    let mut policies: BTreeMap<_, u64> = PolicyState::ALL.map(|s| (s.as_str(), 0)).into();
    for policy in snapshot.policies.iter() {
        add_one(&mut policies, policy.state.as_str());
    }
    let keys = snapshot.issuers.iter().filter_map(|issuer| {
        let loaded_at = issuer.keys.as_ref()?.loaded_at;
        Some((Arc::clone(&issuer.settings.name), now.since(loaded_at)))
    });
    Observation {
        agents: agents(state, &snapshot),
        policies: policies.into_iter().collect(),
        signal_ages: signal_times(state, &snapshot)
            .map(|(source, at)| (source.as_str().into(), now.since(at)))
            .chain(state.signals.ages())
            .chain(state.graph.ages())
            .collect(),
        key_ages: keys.collect(),
        endpoints: snapshot
            .upstreams
            .census()
            .map(|(resource, state, count)| (resource.clone(), state, count))
            .collect(),
    }
}

/// When each source of risk was last heard: the file when it was last read, the engine
/// that replicas share when it last answered, administrators when they last spoke.
fn signal_times(
    state: &State,
    snapshot: &Snapshot,
) -> impl Iterator<Item = (SignalSource, Timestamp)> {
    let file = state.status.of(&Source::RiskFile);
    let file = file.and_then(|health| health.last_success);
    let by_management = |source: &str| source == SignalSource::Management.as_str();
    let management = snapshot
        .risk
        .entries()
        .filter(|entry| by_management(&entry.source))
        .map(|entry| entry.last_modified)
        .max();
    let store = state.status.of(&Source::SharedState);
    let store = store.and_then(|health| health.last_success);
    let times = [
        (SignalSource::File, file),
        (SignalSource::Store, store),
        (SignalSource::Management, management),
    ];
    times
        .into_iter()
        .filter_map(|(source, at)| Some((source, at?)))
}

/// How many agents of each kind have which level, as decisions would read it.
fn agents(state: &State, snapshot: &Snapshot) -> Vec<(SubjectKind, &'static str, u64)> {
    let risk = snapshot.decisions.risk();
    let mut levels: [(SubjectKind, BTreeMap<&'static str, u64>); 4] = [
        SubjectKind::AgentIdentity,
        SubjectKind::AgentUser,
        SubjectKind::Blueprint,
        SubjectKind::Discovered,
    ]
    .map(|kind| (kind, BTreeMap::new()));
    let [
        (_, identities),
        (_, users),
        (_, blueprints),
        (_, discovered),
    ] = &mut levels;
    for agent in snapshot.directory.agents() {
        let caller = Caller::Autonomous(known_agent(snapshot, agent));
        add_one(identities, level_of(snapshot, &caller, risk));
    }
    for user in snapshot.directory.agent_users() {
        let Some(parent) = snapshot.directory.agent(user.identity_parent.as_str()) else {
            add_one(users, own_level(snapshot, user.id.as_str()));
            continue;
        };
        let caller = Caller::AgentUser {
            id: user.id.clone(),
            entry: Some(Arc::clone(user)),
            agent: known_agent(snapshot, parent),
        };
        add_one(users, level_of(snapshot, &caller, risk));
    }
    for blueprint in snapshot.directory.blueprints() {
        add_one(blueprints, own_level(snapshot, blueprint.app_id.as_str()));
    }
    for agent in state.discovered.all() {
        add_one(discovered, own_level(snapshot, &agent.id));
    }
    let counts = levels.into_iter().flat_map(|(kind, counts)| {
        counts
            .into_iter()
            .map(move |(level, count)| (kind, level, count))
    });
    counts.collect()
}

/// An agent of the directory as a caller would be.
fn known_agent(snapshot: &Snapshot, agent: &Arc<AgentIdentity>) -> Agent {
    let blueprint = agent.blueprint.as_ref();
    Agent {
        id: agent.id.clone(),
        blueprint: blueprint.cloned(),
        entry: Some(Arc::clone(agent)),
        blueprint_entry: blueprint
            .and_then(|id| snapshot.directory.blueprint(id.as_str()))
            .cloned(),
    }
}

fn level_of(snapshot: &Snapshot, caller: &Caller, settings: RiskSettings) -> &'static str {
    let assessment = snapshot.risk.assess(caller, SignInIds::default(), settings);
    let level = match caller {
        Caller::AgentUser { .. } => assessment.agent_user,
        Caller::Autonomous(_) | Caller::OnBehalfOf { .. } | Caller::NotAgent(_) => assessment.agent,
    };
    match level {
        Fact::Known(level) => level.as_str(),
        Fact::Unknown | Fact::RequiredUnknown => "unknown",
    }
}

/// The level that was reported of one id.
fn own_level(snapshot: &Snapshot, id: &str) -> &'static str {
    let Some(entry) = snapshot.risk.get(id) else {
        return RiskLevel::None.as_str();
    };
    entry.effective_level().map_or("unknown", RiskLevel::as_str)
}

fn add_one(counts: &mut BTreeMap<&'static str, u64>, name: &'static str) {
    let count = counts.entry(name).or_default();
    *count = count.saturating_add(1);
}
