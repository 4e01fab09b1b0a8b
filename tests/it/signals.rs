//! Security events of other systems: pushed and asked for, from a transmitter that keeps to the standards or does not.

mod command;
mod misbehaving;
mod poll;
mod push;
mod subjects;
pub(crate) mod webhooks;

use std::net::SocketAddr;

use http::{Method, Request};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::pki::Pki;
use crate::support::site::{AGENT, Answer, Ground, ISSUER, Setup, Site, block, exchange};
use crate::support::transmitter::{AUDIENCE, RECEIVER_TOKEN, Transmitter};

pub(crate) const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

/// What a transmitter's pushes carry.
pub(crate) const PUSH_SECRET: &str = "Bearer push-secret-0123456789";

/// A gateway that blocks at medium and high risk, and a transmitter beside it.
struct World {
    site: Site,
    transmitter: Transmitter,
}

impl World {
    /// Events are pushed; further members of the stream, in YAML's flow style.
    async fn push(more: &str) -> Self {
        Self::start(&format!(
            "push: {{authorization: 'file:push-secret'}}{more}"
        ))
        .await
    }

    /// Events are asked for.
    async fn poll(more: &str) -> Self {
        Self::start(&format!(
            "poll: {{}}, manage: {{token: 'file:receiver-token'}}{more}"
        ))
        .await
    }

    async fn start(stream: &str) -> Self {
        let (ground, transmitter) = lay(stream).await;
        Self {
            site: Site::on(ground),
            transmitter,
        }
    }

    /// The signed event of this kind about the default agent.
    fn event(&self, id: &str, kind: &str, event: Value) -> String {
        let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": AGENT});
        self.transmitter
            .sign(&self.transmitter.claims(id, kind, subject, event))
    }

    fn high(&self, id: &str) -> String {
        self.event(id, &format!("{CAEP}risk-level-change"), high())
    }

    /// Pushes an event, again while the gateway does not have the keys yet.
    async fn send(&self, token: &str) -> Answer {
        let mut last = None;
        self.site
            .until("the gateway has the keys", async |site| {
                let answer = send(site, "idp", Some(PUSH_SECRET), token).await;
                let is_told = answer.status != 503;
                last = Some(answer);
                is_told
            })
            .await;
        last.unwrap()
    }

    async fn status(&self) -> u16 {
        let token = self.site.agent_token(AGENT);
        self.site.get("/hr/people", &token).await.status.as_u16()
    }

    async fn counted(&self, kind: &str, result: &str) -> u64 {
        let labels = [("source", "idp"), ("type", kind), ("result", result)];
        self.site
            .count("boomgate_risk_signals_total", &labels)
            .await
    }
}

fn high() -> Value {
    json!({"principal": "USER", "current_level": "HIGH", "risk_reason": "seen elsewhere"})
}

/// A ground whose configuration has a stream of a transmitter that runs.
async fn lay(stream: &str) -> (Ground, Transmitter) {
    lay_with(Vec::new(), stream).await
}

/// The same with this upstream.
pub(crate) async fn lay_with(upstream: Vec<String>, stream: &str) -> (Ground, Transmitter) {
    let ground = Ground::lay(&Setup {
        policies: vec![block("risky", json!({"agentIdRiskLevels": "medium,high"}))],
        upstream,
        ..Setup::default()
    })
    .await;
    let transmitter = Transmitter::start(&ground.pki).await;
    add_streams(&ground, &[("idp", &transmitter, stream)]);
    (ground, transmitter)
}

fn add_streams(ground: &Ground, streams: &[(&str, &Transmitter, &str)]) {
    let streams: Vec<_> = streams
        .iter()
        .map(|(name, transmitter, more)| stream(ground, name, transmitter, more))
        .collect();
    let path = ground.path("boomgate.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = format!(
        "{text}\nsignals: {{shared_signals: [{}]}}\n",
        streams.join(", ")
    );
    std::fs::write(path, text).unwrap();
}

/// The stream of a transmitter as the configuration has it, with the secrets that it names; `{base}` is the transmitter's
/// address.
pub(crate) fn stream(ground: &Ground, name: &str, transmitter: &Transmitter, more: &str) -> String {
    std::fs::write(ground.path("push-secret"), PUSH_SECRET).unwrap();
    std::fs::write(ground.path("receiver-token"), RECEIVER_TOKEN).unwrap();
    let more = more.replace("{base}", transmitter.issuer.trim_end_matches("/tenant"));
    format!(
        "{{name: {name}, issuer: '{}', audiences: ['{AUDIENCE}'], ca_file: ../ca.pem, interval: 1s, {more}}}",
        transmitter.issuer
    )
}

/// Pushes an event.
async fn send(site: &Site, stream: &str, authorization: Option<&str>, token: &str) -> Answer {
    let client = Client::http1(&site.pki, site.app.management()).await;
    exchange(client, pushed(stream, authorization), token).await
}

/// The same to a gateway at this address, which may take no more connections.
pub(crate) async fn try_send(pki: &Pki, address: SocketAddr, token: &str) -> Option<u16> {
    let client = Client::try_http1(pki, address).await.ok()?;
    let answer = exchange(client, pushed("idp", Some(PUSH_SECRET)), token).await;
    Some(answer.status.as_u16())
}

/// The request of a push, without its event.
pub(crate) fn pushed(stream: &str, authorization: Option<&str>) -> http::request::Builder {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(format!("/signals/{stream}"))
        .header("host", "localhost")
        .header("accept", "application/json")
        .header("content-type", "application/secevent+jwt");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    request
}
