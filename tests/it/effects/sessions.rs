//! What a token shows of the human, the session and the device, on its way from the socket into policies: each
//! condition with a token that meets it, one that does not, and one that does not tell.

use serde_json::{Value, json};

use super::facts::{all_users, call, policy, workload};
use crate::support::site::{AGENT, AGENT_USER, HUMAN, RESOURCE, Setup, Site, TENANT, now};

const ROLE: &str = "62e90394-69f5-4237-9190-012177145e10";
const PARTNER: &str = "99999999-0000-4000-8000-000000000009";
const WORKLOAD: &str = "5e5e5e5e-0000-4000-8000-000000000007";

/// A condition, and the answers to tokens with these claims. 503: nobody tells, and the fact is required.
struct Row {
    conditions: Value,
    answers: Vec<(Value, u16)>,
}

/// A gateway with an issuer that tells everything, in claims of other names than Graph's.
async fn site(conditions: Value) -> Site {
    let issuer = [
        "- name: telling",
        "  profile: oidc",
        "  issuers: ['https://telling.test']",
        "  token_types: [JWT]",
        "  dangerous_shared_ids: true",
        "  keys: {file: keys.json}",
        "  claims:",
        "    agent_id: agent",
        "    agent_user_id: agent_user",
        "    on_behalf_of: sub",
        "    directory_roles: admin_roles",
        "    user_type: user_type",
        "    home_tenant: home",
        "    platform: device.os",
        "    client_app_type: app_type",
        "    transfer_method: flow",
        "    agent_context: started_from",
        "    device: {isCompliant: device.compliant, trustType: device.trust}",
    ];
    Site::start(Setup {
        policies: vec![policy("p1", conditions, &json!(["block"]))],
        issuers: issuer.map(str::to_owned).to_vec(),
        ..Setup::default()
    })
    .await
}

/// A token of that issuer: of the agent for the human, unless the claims say otherwise.
fn token(site: &Site, claims: &Value) -> String {
    let mut all = json!({"iss": "https://telling.test", "aud": RESOURCE, "iat": now(), "exp": now() + 600,
        "sub": HUMAN, "agent": AGENT});
    for (name, value) in claims.as_object().unwrap() {
        match value {
            Value::Null => drop(all.as_object_mut().unwrap().remove(name)),
            value => all[name] = value.clone(),
        }
    }
    site.issuer.sign(&all).unwrap()
}

async fn holds(rows: impl IntoIterator<Item = Row>) {
    for row in rows {
        let site = site(row.conditions.clone()).await;
        for (claims, status) in &row.answers {
            let seen = call(&site, "/hr/people", &token(&site, claims)).await;
            assert_eq!(seen.status(), *status, "{} {claims}", row.conditions);
        }
    }
}

#[tokio::test]
async fn guests_are_known_by_their_kind_and_their_tenant() {
    let partners = |tenants: Value| {
        let kinds = "b2bCollaborationGuest,serviceProvider";
        json!({"includeUsers": ["None"], "includeGuestsOrExternalUsers":
            {"guestOrExternalUserTypes": kinds, "externalTenants": tenants}})
    };
    let all = json!({"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants",
        "membershipKind": "all"});
    let one = json!({"@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
        "membershipKind": "enumerated", "members": [PARTNER]});
    let guest = |kind: &str, home: &str| json!({"user_type": kind, "home": home});
    holds([
        Row {
            conditions: json!({"users": {"includeUsers": ["GuestsOrExternalUsers"]}}),
            answers: vec![
                (json!({"user_type": "guest"}), 403),
                (json!({"user_type": "member"}), 200),
                (json!({}), 503),
            ],
        },
        Row {
            conditions: json!({"users": partners(all)}),
            answers: vec![
                (guest("b2bCollaborationGuest", PARTNER), 403),
                (guest("serviceProvider", TENANT), 403),
                (guest("internalGuest", PARTNER), 200),
                (json!({"user_type": "member"}), 200),
            ],
        },
        Row {
            conditions: json!({"users": partners(one)}),
            answers: vec![
                (guest("b2bCollaborationGuest", PARTNER), 403),
                (guest("b2bCollaborationGuest", TENANT), 200),
                (json!({"user_type": "b2bCollaborationGuest"}), 503),
            ],
        },
    ])
    .await;
}

#[tokio::test]
async fn roles_count_for_the_human_behind_an_agent() {
    holds([Row {
        conditions: json!({"users": {"includeUsers": ["None"], "includeRoles": [ROLE]}}),
        answers: vec![
            (json!({"admin_roles": [ROLE]}), 403),
            (json!({"admin_roles": []}), 200),
            (json!({}), 503),
        ],
    }])
    .await;
}

