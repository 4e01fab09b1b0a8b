//! What tokens, the directory, risk and databases tell, on its way from the socket into policies: and each verdict
//! computed again from its record.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use boomgate::record::replay::RecordedFacts;
use serde_json::{Value, json};

use super::callers::{Caller, Seen};
use crate::support::site::{AGENT, HUMAN, Setup, Site, TENANT};

const GROUP: &str = "f6f6f6f6-0000-4000-8000-000000000006";
const PLACE: &str = "88888888-0000-4000-8000-000000000008";
const CLIENT: &str = "c1c1c1c1-0000-4000-8000-000000000001";
const WORKLOAD: &str = "5e5e5e5e-0000-4000-8000-000000000007";
const DATABASE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/countries/countries.mmdb"
);

/// A policy with these conditions beside "every resource", that demands these controls.
pub(super) fn policy(id: &str, conditions: Value, controls: &Value) -> (String, Value) {
    let mut policy = json!({
        "id": id, "displayName": format!("policy {id}"), "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": controls},
    });
    let Value::Object(changes) = conditions else {
        panic!("conditions are an object")
    };
    for (member, value) in changes {
        policy["conditions"][member] = value;
    }
    (format!("{id}.json"), policy)
}

pub(super) fn all_users() -> Value {
    json!({"includeUsers": ["All"]})
}

fn all_agents() -> Value {
    json!({"includeAgentIdServicePrincipals": ["All"]})
}

/// A token of the agent that acts for the human, with these claims too.
fn for_human(site: &Site, claims: &Value) -> String {
    let mut all = json!({"azp": AGENT, "idtyp": "user", "oid": HUMAN, "sub": "pairwise",
        "xms_act_fct": "11 9 3", "xms_sub_fct": "2 3"});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    site.token(&all)
}

/// A token of a classic workload.
pub(super) fn workload(site: &Site, id: &str) -> String {
    site.token(&json!({"azp": CLIENT, "idtyp": "app", "oid": id, "sub": id,
        "xms_act_fct": null, "xms_sub_fct": null, "xms_par_app_azp": null}))
}

/// Makes a call, and computes its verdict again from its record.
pub(super) async fn call(site: &Site, path: &str, token: &str) -> Seen {
    let seen = Seen::of(site, site.get(path, token).await).await;
    let line = serde_json::to_vec(&seen.record).unwrap();
    let facts = RecordedFacts::read(&line).unwrap();
    let policies = &site.app.snapshots().load().policies;
    let again = policies.evaluate(&facts.facts());
    let applied = again.applied.iter().map(|result| {
        let policy = policies.policy(result.policy).unwrap();
        (policy.id.as_str(), result.outcome.as_str())
    });
    assert_eq!(seen.applied(), applied.collect(), "{}", seen.record);
    seen
}

#[tokio::test]
async fn groups_that_are_too_many_for_a_token_are_not_none() {
    let users = json!({"includeUsers": ["None"], "includeGroups": [GROUP]});
    let setup = |sections: &str, known: bool| {
        let mut setup = Setup {
            policies: vec![policy(
                "p1",
                json!({"users": users.clone()}),
                &json!(["block"]),
            )],
            sections: sections.to_owned(),
            ..Setup::default()
        };
        if known {
            setup.directory.push(
                json!({"@odata.type": "#microsoft.graph.user", "id": HUMAN, "memberOf": [
                    {"@odata.type": "#microsoft.graph.group", "id": GROUP}]}),
            );
        }
        setup
    };
    let optional = "evaluation: {optional_facts: [groups]}";
    let (inside, outside, too_many) = (
        json!({"groups": [GROUP.to_uppercase()]}),
        json!({"groups": []}),
        json!({"_claim_names": {"groups": "src1"}}),
    );
    for (sections, known, expected) in [
        ("", false, [403, 200, 503]),
        (optional, false, [403, 200, 200]),
        // The directory's word comes first.
        ("", true, [403, 403, 403]),
    ] {
        let site = Site::start(setup(sections, known)).await;
        for (claims, status) in [&inside, &outside, &too_many].into_iter().zip(expected) {
            let seen = call(&site, "/hr/people", &for_human(&site, claims)).await;
            assert_eq!(seen.status(), status, "{claims} {sections} {known}");
        }
    }
}

