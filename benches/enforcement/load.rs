//! What both measurements share: gateways with agents enough, an administrator, callers that never stop, and times.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde_json::json;

use crate::held::{Caller, Holder};
use crate::support::gateway::Gateway;
use crate::support::site::{Ground, Setup, agent, block};

pub(crate) fn agent_id(at: usize) -> String {
    format!("a9a9a9a9-0000-4000-9000-{at:012x}")
}

/// Ground for gateways that block agents at high risk, and know so many of them.
pub(crate) async fn ground(holder: &Holder, agents: usize) -> Ground {
    let agents = (0..agents).map(|at| agent(&agent_id(at), "agent"));
    let setup = Setup {
        policies: vec![block("on-risk", json!({"agentIdRiskLevels": "high"}))],
        directory: Setup::default()
            .directory
            .into_iter()
            .chain(agents)
            .collect(),
        listener: vec![
            "limits: {max_connections: 100000, max_connections_per_client: 100000, max_concurrent_calls: 200000, max_concurrent_streams: 1000}",
        ],
        upstream: holder.upstream(true),
        sections: "workers: 2\nreload: {interval: 1h}".to_owned(),
        ..Setup::default()
    };
    Ground::lay(&setup).await
}

/// Tells a gateway that agents are compromised, and waits for its answer.
pub(crate) async fn confirm_compromised(ground: &Ground, gateway: &Gateway, ids: &[String]) {
    let path = "/beta/identityProtection/riskyAgents/confirmCompromised";
    let body = json!({"agentIds": ids}).to_string();
    let answer = gateway.manage(&ground.pki, Method::POST, path, &body).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
}

/// Callers that call one after the other, and note how long each call took.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    times: Arc<Mutex<Vec<Duration>>>,
    callers: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    /// So many callers, of the agents from `first` on.
    pub(crate) async fn start(
        ground: &Ground,
        gateway: &Gateway,
        first: usize,
        count: usize,
    ) -> Self {
        let (stop, times) = (Arc::<AtomicBool>::default(), Arc::default());
        let mut callers = Vec::new();
        for at in first..first + count {
            let token = ground.agent_token(&agent_id(at));
            let caller = Caller::connect_to(&ground.pki, gateway.public, false).await;
            let (stop, times) = (Arc::clone(&stop), Arc::clone(&times));
            callers.push(tokio::spawn(call_on(caller, token, stop, times)));
        }
        Self {
            stop,
            times,
            callers,
        }
    }

    /// Ends them; gives what their calls took.
    pub(crate) async fn stop(self) -> Vec<Duration> {
        self.stop.store(true, Ordering::SeqCst);
        for caller in self.callers {
            caller.await.unwrap();
        }
        std::mem::take(&mut *self.times.lock())
    }
}

async fn call_on(
    mut caller: Caller,
    token: String,
    stop: Arc<AtomicBool>,
    times: Arc<Mutex<Vec<Duration>>>,
) {
    while !stop.load(Ordering::SeqCst) {
        let begun = Instant::now();
        let answer = caller.get("/hr/quick", &token).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let read = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(read, "quick");
        times.lock().push(begun.elapsed());
    }
}

pub(crate) fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| {
        let place = (times.len() as f64 * share).ceil() as usize;
        times[place.clamp(1, times.len()) - 1].as_secs_f64() * 1e3
    };
    println!(
        "  {what:<34} p50 {:8.2} ms   p99 {:8.2} ms   max {:8.2} ms   ({} measured)",
        at(0.5),
        at(0.99),
        at(1.0),
        times.len()
    );
}
