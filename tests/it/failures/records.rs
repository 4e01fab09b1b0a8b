//! The disk of the records is full: the gateway, as a process, refuses calls rather than let them go unrecorded.

use std::os::unix::fs::symlink;

use http::StatusCode;

use crate::support::gateway::Gateway;
use crate::support::site::{AGENT, Ground, Setup};

#[tokio::test]
async fn no_call_goes_on_that_cannot_be_recorded_and_nothing_is_lost_when_there_is_room_again() {
    let ground = Ground::lay(&Setup {
        sections: "records: {file: records.jsonl, queue: 4, wait: 50ms}".to_owned(),
        ..Setup::default()
    })
    .await;
    let records = ground.path("records.jsonl");
    symlink("/dev/full", &records).unwrap();
    let mut gateway = Gateway::start(&ground.path("boomgate.yaml")).await;
    let token = ground.agent_token(AGENT);
    let call = async || gateway.get(&ground.pki, "/hr/people", &token).await;
    // As many as wait for the disk may still go on.
    let mut forwarded = Vec::new();
    let refused = loop {
        let answer = call().await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        forwarded.push(answer.header("boomgate-decision-id").to_owned());
        assert!(forwarded.len() <= 4, "calls go on without a record");
    };
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json()["code"], "record_unavailable", "{refused:?}");
    let reached = ground.upstream.calls().len();
    assert_eq!(call().await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ground.upstream.calls().len(), reached);
    let said = gateway.process.stderr();
    assert!(
        said.contains("records cannot be written; calls are refused"),
        "{said}"
    );
    let metrics = gateway
        .manage(&ground.pki, http::Method::GET, "/metrics", "")
        .await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(
        !metrics.contains("boomgate_records_total{result=\"failed\"} 0\n"),
        "{metrics}"
    );

    // Another disk, as a rotation would have it.
    let room = ground.path("room.jsonl");
    symlink(&room, ground.path("next")).unwrap();
    std::fs::rename(ground.path("next"), &records).unwrap();
    gateway.process.signal("HUP");
    let patience = std::time::Instant::now() + crate::support::client::PATIENCE;
    while call().await.status != StatusCode::OK {
        assert!(std::time::Instant::now() < patience, "no call goes on");
    }
    gateway.process.signal("TERM");
    assert_eq!(gateway.process.end().await.code(), Some(0));
    let written = std::fs::read_to_string(room).unwrap();
    for id in forwarded {
        assert!(written.contains(&id), "{id} went on without a record");
    }
}
