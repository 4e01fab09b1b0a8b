//! `kill -9` while signals of every kind arrive: none that was answered for is lost.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use http_body_util::Full;
use serde_json::json;
use tokio::task::JoinSet;

use super::disk::listed;
use super::{CONFIRM, REVOKE, agents, setup};
use crate::signals::{CAEP, PUSH_SECRET, pushed, stream, webhooks};
use crate::support::client::{Client, PATIENCE};
use crate::support::gateway::{Gateway, as_administrator};
use crate::support::redis::{Redis, binary, with_redis};
use crate::support::site::{Ground, ISSUER, now};
use crate::support::transmitter::Transmitter;

/// In what form something is reported. Each has a sender of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// An administrator confirms an agent compromised.
    Confirmed,
    /// All tokens of a subject are revoked.
    Revoked,
    /// A security event that is pushed.
    Event,
    /// Signed JSON.
    Webhook,
}

impl Form {
    const ALL: [Self; 4] = [Self::Confirmed, Self::Revoked, Self::Event, Self::Webhook];
}

/// Where gateways live and die, and who signs events.
struct World {
    ground: Ground,
    transmitter: Transmitter,
}

impl World {
    async fn lay() -> Self {
        let ground = Ground::lay(&setup()).await;
        let transmitter = Transmitter::start(&ground.pki).await;
        let push = "push: {authorization: 'file:push-secret'}";
        let stream = stream(&ground, "idp", &transmitter, push);
        // Whom no directory knows is somebody too, by the name that tokens have.
        let webhook = webhooks::webhook(&ground, &format!(", subject_issuer: '{ISSUER}'"));
        let path = ground.path("boomgate.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let signals = format!("signals: {{shared_signals: [{stream}], webhooks: [{webhook}]}}");
        std::fs::write(path, format!("{text}\n{signals}\n")).unwrap();
        Self {
            ground,
            transmitter,
        }
    }

    /// One report of this form about this agent: a request and its body.
    fn report(&self, form: Form, agent: &str) -> (http::request::Builder, String) {
        let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": agent});
        match form {
            Form::Confirmed => (as_administrator(Method::POST, CONFIRM), agents(&[agent])),
            Form::Revoked => {
                let body = json!({"sub_id": subject}).to_string();
                (as_administrator(Method::POST, REVOKE), body)
            }
            Form::Event => {
                let kind = format!("{CAEP}risk-level-change");
                let event = json!({"principal": "USER", "current_level": "HIGH"});
                let claims = self.transmitter.claims(agent, &kind, subject, event);
                (
                    pushed("idp", Some(PUSH_SECRET)),
                    self.transmitter.sign(&claims),
                )
            }
            Form::Webhook => {
                let body = webhooks::report(agent, agent, "high");
                (webhooks::signed(webhooks::SECRET, now(), &body), body)
            }
        }
    }

    /// Reports in one form until the gateway is gone; gives the agents that were answered for.
    async fn send(
        self: Arc<Self>,
        form: Form,
        address: SocketAddr,
        prefix: String,
        total: Arc<AtomicUsize>,
    ) -> Vec<String> {
        let mut answered = Vec::new();
        for n in 0.. {
            let Ok(mut client) = Client::try_http1(&self.ground.pki, address).await else {
                break;
            };
            // Several on one connection, as a busy sender does.
            for m in 0..8 {
                let id = format!("{prefix}-{n}-{m}");
                let (request, body) = self.report(form, &id);
                match client.send(request.body(Full::from(body)).unwrap()).await {
                    Ok(response) if [202, 204].contains(&response.status().as_u16()) => {
                        answered.push(id);
                        total.fetch_add(1, Ordering::Relaxed);
                    }
                    // Nothing was promised.
                    Ok(response) if response.status() == 503 => {}
                    Ok(response) => panic!("{form:?}: {}", response.status()),
                    Err(_gone) => return answered,
                }
            }
        }
        answered
    }

    /// Starts a gateway, reports to it, and kills it after so many answers and so much longer.
    async fn round(
        self: &Arc<Self>,
        config: &Path,
        round: u64,
        (after, longer): (usize, Duration),
    ) -> Vec<(Form, Vec<String>)> {
        let mut gateway = Gateway::start(config).await;
        let mut senders = JoinSet::new();
        let total = Arc::new(AtomicUsize::new(0));
        for form in Form::ALL {
            let (world, total) = (Arc::clone(self), Arc::clone(&total));
            let prefix = format!("r{round}-{form:?}").to_lowercase();
            let address = gateway.management;
            senders.spawn(async move {
                let answered = world.send(form, address, prefix, total).await;
                (form, answered)
            });
        }
        let started = Instant::now();
        while total.load(Ordering::Relaxed) < after {
            assert!(
                started.elapsed() < PATIENCE,
                "waited in vain for {after} answers"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Not at the moment of an answer, but anywhere between two.
        tokio::time::sleep(longer).await;
        gateway.process.signal("KILL");
        gateway.process.end().await;
        senders.join_all().await
    }

    /// A dozen rounds, or 200 with `BOOMGATE_TESTS_LONG`, on this configuration; then one that looks what is left.
    async fn rounds(self: Arc<Self>, config: &Path) {
        let is_long = std::env::var_os("BOOMGATE_TESTS_LONG").is_some();
        let rounds: u64 = if is_long { 200 } else { 12 };
        let mut answered: BTreeMap<Form, Vec<String>> = BTreeMap::new();
        let started = Instant::now();
        for n in 0..rounds {
            // Also before the first answer.
            let longer = Duration::from_micros(u64::from(random(250)) * 100);
            let moment = (random(100).into(), longer);
            for (form, ids) in self.round(config, n, moment).await {
                answered.entry(form).or_default().extend(ids);
            }
        }
        println!("{rounds} rounds of `kill -9` in {:?}", started.elapsed());
        let mut gateway = self.started(config).await;
        let risky = listed(&gateway, &self.ground.pki).await;
        for (form, ids) in &answered {
            let mut lost = Vec::new();
            for id in ids {
                let is_left = match form {
                    Form::Revoked => self.is_revoked(&gateway, id).await,
                    Form::Confirmed | Form::Event | Form::Webhook => risky.contains(id),
                };
                if !is_left {
                    lost.push(id);
                }
            }
            println!("{form:?}: {} answered for, {} lost", ids.len(), lost.len());
            assert!(lost.is_empty(), "{form:?}: {lost:?}");
            assert!(!ids.is_empty(), "{form:?}: nothing was answered for");
        }
        gateway.process.signal("TERM");
        assert_eq!(gateway.process.end().await.code(), Some(0));
    }

    /// A gateway that has read its state.
    async fn started(&self, config: &Path) -> Gateway {
        let gateway = Gateway::start(config).await;
        let pki = &self.ground.pki;
        let started = Instant::now();
        while gateway.manage(pki, Method::GET, "/readyz", "").await.status != 200 {
            assert!(
                started.elapsed() < PATIENCE,
                "waited in vain until it is ready"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        gateway
    }

    /// Whether a token of this subject is refused that was issued before any of this.
    async fn is_revoked(&self, gateway: &Gateway, id: &str) -> bool {
        let claims = json!({"azp": id, "oid": id, "sub": id, "iat": now() - 3_000});
        let token = self.ground.token(&claims);
        let answer = gateway.get(&self.ground.pki, "/hr/people", &token).await;
        assert!([200, 401].contains(&answer.status.as_u16()), "{answer:?}");
        answer.json()["code"] == "token_revoked"
    }
}

/// A number below this one.
fn random(below: u8) -> u8 {
    let mut byte = [0];
    aws_lc_rs::rand::fill(&mut byte).unwrap();
    byte[0] % below
}

#[tokio::test]
async fn no_report_that_was_answered_for_is_lost_when_the_gateway_is_killed() {
    let world = Arc::new(World::lay().await);
    let config = world.ground.path("boomgate.yaml");
    world.rounds(&config).await;
}

#[tokio::test]
async fn nor_is_one_that_went_into_the_shared_state() {
    let Some(binary) = binary() else { return };
    let redis = Redis::start(&binary, "appendonly yes\nappendfsync always").await;
    let world = Arc::new(World::lay().await);
    let more = "dangerous_plaintext: true";
    let config = with_redis(&world.ground, "killed", redis.address, more);
    world.rounds(&config).await;
}
