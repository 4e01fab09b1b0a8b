//! Three replicas that each ask Graph and share their state by a real Redis.

use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::risk::detection;
use super::server::{Graph, Trouble};
use super::{DETECTIONS, RISKY, lay, risky};
use crate::support::client::PATIENCE;
use crate::support::gateway::Gateway;
use crate::support::redis::{Redis, binary, with_redis};
use crate::support::servers::refusing_address;
use crate::support::site::{AGENT, Ground, OTHER_AGENT};

/// Three gateways, of which the last one does not reach Graph.
struct Replicas {
    ground: Ground,
    graph: Graph,
    gateways: Vec<Gateway>,
    _redis: Redis,
}

impl Replicas {
    async fn start(binary: &std::path::Path, more: &str) -> Self {
        let redis = Redis::start(binary, "").await;
        let (ground, graph) = lay(more).await;
        let config = |name| with_redis(&ground, name, redis.address, "dangerous_plaintext: true");
        let cut_off: PathBuf = config("c");
        let nobody = format!("https://localhost:{}", refusing_address().port());
        let text = std::fs::read_to_string(&cut_off).unwrap();
        std::fs::write(&cut_off, text.replace(&graph.url, &nobody)).unwrap();
        let mut gateways = Vec::new();
        for config in [config("a"), config("b"), cut_off] {
            gateways.push(Gateway::start(&config).await);
        }
        Self {
            ground,
            graph,
            gateways,
            _redis: redis,
        }
    }

    /// The answer of each replica to a call of this agent.
    async fn statuses(&self, agent: &str) -> Vec<u16> {
        let token = self.ground.agent_token(agent);
        let mut statuses = Vec::new();
        for gateway in &self.gateways {
            let answer = gateway.get(&self.ground.pki, "/hr/people", &token).await;
            statuses.push(answer.status.as_u16());
        }
        statuses
    }

    async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let waiting = async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(came.is_ok(), "waited in vain until {what}");
    }

    async fn until_statuses(&self, agent: &str, status: u16) {
        let all = [status; 3];
        let what = format!("every replica answers {agent} with {status}");
        self.until(&what, async || self.statuses(agent).await == all)
            .await;
    }

    /// As long as Graph is read so many times more, every replica answers so.
    async fn stays(&self, agent: &str, status: u16, rounds: usize) {
        let asked = || {
            let asked = self.graph.asked(RISKY);
            asked.iter().filter(|one| one.is_first_page()).count()
        };
        let enough = asked() + rounds;
        self.until("Graph is asked again", async || {
            assert_eq!(self.statuses(agent).await, [status; 3]);
            asked() >= enough
        })
        .await;
    }

    async fn manage(&self, replica: usize, path: &str) -> Value {
        let gateway = &self.gateways[replica];
        gateway
            .manage(&self.ground.pki, Method::GET, path, "")
            .await
            .json()
    }

    /// How often the metric `boomgate_risk_signals_total` counts levels of Graph with this result, over all replicas.
    async fn counted(&self, result: &str) -> u64 {
        let labels = [("source", "graph"), ("type", "level"), ("result", result)];
        let labels = labels.map(|(name, value)| format!("{name}=\"{value}\""));
        let is_it = |line: &&str| {
            line.starts_with("boomgate_risk_signals_total{")
                && labels.iter().all(|label| line.contains(label))
        };
        let mut sum = 0;
        for gateway in &self.gateways {
            let metrics = gateway
                .manage(&self.ground.pki, Method::GET, "/metrics", "")
                .await;
            let metrics = String::from_utf8(metrics.body).unwrap();
            let value = metrics.lines().find(is_it);
            let value = value.and_then(|line| line.rsplit(' ').next());
            sum += value.map_or(0, |value| value.parse().unwrap());
        }
        sum
    }
}

#[tokio::test]
async fn what_graph_tells_one_replica_counts_at_all_of_them_once() {
    let Some(binary) = binary() else { return };
    let more = ", required: true, max_age: 4s, full_interval: 1s";
    let replicas = Replicas::start(&binary, more).await;
    let graph = &replicas.graph;
    replicas.until_statuses(AGENT, 200).await;
    // The one that does not reach Graph says so, and lives on what the others read, for longer than `max_age`.
    let ready = replicas.manage(2, "/readyz").await;
    assert_eq!(ready["status"], "degraded", "{ready}");
    assert!(ready.to_string().contains(RISKY), "{ready}");
    assert_eq!(replicas.manage(0, "/readyz").await["status"], "ready");
    replicas.stays(AGENT, 200, 14).await;

    graph.put(
        RISKY,
        risky(AGENT, "high", "atRisk", "2026-10-01T12:00:05Z"),
    );
    graph.put(DETECTIONS, detection("1e00aa", "2026-10-01T12:00:05Z"));
    replicas.until_statuses(AGENT, 403).await;
    for replica in 0..3 {
        let path = "/beta/identityProtection/agentRiskDetections";
        replicas
            .until("the detection is listed once", async || {
                let shown = replicas.manage(replica, path).await;
                let shown = shown["value"].as_array().unwrap();
                assert!(shown.len() < 2, "{shown:?}");
                shown.len() == 1
            })
            .await;
    }
    // Two may read it at one moment; nobody takes it for news a second time.
    let applied = replicas.counted("applied").await;
    assert!((1..=2).contains(&applied), "{applied}");
    replicas.stays(AGENT, 403, 6).await;
    assert_eq!(replicas.counted("applied").await, applied);

    // A copy of Graph that lags behind, or one that fails in between, lets nobody in again.
    graph.put(
        RISKY,
        risky(AGENT, "none", "dismissed", "2026-10-01T12:00:04Z"),
    );
    graph.next(RISKY, Trouble::Status(500, "InternalServerError"));
    replicas.stays(AGENT, 403, 6).await;
    graph.put(
        RISKY,
        risky(AGENT, "none", "dismissed", "2026-10-01T12:00:06Z"),
    );
    replicas.until_statuses(AGENT, 200).await;
    replicas.stays(AGENT, 200, 4).await;
}

#[tokio::test]
async fn once_no_replica_reads_graph_all_refuse_and_one_that_reads_it_is_enough() {
    let Some(binary) = binary() else { return };
    let replicas = Replicas::start(&binary, ", required: true, max_age: 3s").await;
    replicas.until_statuses(OTHER_AGENT, 200).await;
    let graph = &replicas.graph;
    graph.always(RISKY, Some(Trouble::Status(500, "InternalServerError")));
    replicas.until_statuses(OTHER_AGENT, 503).await;
    let token = replicas.ground.agent_token(OTHER_AGENT);
    for gateway in &replicas.gateways {
        let answer = gateway
            .get(&replicas.ground.pki, "/hr/people", &token)
            .await;
        assert_eq!(answer.json()["code"], "facts_unavailable");
    }
    graph.always(RISKY, None);
    replicas.until_statuses(OTHER_AGENT, 200).await;
    assert_eq!(
        json!(replicas.manage(2, "/readyz").await["status"]),
        "degraded"
    );
}
