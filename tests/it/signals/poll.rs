//! Streams that are made, verified and asked for events (SSF §8, RFC 8936).

use http::Method;
use serde_json::json;

use super::{CAEP, World, high};
use crate::support::site::AGENT;

#[tokio::test]
async fn a_stream_is_made_and_its_events_are_asked_for_kept_and_acknowledged() {
    let world = World::poll("").await;
    world.transmitter.queue("e-1", world.high("e-1"));
    world
        .site
        .until("the event is acknowledged", async |_| {
            world.transmitter.has_acknowledged("e-1")
        })
        .await;
    // Acknowledged means kept, and in force.
    assert_eq!(world.status().await, 403);
    let stream = world.transmitter.stream().unwrap();
    assert_eq!(stream["delivery"]["method"], "urn:ietf:rfc:8936");
    assert_eq!(stream["description"], "Boomgate: idp");
    let asked = stream["events_requested"].as_array().unwrap();
    assert!(
        asked.contains(&json!(format!("{CAEP}risk-level-change"))),
        "{stream}"
    );
    assert_eq!(asked.len(), 22);
    world
        .site
        .until("the stream is verified", async |_| {
            world.counted("verification", "applied").await > 0
        })
        .await;
    assert_eq!(world.counted("verification", "refused").await, 0);

    // One that is wrong is refused with the standard's code, and does not hold up the others.
    let mut claims = world.transmitter.claims(
        "e-2",
        &format!("{CAEP}session-revoked"),
        json!({"format": "opaque", "id": AGENT}),
        json!({}),
    );
    claims["aud"] = "https://somebody.else".into();
    world
        .transmitter
        .queue("e-2", world.transmitter.sign(&claims));
    world.transmitter.queue("e-3", world.high("not-e-3"));
    world.transmitter.queue("e-4", world.high("e-4"));
    world
        .site
        .until("all were answered", async |_| {
            world.transmitter.has_acknowledged("e-4") && world.transmitter.refused("e-3").is_some()
        })
        .await;
    assert_eq!(
        world.transmitter.refused("e-2").unwrap()["err"],
        "invalid_audience"
    );
    assert_eq!(
        world.transmitter.refused("e-3").unwrap()["err"],
        "invalid_request"
    );
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_of_an_authorization_server_asks_for_another_token_when_its_own_is_refused() {
    let world = World::start(
        "poll: {}, manage: {client: {token_endpoint: '{base}/token', id: receiver, secret: 'file:receiver-token', \
         scope: 'ssf.read ssf.manage'}}",
    )
    .await;
    let until_acknowledged = async |id: &str| {
        world.transmitter.queue(id, world.high(id));
        world
            .site
            .until("the event is acknowledged", async |_| {
                world.transmitter.has_acknowledged(id)
            })
            .await;
    };
    until_acknowledged("e-1").await;
    let form = "grant_type=client_credentials&scope=ssf.read%20ssf.manage";
    assert_eq!(world.transmitter.forms(), [form]);
    world.transmitter.revoke();
    until_acknowledged("e-2").await;
    assert_eq!(world.transmitter.forms(), [form, "revoked", form]);
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn an_operator_sees_pauses_resumes_and_deletes_a_stream() {
    let world = World::poll("").await;
    let list = async || world.site.manage(Method::GET, "/signals", "").await.json();
    world
        .site
        .until("the stream is there", async |_| {
            list().await[0]["streamId"] == "s-1"
        })
        .await;
    let act = async |action: &str| {
        let path = format!("/signals/idp/{action}");
        world
            .site
            .manage(Method::POST, &path, "")
            .await
            .status
            .as_u16()
    };
    let before = world.transmitter.verifications().len();
    assert_eq!(act("verify").await, 204);
    assert!(world.transmitter.verifications().len() > before);
    assert_eq!(act("pause").await, 204);
    assert_eq!(world.transmitter.status(), "paused");
    world
        .site
        .until("it is told that the stream is paused", async |_| {
            list().await[0]["faults"].to_string().contains("paused")
        })
        .await;
    assert_eq!(act("resume").await, 204);
    assert_eq!(world.transmitter.status(), "enabled");
    assert_eq!(act("delete").await, 204);
    assert!(
        world
            .transmitter
            .requests()
            .iter()
            .any(|one| one == "DELETE /streams")
    );
    world
        .site
        .until("it is told that the stream is deleted", async |_| {
            list().await[0]["faults"].to_string().contains("deleted")
        })
        .await;
    assert_eq!(act("resume").await, 204);
    assert!(world.transmitter.stream().is_some());
    assert_eq!(act("polish").await, 404);
    let path = "/signals/other/pause";
    assert_eq!(world.site.manage(Method::POST, path, "").await.status, 404);
    let changes = world.site.records().into_iter().filter(|record| {
        record["activityDisplayName"]
            .as_str()
            .is_some_and(|name| name.contains("stream of events"))
    });
    assert!(changes.count() >= 5, "every change is on record");
    world.site.app.stop().await.unwrap();
}

#[tokio::test]
async fn a_transmitter_that_says_it_is_another_one_is_not_asked_for_anything() {
    let world = World::poll("").await;
    world.transmitter.lie(Some("https://somebody.else"));
    world
        .site
        .until("it says so", async |site| {
            let ready = site.manage(Method::GET, "/readyz", "").await.json();
            ready.to_string().contains("another issuer")
        })
        .await;
    world.transmitter.lie(None);
    world.transmitter.queue(
        "e-1",
        world.event("e-1", &format!("{CAEP}risk-level-change"), high()),
    );
    world
        .site
        .until("all is well again", async |_| {
            world.transmitter.has_acknowledged("e-1")
        })
        .await;
    world.site.app.stop().await.unwrap();
}
