//! A process that is ended in the middle of changes, and one that may not write: no file is torn, and nobody is told that
//! something was written which was not.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::{POLICIES, blocking, error};
use crate::support::client::Client;
use crate::support::process::{Process, listening_at, run};
use crate::support::site::{ADMIN_TOKEN, AGENT_USER, Answer, Ground, OTHER_AGENT, Setup, exchange};

/// The control plane of a process.
#[derive(Clone)]
struct Gateway {
    ground: Arc<Ground>,
    management: SocketAddr,
}

impl Gateway {
    async fn of(process: &mut Process, ground: &Arc<Ground>) -> Self {
        let listens =
            async |process: &Process| listening_at(&process.stderr(), "management").is_some();
        process.until("it listens", listens).await;
        Self {
            ground: Arc::clone(ground),
            management: listening_at(&process.stderr(), "management").unwrap(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        let client = Client::http1(&self.ground.pki, self.management).await;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        exchange(client, request, body).await
    }
}

async fn ground() -> Arc<Ground> {
    let setup = Setup {
        policies: policies(),
        ..Setup::default()
    };
    Arc::new(Ground::lay(&setup).await)
}

/// Two policies, one of them in a list with another.
fn policies() -> Vec<(String, Value)> {
    let named = |id: &str| {
        let mut policy = blocking(OTHER_AGENT);
        policy["id"] = json!(id);
        policy["description"] = json!("0");
        policy
    };
    vec![
        ("a.json".to_owned(), named("a")),
        (
            "list.json".to_owned(),
            json!({"value": [named("b"), named("c")]}),
        ),
    ]
}

#[tokio::test]
async fn a_process_that_is_killed_in_the_middle_of_changes_leaves_every_file_whole() {
    let ground = ground().await;
    let config = ground.path("boomgate.yaml");
    let config = config.to_str().unwrap();
    for round in 0..6 {
        let mut process = Process::start(&["run", "--config", config]);
        let gateway = Gateway::of(&mut process, &ground).await;
        let written = Arc::new(AtomicUsize::new(0));
        let refused = Arc::new(AtomicUsize::new(0));
        let writers = ["a", "b", "new"].map(|id| {
            let (gateway, written) = (gateway.clone(), Arc::clone(&written));
            let refused = Arc::clone(&refused);
            tokio::spawn(async move {
                for at in 0.. {
                    // Long enough for a file of many pages.
                    let text = format!("{at} ").repeat(20_000);
                    let patch = json!({"description": text}).to_string();
                    let answer = if id == "new" {
                        let mut policy = blocking(OTHER_AGENT);
                        policy["description"] = json!(text);
                        gateway
                            .send(Method::POST, POLICIES, &policy.to_string())
                            .await
                    } else {
                        gateway
                            .send(Method::PATCH, &format!("{POLICIES}/{id}"), &patch)
                            .await
                    };
                    let counter = if answer.status.is_success() {
                        &written
                    } else {
                        &refused
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        process
            .until("some changes are made", async |_| {
                written.load(Ordering::Relaxed) > round
            })
            .await;
        process.signal("KILL");
        process.end().await;
        for writer in writers {
            writer.abort();
        }
        assert_eq!(refused.load(Ordering::Relaxed), 0);
        for entry in fs::read_dir(ground.path("policies")).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                assert_whole(&fs::read(&path).unwrap());
            }
        }
        let checked = run(&["check", "--config", config]);
        assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    }
}

/// Every policy of the file has one of the descriptions that were sent, from its start to its end.
fn assert_whole(bytes: &[u8]) {
    let file: Value = serde_json::from_slice(bytes).unwrap();
    let policies = file["value"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![file]);
    for policy in policies {
        let text = policy["description"].as_str().unwrap();
        let number = text.split(' ').next().unwrap();
        let is_whole = text == "0" || text == format!("{number} ").repeat(20_000);
        assert!(is_whole, "{} bytes", text.len());
    }
}

#[tokio::test]
async fn a_folder_that_the_process_may_not_write_is_told_and_stays_as_it_is() {
    let ground = ground().await;
    let folder = ground.path("policies");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let config = ground.path("boomgate.yaml");
    // Permissions hold for the administrator of the machine too.
    let mut process = Process::start_confined(&["run", "--config", config.to_str().unwrap()]);
    let gateway = Gateway::of(&mut process, &ground).await;
    let before = fs::read(folder.join("a.json")).unwrap();
    let new = blocking(OTHER_AGENT).to_string();
    for (method, path, body) in [
        (Method::POST, POLICIES.to_owned(), new.as_str()),
        (
            Method::PATCH,
            format!("{POLICIES}/a"),
            "{\"state\": \"disabled\"}",
        ),
        (Method::DELETE, format!("{POLICIES}/a"), ""),
    ] {
        let refused = gateway.send(method, &path, body).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.json());
        let (code, message) = error(&refused);
        assert_eq!(code, "Conflict");
        assert!(
            message.contains("cannot be written: permission denied"),
            "{message}"
        );
    }
    assert_eq!(fs::read(folder.join("a.json")).unwrap(), before);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_directory_that_the_process_may_not_write_is_told_and_stays_as_it_is() {
    let ground = ground().await;
    let folder = ground.path("agents");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let config = ground.path("boomgate.yaml");
    let mut process = Process::start_confined(&["run", "--config", config.to_str().unwrap()]);
    let gateway = Gateway::of(&mut process, &ground).await;
    let before = fs::read(folder.join("agents.json")).unwrap();
    for path in [
        format!("/beta/servicePrincipals/{OTHER_AGENT}"),
        format!("/v1.0/users/{AGENT_USER}"),
    ] {
        let refused = gateway
            .send(Method::PATCH, &path, "{\"accountEnabled\": false}")
            .await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.json());
        let (code, message) = error(&refused);
        assert_eq!(code, "Conflict");
        let expected = "cannot be written: permission denied";
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(fs::read(folder.join("agents.json")).unwrap(), before);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
}
