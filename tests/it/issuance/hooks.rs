//! Issuers that ask whether they may give a token: the table of `tests/data/token-hooks.yaml`, what is no request, and who
//! may not ask.

use std::collections::BTreeMap;
use std::path::Path;

use http::{Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use super::support::{setup, with_ids};
use crate::support::client::Client;
use crate::support::site::{
    AGENT, Answer, Ground, RESOURCE, Setup, Site, TENANT, block, exchange, now,
};

/// Entra's service for authentication events.
const EVENTS: &str = "99045fe1-7639-4a75-9d4a-577b6ca3810f";
/// What its tokens for the hook are for.
const HOOK_AUDIENCE: &str = "api://hooks.example.com/11111111-0000-4000-8000-000000000001";
const KEY: &str = "a-key-of-the-hook-of-thirty-two-or-more-characters";
const PLACE: &str = "88888888-0000-4000-8000-000000000008";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    policies: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    forms: Vec<String>,
    #[serde(default)]
    under: Vec<String>,
    ask: Ask,
    reason: String,
    caller: Option<String>,
    user: Option<String>,
    resource: Option<String>,
    status: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    client: Option<String>,
    grant: Option<String>,
    subject: Option<String>,
    scope: Option<String>,
    resource: Option<String>,
    address: Option<String>,
}

impl Ask {
    fn client(&self, form: &str) -> &str {
        let default = if form == "entra" { AGENT } else { "runner" };
        self.client.as_deref().unwrap_or(default)
    }

    /// What it is for: the sample API unless it says otherwise.
    fn resource(&self) -> Option<&str> {
        let resource = self.resource.as_deref().unwrap_or(RESOURCE);
        Some(resource).filter(|resource| !resource.is_empty())
    }

    /// The body, as an issuer of this form writes it.
    fn body(&self, form: &str) -> Value {
        let (client, resource) = (self.client(form), self.resource());
        let grant = self.grant.as_deref().unwrap_or("client_credentials");
        match form {
            "entra" => entra(
                client,
                resource,
                self.subject.as_deref(),
                self.address.as_deref(),
            ),
            "hydra" => json!({
                "session": {
                    "id_token": {
                        "id_token_claims": {"jti": "", "iss": "https://workforce.test", "sub": "", "aud": null, "ext": {}},
                        "headers": {"extra": {}}, "username": "",
                        "subject": self.subject.as_deref().unwrap_or(match grant {
                            "client_credentials" => client,
                            _ => "",
                        }),
                    },
                    "extra": {}, "client_id": client, "consent_challenge": "", "exclude_not_before_claim": false,
                    "allowed_top_level_claims": [], "mirror_top_level_claims": true,
                },
                "request": {
                    "client_id": client, "client": {"client_id": client, "metadata": {}},
                    "granted_scopes": self.scope.as_ref().map(|scope| vec![scope]),
                    "granted_audience": resource.map(|resource| vec![resource]),
                    "grant_types": [grant], "payload": {"grant_type": [grant]},
                },
            }),
            "plain" => json!({
                "client_id": client, "grant_type": grant, "subject": self.subject, "scope": self.scope,
                "resource": resource, "ip_address": self.address,
            }),
            form => panic!("no form {form}"),
        }
    }
}

/// Entra's event, as its reference shows it.
fn entra(client: &str, resource: Option<&str>, user: Option<&str>, address: Option<&str>) -> Value {
    let principal =
        |id: &str| json!({"id": id, "appId": id, "appDisplayName": "x", "displayName": "x"});
    json!({
        "type": "microsoft.graph.authenticationEvent.tokenIssuanceStart",
        "source": format!("/tenants/{TENANT}/applications/{client}"),
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData",
            "tenantId": TENANT,
            "authenticationEventListenerId": "10000000-0000-0000-0000-000000000001",
            "customAuthenticationExtensionId": "10000000-0000-0000-0000-000000000002",
            "authenticationContext": {
                "correlationId": "20000000-0000-0000-0000-000000000002",
                "client": {"ip": address, "locale": "en-us", "market": "en-us"},
                "protocol": "OAUTH2.0",
                "clientServicePrincipal": principal(client),
                "resourceServicePrincipal": resource.map(principal),
                "user": user.map(|id| json!({"id": id, "displayName": "Ada", "userType": "Member"})),
            },
        },
    })
}

