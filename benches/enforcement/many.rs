//! What judging many open calls again costs those that come in meanwhile, and how soon one among them is cut.

use std::time::{Duration, Instant};

use crate::Size;
use crate::held::{Caller, Holder, end};
use crate::load::{Load, agent_id, confirm_compromised, ground, print_times};
use crate::support::gateway::Gateway;

const AGENTS: usize = 1_000;
const STREAMS_PER_CONNECTION: usize = 1_000;
/// Callers that come in meanwhile.
const NEW: usize = 2;

/// Judges many open calls again, over and over, and prints how those fare that come in meanwhile.
pub(crate) async fn judged_again(size: &Size) {
    let holder = Holder::start(true).await;
    let ground = ground(&holder, AGENTS + NEW + 2).await;
    let gateway = Gateway::start(&ground.path("boomgate.yaml")).await;
    let tokens: Vec<_> = (0..AGENTS.min(size.many))
        .map(|at| ground.agent_token(&agent_id(at)))
        .collect();
    let (mut open, mut callers) = (Vec::new(), Vec::new());
    while open.len() < size.many {
        let mut caller = Caller::connect_to(&ground.pki, gateway.public, true).await;
        for _ in 0..STREAMS_PER_CONNECTION.min(size.many - open.len()) {
            let token = &tokens[open.len() % tokens.len()];
            open.push(caller.get("/hr/events", token).await.unwrap());
        }
        callers.push(caller);
    }
    println!("{} open calls of {} agents", open.len(), tokens.len());

    let time = Duration::from_secs(size.seconds);
    let quiet = Load::start(&ground, &gateway, AGENTS, NEW).await;
    tokio::time::sleep(time).await;
    print_times("a new call, when nothing changes", quiet.stop().await);

    // Somebody who has no call: everybody is judged again, and nobody is cut.
    let nobody = [agent_id(AGENTS + NEW)];
    let busy = Load::start(&ground, &gateway, AGENTS, NEW).await;
    let (begun, mut changes) = (Instant::now(), Vec::new());
    while begun.elapsed() < time {
        let change = Instant::now();
        confirm_compromised(&ground, &gateway, &nobody).await;
        changes.push(change.elapsed());
    }
    print_times("a new call, among changes", busy.stop().await);
    print_times("a change, until it is answered", changes);

    // The last to be registered is among the last to be judged.
    let last = agent_id(AGENTS + NEW + 1);
    let token = ground.agent_token(&last);
    let mut caller = Caller::connect_to(&ground.pki, gateway.public, true).await;
    let answer = caller.get("/hr/events", &token).await.unwrap();
    let begun = Instant::now();
    let ended = tokio::spawn(async move {
        assert!(end(answer).await.is_err(), "an end that looks clean");
        begun.elapsed()
    });
    confirm_compromised(&ground, &gateway, &[last]).await;
    let delay = ended.await.unwrap().as_secs_f64() * 1e3;
    println!("  one among them is cut after {delay:.2} ms");

    // All of them, in as few words as the management API takes.
    let ids: Vec<_> = (0..tokens.len()).map(agent_id).collect();
    let begun = Instant::now();
    let ends = tokio::spawn(async move {
        for answer in open {
            assert!(end(answer).await.is_err(), "an end that looks clean");
        }
        begun.elapsed()
    });
    confirm_compromised(&ground, &gateway, &ids).await;
    let all = ends.await.unwrap().as_secs_f64() * 1e3;
    println!("  all are cut after {all:.0} ms");
}
