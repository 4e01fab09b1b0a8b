//! The sample exports of `tests/data/entra`, all in force at once, do to real calls what their names promise.

use std::path::{Path, PathBuf};

use boomgate::types::text;
use serde_json::{Value, json};

use super::callers::{Caller, risky, with_attribute};
use crate::support::site::{AGENT, AGENT_USER, HUMAN, OTHER_AGENT, Setup, Site, agent};

/// Approved for HR; E3 excludes it, E4 keeps it out of HR resources.
const HR: &str = AGENT;
/// Not approved, and tagged so; E4 keeps it out of HR resources.
const NEW: &str = OTHER_AGENT;
/// Approved, and nothing is said against it.
const CLERK: &str = "a9a9a9a9-0000-4000-8000-000000000022";
/// Approved, at high risk.
const COMPROMISED: &str = "a9a9a9a9-0000-4000-8000-000000000032";
/// Approved, at medium risk.
const DOUBTFUL: &str = "a9a9a9a9-0000-4000-8000-000000000042";
/// Approved by one attribute, tagged as not approved by another.
const TAGGED: &str = "a9a9a9a9-0000-4000-8000-000000000052";
/// The agent user of [`HR`]; E7 excludes it.
const HR_USER: &str = AGENT_USER;
/// The agent user of [`CLERK`].
const CLERK_USER: &str = "c3c3c3c3-0000-4000-8000-000000000013";
/// The agent user of [`TAGGED`], at medium risk.
const RISKY_USER: &str = "c3c3c3c3-0000-4000-8000-000000000023";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/entra")
}

/// The policies of this folder, and the named locations of which the samples speak.
fn sections(policies: &Path) -> String {
    let locations = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/named-locations");
    format!(
        "policies: {{dir: {policies:?}, on_unsupported: report_only}}\nnamed_locations: {{dir: {locations:?}}}"
    )
}

fn setup() -> Setup {
    let approved = |id, name| {
        let status = json!(["In_Review", "HR_Approved"]);
        with_attribute(
            agent(id, name),
            "AgentAttributes_AgentApprovalStatus",
            status,
        )
    };
    let tagged = |object| with_attribute(object, "ConditionalAccess_isApproved", json!(["False"]));
    let user = |id: &str, parent: &str| {
        json!({"@odata.type": "#microsoft.graph.agentUser", "id": id, "displayName": id,
            "identityParentId": parent, "accountEnabled": true})
    };
    Setup {
        directory: vec![
            approved(HR, "hr"),
            tagged(agent(NEW, "new")),
            approved(CLERK, "clerk"),
            approved(COMPROMISED, "compromised"),
            approved(DOUBTFUL, "doubtful"),
            tagged(approved(TAGGED, "tagged")),
            user(HR_USER, HR),
            user(CLERK_USER, CLERK),
            user(RISKY_USER, TAGGED),
        ],
        risky: vec![
            risky(COMPROMISED, "agentIdentity", "high"),
            risky(DOUBTFUL, "agentIdentity", "medium"),
            risky(RISKY_USER, "agentUser", "medium"),
            // Of E12, everything holds of the human that is known; the rest nobody tells.
            json!({"@odata.type": "#microsoft.graph.riskyUser", "id": HUMAN, "riskLevel": "high",
                "riskState": "atRisk", "insiderRiskLevel": "elevated"}),
            json!({"@odata.type": "#microsoft.graph.riskDetection", "sessionId": "session-1", "riskLevel": "high",
                "riskState": "atRisk"}),
        ],
        resource: vec!["non_agents: forward"],
        resources: vec![
            "- name: wiki",
            "  app_id: e5e5e5e5-0000-4000-8000-000000000025",
            "  hosts: ['*']",
            "  path_prefixes: [/wiki]",
            "  audiences: [e5e5e5e5-0000-4000-8000-000000000005]",
            "  non_agents: forward",
            "  upstream: {url: 'http://{upstream}'}",
            "- name: helper",
            "  app_id: e5e5e5e5-0000-4000-8000-000000000035",
            "  is_agent: true",
            "  hosts: ['*']",
            "  path_prefixes: [/helper]",
            "  audiences: [e5e5e5e5-0000-4000-8000-000000000005]",
            "  non_agents: forward",
            "  upstream: {url: 'http://{upstream}'}",
        ],
        ..Setup::default()
    }
}

/// A call, its status, and the policies that apply with their results, by the last letter of their ids.
type Case = (
    Caller,
    &'static str,
    u16,
    &'static [(&'static str, &'static str)],
);

const FAILURE: &str = "failure";
const REPORTED: &str = "reportOnlyFailure";
/// The policy is not understood whole, so it is never enforced.
const UNKNOWN: &str = "unknown";

async fn check(site: &Site, cases: &[Case]) {
    let mut deviations = Vec::new();
    for (caller, path, status, applied) in cases {
        let seen = caller.get(site, path).await;
        let found: Vec<_> = seen
            .applied()
            .into_iter()
            .map(|(id, result)| (&id[35..], result))
            .collect();
        if seen.status() != *status || found != *applied {
            let status = seen.status();
            deviations.push(format!("{caller:?} at {path}: {status} {found:?}"));
        }
        let access = if *status == 403 {
            "failure"
        } else {
            "notApplied"
        };
        assert_eq!(seen.record["conditionalAccessStatus"], access);
    }
    assert!(deviations.is_empty(), "\n{}", deviations.join("\n"));
}