/// The gateway of the table, with these policies.
async fn site(policies: Vec<(String, Value)>) -> Site {
    let place = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": PLACE, "displayName": "office",
        "isTrusted": false, "ipRanges": [
            {"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"}]});
    let setup = with_hooks(Setup {
        locations: vec![place],
        sections: "named_locations: {dir: places}".to_owned(),
        ..setup(policies)
    });
    let ground = Ground::lay(&setup).await;
    std::fs::write(ground.path("hook-key"), KEY).unwrap();
    Site::on(ground)
}

fn with_hooks(mut setup: Setup) -> Setup {
    setup.resources.extend([
        "- name: entra-hook",
        "  kind: token_hook",
        "  hosts: ['*']",
        "  max_body_size: 4KiB",
        "  path_prefixes: [/hooks/entra]",
        "  token_hook:",
        "    issuer: entra",
        "    form: entra",
        "    bearer: {audiences: ['api://hooks.example.com/11111111-0000-4000-8000-000000000001']}",
        "- name: hydra-hook",
        "  kind: token_hook",
        "  hosts: ['*']",
        "  max_body_size: 4KiB",
        "  path_prefixes: [/hooks/hydra]",
        "  token_hook: {issuer: workforce, form: hydra, api_key: {secret: 'file:hook-key'}}",
        "- name: plain-hook",
        "  kind: token_hook",
        "  hosts: ['*']",
        "  max_body_size: 4KiB",
        "  path_prefixes: [/hooks/plain]",
        "  token_hook:",
        "    issuer: workforce",
        "    form: plain",
        "    api_key: {header: Authorization, secret: 'file:hook-key'}",
    ]);
    setup
}

/// The header by which an issuer of this form shows that it is the one.
fn credential(site: &Site, form: &str) -> (&'static str, String) {
    match form {
        "entra" => ("authorization", bearer(site, &json!({}))),
        "hydra" => ("x-api-key", KEY.to_owned()),
        "plain" => ("authorization", KEY.to_owned()),
        form => panic!("no form {form}"),
    }
}

/// A token of Entra's service for authentication events, with these claims put over it.
fn bearer(site: &Site, claims: &Value) -> String {
    let principal = "0e0e0e0e-0000-4000-8000-000000000001";
    let mut all = json!({"aud": HOOK_AUDIENCE, "azp": EVENTS, "oid": principal, "sub": principal, "idtyp": "app",
        "xms_act_fct": null, "xms_sub_fct": null, "xms_par_app_azp": null});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    format!("Bearer {}", site.token(&all))
}

async fn ask(site: &Site, form: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let client = Client::http1(&site.pki, site.address()).await;
    let mut request = Request::post(format!("/hooks/{form}"))
        .header("host", "localhost")
        .header("content-type", "application/json; charset=UTF-8");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    exchange(client, request, body).await
}

#[tokio::test]
async fn every_issuer_is_answered_as_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/token-hooks.yaml");
    let text = with_ids(&std::fs::read_to_string(path).unwrap());
    let table: Table = serde_saphyr::from_str(&text).unwrap();
    let mut sites: BTreeMap<Vec<String>, Site> = BTreeMap::new();
    let mut asked = 0;
    for case in &table.cases {
        if !sites.contains_key(&case.under) {
            let policies = case.under.iter();
            let policies = policies.map(|name| block(name, table.policies[name].clone()));
            sites.insert(case.under.clone(), site(policies.collect()).await);
        }
        for form in &case.forms {
            println!("{form}: {}", case.name);
            case.run(form, &sites[&case.under]).await;
            asked += 1;
        }
    }
    assert!(asked >= 45, "{asked}");
    for site in sites.values() {
        assert!(site.upstream.calls().is_empty(), "a hook forwards nothing");
    }
}

impl Case {
    async fn run(&self, form: &str, site: &Site) {
        let (name, value) = credential(site, form);
        let body = self.ask.body(form).to_string();
        let answer = ask(site, form, &[(name, &value)], &body).await;
        let (record, outcome) = site.record(answer.header("boomgate-decision-id")).await;
        self.check_record(form, &record);
        assert_eq!(outcome["status"], answer.status.as_u16());
        let is_allowed = record["boomgate"]["decision"] == "allow";
        if is_allowed {
            let_through(form, &answer);
        } else {
            self.check_refusal(&answer);
        }
        assert!(!record.to_string().contains(KEY));
        let resource = format!("{form}-hook");
        let labels = [
            ("resource", resource.as_str()),
            ("reason", self.reason.as_str()),
            ("decision", if is_allowed { "allow" } else { "block" }),
            ("agent_type", self.caller.as_deref().unwrap_or("unknown")),
        ];
        assert!(site.count("boomgate_decisions_total", &labels).await > 0);
    }

