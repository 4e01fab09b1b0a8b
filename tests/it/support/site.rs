//! A whole gateway, as `boomgate run` starts it, with a real upstream, an issuer of its own, and real sockets.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use boomgate::app::App;
use boomgate::clock::Clock;
use boomgate::config::{self, Loaded};
use boomgate::demo::issuer::Issuer;
use boomgate::identity::Directory;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::client::{Client, PATIENCE};
use super::gateway::as_administrator;
use super::pki::Pki;
use super::upstream::Upstream;

pub(crate) const TENANT: &str = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";
pub(crate) const ISSUER: &str =
    "https://login.microsoftonline.com/7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00/v2.0";
pub(crate) const BLUEPRINT: &str = "b1b1b1b1-0000-4000-8000-000000000001";
pub(crate) const PRINCIPAL: &str = "b1b1b1b1-0000-4000-8000-0000000000a1";
pub(crate) const AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000002";
pub(crate) const OTHER_AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000012";
pub(crate) const AGENT_USER: &str = "c3c3c3c3-0000-4000-8000-000000000003";
pub(crate) const HUMAN: &str = "d4d4d4d4-0000-4000-8000-000000000004";
pub(crate) const RESOURCE: &str = "e5e5e5e5-0000-4000-8000-000000000005";
pub(crate) const ADMIN_TOKEN: &str = "an-admin-token-of-forty-characters-here";

/// What a gateway starts with. The default forwards `/hr` to its upstream, knows one blueprint with two agents and an
/// agent user, and has no policies.
pub(crate) struct Setup {
    /// Files of the policy folder: names and contents.
    pub(crate) policies: Vec<(String, Value)>,
    /// Graph objects of the directory.
    pub(crate) directory: Vec<Value>,
    /// Graph objects of the folder `places`, which `sections` may name.
    pub(crate) locations: Vec<Value>,
    /// Graph's `riskyAgent` objects.
    pub(crate) risky: Vec<Value>,
    /// Further members of the resource, one YAML line each.
    pub(crate) resource: Vec<&'static str>,
    /// Further members of the listener, one YAML line each.
    pub(crate) listener: Vec<&'static str>,
    /// Further members of the management listener, one YAML line each.
    pub(crate) management: Vec<&'static str>,
    /// A further member of the management listener's TLS, as YAML.
    pub(crate) management_tls: &'static str,
    /// Further members of the upstream, one YAML line each. A `url`, or `endpoints`, stands in place of the one that remembers calls.
    pub(crate) upstream: Vec<String>,
    /// Further issuers, one YAML line each.
    pub(crate) issuers: Vec<String>,
    /// Further resources, one YAML line each; `{upstream}` stands for the address of the upstream.
    pub(crate) resources: Vec<&'static str>,
    /// Further sections, as YAML, one line each. They stand in place of the default's of the same name.
    pub(crate) sections: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            directory: vec![
                json!({"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "id": PRINCIPAL,
                    "appId": BLUEPRINT, "displayName": "HR assistant", "accountEnabled": true}),
                agent(AGENT, "hr-agent"),
                agent(OTHER_AGENT, "other-agent"),
                json!({"@odata.type": "#microsoft.graph.agentUser", "id": AGENT_USER, "displayName": "hr-agent-user",
                    "identityParentId": AGENT, "accountEnabled": true}),
            ],
            locations: Vec::new(),
            risky: Vec::new(),
            resource: Vec::new(),
            listener: Vec::new(),
            management: Vec::new(),
            management_tls: "",
            upstream: Vec::new(),
            issuers: Vec::new(),
            resources: Vec::new(),
            sections: String::new(),
        }
    }
}

/// An agent identity of the default blueprint.
pub(crate) fn agent(id: &str, name: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.agentIdentity", "id": id, "displayName": name,
        "accountEnabled": true, "agentIdentityBlueprintId": BLUEPRINT})
}

