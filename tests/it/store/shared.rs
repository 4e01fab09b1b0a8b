//! Replicas that share their state by a real Redis: gateways that run as processes, and what happens between them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use super::disk::listed;
use super::{AGENTS, REVOKE, agents, confirm, setup};
use crate::support::client::{Client, PATIENCE, text};
use crate::support::gateway::Gateway;
use crate::support::pki::Pki;
use crate::support::redis::{Proxy, Redis, binary, with_redis};
use crate::support::site::{ADMIN_TOKEN, AGENT, Ground, OTHER_AGENT};

/// One ground for all replicas, and a configuration for each.
struct Replicas {
    ground: Ground,
}

impl Replicas {
    async fn lay() -> Self {
        Self {
            ground: Ground::lay(&setup()).await,
        }
    }

    fn config(&self, name: &str, engine: SocketAddr, more: &str) -> PathBuf {
        with_redis(&self.ground, name, engine, more)
    }

    async fn start(&self, name: &str, engine: SocketAddr) -> Gateway {
        self.start_with(name, engine, "dangerous_plaintext: true")
            .await
    }

    async fn start_with(&self, name: &str, engine: SocketAddr, more: &str) -> Gateway {
        let gateway = Gateway::start(&self.config(name, engine, more)).await;
        self.until("it has read the shared state", async || {
            self.ready(&gateway).await["status"] == "ready"
        })
        .await;
        gateway
    }

    async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let waiting = async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(came.is_ok(), "waited in vain until {what}");
    }

    async fn ready(&self, gateway: &Gateway) -> Value {
        let pki = &self.ground.pki;
        gateway.manage(pki, Method::GET, "/readyz", "").await.json()
    }

    async fn confirm(&self, gateway: &Gateway, ids: &[&str]) -> u16 {
        confirm(gateway, &self.ground.pki, ids).await
    }

    async fn status(&self, gateway: &Gateway, agent: &str) -> u16 {
        let token = self.ground.agent_token(agent);
        let answer = gateway.get(&self.ground.pki, "/hr/people", &token).await;
        answer.status.as_u16()
    }

    async fn until_blocked(&self, gateway: &Gateway, agent: &str) {
        self.until("the agent is blocked", async || {
            self.status(gateway, agent).await == 403
        })
        .await;
    }
}

fn is_long() -> bool {
    std::env::var_os("BOOMGATE_TESTS_LONG").is_some()
}

/// Calls on one connection until the agent is blocked; gives when.
async fn block_seen(pki: Arc<Pki>, address: SocketAddr, token: String) -> Instant {
    let mut client = Client::http1(&pki, address).await;
    loop {
        let request = http::Request::get("/hr/people")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {token}"));
        let request = request.body(http_body_util::Full::default()).unwrap();
        let Ok(response) = client.send(request).await else {
            // An idle connection of an agent that gets blocked is closed.
            client = Client::http1(&pki, address).await;
            continue;
        };
        let status = response.status();
        text(response).await;
        if status == 403 {
            return Instant::now();
        }
        assert_eq!(status, 200);
    }
}

#[tokio::test]
async fn what_one_replica_is_told_blocks_at_all_of_them() {
    let Some(binary) = binary() else { return };
    let redis = Redis::start(&binary, "").await;
    let replicas = Replicas::lay().await;
    let mut gateways = Vec::new();
    for name in ["a", "b", "c"] {
        gateways.push(replicas.start(name, redis.address).await);
    }
    let mut delays = Vec::new();
    for round in 0..if is_long() { 500 } else { 10 } {
        let agent = format!("c9c9c9c9-0000-4000-8000-{round:012}");
        let token = replicas.ground.agent_token(&agent);
        // Every replica is called all the time, and told in turn.
        let seen: Vec<_> = gateways
            .iter()
            .map(|gateway| {
                let pki = Arc::clone(&replicas.ground.pki);
                tokio::spawn(block_seen(pki, gateway.public, token.clone()))
            })
            .collect();
        let told = &gateways[round % gateways.len()];
        let started = Instant::now();
        assert_eq!(replicas.confirm(told, &[&agent]).await, 204);
        for seen in seen {
            let seen = tokio::time::timeout(PATIENCE, seen).await;
            delays.push(seen.expect("blocked everywhere").unwrap() - started);
        }
    }
    delays.sort();
    let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
    println!(
        "from the report to the block, over {} replicas and {} reports: p50 {:?}, p99 {:?}, max {:?}",
        gateways.len(),
        delays.len() / gateways.len(),
        at(50),
        at(99),
        at(100)
    );

    // Also what is taken back, and tokens that are revoked.
    let agent = "c9c9c9c9-0000-4000-8000-000000000000";
    let safe = agents(&[agent]);
    let path = format!("{AGENTS}/confirmSafe");
    let answer = gateways[1]
        .manage(&replicas.ground.pki, Method::POST, &path, &safe)
        .await;
    assert_eq!(answer.status, 204);
    replicas
        .until("it is let in again", async || {
            replicas.status(&gateways[2], agent).await == 200
        })
        .await;
    let old = replicas.ground.agent_token(AGENT);
    let subject = json!({"sub_id": {"format": "opaque", "id": AGENT}}).to_string();
    let answer = gateways[2]
        .manage(&replicas.ground.pki, Method::POST, REVOKE, &subject)
        .await;
    assert_eq!(answer.status, 204);
    replicas
        .until("its token is refused", async || {
            let answer = gateways[0]
                .get(&replicas.ground.pki, "/hr/people", &old)
                .await;
            answer.status == 401
        })
        .await;
}

