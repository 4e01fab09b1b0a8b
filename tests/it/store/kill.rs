//! `kill -9` while reports arrive: none that was answered for is lost.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use tokio::task::JoinSet;

use super::disk::listed;
use super::{CONFIRM, agents, setup};
use crate::support::client::{Client, PATIENCE};
use crate::support::gateway::{Gateway, as_administrator};
use crate::support::pki::Pki;
use crate::support::redis::{Redis, binary, with_redis};
use crate::support::site::Ground;

/// How many reports are under way at once.
const SENDERS: usize = 4;

/// Sends reports until the gateway is gone; gives those that were answered for.
async fn report(
    pki: Arc<Pki>,
    address: SocketAddr,
    prefix: String,
    total: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut answered = Vec::new();
    for n in 0.. {
        let Ok(mut client) = Client::try_http1(&pki, address).await else {
            break;
        };
        // Several on one connection, as a busy sender does.
        for m in 0..8 {
            let id = format!("{prefix}-{n}-{m}");
            let request = as_administrator(Method::POST, CONFIRM);
            let body = http_body_util::Full::from(agents(&[&id]));
            match client.send(request.body(body).unwrap()).await {
                Ok(response) if response.status() == 204 => {
                    answered.push(id);
                    total.fetch_add(1, Ordering::Relaxed);
                }
                // Nothing was promised.
                Ok(response) if response.status() == 503 => {}
                Ok(response) => panic!("{}", response.status()),
                Err(_gone) => return answered,
            }
        }
    }
    answered
}

/// Starts a gateway, reports to it, and kills it after so many answers; gives what it answered for.
async fn round(ground: &Ground, config: &Path, round: u64, after: usize) -> Vec<String> {
    let mut gateway = Gateway::start(config).await;
    let mut senders = JoinSet::new();
    let total = Arc::new(AtomicUsize::new(0));
    for sender in 0..SENDERS {
        let (pki, total) = (Arc::clone(&ground.pki), Arc::clone(&total));
        let prefix = format!("r{round}-s{sender}");
        senders.spawn(report(pki, gateway.management, prefix, total));
    }
    let started = Instant::now();
    while total.load(Ordering::Relaxed) < after {
        assert!(
            started.elapsed() < PATIENCE,
            "waited in vain for {after} answers"
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    gateway.process.signal("KILL");
    gateway.process.end().await;
    senders.join_all().await.into_iter().flatten().collect()
}

/// A dozen rounds, or 200 with `BOOMGATE_TESTS_LONG`, on this configuration; then one that looks what is left.
async fn rounds(ground: &Ground, config: &Path) {
    let is_long = std::env::var_os("BOOMGATE_TESTS_LONG").is_some();
    let rounds: u64 = if is_long { 200 } else { 12 };
    let mut answered = Vec::new();
    let started = Instant::now();
    for n in 0..rounds {
        // Spread over the life of a gateway: from before its first answer to when it is warm.
        let after = usize::try_from((n * 37) % 100).unwrap();
        answered.extend(round(ground, config, n, after).await);
    }
    let mut gateway = Gateway::start(config).await;
    let started_again = Instant::now();
    while gateway
        .manage(&ground.pki, Method::GET, "/readyz", "")
        .await
        .status
        != 200
    {
        assert!(
            started_again.elapsed() < PATIENCE,
            "waited in vain until it is ready"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let left = listed(&gateway, &ground.pki).await;
    let lost: Vec<_> = answered.iter().filter(|id| !left.contains(*id)).collect();
    println!(
        "{rounds} rounds in {:?}: {} answered for, {} kept, {} lost",
        started.elapsed(),
        answered.len(),
        left.len(),
        lost.len()
    );
    assert!(lost.is_empty(), "{lost:?}");
    assert!(!answered.is_empty());
    gateway.process.signal("TERM");
    assert_eq!(gateway.process.end().await.code(), Some(0));
}

#[tokio::test]
async fn no_report_that_was_answered_for_is_lost_when_the_gateway_is_killed() {
    let ground = Ground::lay(&setup()).await;
    rounds(&ground, &ground.path("boomgate.yaml")).await;
}

#[tokio::test]
async fn nor_is_one_that_went_into_the_shared_state() {
    let Some(binary) = binary() else { return };
    let redis = Redis::start(&binary, "appendonly yes\nappendfsync always").await;
    let ground = Ground::lay(&setup()).await;
    let config = with_redis(
        &ground,
        "killed",
        redis.address,
        "dangerous_plaintext: true",
    );
    rounds(&ground, &config).await;
}
