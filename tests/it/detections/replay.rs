//! `boomgate detect replay` on the records of a real gateway.

use std::path::PathBuf;

use boomgate::cli::Output;
use boomgate::cli::detect::{Replay, replay};
use serde_json::Value;

use super::theft::{by_a_thief, by_its_agent, token};
use crate::support::site::{AGENT, Setup, Site};

/// Runs the command; gives its exit code, and what it writes.
pub(super) fn run(records: PathBuf, config: Option<PathBuf>, output: Output) -> (u8, String) {
    let arguments = Replay {
        records: vec![records],
        config,
        top: 20,
        output,
    };
    let (mut out, mut faults) = (Vec::new(), Vec::new());
    let environment = |_: &str| None;
    let input = &mut std::io::empty();
    let code = replay(&arguments, &environment, input, &mut out, &mut faults).unwrap();
    out.extend(faults);
    (code, String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn what_was_recorded_of_a_copied_token_is_found_again() {
    let site = Site::start(Setup::default()).await;
    let token = token(&site, "stolen");
    assert_eq!(by_its_agent(&site, &token).await.status, 200);
    let theft = by_a_thief(&site, &token).await;
    let id = theft.header("boomgate-decision-id").to_owned();
    site.record(&id).await;

    let config = site.path("boomgate.yaml");
    let (code, text) = run(site.path("records.jsonl"), Some(config), Output::Json);
    assert_eq!(code, 0, "{text}");
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&found["calls"], &found["notRead"]), (&2.into(), &0.into()));
    let agent = &found["agents"][0];
    assert_eq!(agent["id"], AGENT);
    assert_eq!(agent["detections"]["tokenReplay"], 1);
    assert_eq!(agent["first"]["requestId"], *id);
    let evidence = agent["first"]["riskEvidence"].as_str().unwrap();
    assert!(evidence.contains("127.66.0.1"), "{evidence}");

    let (code, text) = run(site.path("records.jsonl"), None, Output::Text);
    assert_eq!(code, 0);
    for told in [
        "tokenReplay",
        "reconnaissance",
        "2 calls of 1 agents",
        AGENT,
    ] {
        assert!(text.contains(told), "{told} in:\n{text}");
    }
}

#[test]
fn what_is_no_record_is_told_with_its_line_and_fails_where_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.jsonl");
    std::fs::write(&path, "\n{\"no\": \"record\"}\n").unwrap();
    let (code, text) = run(path, None, Output::Text);
    assert_eq!(code, 65);
    assert!(
        text.contains("records.jsonl:2: it is not a record"),
        "{text}"
    );

    let (code, text) = run(folder.path().join("none"), None, Output::Text);
    assert_eq!(code, 65);
    assert!(text.contains("cannot be read"), "{text}");
}