#[tokio::test]
async fn a_replica_that_was_cut_off_goes_on_says_so_and_catches_up() {
    let Some(binary) = binary() else { return };
    let redis = Redis::start(&binary, "").await;
    let replicas = Replicas::lay().await;
    let proxy = Proxy::start(redis.address).await;
    let more = "dangerous_plaintext: true, max_age: 1h, stream_length: 1000";
    let whole = replicas.start_with("whole", redis.address, more).await;
    let cut = replicas.start_with("cut", proxy.address, more).await;
    assert_eq!(replicas.confirm(&whole, &[OTHER_AGENT]).await, 204);
    replicas.until_blocked(&cut, OTHER_AGENT).await;

    proxy.hold();
    replicas
        .until("it says that it is cut off", async || {
            replicas.ready(&cut).await["status"] == "degraded"
        })
        .await;
    assert_eq!(replicas.confirm(&whole, &[AGENT]).await, 204);
    let ready = replicas.ready(&cut).await;
    assert_eq!(ready["reasons"][0]["source"], "store", "{ready}");
    // What it knew last is in force, and what it is told now cannot be kept.
    assert_eq!(replicas.status(&cut, AGENT).await, 200);
    assert_eq!(replicas.status(&cut, OTHER_AGENT).await, 403);
    assert_eq!(replicas.confirm(&cut, &["x"]).await, 503);
    let metrics = cut
        .manage(&replicas.ground.pki, Method::GET, "/metrics", "")
        .await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    let age = "boomgate_signal_age_seconds{source=\"store\"} ";
    let age = metrics.lines().find_map(|line| line.strip_prefix(age));
    assert!(age.unwrap().parse::<f64>().unwrap() > 0.5, "{age:?}");

    proxy.let_go();
    replicas.until_blocked(&cut, AGENT).await;
    replicas
        .until("it is well again", async || {
            replicas.ready(&cut).await["status"] == "ready"
        })
        .await;
    assert!(
        !cut.process
            .stderr()
            .contains("changes of the shared state were missed")
    );

    // Away for longer than the stream is long: everything is read again.
    proxy.hold();
    replicas
        .until("it says that it is cut off again", async || {
            replicas.ready(&cut).await["status"] == "degraded"
        })
        .await;
    let first = "a9a9a9a9-0000-4000-8000-00000000ffff";
    assert_eq!(replicas.confirm(&whole, &[first]).await, 204);
    for many in 0..3 {
        let ids: Vec<_> = (0..1_000).map(|n| format!("agent-{many}-{n}")).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        assert_eq!(replicas.confirm(&whole, &ids).await, 204);
    }
    proxy.let_go();
    replicas.until_blocked(&cut, first).await;
    assert!(
        cut.process
            .stderr()
            .contains("changes of the shared state were missed")
    );
    // What was on its way when the line was cut may arrive after all, or not: nobody was promised anything.
    let of = async |gateway: &Gateway| {
        let mut ids = listed(gateway, &replicas.ground.pki).await;
        ids.remove("x");
        ids
    };
    let (one, other) = (of(&whole).await, of(&cut).await);
    assert_eq!(one.len(), 3_003);
    assert_eq!(one, other);
}

#[tokio::test]
async fn state_that_is_required_and_too_old_refuses_calls_and_other_state_does_not() {
    let Some(binary) = binary() else { return };
    let redis = Redis::start(&binary, "").await;
    let replicas = Replicas::lay().await;
    let proxy = Proxy::start(redis.address).await;
    let more = "dangerous_plaintext: true, max_age: 5s";
    let strict = replicas.start_with("strict", proxy.address, more).await;
    let more = format!("{more}, required: false");
    let lenient = replicas.start_with("lenient", proxy.address, &more).await;
    assert_eq!(replicas.status(&strict, AGENT).await, 200);
    proxy.hold();
    replicas
        .until("calls are refused", async || {
            replicas.status(&strict, AGENT).await == 503
        })
        .await;
    assert_eq!(replicas.ready(&strict).await["status"], "not_ready");
    let token = replicas.ground.agent_token(AGENT);
    let refused = strict.get(&replicas.ground.pki, "/hr/people", &token).await;
    assert_eq!(refused.json()["code"], "facts_unavailable");
    assert_eq!(replicas.status(&lenient, AGENT).await, 200);
    replicas
        .until(
            "the other one says that it goes on with old state",
            async || replicas.ready(&lenient).await["status"] == "degraded",
        )
        .await;

    // One that starts now knows nothing, and says so.
    let config = replicas.config("late", proxy.address, "dangerous_plaintext: true");
    let late = Gateway::start(&config).await;
    assert_eq!(replicas.status(&late, AGENT).await, 503);
    assert_eq!(replicas.ready(&late).await["status"], "not_ready");
    proxy.let_go();
    for gateway in [&strict, &late] {
        replicas
            .until("calls are decided again", async || {
                replicas.status(gateway, AGENT).await == 200
            })
            .await;
    }
}

