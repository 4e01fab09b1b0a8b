//! `boomgate what-if --management`: the real binary asks a real gateway, and is answered as by the files that the gateway
//! was started on; and by what became of them since.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::agreement::setup;
use crate::support::process::{Ended, Process};
use crate::support::site::{
    ADMIN_TOKEN, AGENT, AGENT_USER, BLUEPRINT, HUMAN, OTHER_AGENT, RESOURCE, Setup, Site, agent,
    block,
};

const WORKLOAD: &str = "5e5e5e5e-0000-4000-8000-000000000007";
const STRANGER: &str = "a9a9a9a9-0000-4000-8000-000000000052";
const GROUP: &str = "f6f6f6f6-0000-4000-8000-000000000006";
const DATABASE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/data/countries/countries.mmdb"
);

async fn run(arguments: &[&str]) -> Ended {
    let mut process = Process::start(&[&["what-if"], arguments].concat());
    let code = process.end().await.code();
    let (stdout, stderr) = (process.stdout(), process.stderr());
    assert!(!format!("{stdout}{stderr}").contains(ADMIN_TOKEN));
    Ended {
        code,
        stdout,
        stderr,
    }
}

/// The options that name the gateway.
fn gateway(site: &Site) -> Vec<String> {
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    vec![
        "--management".to_owned(),
        format!("https://{}", site.app.management()),
        "--ca-file".to_owned(),
        path(site.pki.path("ca.pem")),
        "--admin-token-file".to_owned(),
        path(site.path("admin-token")),
    ]
}

async fn of_gateway(site: &Site, question: &[&str]) -> Ended {
    let gateway = gateway(site);
    let gateway: Vec<&str> = gateway.iter().map(String::as_str).collect();
    run(&[question, &gateway].concat()).await
}

async fn of_files(site: &Site, question: &[&str]) -> Ended {
    let config = site.path("boomgate.yaml");
    run(&[question, &["--config", config.to_str().unwrap()]].concat()).await
}

/// A gateway whose policies read all that can be asked about.
async fn site() -> Site {
    let mut setup = setup(&format!(
        "named_locations: {{dir: places, country_database: {DATABASE:?}}}\nrisk: {{file: risky.json}}"
    ));
    setup.locations = vec![
        json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "office", "displayName": "Office",
            "isTrusted": true, "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "192.0.2.0/25"}]}),
        json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "home", "displayName": "Home",
            "countriesAndRegions": ["NO"], "countryLookupMethod": "clientIpAddress", "includeUnknownCountriesAndRegions": false}),
    ];
    setup.directory.extend([
        json!({"@odata.type": "#microsoft.graph.user", "id": HUMAN, "displayName": "A Human", "accountEnabled": true,
            "userType": "Member"}),
        json!({"@odata.type": "#microsoft.graph.servicePrincipal", "id": WORKLOAD, "appId": "c1c1c1c1-0000-4000-8000-000000000009",
            "displayName": "Nightly", "accountEnabled": true}),
    ]);
    let humans = |id: &str, conditions: Value, controls: Value| {
        let (name, mut policy) = block(id, json!({"clientApplications": null}));
        policy["conditions"]["users"] = json!({"includeUsers": ["All"]});
        for (member, value) in conditions.as_object().unwrap() {
            policy["conditions"][member] = value.clone();
        }
        policy["grantControls"]["builtInControls"] = controls;
        (name, policy)
    };
    setup.policies.extend([
        block("abroad", json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["home"]}})),
        block("office", json!({"locations": {"includeLocations": ["office"]}})),
        humans("grouped", json!({"users": {"includeUsers": ["None"], "includeGroups": [GROUP]}}), json!(["block"])),
        humans("mfa", json!({}), json!(["mfa"])),
        humans("risky", json!({"userRiskLevels": ["high"]}), json!(["block"])),
        humans("linux", json!({"platforms": {"includePlatforms": ["linux"]}}), json!(["block"])),
        humans("browser", json!({"clientAppTypes": ["browser"]}), json!(["block"])),
        block("context", json!({"applications": {"includeAuthenticationContextClassReferences": ["c7"]}})),
        block("workloads", json!({"clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]},
            "servicePrincipalRiskLevels": ["high"]})),
    ]);
    let mut off = block("off", json!({}));
    off.1["state"] = json!("disabled");
    setup.policies.push(off);
    setup.resource = vec![
        "non_agents: forward",
        "operations: [{name: read, methods: [GET], path: '/hr/people/{id}', scopes: [People.Read]}]",
    ];
    Site::start(setup).await
}

