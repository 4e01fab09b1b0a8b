//! A real issuer behind the guarded token endpoint, or asking by the hook: its agents get tokens or Entra's error as policy
//! says, and the tokens that it gave are then judged at the API.

use std::net::SocketAddr;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use boomgate::identity::settings::Algorithm;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{SECRET, form};
use crate::support::client::Client;
use crate::support::issuer::{RealIssuer, modules};
use crate::support::site::{Answer, Ground, Setup, Site, agent, block, exchange, now};
use crate::tokens::mint::{Keys, key_id};

/// What tokens are asked for by, and what they are for.
const PAYROLL: &str = "https://payroll.example";

/// How a client shows that it is the one (OpenID Connect Core §9).
#[derive(Clone, Copy)]
enum By {
    Basic,
    Post,
    Assertion,
}

/// The issuer's clients. All are agents; policy blocks `banned`.
const CLIENTS: [(&str, By); 4] = [
    ("runner", By::Basic),
    ("poster", By::Post),
    ("signer", By::Assertion),
    ("banned", By::Assertion),
];

/// The key of the hook.
const KEY: &str = "the-key-of-a-hook-that-a-real-issuer-asks";

/// A gateway in front of the issuer, and of an API that takes its tokens.
struct World {
    issuer: RealIssuer,
    site: Site,
    keys: Keys,
}

impl World {
    async fn start() -> Option<Self> {
        let modules = modules()?;
        let ground = Ground::lay(&setup()).await;
        let keys = Keys::generate();
        let settings = json!({
            "clients": CLIENTS.map(|(id, by)| metadata(id, by, &keys)),
            "resources": {PAYROLL: "payslips.read"},
        });
        Self::with(&modules, ground, keys, settings).await
    }

    /// The same, with an issuer that asks by the hook before it gives a token.
    async fn that_asks() -> Option<Self> {
        let modules = modules()?;
        let ground = Ground::lay(&setup()).await;
        let keys = Keys::generate();
        let file = ground.path("hook.json");
        let settings = json!({
            "clients": CLIENTS.map(|(id, by)| metadata(id, by, &keys)),
            "resources": {PAYROLL: "payslips.read"},
            "hook": file,
        });
        let world = Self::with(&modules, ground, keys, settings).await?;
        let url = format!("https://localhost:{}/hook", world.site.address().port());
        std::fs::write(file, json!({"url": url, "key": KEY}).to_string()).unwrap();
        Some(world)
    }