#[tokio::test]
async fn an_engine_that_comes_back_empty_gets_back_what_the_replicas_know() {
    an_engine_comes_back("appendonly no", true).await;
}

#[tokio::test]
async fn an_engine_that_comes_back_with_what_it_had_is_followed_again() {
    an_engine_comes_back("appendonly yes\nappendfsync always", false).await;
}

async fn an_engine_comes_back(lines: &str, is_empty: bool) {
    let Some(binary) = binary() else { return };
    let mut redis = Redis::start(&binary, lines).await;
    let replicas = Replicas::lay().await;
    let one = replicas.start("one", redis.address).await;
    let two = replicas.start("two", redis.address).await;
    assert_eq!(replicas.confirm(&one, &[AGENT]).await, 204);
    replicas.until_blocked(&two, AGENT).await;
    redis.kill();
    assert_eq!(replicas.confirm(&two, &[OTHER_AGENT]).await, 503);
    assert_eq!(replicas.status(&two, OTHER_AGENT).await, 200);
    for gateway in [&one, &two] {
        assert_eq!(replicas.status(gateway, AGENT).await, 403);
    }
    redis.start_again().await;
    // A replica that knows nothing of before learns it from the others, by the engine.
    let three = replicas.start("three", redis.address).await;
    replicas.until_blocked(&three, AGENT).await;
    replicas
        .until("reports are kept again", async || {
            replicas.confirm(&two, &[OTHER_AGENT]).await == 204
        })
        .await;
    for gateway in [&one, &two, &three] {
        replicas.until_blocked(gateway, OTHER_AGENT).await;
        assert_eq!(replicas.status(gateway, AGENT).await, 403);
    }
    // All that know it could give it back; one does.
    let gives_back = "the shared state lacks what this replica knows";
    let healers =
        [&one, &two, &three].map(|gateway| gateway.process.stderr().matches(gives_back).count());
    assert_eq!(
        healers.iter().sum::<usize>(),
        usize::from(is_empty),
        "{healers:?}"
    );
}

#[tokio::test]
async fn an_engine_with_tls_and_users_is_used_by_its_rules() {
    let Some(binary) = binary() else { return };
    let replicas = Replicas::lay().await;
    let (certificate, key) = replicas.ground.pki.issue(&["localhost", "127.0.0.1"]);
    let (certificate_file, key_file) = (
        replicas.ground.path("redis.pem"),
        replicas.ground.path("redis.key"),
    );
    std::fs::write(&certificate_file, certificate).unwrap();
    std::fs::write(&key_file, key).unwrap();
    let lines = format!(
        "port 0\ntls-port {{port}}\ntls-cert-file {}\ntls-key-file {}\ntls-auth-clients no\n\
         user default off\nuser boomgate on >not-guessed ~{{shared}}:* \
         +eval +hdel +hget +hset +hsetnx +hincrby +xadd +xrevrange +xread +hscan +set",
        certificate_file.display(),
        key_file.display()
    );
    let redis = Redis::start(&binary, &lines).await;
    std::fs::write(replicas.ground.path("redis-password"), "not-guessed\n").unwrap();
    let login = "username: boomgate, password: \"file:redis-password\", prefix: shared";
    let ca_file = replicas.ground.pki.path("ca.pem");
    let tls = format!("tls: {{ca_file: {}}}, {login}", ca_file.display());
    let one = replicas.start_with("one", redis.address, &tls).await;
    let two = replicas.start_with("two", redis.address, &tls).await;
    assert_eq!(replicas.confirm(&one, &[AGENT]).await, 204);
    replicas.until_blocked(&two, AGENT).await;

    // Whom it does not let in, and whom nobody vouches for.
    std::fs::write(replicas.ground.path("wrong-password"), "guessed-wrongly\n").unwrap();
    let wrong = tls.replace("redis-password", "wrong-password");
    let untrusted = format!("tls: {{}}, {login}");
    for (name, more) in [("wrong", wrong), ("untrusted", untrusted)] {
        let gateway = Gateway::start(&replicas.config(name, redis.address, &more)).await;
        replicas
            .until("it says what is wrong", async || {
                let ready = replicas.ready(&gateway).await.to_string();
                ready.contains("\"store\"") && ready.contains("not_ready")
            })
            .await;
        assert_eq!(replicas.status(&gateway, AGENT).await, 503);
        let told = [
            gateway.process.stderr(),
            replicas.ready(&gateway).await.to_string(),
        ];
        for secret in ["guessed", ADMIN_TOKEN] {
            assert!(!told.iter().any(|text| text.contains(secret)), "{told:?}");
        }
    }
}