    fn check_record(&self, form: &str, record: &Value) {
        let boomgate = &record["boomgate"];
        assert_eq!(boomgate["reason"], self.reason, "{record:#}");
        assert_eq!(boomgate["resource"], format!("{form}-hook"));
        assert_eq!(boomgate["caller"], json!(self.caller), "{record:#}");
        if self.caller.is_none() {
            return;
        }
        let prefix = if form == "entra" { "" } else { "workforce:" };
        let resource = self.resource.as_deref().filter(|resource| *resource != "-");
        assert_eq!(record["resourceId"], json!(resource), "{record:#}");
        if let Some(user) = &self.user {
            assert_eq!(record["userId"], format!("{prefix}{user}"), "{record:#}");
        }
        assert_eq!(record["ipAddress"], json!(self.ask.address), "{record:#}");
        assert_eq!(record.get("clientCredentialType"), None, "{record:#}");
        let client = &boomgate["tokenRequest"]["clientId"];
        assert_eq!(*client, format!("{prefix}{}", self.ask.client(form)));
    }

    fn check_refusal(&self, answer: &Answer) {
        assert_eq!(
            answer.status.as_u16(),
            self.status.unwrap_or(403),
            "{answer:?}"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        let body = answer.json();
        assert_eq!(body["decision"], "block", "{body:#}");
        assert_eq!(body["reason"], self.reason);
        assert_eq!(body["decisionId"], answer.header("boomgate-decision-id"));
        assert!(body["error"].is_string(), "{body:#}");
        if self.reason == "blocked_by_policy" {
            let said = body["error_description"].as_str().unwrap();
            assert!(said.starts_with("AADSTS53003: "), "{said}");
            assert_eq!(body["error_codes"], json!([53003]));
            let claims: Value = serde_json::from_str(body["claims"].as_str().unwrap()).unwrap();
            let policies = &claims["access_token"]["capolids"]["values"];
            assert_eq!(*policies, json!(self.under));
        }
    }
}

/// Checks that an issuer of this form takes the answer for "yes".
fn let_through(form: &str, answer: &Answer) {
    let id = answer.header("boomgate-decision-id");
    match form {
        "entra" => {
            assert_eq!(answer.status, 200, "{answer:?}");
            let expected = json!({"data": {
                "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData",
                "actions": [{
                    "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken",
                    "claims": {"boomgateDecisionId": id},
                }],
            }});
            assert_eq!(answer.json(), expected);
        }
        "hydra" => assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0)),
        _ => {
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(
                answer.json(),
                json!({"decision": "allow", "decisionId": id})
            );
        }
    }
}

/// Checks a call that ended before anybody was identified.
async fn is_refused(site: &Site, answer: &Answer, status: u16, reason: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json()["reason"], reason, "{answer:?}");
    assert_eq!(answer.json()["decision"], "block");
    let (record, _) = site.record(answer.header("boomgate-decision-id")).await;
    assert_eq!(record["boomgate"]["reason"], reason, "{record:#}");
    assert!(!record.to_string().contains(KEY), "{record:#}");
    assert!(site.upstream.calls().is_empty());
}

fn good(form: &str) -> String {
    let ask = Ask {
        client: None,
        grant: None,
        subject: None,
        scope: None,
        resource: None,
        address: None,
    };
    ask.body(form).to_string()
}

#[tokio::test]
async fn nobody_asks_in_the_issuers_place() {
    let site = site(Vec::new()).await;
    let refused = async |form: &str, headers: &[(&str, &str)], status: u16, reason: &str| {
        println!("{form} {headers:?}");
        let answer = ask(&site, form, headers, &good(form)).await;
        is_refused(&site, &answer, status, reason).await;
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer "), "{challenge}");
    };
    for form in ["hydra", "plain"] {
        let (name, key) = credential(&site, form);
        for (headers, status, reason) in [
            (&[][..], 401, "credential_missing"),
            (&[(name, "")], 401, "hook_caller_refused"),
            (&[(name, &key[1..])], 401, "hook_caller_refused"),
            (&[(name, &*format!("{key}x"))], 401, "hook_caller_refused"),
            (
                &[(name, &*format!("Bearer {key}"))],
                401,
                "hook_caller_refused",
            ),
            (&[(name, &*key), (name, &*key)], 400, "credential_malformed"),
        ] {
            refused(form, headers, status, reason).await;
        }
    }
    let expired = json!({"iat": now() - 7200, "nbf": now() - 7200, "exp": now() - 3600});
    for (claims, status, reason) in [
        (json!({"azp": AGENT}), 401, "hook_caller_refused"),
        (json!({"aud": RESOURCE}), 401, "token_audience_refused"),
        (expired, 401, "token_expired"),
        (
            json!({"iss": "https://elsewhere.test"}),
            401,
            "token_issuer_refused",
        ),
    ] {
        let token = bearer(&site, &claims);
        refused("entra", &[("authorization", &token)], status, reason).await;
    }
    let agent = format!("Bearer {}", site.agent_token(AGENT));
    refused(
        "entra",
        &[("authorization", &agent)],
        401,
        "token_audience_refused",
    )
    .await;
    refused("entra", &[], 401, "credential_missing").await;
    refused("entra", &[("x-api-key", KEY)], 401, "credential_missing").await;
    // The token of the hook opens no API.
    let token = bearer(&site, &json!({}));
    let called = site
        .send(Request::get("/hr/people").header("authorization", token))
        .await;
    assert_eq!(called.status, 401);
}

