//! Which policies see which caller (`reference/entra.md` §4.4), over real sockets.

use http::StatusCode;
use serde_json::{Value, json};

use super::callers::{Caller, Seen, risky, with_attribute};
use crate::support::site::{
    AGENT, AGENT_USER, BLUEPRINT, OTHER_AGENT, PRINCIPAL, Setup, Site, agent, block,
};

const AGENTS: [Caller; 3] = [
    Caller::Agent(AGENT),
    Caller::AgentUser(AGENT_USER, AGENT),
    Caller::OnBehalfOf(AGENT),
];
const PARITY: &str = "evaluation: {entra_parity: true}";

/// A policy on these agent identities.
fn on_agents(ids: &[&str]) -> Value {
    json!({"clientApplications": {"includeAgentIdServicePrincipals": ids}})
}

/// A policy on these agent users.
fn on_agent_users(ids: &[&str]) -> Value {
    json!({"clientApplications": null, "agents": {"includeAgentUsers": ids}})
}

/// A policy on these users, as it was before `agents` came.
fn on_users(ids: &[&str]) -> Value {
    json!({"clientApplications": null, "users": {"includeUsers": ids}})
}

async fn site(conditions: Value, sections: &str) -> Site {
    Site::start(Setup {
        policies: vec![block("p1", conditions)],
        resource: vec!["non_agents: forward"],
        sections: sections.to_owned(),
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn each_policy_sees_the_callers_that_it_is_for() {
    // Blocked: an agent on its own, an agent user, an agent for a human, a human.
    let table: [(&str, Value, &str, [bool; 4]); 14] = [
        (
            "all agents",
            on_agents(&["All"]),
            "",
            [true, false, true, false],
        ),
        (
            "the agent",
            on_agents(&[AGENT]),
            "",
            [true, false, true, false],
        ),
        ("another agent", on_agents(&[OTHER_AGENT]), "", [false; 4]),
        (
            "its blueprint",
            on_agents(&[BLUEPRINT]),
            "",
            [true, false, true, false],
        ),
        (
            "its blueprint's principal",
            on_agents(&[PRINCIPAL]),
            "",
            [true, false, true, false],
        ),
        (
            "its agent user's id",
            on_agents(&[AGENT_USER]),
            "",
            [false; 4],
        ),
        (
            "all agent users",
            on_agent_users(&["All"]),
            "",
            [false, true, false, false],
        ),
        (
            "the agent user",
            on_agent_users(&[AGENT_USER]),
            "",
            [false, true, false, false],
        ),
        ("its agent's id", on_agent_users(&[AGENT]), "", [false; 4]),
        (
            "all agent users, older",
            on_users(&["AllAgentIdUsers"]),
            "",
            [false, true, false, false],
        ),
        (
            "all users",
            on_users(&["All"]),
            "",
            [false, false, true, true],
        ),
        (
            "a user, as Entra",
            on_users(&["All"]),
            PARITY,
            [false, false, true, true],
        ),
        (
            "all agents, as Entra",
            on_agents(&["All"]),
            PARITY,
            [true, false, false, false],
        ),
        (
            "its blueprint, as Entra",
            on_agents(&[BLUEPRINT]),
            PARITY,
            [true, false, false, false],
        ),
    ];
    for (name, conditions, sections, blocked) in table {
        let site = site(conditions, sections).await;
        let callers = AGENTS.into_iter().chain([Caller::Human]);
        for (caller, is_blocked) in callers.zip(blocked) {
            let seen = caller.get(&site, "/hr/people").await;
            let status = if is_blocked { 403 } else { 200 };
            assert_eq!(seen.status(), status, "{name}: {caller:?}");
            assert_eq!(
                seen.applied().contains_key("p1"),
                is_blocked,
                "{name}: {caller:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_record_says_who_called_whichever_way_the_caller_was_recognised() {
    let kinds = ["agent_identity", "agent_user", "on_behalf_of"];
    let site = site(json!({"agentIdRiskLevels": "high"}), "").await;
    for (caller, kind) in AGENTS.into_iter().zip(kinds) {
        let tokens = [
            ("markers", caller.token(&site)),
            ("directory", caller.unmarked_token(&site)),
        ];
        for (recognition, token) in tokens {
            let seen = Seen::of(&site, site.get("/hr/people", &token).await).await;
            assert_eq!(seen.status(), 200, "{caller:?} {recognition}");
            let said = &seen.record["boomgate"];
            assert_eq!(
                (&said["caller"], &said["recognition"]),
                (&json!(kind), &json!(recognition))
            );
            assert_eq!(said["inDirectory"], true);
            let calls = site.upstream.calls();
            let call = calls.last().unwrap();
            assert_eq!(call.header("boomgate-agent-type"), Some(kind));
            assert_eq!(call.header("boomgate-agent-id"), Some(AGENT));
            assert_eq!(call.header("boomgate-blueprint-id"), Some(BLUEPRINT));
        }
    }
}

#[tokio::test]
async fn an_agent_without_markers_is_judged_by_what_the_directory_says() {
    let site = site(on_agents(&[BLUEPRINT]), "").await;
    for (caller, status) in AGENTS.into_iter().zip([403, 200, 403]) {
        let answer = site.get("/hr/people", &caller.unmarked_token(&site)).await;
        assert_eq!(answer.status, status, "{caller:?}");
    }
    // Nobody knows this one: it is not an agent for policy, and the record has the hint.
    let unheard_of = Caller::Agent("a9a9a9a9-0000-4000-8000-000000000099");
    let answer = site
        .get("/hr/people", &unheard_of.unmarked_token(&site))
        .await;
    let seen = Seen::of(&site, answer).await;
    assert_eq!(seen.status(), 200);
    assert_eq!(seen.record["boomgate"]["caller"], "not_agent");
    assert_eq!(seen.record["boomgate"]["mayBeAgent"], true);
}

#[tokio::test]
async fn whoever_is_no_agent_is_forwarded_or_blocked_as_the_resource_says() {
    for (line, status, reason) in [
        ("non_agents: forward", 200, "non_agent_forwarded"),
        ("non_agents: block", 403, "not_an_agent"),
    ] {
        let site = Site::start(Setup {
            policies: vec![block("p1", json!({}))],
            resource: vec![line],
            ..Setup::default()
        })
        .await;
        let seen = Caller::Human.get(&site, "/hr/people").await;
        assert_eq!(seen.status(), status);
        assert_eq!(seen.record["boomgate"]["reason"], reason);
    }
}

#[tokio::test]
async fn an_agent_that_the_directory_does_not_know_is_found_and_judged() {
    let filter = |mode: &str| {
        let rule = "CustomSecurityAttribute.AgentAttributes_Status -contains \"Approved\"";
        json!({"clientApplications": {"includeAgentIdServicePrincipals": ["All"],
            "agentIdServicePrincipalFilter": {"mode": mode, "rule": rule}}})
    };
    let new = "a9a9a9a9-0000-4000-8000-000000000099";
    let callers = [Caller::Agent(new), Caller::OnBehalfOf(new)];
    for (conditions, status) in [
        (on_agents(&["All"]), 403),
        // Its token names its blueprint.
        (on_agents(&[BLUEPRINT]), 403),
        (on_agents(&[AGENT]), 200),
        // Nobody gave it attributes: it is not among those that are let through, nor among those picked out.
        (filter("exclude"), 403),
        (filter("include"), 200),
    ] {
        let site = site(conditions.clone(), "").await;
        for caller in callers {
            let seen = caller.get(&site, "/hr/people").await;
            assert_eq!(seen.status(), status, "{conditions} {caller:?}");
            assert_eq!(seen.record["boomgate"]["inDirectory"], false);
        }
        let found = [("type", "discovered"), ("risk_level", "none")];
        assert_eq!(site.count("boomgate_agents", &found).await, 1);
    }
}

#[tokio::test]
async fn an_approved_agent_passes_and_the_others_do_not() {
    let rule = "CustomSecurityAttribute.AgentAttributes_Status -contains \"Approved\"";
    let approved = with_attribute(
        agent(AGENT, "hr-agent"),
        "AgentAttributes_Status",
        json!(["Approved"]),
    );
    let conditions = json!({"clientApplications": {"includeAgentIdServicePrincipals": ["All"],
        "agentIdServicePrincipalFilter": {"mode": "exclude", "rule": rule}}});
    let site = Site::start(Setup {
        policies: vec![block("p1", conditions)],
        directory: vec![approved, agent(OTHER_AGENT, "other-agent")],
        ..Setup::default()
    })
    .await;
    for (id, status) in [
        (AGENT, StatusCode::OK),
        (OTHER_AGENT, StatusCode::FORBIDDEN),
    ] {
        let answer = site.get("/hr/people", &site.agent_token(id)).await;
        assert_eq!(answer.status, status, "{id}");
    }
}

#[tokio::test]
async fn disabling_stops_whoever_it_covers_whatever_policy_says() {
    let default = Setup::default().directory;
    let disabled = |id: &str| {
        let mut directory = default.clone();
        let entry = directory.iter_mut().find(|object| object["id"] == id);
        entry.unwrap()["accountEnabled"] = json!(false);
        directory
    };
    let table = [
        (AGENT, "agent_disabled", [403, 403, 403]),
        (PRINCIPAL, "blueprint_disabled", [403, 403, 403]),
        (AGENT_USER, "agent_disabled", [200, 403, 200]),
        (OTHER_AGENT, "agent_disabled", [200, 200, 200]),
    ];
    for (id, reason, statuses) in table {
        // Parity is about policies; a disabled account stays disabled.
        for sections in ["", PARITY] {
            let site = Site::start(Setup {
                directory: disabled(id),
                sections: sections.to_owned(),
                ..Setup::default()
            })
            .await;
            for (caller, status) in AGENTS.into_iter().zip(statuses) {
                let seen = caller.get(&site, "/hr/people").await;
                assert_eq!(seen.status(), status, "{id}: {caller:?}");
                let reason = if status == 200 {
                    "no_policy_blocked"
                } else {
                    reason
                };
                assert_eq!(
                    seen.record["boomgate"]["reason"], reason,
                    "{id}: {caller:?}"
                );
                let unmarked = site.get("/hr/people", &caller.unmarked_token(&site)).await;
                assert_eq!(
                    unmarked.status.as_u16(),
                    status,
                    "{id}: {caller:?} without markers"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_blocked_caller_sees_the_policies_only_where_the_operator_says_so() {
    let report_only = {
        let (file, mut policy) = block("p2", json!({}));
        policy["state"] = json!("enabledForReportingButNotEnforced");
        (file, policy)
    };
    for (sections, shown) in [
        ("", Value::Null),
        ("responses: {show_policies: true}", json!(["p1"])),
    ] {
        let site = Site::start(Setup {
            policies: vec![
                block("p1", json!({"agentIdRiskLevels": "high"})),
                report_only.clone(),
            ],
            risky: vec![risky(AGENT, "agentIdentity", "high")],
            sections: sections.to_owned(),
            ..Setup::default()
        })
        .await;
        let seen = Caller::Agent(AGENT).get(&site, "/hr/people").await;
        assert_eq!(seen.status(), 403);
        assert_eq!(seen.answer.json()["policies"], shown);
        let applied: Vec<_> = seen.applied().into_iter().collect();
        assert_eq!(applied, [("p1", "failure"), ("p2", "reportOnlyFailure")]);
    }
}

#[tokio::test]
async fn an_id_is_the_same_in_any_case() {
    let upper = AGENT.to_ascii_uppercase();
    let site = Site::start(Setup {
        policies: vec![block("p1", on_agents(&[&upper]))],
        ..Setup::default()
    })
    .await;
    let own = json!({"azp": upper, "oid": upper, "sub": upper});
    for token in [site.agent_token(AGENT), site.token(&own)] {
        let seen = Seen::of(&site, site.get("/hr/people", &token).await).await;
        assert_eq!(seen.status(), 403);
        assert_eq!(seen.record["servicePrincipalId"], AGENT);
    }
}

#[tokio::test]
async fn an_agent_user_is_one_though_its_token_marks_only_its_agent() {
    let site = site(on_agent_users(&["All"]), "").await;
    let marks = json!({"azp": AGENT, "idtyp": "user", "oid": AGENT_USER, "sub": "pairwise",
        "xms_act_fct": "11", "xms_sub_fct": null});
    let answer = site.get("/hr/people", &site.token(&marks)).await;
    let seen = Seen::of(&site, answer).await;
    assert_eq!(seen.status(), 403);
    assert_eq!(seen.record["boomgate"]["caller"], "agent_user");
}
