//! What a replica said comes back to it from those who share the store, and is no news then.

use http::Method;

use super::{CONFIRM, agents, confirm, setup};
use crate::support::gateway::Gateway;
use crate::support::redis::{Redis, binary, with_redis};
use crate::support::site::{AGENT, Ground, Site};

#[tokio::test]
async fn what_a_replica_said_itself_makes_no_second_snapshot_when_it_comes_back() {
    let Some(binary) = binary() else { return };
    let redis = Redis::start(&binary, "").await;
    let ground = Ground::lay(&setup()).await;
    let config = with_redis(&ground, "other", redis.address, "dangerous_plaintext: true");
    let other = Gateway::start(&config).await;
    std::fs::copy(config, ground.path("boomgate.yaml")).unwrap();
    let site = Site::on(ground);
    site.until("it has read the shared state", async |site| {
        let ready = site.manage(Method::GET, "/readyz", "").await.json();
        ready["status"] == "ready"
    })
    .await;
    let mut changes = site.app.snapshots().changes();
    for n in 0..5 {
        let body = agents(&[&format!("agent-{n}")]);
        assert_eq!(site.manage(Method::POST, CONFIRM, &body).await.status, 204);
    }
    // The stream is in order: once this is here, all of our own came back before.
    assert_eq!(confirm(&other, &site.pki, &[AGENT]).await, 204);
    site.until("it knows what the other one was told", async |site| {
        let token = site.agent_token(AGENT);
        site.get("/hr/people", &token).await.status == 403
    })
    .await;
    let mut snapshots = 0;
    while changes.try_recv().is_ok() {
        snapshots += 1;
    }
    // Five of our own and one of the other's, and perhaps one that says that the store is heard of. Each word of our own
    // that came back as news would be one more.
    assert!((6..=7).contains(&snapshots), "{snapshots}");
    site.app.stop().await.unwrap();
}