#[tokio::test]
async fn a_policy_for_an_authentication_context_asks_for_a_token_with_it() {
    let applications = json!({"includeAuthenticationContextClassReferences": ["c1"]});
    let conditions = json!({"applications": applications, "users": all_users()});
    let site = Site::start(Setup {
        policies: vec![policy("p1", conditions, &json!(["mfa"]))],
        issuers: vec!["  grant_controls_by_acr: {c1: [mfa], c9: [passwordChange]}".to_owned()],
        resource: vec![
            "operations:",
            "  - {path: /hr/pay, authentication_contexts: [c1]}",
        ],
        ..Setup::default()
    })
    .await;
    let weak = json!({"acrs": ["c9"]});
    let seen = call(&site, "/hr/pay", &for_human(&site, &weak)).await;
    assert_eq!(seen.status(), 401);
    assert_eq!(
        seen.record["boomgate"]["reason"],
        "authentication_insufficient"
    );
    let challenge = seen.answer.header("www-authenticate");
    let expected = "error=\"insufficient_user_authentication\", acr_values=\"c1\"";
    assert!(challenge.ends_with(expected), "{challenge}");

    // A client that understands claims challenges gets one.
    let capable = json!({"acrs": [], "xms_cc": ["cp1"]});
    let seen = call(&site, "/hr/pay", &for_human(&site, &capable)).await;
    let challenge = seen.answer.header("www-authenticate");
    assert!(
        challenge.contains("error=\"insufficient_claims\""),
        "{challenge}"
    );
    let (_, claims) = challenge.split_once("claims=\"").unwrap();
    let claims = STANDARD.decode(claims.trim_end_matches('"')).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let wanted = json!({"access_token": {"acrs": {"essential": true, "value": "c1"}}});
    assert_eq!(claims, wanted);

    let strong = json!({"acrs": ["c1"]});
    let seen = call(&site, "/hr/pay", &for_human(&site, &strong)).await;
    assert_eq!(seen.status(), 200);
    let seen = call(&site, "/hr/people", &for_human(&site, &weak)).await;
    assert_eq!(seen.status(), 200, "another operation");
}

#[tokio::test]
async fn what_an_issuer_enforces_need_not_be_in_its_tokens() {
    let demand = |controls: &Value| policy("p1", json!({"users": all_users()}), controls);
    let enforces = "  enforced_grant_controls: [mfa, compliantDevice]";
    let (none, shown, not_shown) = (
        json!({}),
        json!({"amr": ["pwd", "mfa"]}),
        json!({"amr": ["pwd"]}),
    );
    for (issuer, controls, expected) in [
        // Nobody tells; a second factor was shown; none was.
        ("", json!(["mfa"]), [503, 200, 401]),
        (enforces, json!(["mfa"]), [200, 200, 200]),
        ("", json!(["compliantDevice"]), [503, 503, 503]),
        (enforces, json!(["compliantDevice"]), [200, 200, 200]),
    ] {
        let site = Site::start(Setup {
            policies: vec![demand(&controls)],
            issuers: vec![issuer.to_owned()],
            ..Setup::default()
        })
        .await;
        for (claims, status) in [&none, &shown, &not_shown].into_iter().zip(expected) {
            let seen = call(&site, "/hr/people", &for_human(&site, claims)).await;
            assert_eq!(seen.status(), status, "{claims} {controls} {issuer}");
        }
        // An agent on its own is nobody's human.
        let seen = call(&site, "/hr/people", &site.agent_token(AGENT)).await;
        assert_eq!(seen.status(), 200);
    }
}

#[tokio::test]
async fn the_country_of_an_address_is_in_the_record_and_in_policies() {
    let locations = json!({"includeLocations": [PLACE]});
    let conditions = json!({"clientApplications": all_agents(), "locations": locations});
    let place = |countries: &[&str]| {
        json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": PLACE,
            "displayName": "x", "countriesAndRegions": countries,
            "countryLookupMethod": "clientIpAddress", "includeUnknownCountriesAndRegions": false})
    };
    let with = format!("named_locations: {{dir: places, country_database: {DATABASE:?}}}");
    let without = "named_locations: {dir: places}".to_owned();
    let optional = format!("{without}\nevaluation: {{optional_facts: [country]}}");
    // The database says that this machine is in Norway.
    for (countries, sections, status) in [
        (&["NO"], &with, 403),
        (&["SE"], &with, 200),
        (&["NO"], &without, 503),
        (&["NO"], &optional, 200),
    ] {
        let site = Site::start(Setup {
            policies: vec![policy("p1", conditions.clone(), &json!(["block"]))],
            locations: vec![place(countries)],
            sections: sections.clone(),
            ..Setup::default()
        })
        .await;
        let seen = call(&site, "/hr/people", &site.agent_token(AGENT)).await;
        assert_eq!(seen.status(), status, "{countries:?} {sections}");
        let country = seen.record["location"]["countryOrRegion"].as_str();
        assert_eq!(country, (sections == &with).then_some("NO"));
    }
}

