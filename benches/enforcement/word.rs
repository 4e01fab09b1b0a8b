//! From an administrator's word to the last byte of the agent's open calls.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use http_body_util::BodyExt;

use crate::Size;
use crate::held::{Caller, Holder};
use crate::load::{Load, agent_id, confirm_compromised, ground, print_times};
use crate::support::gateway::Gateway;
use crate::support::redis::{Redis, binary, with_redis};
use crate::support::site::Ground;

/// One gateway with a store of its own.
pub(crate) async fn on_one(size: &Size) {
    let holder = Holder::start(true).await;
    let ground = ground(&holder, size.rounds + size.load).await;
    let gateway = Gateway::start(&ground.path("boomgate.yaml")).await;
    measure("one gateway", size, &ground, &[gateway]).await;
}

/// Three that share a Redis; only the first is told.
pub(crate) async fn on_replicas(size: &Size) {
    let Some(binary) = binary() else {
        println!("three replicas: not measured, for BOOMGATE_REDIS names no redis-server");
        return;
    };
    let redis = Redis::start(&binary, "").await;
    let holder = Holder::start(true).await;
    let ground = ground(&holder, size.rounds + size.load).await;
    let mut gateways = Vec::new();
    for name in ["a", "b", "c"] {
        let config = with_redis(&ground, name, redis.address, "dangerous_plaintext: true");
        let gateway = Gateway::start(&config).await;
        until_ready(&ground, &gateway).await;
        gateways.push(gateway);
    }
    measure("three replicas on one Redis", size, &ground, &gateways).await;
}

async fn until_ready(ground: &Ground, gateway: &Gateway) {
    for _ in 0..1_000 {
        let answer = gateway
            .manage(&ground.pki, Method::GET, "/readyz", "")
            .await;
        if answer.status == StatusCode::OK {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a replica does not become ready");
}

/// Blocks agents one after the other while others call, and prints when their open calls ended, at the gateway that
/// was told and at the others.
async fn measure(what: &str, size: &Size, ground: &Ground, gateways: &[Gateway]) {
    let mut busy = Vec::new();
    for gateway in gateways {
        busy.push(Load::start(ground, gateway, size.rounds, size.load).await);
    }
    let begun = Instant::now();
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for at in 0..size.rounds {
        let delays = block_one(&agent_id(at), size.calls, ground, gateways).await;
        for (place, delays) in delays.into_iter().enumerate() {
            if place == 0 { &mut here } else { &mut there }.extend(delays);
        }
    }
    let took = begun.elapsed();
    let mut calls = 0;
    for load in busy {
        calls += load.stop().await.len();
    }
    println!(
        "{what}: from an administrator's word to the end of an open call ({:.0} other calls a second meanwhile)",
        calls as f64 / took.as_secs_f64()
    );
    print_times("where the word arrived", here);
    if !there.is_empty() {
        print_times("at the other replicas", there);
    }
}

/// Opens calls of one agent at each gateway and tells the first that it is compromised; gives, by gateway, when they
/// ended, from just before the telling.
async fn block_one(
    id: &str,
    calls: usize,
    ground: &Ground,
    gateways: &[Gateway],
) -> Vec<Vec<Duration>> {
    let token = ground.agent_token(id);
    let (mut callers, mut open) = (Vec::new(), Vec::new());
    for gateway in gateways {
        let mut caller = Caller::connect_to(&ground.pki, gateway.public, true).await;
        let mut here = Vec::new();
        for _ in 0..calls {
            let answer = caller.get("/hr/events", &token).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            here.push(answer);
        }
        callers.push(caller);
        open.push(here);
    }
    let begun = Instant::now();
    let ends: Vec<Vec<_>> = open
        .into_iter()
        .map(|here| {
            let watch = |answer: http::Response<hyper::body::Incoming>| {
                tokio::spawn(async move {
                    let end = answer.into_body().collect().await;
                    assert!(end.is_err(), "an end that looks clean");
                    begun.elapsed()
                })
            };
            here.into_iter().map(watch).collect()
        })
        .collect();
    confirm_compromised(ground, &gateways[0], &[id.to_owned()]).await;
    let mut delays = Vec::new();
    for here in ends {
        let mut of_gateway = Vec::new();
        for ended in here {
            of_gateway.push(ended.await.unwrap());
        }
        delays.push(of_gateway);
    }
    delays
}