#[tokio::test]
async fn what_is_no_request_of_its_form_is_refused() {
    let site = site(Vec::new()).await;
    for form in ["entra", "hydra", "plain"] {
        let (name, value) = credential(&site, form);
        let headers = [(name, value.as_str())];
        let others = ["entra", "hydra", "plain"]
            .into_iter()
            .filter(|o| *o != form);
        let mut bodies: Vec<String> = others.map(good).collect();
        let whole = good(form);
        bodies.extend(["", "null", "[]", "{}", "{\"client_id\":", "\u{feff}{}"].map(str::to_owned));
        bodies.push(whole.replace(if form == "entra" { AGENT } else { "runner" }, ""));
        bodies.push(whole.replace(RESOURCE, "a b\\\""));
        bodies.push(format!("{whole}{whole}"));
        bodies.push(whole[..whole.len() - 1].to_owned());
        for body in bodies {
            println!("{form} {body}");
            let answer = ask(&site, form, &headers, &body).await;
            is_refused(&site, &answer, 400, "token_request_malformed").await;
        }
        let answer = ask(
            &site,
            form,
            &headers,
            &format!("{whole}{}", " ".repeat(4096)),
        )
        .await;
        is_refused(&site, &answer, 413, "body_too_large").await;
        for (method, kind, status, reason) in [
            (Method::GET, "application/json", 405, "method_refused"),
            (Method::PUT, "application/json", 405, "method_refused"),
            (Method::POST, "text/plain", 400, "token_request_malformed"),
            (
                Method::POST,
                "application/x-www-form-urlencoded",
                400,
                "token_request_malformed",
            ),
        ] {
            let client = Client::http1(&site.pki, site.address()).await;
            let request = Request::builder()
                .method(method)
                .uri(format!("/hooks/{form}"))
                .header("host", "localhost")
                .header("content-type", kind)
                .header(name, &value);
            let answer = exchange(client, request, &whole).await;
            is_refused(&site, &answer, status, reason).await;
        }
        let answer = ask(&site, form, &headers, &whole).await;
        let_through(form, &answer);
    }
}

#[tokio::test]
async fn an_agent_that_becomes_risky_gets_no_further_token_from_any_issuer() {
    let high = json!({"agentIdRiskLevels": "high"});
    let site = site(vec![block("high", high)]).await;
    let path = "/beta/identityProtection/riskyAgents/confirmCompromised";
    for (form, agent) in [("entra", AGENT), ("hydra", "workforce:runner")] {
        let (name, value) = credential(&site, form);
        let headers = [(name, value.as_str())];
        let answer = ask(&site, form, &headers, &good(form)).await;
        let_through(form, &answer);
        let body = json!({"agentIds": [agent]}).to_string();
        assert_eq!(site.manage(Method::POST, path, &body).await.status, 204);
        let answer = ask(&site, form, &headers, &good(form)).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.json()["reason"], "blocked_by_policy");
    }
}

/// A setup with the plain hook, for the table of reasons, which writes no file of its own.
pub(crate) fn hook_setup() -> Setup {
    let mut setup = setup(Vec::new());
    setup.resources.extend([
        "- name: plain-hook",
        "  kind: token_hook",
        "  hosts: ['*']",
        "  path_prefixes: [/hooks/plain]",
        "  token_hook:",
        "    issuer: workforce",
        "    form: plain",
        "    api_key: {secret: 'file:admin-token'}",
    ]);
    setup
}

/// Asks the plain hook with this key.
pub(crate) async fn ask_plain(site: &Site, key: &str) -> Answer {
    ask(site, "plain", &[("x-api-key", key)], &good("plain")).await
}