/// Questions about every kind of caller, with every option.
fn questions() -> Vec<Vec<&'static str>> {
    let callers: [&[&str]; 13] = [
        &["--agent", AGENT],
        &["--agent", "other-agent"],
        &["--agent", "risky"],
        &["--agent", "withheld"],
        &["--agent", "disabled"],
        &["--agent", STRANGER, "--discovered"],
        &["--blueprint", BLUEPRINT],
        &["--agent-user", AGENT_USER],
        &["--agent", AGENT, "--on-behalf-of", HUMAN],
        &["--human", HUMAN],
        &["--human", "d4d4d4d4-0000-4000-8000-0000000000ff"],
        &["--workload", WORKLOAD],
        &["--not-an-agent"],
    ];
    let calls: [&[&str]; 4] = [
        &["--resource", "hr-api"],
        &["--resource", RESOURCE, "--address", "192.0.2.7"],
        &[
            "--path",
            "/hr/people/%37",
            "--method",
            "GET",
            "--address",
            "198.51.100.9",
            "--country",
            "no",
        ],
        &[
            "--path",
            "/hr",
            "--host",
            "localhost",
            "--authentication-context",
            "c7",
            "--time",
            "2026-10-01T12:00:00Z",
        ],
    ];
    let of_everybody = callers
        .iter()
        .flat_map(|caller| calls.iter().map(|call| [*caller, *call].concat()));
    let of_sessions: [&[&str]; 9] = [
        &["--agent", AGENT, "--risk", "high"],
        &["--agent-user", "hr-agent-user", "--risk", "high"],
        &["--workload", WORKLOAD, "--risk", "high"],
        &["--human", HUMAN, "--group", GROUP],
        &["--human", HUMAN, "--mfa", "true", "--role", GROUP],
        &[
            "--human",
            HUMAN,
            "--user-risk",
            "high",
            "--sign-in-risk",
            "low",
        ],
        &[
            "--human",
            HUMAN,
            "--platform",
            "linux",
            "--device",
            "isCompliant=true",
        ],
        &["--human", HUMAN, "--client-app", "browser"],
        &[
            "--agent",
            AGENT,
            "--on-behalf-of",
            HUMAN,
            "--mfa",
            "false",
            "--risk",
            "none",
        ],
    ];
    let of_sessions = of_sessions.map(|asked| [asked, &["--resource", "hr-api"]].concat());
    of_everybody.chain(of_sessions).collect()
}

#[tokio::test]
async fn a_gateway_answers_every_question_as_its_files_do() {
    let site = site().await;
    let mut verdicts = std::collections::BTreeSet::new();
    for question in questions() {
        let (here, there) = (
            of_files(&site, &question).await,
            of_gateway(&site, &question).await,
        );
        assert_eq!(here.code, Some(0), "{question:?} {}", here.stderr);
        assert_eq!(
            (there.code, there.stderr.as_str()),
            (Some(0), ""),
            "{question:?}"
        );
        assert_eq!(there.stdout, here.stdout, "{question:?}");
        verdicts.insert(here.stdout.lines().last().unwrap().to_owned());
    }
    assert!(verdicts.len() > 8, "{verdicts:#?}");
    for question in [
        &["--agent", AGENT][..],
        &["--human", HUMAN, "--group", GROUP],
    ] {
        let question = [question, &["--path", "/hr/people/7", "--output", "json"]].concat();
        let (here, there) = (
            of_files(&site, &question).await,
            of_gateway(&site, &question).await,
        );
        let json = |ended: Ended| serde_json::from_str::<Value>(&ended.stdout).unwrap();
        assert_eq!(json(there), json(here));
    }
}

