//! The recorder against real files: whole lines in order, nothing lost, and calls refused when nothing can be written.

pub(super) mod fixture;

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::time::Instant;

use http::{Request, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use self::fixture::Who;
use super::settings::Destination;
use super::*;
use crate::call::Body;
use crate::types::{Reason, RiskLevel};

const PATIENCE: Duration = Duration::from_secs(10);

fn settings(path: &Path) -> RecordSettings {
    RecordSettings {
        destination: Destination::File(path.to_owned()),
        queue: 64,
        wait: Duration::from_millis(100),
        overflow: Overflow::Refuse,
        list_not_applied: false,
        recent: 100,
    }
}

struct Running {
    recorder: Recorder,
    thread: RecorderThread,
    metrics: Arc<Metrics>,
}

impl Running {
    fn start(settings: &RecordSettings) -> Self {
        let metrics = Metrics::new().unwrap();
        let (recorder, thread) = Recorder::start(settings, Arc::clone(&metrics)).unwrap();
        Self {
            recorder,
            thread,
            metrics,
        }
    }

    fn count(&self, result: RecordResult) -> u64 {
        self.metrics.records(result).count()
    }
}

/// A folder with the name of a file in it.
fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.jsonl");
    (folder, path)
}

fn records(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn outcome(record: &Value) -> &Value {
    &record["boomgate"]["outcome"]
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}");
}

