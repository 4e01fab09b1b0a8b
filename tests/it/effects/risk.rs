//! Risk as administrators change it, and what it does to the very next call.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::callers::{Caller, risky};
use crate::support::site::{
    AGENT, AGENT_USER, BLUEPRINT, OTHER_AGENT, PRINCIPAL, Setup, Site, block,
};

const ON_ITS_OWN: Caller = Caller::Agent(AGENT);
const AS_USER: Caller = Caller::AgentUser(AGENT_USER, AGENT);
const FOR_HUMAN: Caller = Caller::OnBehalfOf(AGENT);
const SIBLING: Caller = Caller::Agent(OTHER_AGENT);
const CALLERS: [Caller; 4] = [ON_ITS_OWN, AS_USER, FOR_HUMAN, SIBLING];

/// A gateway that blocks agent identities and agent users at high risk.
async fn site(setup: Setup) -> Site {
    let of_users = json!({"agentIdRiskLevels": "high", "clientApplications": null,
        "agents": {"includeAgentUsers": ["All"]}});
    Site::start(Setup {
        policies: vec![
            block("agents", json!({"agentIdRiskLevels": "high"})),
            block("users", of_users),
        ],
        ..setup
    })
    .await
}

/// Says something of an agent, as an administrator.
async fn say(site: &Site, action: &str, id: &str) {
    let path = format!("/beta/identityProtection/riskyAgents/{action}");
    let body = json!({"agentIds": [id]}).to_string();
    let answer = site.manage(Method::POST, &path, &body).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
}

/// Which of the callers are blocked now.
async fn blocked(site: &Site) -> [bool; 4] {
    let mut blocked = [false; 4];
    for (caller, blocked) in CALLERS.into_iter().zip(&mut blocked) {
        let seen = caller.get(site, "/hr/people").await;
        assert!(matches!(seen.status(), 200 | 403), "{seen:?}");
        *blocked = seen.status() == 403;
    }
    blocked
}

#[tokio::test]
async fn a_word_on_a_subject_counts_for_those_who_inherit_from_it() {
    let table = [
        // The agent's own acts, and those of its agent user.
        (AGENT, [true, true, true, false]),
        // Nothing of a user is inherited by its agent.
        (AGENT_USER, [false, true, false, false]),
        // All that the blueprint made, by either of its names.
        (BLUEPRINT, [true; 4]),
        (PRINCIPAL, [true; 4]),
        (OTHER_AGENT, [false, false, false, true]),
    ];
    let site = site(Setup::default()).await;
    for (id, reached) in table {
        for lifted in ["confirmSafe", "dismiss"] {
            assert_eq!(blocked(&site).await, [false; 4], "before {id}");
            say(&site, "confirmCompromised", id).await;
            assert_eq!(blocked(&site).await, reached, "{id} is compromised");
            say(&site, lifted, id).await;
            assert_eq!(blocked(&site).await, [false; 4], "{lifted} of {id}");
        }
    }
}

#[tokio::test]
async fn parity_with_entra_inherits_nothing() {
    let table = [
        (AGENT, [true, false, false, false]),
        (AGENT_USER, [false, true, false, false]),
        (BLUEPRINT, [false; 4]),
        (PRINCIPAL, [false; 4]),
    ];
    let site = site(Setup {
        sections: "evaluation: {entra_parity: true}".to_owned(),
        ..Setup::default()
    })
    .await;
    for (id, reached) in table {
        say(&site, "confirmCompromised", id).await;
        assert_eq!(blocked(&site).await, reached, "{id} is compromised");
        say(&site, "dismiss", id).await;
    }
}

#[tokio::test]
async fn a_safe_agent_of_a_compromised_blueprint_stays_blocked() {
    let site = site(Setup::default()).await;
    say(&site, "confirmCompromised", PRINCIPAL).await;
    say(&site, "confirmSafe", AGENT).await;
    let seen = ON_ITS_OWN.get(&site, "/hr/people").await;
    assert_eq!(seen.status(), 403);
    let inputs = seen.record["boomgate"]["riskInputs"].as_array().unwrap();
    let inputs: Vec<[&Value; 4]> = inputs
        .iter()
        .map(|of| {
            [
                &of["id"],
                &of["riskLevel"],
                &of["riskState"],
                &of["inherited"],
            ]
        })
        .collect();
    assert_eq!(
        json!(inputs),
        json!([
            [AGENT, "none", "confirmedSafe", false],
            [PRINCIPAL, "high", "confirmedCompromised", true],
        ])
    );
    assert_eq!(seen.record["riskLevelDuringSignIn"], "high");
}