/// A policy that blocks agent identities, with these members of `conditions` put over the default of "all, everywhere".
pub(crate) fn block(id: &str, conditions: Value) -> (String, Value) {
    let mut policy = json!({
        "id": id, "displayName": format!("policy {id}"), "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["None"]},
            "clientApplications": {"includeAgentIdServicePrincipals": ["All"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    });
    let Value::Object(changes) = conditions else {
        panic!("conditions are an object")
    };
    for (member, value) in changes {
        policy["conditions"][member] = value;
    }
    (format!("{id}.json"), policy)
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// An HTTP/1.1 answer with a length, as it came.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let mut headers = HeaderMap::new();
        for line in head.lines().skip(1) {
            let (name, value) = line.split_once(": ").unwrap();
            let name: http::HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        Self {
            status: StatusCode::from_u16(super::client::status_of(bytes)).unwrap(),
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// All that a gateway needs: certificates, an issuer, an upstream, and a folder with its configuration.
pub(crate) struct Ground {
    pub(crate) pki: Arc<Pki>,
    pub(crate) issuer: Issuer,
    pub(crate) upstream: Upstream,
    folder: PathBuf,
}

/// A gateway that runs in the test itself.
pub(crate) struct Site {
    pub(crate) app: App,
    ground: Ground,
}

impl Deref for Site {
    type Target = Ground;

    fn deref(&self) -> &Ground {
        &self.ground
    }
}

impl Ground {
    pub(crate) async fn lay(setup: &Setup) -> Self {
        let pki = Arc::new(Pki::new());
        let upstream = Upstream::plain().await;
        let issuer = Issuer::new().unwrap();
        let folder = write(setup, &pki, &issuer, &upstream);
        Self {
            pki,
            issuer,
            upstream,
            folder,
        }
    }

    /// A file of the configuration's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A token with these claims put over those of the default agent on its own.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let mut all = agent_claims(AGENT);
        for (name, value) in claims.as_object().unwrap() {
            match value {
                Value::Null => drop(all.as_object_mut().unwrap().remove(name)),
                value => all[name] = value.clone(),
            }
        }
        self.issuer.sign(&all).unwrap()
    }

    /// A token of an agent on its own.
    pub(crate) fn agent_token(&self, id: &str) -> String {
        self.issuer.sign(&agent_claims(id)).unwrap()
    }

    /// The records written so far.
    pub(crate) fn records(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("records.jsonl")).unwrap();
        // The last line may still be on its way.
        text.split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Site {
    pub(crate) async fn start(setup: Setup) -> Self {
        Self::on(Ground::lay(&setup).await)
    }

    /// A gateway on a ground that is laid.
    pub(crate) fn on(ground: Ground) -> Self {
        let app = start(&ground.folder);
        Self { app, ground }
    }

    /// A gateway, and the directory that it starts with for as long as anybody keeps it.
    pub(crate) async fn start_with_its_directory(setup: &Setup) -> (Self, Weak<Directory>) {
        let ground = Ground::lay(setup).await;
        let (path, loaded) = load(&ground.folder);
        let directory = Arc::downgrade(&*loaded.directory);
        let app = App::start(&path, config::process_environment, loaded).unwrap();
        (Self { app, ground }, directory)
    }

    /// One that goes by this clock.
    pub(crate) async fn start_at(setup: &Setup, clock: Arc<dyn Clock>) -> Self {
        Self::on_at(Ground::lay(setup).await, clock)
    }

    fn on_at(ground: Ground, clock: Arc<dyn Clock>) -> Self {
        let (path, loaded) = load(&ground.folder);
        let app = App::start_at(&path, config::process_environment, loaded, clock).unwrap();
        Self { app, ground }
    }

    /// Ends the gateway, and starts another one on the same ground.
    pub(crate) async fn restart(self) -> Self {
        let Self { app, ground } = self;
        app.stop().await.unwrap();
        let app = start(&ground.folder);
        Self { app, ground }
    }

    /// Ends the gateway, and starts another one on the same ground that goes by this clock.
    pub(crate) async fn restart_at(self, clock: Arc<dyn Clock>) -> Self {
        Self::on_at(self.ended().await, clock)
    }

    /// Ends the gateway.
    pub(crate) async fn ended(self) -> Ground {
        let Self { app, ground } = self;
        app.stop().await.unwrap();
        ground
    }

    /// Where calls come in.
    pub(crate) fn address(&self) -> SocketAddr {
        self.app.listeners()[0].1
    }

    /// A client of either version.
    pub(crate) async fn client(&self, http2: bool) -> Client {
        if http2 {
            Client::http2(&self.pki, self.address()).await
        } else {
            Client::http1(&self.pki, self.address()).await
        }
    }

    /// A request of the default agent, for such a client.
    pub(crate) fn request(&self, method: Method, http2: bool) -> Request<Full<Bytes>> {
        let authorization = format!("Bearer {}", self.agent_token(AGENT));
        let request = Request::builder()
            .method(method)
            .header("authorization", authorization);
        let request = if http2 {
            request.uri("https://localhost/hr/people")
        } else {
            request.uri("/hr/people").header("host", "localhost")
        };
        request.body(Full::default()).unwrap()
    }

    /// Gets a path over HTTP/1.1.
    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Request::get(path).header("authorization", format!("Bearer {token}")))
            .await
    }

    /// Sends a request without a body over HTTP/1.1, on a connection of its own.
    pub(crate) async fn send(&self, request: http::request::Builder) -> Answer {
        let client = Client::http1(&self.pki, self.address()).await;
        exchange(client, request.header("host", "localhost"), "").await
    }

    /// Asks the control plane, as the administrator.
    pub(crate) async fn manage(&self, method: Method, path: &str, body: &str) -> Answer {
        let client = Client::http1(&self.pki, self.app.management()).await;
        exchange(client, as_administrator(method, path), body).await
    }

    /// The record of a decision and that of its outcome, once both are written.
    pub(crate) async fn record(&self, decision_id: &str) -> (Value, Value) {
        let of_call = |site: &Self| {
            let mut records = site.records();
            records.retain(|record| record["id"] == decision_id);
            records
        };
        self.until("both records of a call are written", async |site| {
            of_call(site).len() >= 2
        })
        .await;
        let [decision, outcome] = <[Value; 2]>::try_from(of_call(self)).unwrap();
        (decision, outcome["boomgate"]["outcome"].clone())
    }

    /// The value of the one counter of a metric that has all these labels; 0 if there is none.
    pub(crate) async fn count(&self, metric: &str, labels: &[(&str, &str)]) -> u64 {
        let value = self.series(metric, labels).await;
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// The same of a gauge that is there.
    pub(crate) async fn gauge(&self, metric: &str, labels: &[(&str, &str)]) -> f64 {
        let value = self.series(metric, labels).await;
        value.expect("the gauge is there").parse().unwrap()
    }

    async fn series(&self, metric: &str, labels: &[(&str, &str)]) -> Option<String> {
        let answer = self.manage(Method::GET, "/metrics", "").await;
        let text = String::from_utf8(answer.body).unwrap();
        let has = |line: &str, (name, value): &(&str, &str)| {
            let label = format!("{name}=\"{value}\"");
            line.contains(&format!("{{{label}")) || line.contains(&format!(",{label}"))
        };
        let mut series = text.lines().filter(|line| {
            let is_metric = line
                .strip_prefix(metric)
                .is_some_and(|rest| rest.starts_with(['{', ' ']));
            is_metric && labels.iter().all(|label| has(line, label))
        });
        let value = series.next().map(|line| {
            let (_, value) = line.rsplit_once(' ').unwrap();
            value.to_owned()
        });
        assert_eq!(series.next(), None, "several series of {metric} {labels:?}");
        value
    }

    /// Waits until the condition holds; a test that waits in vain has failed.
    pub(crate) async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let waiting = async {
            while !holds(self).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(came.is_ok(), "waited in vain until {what}");
    }
}

/// Sends one request and reads the answer whole.
pub(crate) async fn exchange(
    mut client: Client,
    request: http::request::Builder,
    body: &str,
) -> Answer {
    let request = request.body(Full::from(body.to_owned())).unwrap();
    let response = client.send(request).await.unwrap();
    let (head, body) = response.into_parts();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

/// The claims of an agent on its own, in Entra's shape (v2, with markers).
pub(crate) fn agent_claims(id: &str) -> Value {
    let now = now();
    json!({
        "aud": RESOURCE, "iss": ISSUER, "tid": TENANT, "ver": "2.0", "idtyp": "app",
        "azp": id, "azpacr": "2", "oid": id, "sub": id,
        "xms_act_fct": "9 3 11", "xms_sub_fct": "11 3 9", "xms_par_app_azp": BLUEPRINT,
        "iat": now, "nbf": now, "exp": now + 3600,
    })
}

/// Seconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "tokens of a test are issued now")]
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// The configuration of a folder, which must be fine, and where it stands.
fn load(folder: &Path) -> (PathBuf, Loaded) {
    let path = folder.join("boomgate.yaml");
    let (loaded, faults) = config::load(&path, &config::process_environment);
    let loaded = loaded.unwrap_or_else(|| panic!("{faults:#?}"));
    (path, loaded)
}

/// Starts a gateway on a configuration that must be fine.
pub(crate) fn start(folder: &Path) -> App {
    let (path, loaded) = load(folder);
    App::start(&path, config::process_environment, loaded).unwrap()
}

/// Writes a configuration with all that it names into the PKI's folder.
fn write(setup: &Setup, pki: &Pki, issuer: &Issuer, upstream: &Upstream) -> PathBuf {
    pki.server_tls();
    let folder = pki.path("site");
    for inner in ["policies", "agents", "places"] {
        std::fs::create_dir_all(folder.join(inner)).unwrap();
    }
    for (name, policy) in &setup.policies {
        std::fs::write(folder.join("policies").join(name), policy.to_string()).unwrap();
    }
    let list = |value: &[Value]| json!({"value": value}).to_string();
    std::fs::write(folder.join("agents/agents.json"), list(&setup.directory)).unwrap();
    std::fs::write(folder.join("places/places.json"), list(&setup.locations)).unwrap();
    std::fs::write(folder.join("risky.json"), list(&setup.risky)).unwrap();
    std::fs::write(folder.join("keys.json"), issuer.key_set(ISSUER).to_string()).unwrap();
    std::fs::write(folder.join("admin-token"), ADMIN_TOKEN).unwrap();
    let lines = |lines: &[&str], indent: &str| -> String {
        lines
            .iter()
            .map(|line| format!("\n{indent}{line}"))
            .collect()
    };
    let of_upstream: Vec<&str> = setup.upstream.iter().map(String::as_str).collect();
    let issuers: Vec<&str> = setup.issuers.iter().map(String::as_str).collect();
    let says_where = |line: &&str| line.starts_with("url:") || line.starts_with("endpoints:");
    let url = if of_upstream.iter().any(says_where) {
        String::new()
    } else {
        format!("\n      url: http://{}", upstream.address)
    };
    let yaml = format!(
        r#"
listeners:
  - name: public
    address: 127.0.0.1:0
    tls: {{certificate_file: ../server.pem, key_file: ../server.key}}{listener}
management:
  address: 127.0.0.1:0
  tls: {{certificate_file: ../server.pem, key_file: ../server.key{management_tls}}}
  admin_token: "file:admin-token"
  allowed_hosts: [localhost]{management}
issuers:
  - name: entra
    profile: entra
    tenant: {TENANT}
    keys: {{file: keys.json}}{issuers}
resources:
  - name: hr-api
    app_id: {RESOURCE}
    attributes: {{ResourceAttributes_Department: [HR]}}
    hosts: ["*"]
    path_prefixes: [/hr]
    audiences: [{RESOURCE}]
    upstream:{url}{of_upstream}{resource}{resources}
{sections}
{own_sections}"#,
        listener = lines(&setup.listener, "    "),
        management = lines(&setup.management, "  "),
        management_tls = if setup.management_tls.is_empty() {
            String::new()
        } else {
            format!(", {}", setup.management_tls)
        },
        issuers = lines(&issuers, "  "),
        of_upstream = lines(&of_upstream, "      "),
        resource = lines(&setup.resource, "    "),
        resources =
            lines(&setup.resources, "  ").replace("{upstream}", &upstream.address.to_string()),
        sections = default_sections(setup),
        own_sections = setup.sections,
    );
    std::fs::write(folder.join("boomgate.yaml"), yaml).unwrap();
    folder
}

/// The sections of every gateway, without those that a setup has of its own.
fn default_sections(setup: &Setup) -> String {
    let own = &setup.sections;
    let policies = if setup.policies.is_empty() {
        "policies: {dir: policies, dangerous_allow_none: true}"
    } else {
        "policies: {dir: policies}"
    };
    let sections = [
        policies,
        "directory: {dir: agents}",
        "risk: {file: risky.json}",
        "records: {file: records.jsonl}",
        "reload: {interval: 100ms}",
        "workers: 1",
    ];
    let name = |line: &str| line.split(':').next().unwrap().to_owned();
    let is_default = |section: &&str| !own.lines().any(|line| name(line) == name(section));
    let kept: Vec<_> = sections.into_iter().filter(is_default).collect();
    kept.join("\n")
}