#[tokio::test]
async fn a_gateway_answers_on_what_it_knows_now() {
    let site = Site::start(Setup {
        policies: vec![block("high", json!({"agentIdRiskLevels": "high"}))],
        ..Setup::default()
    })
    .await;
    let question = ["--agent", AGENT, "--resource", "hr-api"];
    assert_eq!(
        of_gateway(&site, &question).await.stdout,
        of_files(&site, &question).await.stdout
    );
    let confirm = "/beta/identityProtection/riskyAgents/confirmCompromised";
    let body = json!({"agentIds": [AGENT]}).to_string();
    let confirmed = site.manage(Method::POST, confirm, &body).await;
    assert_eq!(confirmed.status, StatusCode::NO_CONTENT);
    let now = of_gateway(&site, &question).await.stdout;
    assert!(now.contains("risk      high (what is known"), "{now}");
    assert!(now.contains("\nblock (blocked_by_policy)"), "{now}");
    let called = site.get("/hr/people", &site.agent_token(AGENT)).await;
    assert_eq!(called.status, StatusCode::FORBIDDEN);
    assert!(
        of_files(&site, &question)
            .await
            .stdout
            .contains("\nallow (no_policy_blocked)")
    );
}

#[tokio::test]
async fn what_a_gateway_cannot_be_asked_is_wrong_usage_and_who_is_not_there_is_bad_input() {
    let site = Site::start(Setup {
        directory: vec![agent(AGENT, "twin"), agent(OTHER_AGENT, "Twin")],
        ..Setup::default()
    })
    .await;
    for (question, code, expected) in [
        (
            &["--agent", AGENT, "--risk", "unknown"][..],
            2,
            "`--risk unknown` cannot be asked",
        ),
        (
            &["--human", HUMAN, "--user-risk", "unknown"],
            2,
            "`--user-risk unknown`",
        ),
        (
            &["--agent", AGENT, "--config", "boomgate.yaml"],
            2,
            "cannot be used with",
        ),
        (&["--agent", "nobody"], 65, "no agent identity `nobody`"),
        (
            &["--agent", "twin"],
            65,
            "is the name of 2 agent identities",
        ),
        (&["--human", AGENT], 65, "is an agent"),
        (&["--agent-user", "nobody"], 65, "no agent user `nobody`"),
    ] {
        let ended = of_gateway(&site, &[question, &["--resource", "hr-api"]].concat()).await;
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(code), ""),
            "{question:?}"
        );
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
    let ended = of_gateway(&site, &["--agent", AGENT, "--path", "/x"]).await;
    assert!(ended.stderr.contains("would get 404"), "{}", ended.stderr);
    let question = ["--agent", AGENT, "--resource", "hr-api"];
    for (more, expected) in [
        (&[][..], "one of `--config <FILE>` and `--management <URL>`"),
        (
            &["--management", "https://127.0.0.1:1"],
            "--admin-token-file",
        ),
        (&["--management", "http://127.0.0.1:1"], "https://host"),
    ] {
        let ended = run(&[&question[..], more].concat()).await;
        assert_eq!(ended.code, Some(2), "{more:?}");
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
    let other = site.path("other-token");
    std::fs::write(&other, "another-token-of-forty-characters-here-x").unwrap();
    let mut gateway = gateway(&site);
    *gateway.last_mut().unwrap() = other.to_str().unwrap().to_owned();
    let gateway: Vec<&str> = gateway.iter().map(String::as_str).collect();
    let ended = run(&[&question[..], &gateway].concat()).await;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("refused the token of"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn a_question_about_a_call_is_read_whole() {
    let site = Site::start(Setup::default()).await;
    let ask = async |call: Value| {
        let body = json!({"@boomgate.call": call}).to_string();
        let path = "/beta/identity/conditionalAccess/evaluate";
        site.manage(Method::POST, path, &body).await
    };
    let good = json!({"caller": {"agent": AGENT}, "target": {"resource": "hr-api"}});
    let answer = ask(good.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    assert_eq!(
        answer.json()["@boomgate.verdict"]["reason"],
        "no_policy_blocked"
    );
    for (member, value, expected) in [
        ("caller", json!({}), "exactly one of"),
        (
            "caller",
            json!({"agent": AGENT, "human": HUMAN}),
            "exactly one of",
        ),
        (
            "caller",
            json!({"human": HUMAN, "onBehalfOf": HUMAN}),
            "`onBehalfOf`",
        ),
        ("caller", json!({"robot": AGENT}), "unknown field `robot`"),
        ("target", json!({}), "neither a resource nor a path"),
        (
            "target",
            json!({"resource": "hr-api", "path": "/hr"}),
            "expected one of them",
        ),
        ("session", json!({"time": "noon"}), "expected a time"),
        ("weather", json!("fine"), "unknown field `weather`"),
    ] {
        let mut call = good.clone();
        call[member] = value;
        let answer = ask(call).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        let body = answer.json();
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
}