    async fn with(modules: &Path, ground: Ground, keys: Keys, settings: Value) -> Option<Self> {
        std::fs::write(ground.path("hook-key"), KEY).unwrap();
        let issuer = RealIssuer::start(modules, &ground, settings).await;
        let config = ground.path("boomgate.yaml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text.replace("{issuer}", &issuer.url)).unwrap();
        let site = Site::on(ground);
        site.app.keys_asked_for().await;
        Some(Self { issuer, site, keys })
    }

    /// Asks for a token for the API through the gateway.
    async fn ask(&self, client: &str, by: By) -> Answer {
        self.ask_at(self.site.address(), client, by).await
    }

    /// Asks the issuer itself, past the gateway.
    async fn ask_issuer(&self, client: &str, by: By) -> Answer {
        let (_, port) = self.issuer.url.rsplit_once(':').unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        self.ask_at(address, client, by).await
    }

    /// Asks as a client library does.
    async fn ask_at(&self, address: SocketAddr, client: &str, by: By) -> Answer {
        let mut parameters = vec![
            ("grant_type", "client_credentials"),
            ("resource", PAYROLL),
            ("scope", "payslips.read"),
        ];
        let assertion = self.assertion(client);
        let mut request = Request::post("/token")
            .header("host", "localhost")
            .header("content-type", "application/x-www-form-urlencoded");
        match by {
            By::Basic => {
                let credential = STANDARD.encode(format!("{client}:{SECRET}"));
                request = request.header("authorization", format!("Basic {credential}"));
            }
            By::Post => parameters.extend([("client_id", client), ("client_secret", SECRET)]),
            By::Assertion => parameters.extend([
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", assertion.as_str()),
            ]),
        }
        let connection = Client::http1(&self.site.pki, address).await;
        exchange(connection, request, &form(&parameters)).await
    }

    /// What a client signs for itself (RFC 7523 §3).
    fn assertion(&self, client: &str) -> String {
        let header = json!({"alg": "ES256", "kid": key_id(Algorithm::Es256)});
        let payload = json!({"iss": client, "sub": client, "aud": self.issuer.url,
            "jti": Uuid::new_v4().to_string(), "iat": now(), "exp": now() + 300});
        let (header, payload) = (header.to_string(), payload.to_string());
        self.keys.token(Algorithm::Es256, &header, &payload)
    }

    /// A token that the issuer gives for the asking.
    async fn token(&self, client: &str, by: By) -> String {
        let answer = self.ask(client, by).await;
        assert_eq!(answer.status, StatusCode::OK, "{:#}", answer.json());
        let token = answer.json();
        assert_eq!(token["token_type"], "Bearer");
        token["access_token"].as_str().unwrap().to_owned()
    }

    async fn confirm_compromised(&self, agent: &str) {
        let path = "/beta/identityProtection/riskyAgents/confirmCompromised";
        let body = json!({"agentIds": [agent]}).to_string();
        let confirmed = self.site.manage(Method::POST, path, &body).await;
        assert_eq!(confirmed.status, StatusCode::NO_CONTENT, "{confirmed:?}");
    }

    /// Checks that the answer is Entra's error, and that the issuer saw nothing of the request.
    async fn is_blocked(&mut self, answer: &Answer, policy: &str) {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        let body = answer.json();
        assert_eq!(body["error"], "invalid_grant", "{body:#}");
        assert_eq!(body["error_codes"], json!([53003]));
        let said = body["error_description"].as_str().unwrap();
        assert!(said.starts_with("AADSTS53003: "), "{said}");
        let claims: Value = serde_json::from_str(body["claims"].as_str().unwrap()).unwrap();
        assert_eq!(
            claims["access_token"]["capolids"]["values"],
            json!([policy])
        );
        let later = self.ask("poster", By::Post).await;
        assert_eq!(later.status, StatusCode::OK);
        let id = |answer: &Answer| answer.header("boomgate-decision-id").to_owned();
        let reached = self.issuer.answered(&id(answer), &id(&later)).await;
        assert_eq!(reached, 0, "the issuer saw a request that was refused");
    }
}

fn metadata(id: &str, by: By, keys: &Keys) -> Value {
    let method = match by {
        By::Basic => "client_secret_basic",
        By::Post => "client_secret_post",
        By::Assertion => "private_key_jwt",
    };
    let mut metadata = json!({"client_id": id, "token_endpoint_auth_method": method});
    match by {
        By::Basic | By::Post => metadata["client_secret"] = json!(SECRET),
        By::Assertion => {
            metadata["jwks"] = json!({"keys": keys.jwks()});
            metadata["token_endpoint_auth_signing_alg"] = json!("ES256");
        }
    }
    metadata
}

/// `{issuer}` stands for the address that the issuer will have.
fn setup() -> Setup {
    let banned =
        json!({"clientApplications": {"includeAgentIdServicePrincipals": ["real:banned"]}});
    let mut setup = Setup {
        policies: vec![
            block("high", json!({"agentIdRiskLevels": "high"})),
            block("banned", banned),
        ],
        issuers: [
            "- name: real",
            "  profile: oidc",
            "  issuers: ['{issuer}']",
            "  id_prefix: 'real:'",
            "  claims: {agent_id: client_id}",
            "  algorithms: [ES256]",
            "  keys: {discovery: '{issuer}/.well-known/openid-configuration', ca_file: ../ca.pem}",
        ]
        .map(str::to_owned)
        .to_vec(),
        resources: vec![
            "- name: payroll",
            "  app_id: e5e5e5e5-0000-4000-8000-000000000045",
            "  hosts: ['*']",
            "  path_prefixes: [/payroll]",
            "  audiences: ['https://payroll.example']",
            "  upstream: {url: 'http://{upstream}'}",
            "- name: real-token",
            "  kind: token_endpoint",
            "  hosts: ['*']",
            "  path_prefixes: [/token]",
            "  token_endpoint: {issuer: real}",
            "  upstream: {url: '{issuer}', preserve_host: false, tls: {ca_file: ../ca.pem}}",
            "- name: real-hook",
            "  kind: token_hook",
            "  hosts: ['*']",
            "  path_prefixes: [/hook]",
            "  token_hook: {issuer: real, form: plain, api_key: {secret: 'file:hook-key'}}",
        ],
        ..Setup::default()
    };
    for (id, _) in CLIENTS {
        setup.directory.push(agent(&format!("real:{id}"), id));
    }
    setup
}

#[tokio::test]
async fn a_real_issuer_gives_an_agent_its_token_however_it_shows_who_it_is() {
    let Some(world) = World::start().await else {
        return;
    };
    for (client, by) in &CLIENTS[..3] {
        let answer = world.ask(client, *by).await;
        assert_eq!(answer.status, StatusCode::OK, "{:#}", answer.json());
        let (record, _) = world
            .site
            .record(answer.header("boomgate-decision-id"))
            .await;
        let boomgate = &record["boomgate"];
        assert_eq!(boomgate["reason"], "no_policy_blocked", "{record:#}");
        assert_eq!(boomgate["caller"], "agent_identity");
        let kind = match by {
            By::Basic | By::Post => "clientSecret",
            By::Assertion => "clientAssertion",
        };
        assert_eq!(record["clientCredentialType"], kind);

        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let called = world.site.get("/payroll/slips", &token).await;
        assert_eq!(called.status, StatusCode::OK, "{:#}", called.json());
        assert_eq!(called.header("x-upstream"), "yes");
        let call = world.site.upstream.calls().pop().unwrap();
        let agent = format!("real:{client}");
        assert_eq!(call.header("boomgate-agent-id"), Some(agent.as_str()));
    }
}

#[tokio::test]
async fn a_real_issuer_sees_nothing_of_a_request_that_policy_blocks() {
    let Some(mut world) = World::start().await else {
        return;
    };
    let answer = world.ask("banned", By::Assertion).await;
    world.is_blocked(&answer, "banned").await;
}

#[tokio::test]
async fn the_real_issuer_has_the_last_word_on_a_credential() {
    let Some(world) = World::start().await else {
        return;
    };
    // Registered with a key: the issuer takes no secret of it, and says so itself.
    let answer = world.ask("signer", By::Post).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], "invalid_client", "{body:#}");
    assert_eq!(body.get("trace_id"), None, "{body:#}");
}