#[tokio::test]
async fn the_samples_as_they_were_exported() {
    let folder = folder();
    let site = Site::start(Setup {
        sections: sections(&folder),
        ..setup()
    })
    .await;
    let cases: &[Case] = &[
        // Agent identities on their own.
        (Caller::Agent(CLERK), "/wiki", 200, &[]),
        (Caller::Agent(CLERK), "/hr", 200, &[]),
        (Caller::Agent(COMPROMISED), "/wiki", 403, &[("1", FAILURE)]),
        (Caller::Agent(DOUBTFUL), "/wiki", 200, &[]),
        (
            Caller::Agent(NEW),
            "/wiki",
            403,
            &[("2", FAILURE), ("3", REPORTED)],
        ),
        (
            Caller::Agent(NEW),
            "/hr",
            403,
            &[("2", FAILURE), ("3", REPORTED), ("4", FAILURE)],
        ),
        (Caller::Agent(TAGGED), "/wiki", 200, &[("3", REPORTED)]),
        (Caller::Agent(HR), "/wiki", 200, &[]),
        (Caller::Agent(HR), "/hr", 403, &[("4", FAILURE)]),
        (Caller::Agent(CLERK), "/helper", 200, &[("5", REPORTED)]),
        // Agent users.
        (
            Caller::AgentUser(HR_USER, HR),
            "/wiki",
            200,
            &[("9", REPORTED)],
        ),
        (
            Caller::AgentUser(HR_USER, HR),
            "/hr",
            200,
            &[("9", REPORTED)],
        ),
        (
            Caller::AgentUser(CLERK_USER, CLERK),
            "/wiki",
            200,
            &[("7", REPORTED), ("9", REPORTED)],
        ),
        (
            Caller::AgentUser(RISKY_USER, TAGGED),
            "/helper",
            403,
            &[
                ("6", FAILURE),
                ("7", REPORTED),
                ("8", REPORTED),
                ("9", REPORTED),
            ],
        ),
        // Agent identities for a human: judged as on their own.
        (Caller::OnBehalfOf(CLERK), "/wiki", 200, &[]),
        (
            Caller::OnBehalfOf(COMPROMISED),
            "/wiki",
            403,
            &[("1", FAILURE)],
        ),
        (
            Caller::OnBehalfOf(NEW),
            "/wiki",
            403,
            &[("2", FAILURE), ("3", REPORTED)],
        ),
        (Caller::OnBehalfOf(HR), "/hr", 403, &[("4", FAILURE)]),
        (
            Caller::OnBehalfOf(CLERK),
            "/helper",
            200,
            &[("5", REPORTED)],
        ),
        // A human: no policy for agents concerns it, and E10 is not understood.
        (Caller::Human, "/hr", 200, &[]),
        (Caller::Human, "/helper", 200, &[]),
    ];
    check(&site, cases).await;
}

#[tokio::test]
async fn the_samples_turned_on() {
    let site = Site::start(Setup {
        policies: turned_on(|_| true),
        sections: sections(Path::new("policies")),
        ..setup()
    })
    .await;
    let cases: &[Case] = &[
        (Caller::Agent(CLERK), "/wiki", 200, &[]),
        (Caller::Agent(TAGGED), "/wiki", 403, &[("3", FAILURE)]),
        (Caller::Agent(HR), "/wiki", 200, &[]),
        (Caller::Agent(CLERK), "/helper", 403, &[("5", FAILURE)]),
        (
            Caller::AgentUser(HR_USER, HR),
            "/wiki",
            403,
            &[("9", FAILURE)],
        ),
        (
            Caller::AgentUser(CLERK_USER, CLERK),
            "/helper",
            403,
            &[("7", FAILURE), ("8", FAILURE), ("9", FAILURE)],
        ),
        (
            Caller::OnBehalfOf(TAGGED),
            "/wiki",
            403,
            &[("3", FAILURE), ("c", UNKNOWN)],
        ),
        (Caller::OnBehalfOf(CLERK), "/helper", 403, &[("5", FAILURE)]),
        (Caller::OnBehalfOf(CLERK), "/wiki", 200, &[("c", UNKNOWN)]),
        (Caller::Human, "/helper", 200, &[]),
    ];
    check(&site, cases).await;
}

#[tokio::test]
async fn samples_that_are_not_understood_whole_block_nobody_even_turned_on() {
    let site = Site::start(Setup {
        policies: turned_on(|file| file.starts_with("e12")),
        sections: sections(Path::new("policies")),
        ..setup()
    })
    .await;
    let cases: &[Case] = &[
        (Caller::Human, "/hr", 200, &[("c", UNKNOWN)]),
        (Caller::OnBehalfOf(NEW), "/hr", 200, &[("c", UNKNOWN)]),
        (Caller::Human, "/helper", 200, &[]),
        (Caller::Agent(COMPROMISED), "/hr", 200, &[]),
    ];
    check(&site, cases).await;
}

/// Samples with `state: enabled`, by the names of their files.
fn turned_on(is_wanted: impl Fn(&str) -> bool) -> Vec<(String, Value)> {
    let files = std::fs::read_dir(folder()).unwrap();
    files
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), file.path()))
        .filter(|(name, _)| is_wanted(name))
        .map(|(name, path)| {
            let bytes = std::fs::read(path).unwrap();
            let mut policy: Value = serde_json::from_str(&text::decode(&bytes).unwrap()).unwrap();
            policy["state"] = json!("enabled");
            (name, policy)
        })
        .collect()
}
