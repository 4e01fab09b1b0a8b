//! A whole gateway from a configuration file: its own issuer, one resource, one agent that policy blocks.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use boomgate::app::App;
use boomgate::config;
use boomgate::identity::settings::Algorithm;
use serde_json::{Value, json};

use super::pki::Pki;
use crate::tokens::mint::{Keys, key_id};

/// An agent that no policy concerns, and the blueprint that its tokens name.
pub(crate) const AGENT: &str = "a0000000-0000-4000-8000-000000000001";
pub(crate) const BLUEPRINT: &str = "b0000000-0000-4000-8000-000000000001";
/// An agent that a policy blocks.
pub(crate) const BLOCKED_AGENT: &str = "a0000000-0000-4000-8000-000000000002";

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "api://hr-api";
const APP_ID: &str = "e5e5e5e5-0000-4000-8000-000000000005";

/// A running gateway.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    pub(crate) records: PathBuf,
    app: App,
    keys: Keys,
}

impl Gate {
    /// Starts a gateway in front of one upstream. `upstream` and `resource` are lines of YAML, indented as they
    /// stand in the file.
    pub(crate) async fn start(pki: &Pki, upstream: &str, resource: &str) -> Self {
        let keys = Keys::generate();
        pki.server_tls();
        let files = ["server.pem", "server.key"].map(|name| pki.path(name));
        let [certificate, key] = files.each_ref().map(|file| file.display());
        let write = |name: &str, text: &str| {
            let path = pki.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        };
        write("jwks.json", &json!({ "keys": keys.jwks() }).to_string());
        write("policies/block.json", &blocking_policy().to_string());
        write(
            "boomgate.yaml",
            &format!(
                "\
listeners:
  - name: https
    address: 127.0.0.1:0
    tls: {{ certificate_file: {certificate}, key_file: {key} }}
management:
  address: 127.0.0.1:0
  tls: {{ certificate_file: {certificate}, key_file: {key} }}
  admin_token: ${{ADMIN_TOKEN}}
issuers:
  - name: test
    profile: oidc
    issuers: ['{ISSUER}']
    algorithms: [EdDSA]
    claims:
      agent_id: agent
      blueprint_id: blueprint
      on_behalf_of: act_for
    keys: {{ file: jwks.json }}
resources:
  - name: hr-api
    app_id: {APP_ID}
    hosts: [localhost]
    path_prefixes: [/hr]
    audiences: ['{AUDIENCE}']
    max_body_size: 1KiB
{resource}
    upstream:
{upstream}
policies: {{ dir: policies }}
records: {{ file: records.jsonl }}
shutdown: {{ drain_timeout: 5s }}
"
            ),
        );
        let path = pki.path("boomgate.yaml");
        let (loaded, faults) = config::load(&path, &environment);
        let loaded = loaded.unwrap_or_else(|| panic!("{:?}", faults.sorted()));
        let app = App::start(&path, environment, loaded).unwrap();
        app.keys_asked_for().await;
        let address = app.listeners()[0].1;
        let records = pki.path("records.jsonl");
        Self {
            address,
            records,
            app,
            keys,
        }
    }

    /// A token of the issuer, with these claims beside the usual ones.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let now = seconds_now();
        let mut payload = json!({
            "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 3600,
            "sub": "subject", "client_id": "client", "jti": "token-1",
        });
        for (name, value) in claims.as_object().unwrap() {
            payload[name] = value.clone();
        }
        let header = json!({
            "alg": "EdDSA", "typ": "at+jwt", "kid": key_id(Algorithm::EdDsa),
        });
        let (header, payload) = (header.to_string(), payload.to_string());
        self.keys.token(Algorithm::EdDsa, &header, &payload)
    }

    /// The credential of an agent on its own.
    pub(crate) fn bearer(&self, agent: &str) -> String {
        let claims = json!({ "agent": agent, "blueprint": BLUEPRINT });
        format!("Bearer {}", self.token(&claims))
    }

    /// Stops the gateway. Its records are complete then.
    pub(crate) async fn stop(self) {
        self.app.stop().await.unwrap();
    }
}

fn environment(name: &str) -> Option<String> {
    (name == "ADMIN_TOKEN").then(|| "admin-token-of-the-tests-0123456789".to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokens are for a gateway that runs on the wall clock"
)]
fn seconds_now() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap().as_secs()
}

fn blocking_policy() -> Value {
    json!({
        "id": "10000000-0000-4000-8000-000000000001",
        "displayName": "Block one agent",
        "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": { "includeApplications": ["All"] },
            "users": { "includeUsers": ["None"] },
            "clientApplications": { "includeAgentIdServicePrincipals": [BLOCKED_AGENT] },
        },
        "grantControls": { "operator": "OR", "builtInControls": ["block"] },
    })
}
