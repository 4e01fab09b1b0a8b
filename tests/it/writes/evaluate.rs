//! What-If over the API says what the command says of the files, and what calls then get.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{POLICIES, blocking, call, created, error, send, site};
use crate::support::process::run;
use crate::support::site::{AGENT, AGENT_USER, OTHER_AGENT, RESOURCE, Setup, Site, block};

const EVALUATE: &str = "/beta/identity/conditionalAccess/evaluate";

/// An address that the database of the tests has in Norway.
const NORWEGIAN: &str = "198.51.100.7";

pub(super) fn question(agent: &str, conditions: &Value) -> Value {
    json!({
        "signInIdentity": {"@odata.type": "#microsoft.graph.agentSignIn", "agentServicePrincipalId": agent},
        "signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": [RESOURCE]},
        "signInConditions": conditions,
        "appliedPoliciesOnly": false,
    })
}

pub(super) async fn ask(site: &Site, question: &Value) -> Vec<Value> {
    let answer = send(site, Method::POST, EVALUATE, &[], &question.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    let body = answer.json();
    assert_eq!(
        body["@odata.context"],
        "https://graph.microsoft.com/beta/$metadata#Collection(microsoft.graph.whatIfAnalysisResult)"
    );
    body["value"].as_array().unwrap().clone()
}

/// Names and reasons.
fn told(results: &[Value]) -> Vec<(String, bool, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut told: Vec<_> = results
        .iter()
        .map(|result| {
            let applies = result["policyApplies"].as_bool().unwrap();
            (
                text(&result["displayName"]),
                applies,
                text(&result["analysisReasons"]),
            )
        })
        .collect();
    told.sort();
    told
}

#[tokio::test]
async fn an_agents_sign_in_is_answered_as_by_the_command_and_the_path() {
    let site = site().await;
    created(&site, &blocking(OTHER_AGENT)).await;
    let mut off = blocking(AGENT);
    off["displayName"] = json!("Off");
    off["state"] = json!("disabled");
    created(&site, &off).await;
    let config = site.path("boomgate.yaml");
    for agent in [AGENT, OTHER_AGENT] {
        for risk in ["none", "high"] {
            let results = ask(&site, &question(agent, &json!({"agentIdRiskLevel": risk}))).await;
            let command = run(&[
                "what-if",
                "--config",
                config.to_str().unwrap(),
                "--agent",
                agent,
                "--resource",
                "hr-api",
                "--risk",
                risk,
                "--output",
                "json",
            ]);
            let command: Value = serde_json::from_str(&command.stdout).unwrap();
            assert_eq!(told(&results), told(command["value"].as_array().unwrap()));
            let only = json!({"appliedPoliciesOnly": true});
            let mut fewer = question(agent, &json!({"agentIdRiskLevel": risk}));
            fewer["appliedPoliciesOnly"] = only["appliedPoliciesOnly"].clone();
            let applied = ask(&site, &fewer).await;
            let expected: Vec<_> = told(&results)
                .into_iter()
                .filter(|(_, applies, _)| *applies)
                .collect();
            assert_eq!(told(&applied), expected);
            if risk == "none" {
                let status = if expected.is_empty() {
                    StatusCode::OK
                } else {
                    StatusCode::FORBIDDEN
                };
                assert_eq!(call(&site, agent).await, status);
            }
        }
    }
    // What is not told is unknown, and a condition on it does not hold.
    let results = ask(&site, &question(AGENT, &json!({}))).await;
    assert!(told(&results).iter().all(|(_, applies, _)| !applies));
    let high = results
        .iter()
        .find(|result| result["id"].as_str().unwrap().starts_with("10000000"))
        .unwrap();
    assert_eq!(high["analysisReasons"], "agentIdRisk");
    assert_eq!(high["conditions"]["agentIdRiskLevels"], "high");
}

#[tokio::test]
async fn users_and_service_principals_are_what_the_directory_knows_them_to_be() {
    let site = site().await;
    let mut users = blocking(AGENT);
    users["displayName"] = json!("Agent users");
    users["conditions"]["clientApplications"] = json!(null);
    users["conditions"]["users"] = json!({"includeUsers": ["AllAgentIdUsers"]});
    created(&site, &users).await;
    created(&site, &blocking(AGENT)).await;
    let asked = async |identity: Value| {
        let mut question = question(AGENT, &json!({}));
        question["signInIdentity"] = identity;
        let results = ask(&site, &question).await;
        let applied = told(&results)
            .into_iter()
            .filter(|(_, applies, _)| *applies);
        applied.map(|(name, ..)| name).collect::<Vec<_>>()
    };
    let user = |id: &str| json!({"@odata.type": "#microsoft.graph.userSignIn", "userId": id});
    let principal = |id: &str| json!({"@odata.type": "#microsoft.graph.servicePrincipalSignIn", "servicePrincipalId": id});
    assert_eq!(asked(user(AGENT_USER)).await, ["Agent users"]);
    assert_eq!(
        asked(user("d4d4d4d4-0000-4000-8000-000000000004")).await,
        [""; 0]
    );
    assert_eq!(asked(principal(AGENT)).await, ["Block one agent"]);
    assert_eq!(
        asked(principal("d4d4d4d4-0000-4000-8000-000000000005")).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_question_that_is_not_understood_whole_gets_no_answer() {
    let site = site().await;
    let good = question(AGENT, &json!({"agentIdRiskLevel": "high"}));
    let with = |path: &str, value: Value| {
        let mut question = good.clone();
        *question.pointer_mut(path).unwrap() = value;
        question
    };
    for (question, member) in [
        (
            with(
                "/signInIdentity/agentServicePrincipalId",
                json!("a9a9a9a9-0000-4000-8000-00000000dead"),
            ),
            "signInIdentity.agentServicePrincipalId",
        ),
        (
            with(
                "/signInIdentity/@odata.type",
                json!("#microsoft.graph.robotSignIn"),
            ),
            "signInIdentity.@odata.type",
        ),
        (with("/signInContext", json!(null)), "signInContext"),
        (
            with("/signInContext/includeApplications", json!([])),
            "signInContext.includeApplications",
        ),
        (
            with("/signInConditions", json!({"phase": 1})),
            "signInConditions.phase",
        ),
        (
            with("/signInConditions", json!({"ipAddress": "1.2.3"})),
            "signInConditions.ipAddress",
        ),
        (
            with("/signInConditions", json!({"agentIdRiskLevel": "severe"})),
            "signInConditions.agentIdRiskLevel",
        ),
    ] {
        let answer = send(&site, Method::POST, EVALUATE, &[], &question.to_string()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(error(&answer).1.starts_with(member), "{:?}", error(&answer));
    }
    let v1 = send(
        &site,
        Method::POST,
        &EVALUATE.replace("beta", "v1.0"),
        &[],
        &good.to_string(),
    )
    .await;
    assert_eq!(v1.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_country_of_an_address_is_looked_up_unless_the_question_names_one() {
    let database = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/countries/countries.mmdb"
    );
    let home = json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "home", "displayName": "Home",
        "countriesAndRegions": ["NO"], "countryLookupMethod": "clientIpAddress", "includeUnknownCountriesAndRegions": false});
    let start = async |sections: String| {
        Site::start(Setup {
            policies: vec![block(
                "home",
                json!({"locations": {"includeLocations": ["home"]}}),
            )],
            locations: vec![home.clone()],
            sections,
            ..Setup::default()
        })
        .await
    };
    let applies = async |site: &Site, conditions: Value| {
        let results = ask(site, &question(AGENT, &conditions)).await;
        results[0]["policyApplies"].as_bool().unwrap()
    };
    let norwegian = json!({"ipAddress": NORWEGIAN});
    let site = start(format!(
        "named_locations: {{dir: places, country_database: {database:?}}}"
    ))
    .await;
    assert!(applies(&site, norwegian.clone()).await);
    assert!(!applies(&site, json!({"ipAddress": NORWEGIAN, "country": "SE"})).await);
    assert!(!applies(&site, json!({"ipAddress": "203.0.113.250"})).await);
    let site = start("named_locations: {dir: places}".to_owned()).await;
    assert!(!applies(&site, norwegian).await, "nobody can tell");
    assert!(applies(&site, json!({"country": "NO"})).await);
}

#[tokio::test]
async fn a_template_makes_a_policy() {
    let site = site().await;
    let templates = "/beta/identity/conditionalAccess/templates";
    let list = send(&site, Method::GET, templates, &[], "").await.json();
    let list = list["value"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    for template in list {
        let one = format!("{templates}/{}", template["id"].as_str().unwrap());
        let one = send(&site, Method::GET, &one, &[], "").await.json();
        assert_eq!(one["details"], template["details"]);
        let mut policy = template["details"].clone();
        policy["displayName"] = template["name"].clone();
        policy["templateId"] = template["id"].clone();
        policy["state"] = json!("enabledForReportingButNotEnforced");
        let policy = created(&site, &policy).await;
        let address = format!("{POLICIES}/{}", policy["id"].as_str().unwrap());
        let answer = send(
            &site,
            Method::PATCH,
            &address,
            &[],
            "{\"state\": \"enabled\"}",
        )
        .await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(call(&site, AGENT).await, StatusCode::FORBIDDEN);
    let unknown = send(&site, Method::GET, &format!("{templates}/x"), &[], "").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}
