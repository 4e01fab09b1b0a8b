//! Reloads under traffic: no call fails for one, and every decision is one of a whole state.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::blocking;
use super::faults::until_looked;
use super::ways::WAYS;
use crate::support::client::Client;
use crate::support::site::{AGENT, OTHER_AGENT, Setup, Site, agent};

const RELOADS: usize = 20;

/// Two states by turns. In one, policy blocks the one agent; in the other, the directory has the other disabled.
/// A mixture of the two blocks both, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    OneBlocked,
    OtherDisabled,
}

impl State {
    const fn of_turn(turn: usize) -> Self {
        if turn.is_multiple_of(2) {
            Self::OneBlocked
        } else {
            Self::OtherDisabled
        }
    }

    /// The reason that a call of this agent ends with.
    fn reason(self, agent: &str) -> &'static str {
        match (self, agent == AGENT) {
            (Self::OneBlocked, true) => "blocked_by_policy",
            (Self::OtherDisabled, false) => "agent_disabled",
            (Self::OneBlocked, false) | (Self::OtherDisabled, true) => "no_policy_blocked",
        }
    }

    /// The files of the state: policy and directory. The turn makes each state's generation its own.
    fn files(self, turn: usize) -> (String, String) {
        let blocked = match self {
            Self::OneBlocked => AGENT,
            Self::OtherDisabled => "a9a9a9a9-0000-4000-8000-0000000000ff",
        };
        let mut other = agent(OTHER_AGENT, &format!("other-agent-{turn}"));
        other["accountEnabled"] = json!(self == Self::OneBlocked);
        let directory = json!({"value": [agent(AGENT, "hr-agent"), other]});
        (blocking(blocked), directory.to_string())
    }
}

/// Calls as one agent and the other by turns, on one connection, until it is told to stop. Gives the status of each
/// call by the id of its decision.
async fn call_on_and_on(
    mut client: Client,
    bearers: [String; 2],
    stop: Arc<AtomicBool>,
) -> BTreeMap<String, StatusCode> {
    let mut answers = BTreeMap::new();
    for bearer in bearers.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let request = match &client {
            Client::Http1(_) => Request::get("/hr/people").header("host", "localhost"),
            Client::Http2(_) => Request::get("https://localhost/hr/people"),
        };
        let request = request.header("authorization", bearer);
        let request = request.body(Full::default()).unwrap();
        let response = client.send(request).await.expect("no call fails");
        let id = response.headers()["boomgate-decision-id"].to_str().unwrap();
        answers.insert(id.to_owned(), response.status());
        response.into_body().collect().await.unwrap();
    }
    answers
}

/// Waits until both agents are answered as the state says, by one generation that is none of those before, and gives
/// it. The two files are written one after the other, so a look may find them apart: such a mixture blocks both or
/// none, and is no answer here.
async fn until_whole(site: &Site, state: State, before: &BTreeMap<String, State>) -> String {
    let generation = || site.app.snapshots().load().generation.to_string();
    let is_answered = async |agent: &str| {
        let is_allowed = state.reason(agent) == "no_policy_blocked";
        let status = site
            .get("/hr/people", &site.agent_token(agent))
            .await
            .status;
        (status == StatusCode::OK) == is_allowed
    };
    let mut whole = String::new();
    site.until("the next state is in force", async |_| {
        whole = generation();
        let is_new = !before.contains_key(&whole);
        is_new
            && is_answered(AGENT).await
            && is_answered(OTHER_AGENT).await
            && whole == generation()
    })
    .await;
    whole
}

#[tokio::test]
async fn every_call_is_answered_and_judged_by_one_whole_state() {
    let site = Site::start(Setup::default()).await;
    let publish = |turn: usize| {
        let (policy, directory) = State::of_turn(turn).files(turn);
        let way = WAYS[turn % WAYS.len()];
        way.write(&site.path("policies/p.json"), &policy);
        way.write(&site.path("agents/agents.json"), &directory);
    };
    let mut states = BTreeMap::new();
    let mut load = Vec::new();
    let stop = Arc::new(AtomicBool::new(false));
    let bearers = [AGENT, OTHER_AGENT].map(|id| format!("Bearer {}", site.agent_token(id)));
    until_looked(&site).await;
    for turn in 0..=RELOADS {
        publish(turn);
        let generation = until_whole(&site, State::of_turn(turn), &states).await;
        states.insert(generation, State::of_turn(turn));
        if turn == 0 {
            for client in [
                Client::http1(&site.pki, site.address()).await,
                Client::http1(&site.pki, site.address()).await,
                Client::http2(&site.pki, site.address()).await,
            ] {
                let calls = call_on_and_on(client, bearers.clone(), Arc::clone(&stop));
                load.push(tokio::spawn(calls));
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut answers = BTreeMap::new();
    for calls in load {
        answers.extend(calls.await.unwrap());
    }

    let records = site.path("records.jsonl");
    site.app.stop().await.unwrap();
    let text = fs::read_to_string(records).unwrap();
    let mut judged = BTreeMap::new();
    let records = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let records: Vec<Value> = records.collect();
    // Permitted by one state, and cut by the next before it was sent.
    let is_cut = |record: &&Value| record["boomgate"]["outcome"]["result"] == "cut";
    let cut: BTreeSet<_> = records
        .iter()
        .filter(is_cut)
        .map(|one| one["id"].as_str())
        .collect();
    for record in &records {
        let boomgate = &record["boomgate"];
        let Some(generation) = boomgate["policyGeneration"].as_str() else {
            continue;
        };
        let agent = record["appId"].as_str().unwrap();
        let reason = boomgate["reason"].as_str().unwrap();
        if let Some(state) = states.get(generation) {
            assert_eq!(reason, state.reason(agent), "{record}");
        }
        let of_generation = judged.entry((generation.to_owned(), agent.to_owned()));
        let first = of_generation.or_insert_with(|| reason.to_owned());
        assert_eq!(first, reason, "one generation, two verdicts: {record}");
        if let Some(status) = answers.remove(record["id"].as_str().unwrap()) {
            let is_allowed = reason == "no_policy_blocked";
            let is_answered = is_allowed && !cut.contains(&record["id"].as_str());
            assert_eq!(status == StatusCode::OK, is_answered, "{record}");
        }
    }
    assert!(answers.is_empty(), "every call has its record: {answers:?}");
    let judged: BTreeSet<_> = judged
        .into_keys()
        .map(|(generation, _)| generation)
        .collect();
    assert!(
        states.keys().all(|generation| judged.contains(generation)),
        "calls were judged by every state"
    );
}