#[tokio::test]
async fn writes_the_decision_before_the_call_goes_on_and_the_outcome_at_its_end() {
    let (_folder, path) = file();
    let running = Running::start(&settings(&path));
    let allowed = fixture::decided(Who::Autonomous, "/hr/people/7", None).await;
    let mut entry = running.recorder.decision(&allowed).await.unwrap();
    until(
        "the decision is written while the call is under way",
        || running.count(RecordResult::Written) == 1,
    )
    .await;
    assert_eq!(records(&path).len(), 1);
    entry.answered(StatusCode::OK, Some(Duration::from_micros(1_500)));
    let body = RecordedBody::new(Body::from(b"hello".to_vec()), entry);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "hello");
    running.thread.finish(PATIENCE).unwrap();
    let records = records(&path);
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["id"], records[1]["id"]);
    assert_eq!(records[0]["boomgate"]["decision"], "allow");
    let outcome = outcome(&records[1]);
    assert_eq!(outcome["result"], "completed");
    assert_eq!(outcome["status"], 200);
    assert_eq!(outcome["bytes"], 5);
    assert_eq!(outcome["upstreamMicroseconds"], 1_500);
    assert!(outcome["durationMicroseconds"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn every_way_in_which_a_call_ends_has_its_result() {
    let (_folder, path) = file();
    let running = Running::start(&settings(&path));
    let allowed = fixture::decided(Who::AgentUser, "/hr/people/7", None).await;
    let recorder = &running.recorder;
    let entry = || async { recorder.decision(&allowed).await.unwrap() };

    drop(entry().await);
    let mut left = entry().await;
    left.answered(StatusCode::OK, None);
    drop(RecordedBody::new(Body::from(vec![0; 9]), left));
    let mut empty = entry().await;
    empty.answered(StatusCode::NO_CONTENT, None);
    drop(RecordedBody::new(Body::Empty, empty));
    let mut failed = entry().await;
    failed.failed(Reason::UpstreamTimeout);
    failed.answered(StatusCode::GATEWAY_TIMEOUT, None);
    drop(RecordedBody::new(Body::Empty, failed));
    for reason in [Reason::BodyTooLarge, Reason::RequestMalformed] {
        let mut failed = entry().await;
        failed.failed(reason);
        drop(RecordedBody::new(Body::Empty, failed));
    }
    let mut broken = entry().await;
    broken.answered(StatusCode::OK, None);
    let mut body = RecordedBody::new(broken_body().await, broken);
    assert!(body.frame().await.unwrap().is_err());
    drop(body);
    let blocked = fixture::decided(Who::Autonomous, "/hr/people/7", Some(RiskLevel::High)).await;
    let mut refused = recorder.decision(&blocked).await.unwrap();
    refused.answered(StatusCode::FORBIDDEN, None);
    drop(RecordedBody::new(Body::from(vec![0; 9]), refused));
    drop(recorder.refusal(&fixture::refused().await).await.unwrap());

    running.thread.finish(PATIENCE).unwrap();
    let records = records(&path);
    let results: Vec<_> = records
        .iter()
        .filter(|record| outcome(record).is_object())
        .map(|record| {
            let outcome = outcome(record);
            (
                outcome["result"].as_str().unwrap(),
                outcome["status"].as_u64(),
                outcome["reason"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        results,
        [
            ("client_left", None, None),
            ("client_left", Some(200), None),
            ("completed", Some(204), None),
            ("upstream_failed", Some(504), Some("upstream_timeout")),
            ("client_failed", None, Some("body_too_large")),
            ("client_failed", None, Some("request_malformed")),
            ("upstream_failed", Some(200), None),
            ("refused", Some(403), None),
            ("refused", None, None),
        ]
    );
}

/// A body that announces ten bytes more than its limit lets through.
async fn broken_body() -> Body {
    let request = Request::post("/")
        .header("host", "x")
        .body(Full::from(vec![0; 10]));
    let incoming = fixture::incoming(request.unwrap()).await.into_body();
    let body = Body::request(incoming, 1);
    assert!(!Pin::new(&body).is_end_stream());
    body
}

#[tokio::test]
async fn a_full_queue_makes_calls_wait_and_then_refuses_them_and_loses_none() {
    let (_folder, path) = file();
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    // Held open for reading and writing: nobody reads, and nobody sees the end of the file.
    let mut pipe = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let running = Running::start(&settings(&path));
    let refused = fixture::refused().await;
    let mut entries = Vec::new();
    let began = Instant::now();
    let waited = loop {
        let before = Instant::now();
        match running.recorder.refusal(&refused).await {
            Ok(entry) => entries.push(entry),
            Err(RecordUnavailable) => break before.elapsed(),
        }
        assert!(began.elapsed() < PATIENCE, "the pipe takes everything");
    };
    assert!(waited >= Duration::from_millis(100), "{waited:?}");
    assert!(entries.len() >= 64);
    assert_eq!(running.count(RecordResult::Refused), 1);
    let accepted = entries.len();
    drop(entries);
    // Read everything: as many decisions as were accepted, and an outcome for each.
    let reader = std::thread::spawn(move || {
        let (mut text, mut chunk) = (Vec::new(), [0; 64 * 1024]);
        while text.iter().filter(|byte| **byte == b'\n').count() < accepted * 2 {
            let read = pipe.read(&mut chunk).unwrap();
            text.extend_from_slice(&chunk[..read]);
        }
        (text, pipe)
    });
    until("all are written", || {
        running.count(RecordResult::Written) == u64::try_from(accepted).unwrap()
    })
    .await;
    let (text, _pipe) = reader.join().unwrap();
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let outcomes = lines
        .iter()
        .filter(|line| outcome(line).is_object())
        .count();
    assert_eq!((lines.len(), outcomes), (accepted * 2, accepted));
    assert!(
        running.recorder.refusal(&refused).await.is_ok(),
        "and it goes on"
    );
}

#[tokio::test]
async fn a_stalled_destination_does_not_hold_up_the_end_for_ever() {
    let (_folder, path) = file();
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    let _pipe = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let running = Running::start(&settings(&path));
    let refused = fixture::refused().await;
    while let Ok(entry) = running.recorder.refusal(&refused).await {
        drop(entry);
    }
    let result = running.thread.finish(Duration::from_millis(50));
    assert!(matches!(result, Err(RecordError::TimedOut)), "{result:?}");
}

#[tokio::test]
async fn a_full_disk_refuses_calls_until_it_has_room_again() {
    let (folder, path) = file();
    symlink("/dev/full", &path).unwrap();
    let running = Running::start(&settings(&path));
    let refused = fixture::refused().await;
    let first = running.recorder.refusal(&refused).await.unwrap();
    until("the disk is found full", || {
        running.count(RecordResult::Failed) > 0
    })
    .await;
    assert_eq!(
        running.recorder.refusal(&refused).await.unwrap_err(),
        RecordUnavailable
    );
    drop(first);
    // Room: the name leads to a real file, as after a rotation to another disk.
    let room = folder.path().join("room.jsonl");
    symlink(&room, folder.path().join("next")).unwrap();
    fs::rename(folder.path().join("next"), &path).unwrap();
    running.recorder.reopen();
    until("it writes again", || {
        running.count(RecordResult::Written) == 1
    })
    .await;
    drop(running.recorder.refusal(&refused).await.unwrap());
    running.thread.finish(PATIENCE).unwrap();
    assert_eq!(
        records(&room).len(),
        4,
        "the record that had to wait is there too"
    );
}

#[tokio::test]
async fn the_end_reports_records_that_could_not_be_written() {
    let running = Running::start(&settings(Path::new("/dev/full")));
    drop(
        running
            .recorder
            .refusal(&fixture::refused().await)
            .await
            .unwrap(),
    );
    let result = running.thread.finish(PATIENCE);
    assert!(
        matches!(result, Err(RecordError::Unwritten(_))),
        "{result:?}"
    );
    let after = running.recorder.refusal(&fixture::refused().await).await;
    assert_eq!(
        after.unwrap_err(),
        RecordUnavailable,
        "nobody writes any more"
    );
}

#[tokio::test]
async fn dangerous_drop_lets_calls_go_on_and_counts_what_is_lost() {
    let mut settings = settings(Path::new("/dev/full"));
    settings.overflow = Overflow::DangerousDrop;
    let running = Running::start(&settings);
    let refused = fixture::refused().await;
    drop(running.recorder.refusal(&refused).await.unwrap());
    until("the disk is found full", || {
        running.count(RecordResult::Failed) > 0
    })
    .await;
    let lost = running.recorder.refusal(&refused).await.unwrap();
    assert_eq!(running.count(RecordResult::Dropped), 1);
    drop(lost);
}

#[tokio::test]
async fn starts_on_a_fresh_line_after_a_crash_and_follows_a_rotation() {
    let (folder, path) = file();
    fs::write(&path, "{\"id\":\"whole\"}\n{\"id\":\"torn").unwrap();
    let running = Running::start(&settings(&path));
    let refused = fixture::refused().await;
    drop(running.recorder.refusal(&refused).await.unwrap());
    until("it is written", || {
        running.count(RecordResult::Written) == 1
    })
    .await;
    let rotated = folder.path().join("records.1");
    fs::rename(&path, &rotated).unwrap();
    running.recorder.reopen();
    until("the file is there again", || path.exists()).await;
    drop(running.recorder.refusal(&refused).await.unwrap());
    running.thread.finish(PATIENCE).unwrap();
    let old = fs::read_to_string(&rotated).unwrap();
    let lines: Vec<_> = old.lines().collect();
    assert_eq!(lines[..2], ["{\"id\":\"whole\"}", "{\"id\":\"torn"]);
    for line in &lines[2..] {
        serde_json::from_str::<Value>(line).unwrap();
    }
    assert_eq!(lines.len() - 2 + records(&path).len(), 4);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_an_error_at_the_start() {
    let metrics = Metrics::new().unwrap();
    let fault = Recorder::start(&settings(Path::new("/nowhere/records.jsonl")), metrics);
    assert!(matches!(fault, Err(RecordError::Open { .. })));
}

#[tokio::test]
async fn the_live_tail_shows_each_decision_and_never_waits_for_a_watcher() {
    let (_folder, path) = file();
    let running = Running::start(&settings(&path));
    let mut watcher = running.recorder.subscribe();
    let blocked = fixture::decided(Who::Autonomous, "/hr/people/7", Some(RiskLevel::High)).await;
    drop(running.recorder.decision(&blocked).await.unwrap());
    let line = watcher.recv().await.unwrap();
    assert_eq!(line.caller.as_deref(), Some("hr-agent-01"));
    assert_eq!(line.caller_kind, Some("agent_identity"));
    assert_eq!(line.path.as_deref(), Some("/hr/people/{person}"));
    assert_eq!(line.effect, Effect::Block);
    assert_eq!(
        *line.policies,
        [Arc::<str>::from(
            "Agents - block high risk agent identities"
        )]
    );
    let refused = fixture::refused().await;
    for _ in 0..tail::LINES * 2 {
        drop(running.recorder.refusal(&refused).await.unwrap());
    }
    let missed = watcher.recv().await.unwrap_err();
    assert!(
        matches!(missed, broadcast::error::RecvError::Lagged(_)),
        "{missed}"
    );
    assert_eq!(
        watcher.recv().await.unwrap().reason,
        Reason::CredentialMissing
    );
}

#[tokio::test]
async fn no_line_holds_a_piece_of_the_token_or_the_query() {
    let decided = fixture::decided(Who::OnBehalfOf, "/hr/people/7?api_key=hunter2", None).await;
    let header = decided.received().headers()["authorization"]
        .to_str()
        .unwrap();
    let token = header.strip_prefix("Bearer ").unwrap();
    let line = fixture::line(&Source::of(&decided), true);
    let line = String::from_utf8(line).unwrap();
    for part in token.split('.') {
        assert!(!line.contains(part));
    }
    assert!(!line.contains("hunter2") && !line.contains("api_key"));
}

#[test]
fn recording_may_be_awaited_on_any_runtime() {
    fn is_send<F: Send>(_: fn(&'static Recorder, &'static Decided) -> F) {}
    is_send(Recorder::decision);
}