#[tokio::test]
async fn the_device_and_the_way_of_the_session_count() {
    let rule = r#"device.isCompliant -ne True -or device.trustType -eq "Workplace""#;
    holds([
        Row {
            conditions: json!({"users": all_users(), "platforms": {"includePlatforms": ["all"],
                "excludePlatforms": ["windows", "macOS"]}}),
            answers: vec![
                (json!({"device": {"os": "linux"}}), 403),
                (json!({"device": {"os": "windows"}}), 200),
                (json!({}), 503),
            ],
        },
        Row {
            conditions: json!({"users": all_users(),
                "devices": {"deviceFilter": {"mode": "include", "rule": rule}}}),
            answers: vec![
                (
                    json!({"device": {"compliant": false, "trust": "AzureAD"}}),
                    403,
                ),
                (
                    json!({"device": {"compliant": true, "trust": "Workplace"}}),
                    403,
                ),
                (
                    json!({"device": {"compliant": true, "trust": "AzureAD"}}),
                    200,
                ),
                (json!({}), 503),
            ],
        },
        Row {
            conditions: json!({"users": all_users(),
                "authenticationFlows": {"transferMethods": "deviceCodeFlow"}}),
            answers: vec![
                (json!({"flow": "deviceCodeFlow"}), 403),
                (json!({"flow": "authenticationTransfer"}), 200),
                (json!({"flow": "none"}), 200),
                (json!({}), 503),
            ],
        },
        Row {
            conditions: json!({"users": all_users(), "clientAppTypes": ["browser"]}),
            answers: vec![
                (json!({"app_type": "browser"}), 403),
                (json!({"app_type": "mobileAppsAndDesktopClients"}), 200),
                // A claim that is mapped and missing tells nothing; an issuer without the claim would mean a native client.
                (json!({}), 503),
            ],
        },
    ])
    .await;
}

#[tokio::test]
async fn an_agent_users_session_is_known_by_where_it_was_started() {
    let context = "agentUserSessionsInitiatedFromEndpoints";
    let of = |contexts: Value| json!({"sub": AGENT_USER, "agent_user": AGENT_USER, "started_from": contexts});
    holds([Row {
        conditions: json!({"users": {"includeUsers": ["None"]}, "agents": {"includeAgentUsers": ["All"]},
            "agentContext": {"includeAgentContexts": [context]}}),
        answers: vec![
            (of(json!([context])), 403),
            (of(json!([])), 200),
            (json!({"sub": AGENT_USER, "agent_user": AGENT_USER}), 503),
            // A human has no such context.
            (json!({"started_from": [context]}), 200),
        ],
    }])
    .await;
}

#[tokio::test]
async fn insiders_and_risky_workloads_are_stopped() {
    let insider = json!({"users": all_users(), "insiderRiskLevels": "elevated"});
    let workloads = json!({"users": {"includeUsers": ["None"]},
        "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]},
        "servicePrincipalRiskLevels": ["high"]});
    for (level, status) in [("elevated", 403), ("minor", 200)] {
        let site = Site::start(Setup {
            policies: vec![policy("p1", insider.clone(), &json!(["block"]))],
            risky: vec![
                json!({"@odata.type": "#microsoft.graph.riskyUser", "id": HUMAN, "riskLevel": "none",
                "riskState": "none", "insiderRiskLevel": level}),
            ],
            ..Setup::default()
        })
        .await;
        let human = site.token(
            &json!({"azp": AGENT, "idtyp": "user", "oid": HUMAN, "sub": "pairwise",
            "xms_act_fct": "11 9 3", "xms_sub_fct": "2 3"}),
        );
        assert_eq!(
            call(&site, "/hr/people", &human).await.status(),
            status,
            "{level}"
        );
    }
    for (level, status) in [("high", 403), ("low", 200)] {
        let mut setup = Setup {
            policies: vec![policy("p1", workloads.clone(), &json!(["block"]))],
            resource: vec!["non_agents: forward"],
            risky: vec![
                json!({"@odata.type": "#microsoft.graph.riskyServicePrincipal", "id": WORKLOAD,
                "riskLevel": level, "riskState": "atRisk"}),
            ],
            ..Setup::default()
        };
        setup.directory.push(
            json!({"@odata.type": "#microsoft.graph.servicePrincipal", "id": WORKLOAD,
            "appId": "c1c1c1c1-0000-4000-8000-000000000001", "appOwnerOrganizationId": TENANT}),
        );
        let site = Site::start(setup).await;
        let seen = call(&site, "/hr/people", &workload(&site, WORKLOAD)).await;
        assert_eq!(seen.status(), status, "{level}");
    }
}
