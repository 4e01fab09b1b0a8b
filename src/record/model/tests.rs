//! Records, member by member: the files in `golden/` are what an auditor reads.

use serde_json::{Value, json};

use super::*;
use crate::record::tests::fixture::{self, Who};

/// Reads a record, and takes out what differs from run to run.
fn stable(line: &[u8]) -> Value {
    assert!(!line.contains(&b'\n'), "it is one line");
    let mut record: Value = serde_json::from_slice(line).unwrap();
    let duration = &mut record["boomgate"]["durationMicroseconds"];
    assert!(duration.as_u64().is_some_and(|micros| micros < 60_000_000));
    *duration = json!(0);
    record
}

fn assert_golden(line: &[u8], golden: &str) {
    let expected = serde_json::from_str::<Value>(golden).unwrap();
    assert_eq!(stable(line), expected, "{}", String::from_utf8_lossy(line));
}

async fn decision_line(who: Who, path: &str, risk: Option<RiskLevel>, list: bool) -> Vec<u8> {
    let decided = fixture::decided(who, path, risk).await;
    fixture::line(&Source::of(&decided), list)
}

#[tokio::test]
async fn an_autonomous_agent_that_policy_blocks() {
    let line = decision_line(
        Who::Autonomous,
        "/hr/people/4711",
        Some(RiskLevel::High),
        false,
    );
    assert_golden(&line.await, include_str!("golden/autonomous_blocked.json"));
}

#[tokio::test]
async fn an_agent_that_acts_for_a_human_and_is_allowed() {
    let line = decision_line(Who::OnBehalfOf, "/hr/people/4711", None, false);
    assert_golden(
        &line.await,
        include_str!("golden/on_behalf_of_allowed.json"),
    );
}

#[tokio::test]
async fn an_agent_user_with_the_policies_that_did_not_apply() {
    let path = "/hr/reviews/2026-10-01/ada@example.com?token=secret";
    let line = decision_line(Who::AgentUser, path, Some(RiskLevel::Low), true);
    assert_golden(&line.await, include_str!("golden/agent_user_allowed.json"));
}

#[tokio::test]
async fn a_human_whose_groups_are_too_many_for_the_token() {
    let line = decision_line(Who::Human, "/hr/people/4711", None, false);
    assert_golden(&line.await, include_str!("golden/human_refused.json"));
}

#[tokio::test]
async fn a_classic_workload() {
    let line = decision_line(Who::Workload, "/hr/people/4711", None, false);
    assert_golden(&line.await, include_str!("golden/workload_refused.json"));
}

#[tokio::test]
async fn a_call_without_a_token() {
    let refused = fixture::refused().await;
    let mut line = Buffer::default();
    refusal(&mut line, &refused).unwrap();
    assert_golden(line.bytes(), include_str!("golden/refused.json"));
}

#[test]
fn no_reason_but_success_has_code_zero_and_only_policy_has_entras_code() {
    for reason in Reason::ALL {
        let status = Status::of(*reason);
        assert_eq!(
            status.error_code == 0,
            reason.effect() == Effect::Allow,
            "{reason}"
        );
        assert_eq!(
            status.error_code == 53003,
            *reason == Reason::BlockedByPolicy
        );
    }
}
