//! Server-sent events, read by a client of others (Python's `httpx-sse`, `tests/sse`): each comes when it is made.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::support::process::Process;
use crate::support::script::Script;
use crate::support::servers::tool;
use crate::support::site::{AGENT, Setup, Site};

#[tokio::test]
async fn each_event_arrives_before_the_next_one_is_made() {
    let Some(python) = tool("BOOMGATE_PYTHON") else {
        return;
    };
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sse/client.py");
    for version in ["1.1", "2"] {
        let script = Script::new().await;
        let site = Site::start(Setup {
            upstream: vec![format!("url: http://{}", script.address)],
            ..Setup::default()
        })
        .await;
        let mut command = Command::new(&python);
        command
            .arg(&client)
            .arg(site.address().port().to_string())
            .arg(site.pki.path("ca.pem"))
            .arg(site.agent_token(AGENT))
            .arg(version);
        let mut process = Process::of(command);
        let (mut scene, head) = script.call().await;
        assert!(head.contains("text/event-stream"), "{head}");
        scene
            .write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            .await;
        let begun = format!("begun HTTP/{version}\n");
        let says = async |process: &Process| process.stdout() == begun;
        process.until("the answer has begun", says).await;
        let mut expected = begun.clone();
        for number in 0..5 {
            let event = format!("event: tick\nid: {number}\ndata: so many {number}\n\n");
            let chunk = format!("{:x}\r\n{event}\r\n", event.len());
            scene.write(&chunk).await;
            writeln!(expected, "tick {number} so many {number}").unwrap();
            // The next one is not written before this one is there.
            let says = async |process: &Process| process.stdout() == expected;
            process.until("the event is there", says).await;
        }
        scene.write("0\r\n\r\n").await;
        assert!(process.end().await.success());
        assert_eq!(process.stdout(), expected + "ended\n");
    }
}
