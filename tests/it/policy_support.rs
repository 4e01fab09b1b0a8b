//! What is said of the support of policies, and the way of a policy through reader and writer and back.

use std::path::Path;

use boomgate::policy::read::{page, read};
use boomgate::policy::{OnUnsupported, Policy};
use boomgate::types::text;
use serde_json::{Value, json};

#[test]
fn the_page_of_what_is_honoured_is_that_of_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy-support.md");
    let current = page::page();
    if std::env::var_os("BOOMGATE_BLESS").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let shipped = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        shipped == current,
        "run the test with BOOMGATE_BLESS=1 to write {path} anew"
    );
}

/// Reads one policy, whatever is found.
fn read_one(bytes: &[u8]) -> Policy {
    let (policies, faults) = read("p.json", bytes, OnUnsupported::ReportOnly);
    assert!(!faults.has_errors(), "{faults:?}");
    let [policy] = <[Policy; 1]>::try_from(policies).unwrap();
    policy
}

/// A policy without the places that say where in a text it stood.
fn without_places(mut policy: Policy) -> Policy {
    policy.origin.line = 1;
    policy.origin.column = 1;
    for reference in &mut policy.named_locations {
        (reference.line, reference.column) = (1, 1);
    }
    policy.not_understood.sort();
    policy
}

/// Without what says something of the export and nothing of the policy.
fn tidied(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let stays = |name: &str| {
                name.ends_with("@odata.type") || !(name.contains("@odata") || name.starts_with('#'))
            };
            let kept = members.iter().filter(|(name, _)| stays(name));
            kept.map(|(name, value)| (name.clone(), tidied(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(tidied).collect(),
        other => other.clone(),
    }
}

fn round_trip(bytes: &[u8]) -> Policy {
    let first = read_one(bytes);
    let exported: Value = serde_json::from_str(&text::decode(bytes).unwrap()).unwrap();
    let written = Value::Object(first.source.clone());
    assert_eq!(written, tidied(&exported), "what is written is what came");
    let second = read_one(written.to_string().as_bytes());
    assert_eq!(without_places(first.clone()), without_places(second));
    first
}

#[test]
fn every_sample_comes_back_as_it_came() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/entra");
    let files = std::fs::read_dir(folder).unwrap();
    let read = files.map(|file| round_trip(&std::fs::read(file.unwrap().path()).unwrap()));
    assert_eq!(read.count(), 12);
}

#[test]
fn members_that_nobody_knows_survive_at_any_depth() {
    let policy = json!({
        "id": "p", "displayName": "p", "state": "enabled", "futureMember": {"deep": [1, {"er": null}]},
        "conditions": {
            "applications": {"includeApplications": ["All"], "futureList": ["x"]},
            "clientApplications": {"includeAgentIdServicePrincipals": ["All"], "agentIdServicePrincipalFilter": null},
            "agentIdRiskLevels": "medium,high", "moonPhase": "full", "numbers": [1.5, 1e30, 18_446_744_073_709_551_615_u64]
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"], "futureControl": true}
    });
    let read = round_trip(policy.to_string().as_bytes());
    assert!(!read.is_understood());
}
