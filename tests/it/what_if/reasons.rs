//! Each first reason for which a policy does not apply.

use serde_json::{Value, json};

use super::what_if;
use crate::config::support::Folder;

const AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000002";

/// A folder with these policies alone, each with members of `conditions` put over "all agents, everywhere".
fn folder(policies: &[(&str, Value)]) -> Folder {
    let folder = Folder::with_reference();
    folder.replace("on_unsupported: reject", "on_unsupported: report_only");
    std::fs::remove_dir_all(folder.path("policies")).unwrap();
    for (name, changes) in policies {
        let mut policy = json!({
            "id": name, "displayName": name, "state": "enabled",
            "conditions": {
                "applications": {"includeApplications": ["All"]},
                "clientApplications": {"includeAgentIdServicePrincipals": ["All"]},
            },
            "grantControls": {"operator": "OR", "builtInControls": ["block"]},
        });
        for (member, value) in changes.as_object().unwrap() {
            match member.as_str() {
                "state" | "grantControls" => policy[member] = value.clone(),
                _ => policy["conditions"][member] = value.clone(),
            }
        }
        folder.write(&format!("policies/{name}.json"), policy.to_string());
    }
    folder
}

#[test]
fn the_first_reason_is_whom_then_what_then_the_risk() {
    let nobody = json!({"includeAgentIdServicePrincipals": ["None"]});
    let elsewhere = json!({"includeApplications": ["e5e5e5e5-0000-4000-8000-000000000015"]});
    let folder = folder(&[
        ("applies", json!({})),
        (
            "disabled",
            json!({"state": "disabled", "applications": elsewhere}),
        ),
        ("empty-of-agents", json!({"clientApplications": null})),
        ("empty-of-resources", json!({"applications": null})),
        (
            "identities",
            json!({"clientApplications": nobody, "applications": elsewhere, "agentIdRiskLevels": "high"}),
        ),
        (
            "application",
            json!({"applications": elsewhere, "agentIdRiskLevels": "high"}),
        ),
        ("risk", json!({"agentIdRiskLevels": "high"})),
        ("times", json!({"times": {"night": true}})),
        (
            "times-elsewhere",
            json!({"times": {"night": true}, "applications": elsewhere}),
        ),
        (
            "control",
            json!({"grantControls": {"operator": "OR", "builtInControls": ["smile"]}}),
        ),
        (
            "users-only",
            json!({"clientApplications": null, "agents": {"includeAgentUsers": ["All"]}}),
        ),
    ]);
    let reasons = |subject: &[&str]| {
        let run = what_if(
            &folder,
            &[subject, &["--resource", "hr-api", "--output", "json"]].concat(),
        );
        assert_eq!(run.code, 0, "{}", run.err);
        let answer = run.json();
        let results = answer["value"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        results
            .map(|result| {
                assert_eq!(
                    result["policyApplies"],
                    result["analysisReasons"] == "notSet"
                );
                (
                    text(&result["displayName"]),
                    text(&result["analysisReasons"]),
                )
            })
            .collect::<Vec<_>>()
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, reason)| ((*name).to_owned(), (*reason).to_owned()))
            .collect()
    };
    assert_eq!(
        reasons(&["--agent", AGENT, "--risk", "low"]),
        pairs(&[
            ("application", "application"),
            ("applies", "notSet"),
            ("control", "notSet"),
            ("empty-of-agents", "emptyPolicy"),
            ("empty-of-resources", "emptyPolicy"),
            ("identities", "agentIdentities"),
            ("risk", "agentIdRisk"),
            ("times-elsewhere", "application"),
            ("times", "notEnoughInformation"),
            ("users-only", "agentIdentities"),
            // Disabled ones come last.
            ("disabled", "policyNotEnabled"),
        ])
    );
    let of_user = reasons(&["--agent-user", "c3c3c3c3-0000-4000-8000-000000000003"]);
    let reason = |name: &str| {
        of_user
            .iter()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(reason("applies"), "users");
    assert_eq!(reason("identities"), "users");
    assert_eq!(reason("users-only"), "notSet");
    assert_eq!(reason("empty-of-agents"), "emptyPolicy");
}

#[test]
fn a_policy_that_is_not_honoured_whole_is_said_to_be() {
    let folder = folder(&[
        ("times", json!({"times": {"night": true}})),
        (
            "off",
            json!({"state": "disabled", "times": {"night": true}}),
        ),
    ]);
    let run = what_if(&folder, &["--agent", AGENT, "--resource", "hr-api"]);
    let notes: Vec<_> = run
        .out
        .lines()
        .filter(|line| line.contains("not honoured"))
        .collect();
    assert_eq!(
        notes,
        ["`times` is never enforced: not honoured of it: conditions.times"]
    );
    assert!(
        run.out
            .contains("times   report-only  no: notEnoughInformation  unknown"),
        "{}",
        run.out
    );
    assert!(
        run.out
            .ends_with("allow (no_policy_blocked): no enforced policy blocks the agent\n")
    );
    assert!(run.err.contains("warning"), "{}", run.err);
}