#[tokio::test]
async fn the_trusted_ranges_are_the_operators_to_give() {
    let locations = json!({"includeLocations": ["All"],
        "excludeLocations": ["00000000-0000-0000-0000-000000000000"]});
    let conditions = json!({"clientApplications": all_agents(), "locations": locations});
    for (sections, status) in [
        ("named_locations: {mfa_trusted_ips: [127.0.0.0/8]}", 200),
        ("named_locations: {mfa_trusted_ips: [198.51.100.0/24]}", 403),
        ("", 503),
    ] {
        let site = Site::start(Setup {
            policies: vec![policy("p1", conditions.clone(), &json!(["block"]))],
            sections: sections.to_owned(),
            ..Setup::default()
        })
        .await;
        let seen = call(&site, "/hr/people", &site.agent_token(AGENT)).await;
        assert_eq!(seen.status(), status, "{sections}");
        assert_eq!(seen.record["ipAddress"], "127.0.0.1");
    }
}

#[tokio::test]
async fn a_risky_human_and_a_risky_sign_in_are_told_apart() {
    let of_user = json!({"users": all_users(), "userRiskLevels": ["high"]});
    let of_sign_in = json!({"users": all_users(), "signInRiskLevels": ["high"]});
    let report = |kind: &str, member: &str, id: &str| {
        let mut report = json!({"@odata.type": format!("#microsoft.graph.{kind}"), "riskLevel": "high",
            "riskState": "atRisk"});
        report[member] = json!(id);
        report
    };
    for (risky, expected) in [
        (report("riskyUser", "id", HUMAN), ["user", "user"]),
        (report("riskyUser", "id", GROUP), ["", ""]),
        (report("riskDetection", "sessionId", "s1"), ["sign-in", ""]),
    ] {
        let site = Site::start(Setup {
            policies: vec![
                policy("user", of_user.clone(), &json!(["block"])),
                policy("sign-in", of_sign_in.clone(), &json!(["block"])),
            ],
            risky: vec![risky.clone()],
            ..Setup::default()
        })
        .await;
        for (session, policy) in ["s1", "s2"].into_iter().zip(expected) {
            let token = for_human(&site, &json!({"sid": session}));
            let seen = call(&site, "/hr/people", &token).await;
            let blocked: Vec<_> = seen.applied().into_keys().collect();
            assert_eq!(blocked.join("|"), policy, "{risky} {session}");
            assert_eq!(seen.record["sessionId"], session);
        }
    }
}

#[tokio::test]
async fn workloads_are_judged_by_what_the_directory_knows_of_them() {
    let workloads = json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]});
    let conditions = json!({"clientApplications": workloads});
    let other = "99999999-0000-4000-8000-000000000009";
    for (owner, status) in [(Some(TENANT), 403), (Some(other), 200), (None, 503)] {
        let mut setup = Setup {
            policies: vec![policy("p1", conditions.clone(), &json!(["block"]))],
            resource: vec!["non_agents: forward"],
            ..Setup::default()
        };
        setup.directory.push(
            json!({"@odata.type": "#microsoft.graph.servicePrincipal", "id": WORKLOAD,
            "appId": CLIENT, "displayName": "payroll", "appOwnerOrganizationId": owner}),
        );
        let site = Site::start(setup).await;
        let seen = call(&site, "/hr/people", &workload(&site, WORKLOAD)).await;
        assert_eq!(seen.status(), status, "{owner:?}");
        assert_eq!(seen.record["boomgate"]["account"], "workload");
        assert_eq!(seen.record["servicePrincipalName"], "payroll");
        // Neither an agent nor a human is a workload.
        for caller in [Caller::Agent(AGENT), Caller::Human] {
            let seen = call(&site, "/hr/people", &caller.token(&site)).await;
            assert_eq!(seen.status(), 200, "{caller:?}");
        }
    }
}