#[tokio::test]
async fn an_administrators_word_comes_over_that_of_the_file() {
    let site = site(Setup {
        risky: vec![risky(AGENT, "agentIdentity", "high")],
        ..Setup::default()
    })
    .await;
    assert_eq!(blocked(&site).await, [true, true, true, false]);
    say(&site, "confirmSafe", AGENT).await;
    assert_eq!(blocked(&site).await, [false; 4]);
}

#[tokio::test]
async fn an_agent_that_only_its_traffic_told_of_can_be_stopped() {
    let site = site(Setup::default()).await;
    let new = Caller::Agent("a9a9a9a9-0000-4000-8000-000000000099");
    assert_eq!(new.get(&site, "/hr/people").await.status(), 200);
    say(
        &site,
        "confirmCompromised",
        "a9a9a9a9-0000-4000-8000-000000000099",
    )
    .await;
    assert_eq!(new.get(&site, "/hr/people").await.status(), 403);
}

#[tokio::test]
async fn a_withheld_level_blocks_where_it_is_required_and_only_for_policies_on_risk() {
    let hidden = || vec![risky(AGENT, "agentIdentity", "hidden")];
    let risk = |required: bool| format!("risk: {{file: risky.json, required: {required}}}");
    let table = [
        (risk(true), 503, "facts_unavailable"),
        (risk(false), 200, "no_policy_blocked"),
        (
            "evaluation: {entra_parity: true}".to_owned(),
            200,
            "no_policy_blocked",
        ),
    ];
    for (sections, status, reason) in table {
        let site = site(Setup {
            risky: hidden(),
            sections,
            ..Setup::default()
        })
        .await;
        let seen = ON_ITS_OWN.get(&site, "/hr/people").await;
        assert_eq!(seen.status(), status);
        assert_eq!(seen.record["boomgate"]["reason"], reason);
        assert_eq!(seen.record["riskLevelDuringSignIn"], "hidden");
        // An administrator's word ends the not knowing, either way.
        say(&site, "confirmSafe", AGENT).await;
        assert_eq!(ON_ITS_OWN.get(&site, "/hr/people").await.status(), 200);
        say(&site, "confirmCompromised", AGENT).await;
        assert_eq!(ON_ITS_OWN.get(&site, "/hr/people").await.status(), 403);
    }
}

#[tokio::test]
async fn a_level_that_is_withheld_of_a_blueprint_hides_nothing_that_is_known_of_its_agent() {
    let report_only = {
        let (file, mut policy) = block("reported", json!({"agentIdRiskLevels": "high"}));
        policy["state"] = json!("enabledForReportingButNotEnforced");
        (file, policy)
    };
    let medium = block("medium", json!({"agentIdRiskLevels": "medium,high"}));
    // The agent is at medium risk; its sibling is not known to be at any.
    for (required, policy, statuses) in [
        (false, &medium, [403, 200]),
        (true, &medium, [503, 503]),
        (true, &report_only, [200, 200]),
    ] {
        let site = Site::start(Setup {
            policies: vec![policy.clone()],
            risky: vec![
                risky(AGENT, "agentIdentity", "medium"),
                risky(PRINCIPAL, "agentIdentityBlueprintPrincipal", "hidden"),
            ],
            sections: format!("risk: {{file: risky.json, required: {required}}}"),
            ..Setup::default()
        })
        .await;
        for (caller, status) in [ON_ITS_OWN, SIBLING].into_iter().zip(statuses) {
            let seen = caller.get(&site, "/hr/people").await;
            assert_eq!(seen.status(), status, "{caller:?}, required: {required}");
        }
    }
}