#[tokio::test]
async fn an_agent_that_becomes_risky_loses_the_token_it_has_and_gets_no_other() {
    let Some(mut world) = World::start().await else {
        return;
    };
    let token = world.token("runner", By::Basic).await;
    let other = world.token("signer", By::Assertion).await;
    for token in [&token, &other] {
        let called = world.site.get("/payroll/slips", token).await;
        assert_eq!(called.status, StatusCode::OK, "{:#}", called.json());
    }

    world.confirm_compromised("real:runner").await;

    let called = world.site.get("/payroll/slips", &token).await;
    assert_eq!(called.status, StatusCode::FORBIDDEN, "{called:?}");
    assert_eq!(called.json()["code"], "53003");
    let answer = world.ask("runner", By::Basic).await;
    world.is_blocked(&answer, "high").await;

    let called = world.site.get("/payroll/slips", &other).await;
    assert_eq!(called.status, StatusCode::OK, "{:#}", called.json());
    world.token("signer", By::Assertion).await;
}

#[tokio::test]
async fn a_real_issuer_that_asks_gives_no_token_that_policy_refuses() {
    let Some(world) = World::that_asks().await else {
        return;
    };
    let answer = world.ask_issuer("runner", By::Basic).await;
    assert_eq!(answer.status, StatusCode::OK, "{:#}", answer.json());
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let payload = token.split('.').nth(1).unwrap();
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let (record, _) = world
        .site
        .record(payload["decision"].as_str().unwrap())
        .await;
    let boomgate = &record["boomgate"];
    assert_eq!(boomgate["reason"], "no_policy_blocked", "{record:#}");
    assert_eq!(boomgate["resource"], "real-hook");
    assert_eq!(record["resourceDisplayName"], "payroll");
    assert_eq!(boomgate["tokenRequest"]["clientId"], "real:runner");
    let called = world.site.get("/payroll/slips", &token).await;
    assert_eq!(called.status, StatusCode::OK, "{:#}", called.json());

    let refused = async |client: &str, by: By| {
        let answer = world.ask_issuer(client, by).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        let body = answer.json();
        assert_eq!(body["error"], "invalid_grant", "{body:#}");
        let said = body["error_description"].as_str().unwrap();
        assert!(said.starts_with("AADSTS53003: "), "{said}");
    };
    refused("banned", By::Assertion).await;
    world.confirm_compromised("real:runner").await;
    refused("runner", By::Basic).await;
    let called = world.site.get("/payroll/slips", &token).await;
    assert_eq!(called.status, StatusCode::FORBIDDEN, "{called:?}");
    let answer = world.ask_issuer("poster", By::Post).await;
    assert_eq!(answer.status, StatusCode::OK, "{:#}", answer.json());
}
