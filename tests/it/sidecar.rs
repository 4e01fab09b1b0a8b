//! A gateway beside one API, configured by environment variables alone.

use std::process::Command;

use boomgate::config::sidecar::{self, Unset, VARIABLES};
use http::Method;
use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::process::{Process, command};
use crate::support::site::{AGENT, Ground, OTHER_AGENT, RESOURCE, Setup, TENANT, block};

/// A sidecar on this ground, which lies where a pod would mount it.
pub(crate) fn sidecar(ground: &Ground, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    for variable in VARIABLES {
        command.env_remove(variable.name);
    }
    let paths = [
        ("BOOMGATE_TLS_CERTIFICATE_FILE", "../server.pem"),
        ("BOOMGATE_TLS_KEY_FILE", "../server.key"),
        ("BOOMGATE_ADMIN_TOKEN_FILE", "admin-token"),
        ("BOOMGATE_KEYS_FILE", "keys.json"),
        ("BOOMGATE_POLICIES_DIR", "policies"),
        ("BOOMGATE_DIRECTORY_DIR", "agents"),
        ("BOOMGATE_RISK_FILE", "risky.json"),
        ("BOOMGATE_STATE_DIR", "state"),
        ("BOOMGATE_RECORDS_FILE", "records.jsonl"),
    ];
    for (name, path) in paths {
        command.env(name, ground.path(path));
    }
    command
        .env(
            "BOOMGATE_UPSTREAM_URL",
            format!("http://{}", ground.upstream.address),
        )
        .env("BOOMGATE_APP_ID", RESOURCE)
        .env("BOOMGATE_TENANT_ID", TENANT)
        .env("BOOMGATE_LISTEN", "127.0.0.1:0")
        .env("BOOMGATE_MANAGEMENT_LISTEN", "127.0.0.1:0")
        .env("BOOMGATE_LOG_FORMAT", "text");
    command
}

#[tokio::test]
async fn variables_and_mounted_files_are_enough() {
    let one_agent =
        json!({"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}});
    let ground = Ground::lay(&Setup {
        policies: vec![block("other", one_agent)],
        ..Setup::default()
    })
    .await;
    let mut gateway = Gateway::of(Process::of(sidecar(&ground, &["run"]))).await;
    let status = async |path: &str, agent: &str| {
        let token = ground.agent_token(agent);
        gateway.get(&ground.pki, path, &token).await.status.as_u16()
    };
    assert_eq!(status("/whatever/path", AGENT).await, 200);
    assert_eq!(status("/whatever/path", OTHER_AGENT).await, 403);

    // A file that a pod mounts is followed, as for every other gateway.
    let (name, policy) = block("all", json!({}));
    std::fs::write(ground.path("policies").join(name), policy.to_string()).unwrap();
    for _ in 0..500 {
        if status("/whatever/path", AGENT).await == 403 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(status("/whatever/path", AGENT).await, 403);
    // The kubelet has no token.
    let client = crate::support::client::Client::http1(&ground.pki, gateway.management).await;
    let probe = http::Request::get("/readyz").header("host", "localhost");
    let ready = crate::support::site::exchange(client, probe, "").await;
    assert_eq!(ready.status, 200, "{ready:?}");
    let metrics = gateway
        .manage(&ground.pki, Method::GET, "/metrics", "")
        .await;
    assert_eq!(metrics.status, 200);

    gateway.process.signal("TERM");
    assert!(gateway.process.end().await.success());
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_told_by_the_variables_name() {
    let ground = Ground::lay(&Setup::default()).await;
    let told = |change: &dyn Fn(&mut Command), code: i32, expected: &[&str]| {
        let mut command = sidecar(&ground, &["check"]);
        change(&mut command);
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        for text in expected {
            assert!(said.contains(text), "{text}: {said}");
        }
    };
    // No policy is there, which no gateway takes for "no rules".
    told(&|_| (), 78, &["policies"]);
    let (name, policy) = block("all", json!({}));
    std::fs::write(ground.path("policies").join(name), policy.to_string()).unwrap();
    told(&|_| (), 0, &[]);
    let missing = |command: &mut Command| {
        command
            .env_remove("BOOMGATE_APP_ID")
            .env_remove("BOOMGATE_TENANT_ID");
    };
    told(
        &missing,
        78,
        &[
            "`BOOMGATE_APP_ID` is not set, expected the appId",
            "`BOOMGATE_TENANT_ID` is not set, expected the id",
            "--config FILE",
        ],
    );
    let wrong = |command: &mut Command| {
        command
            .env("BOOMGATE_WORKERS", "many")
            .env("BOOMGATE_UNAUTHENTICATED_PROBES", "yes");
    };
    told(
        &wrong,
        78,
        &[
            "`BOOMGATE_WORKERS` is `many`, expected a whole number",
            "`yes`, expected true or false",
        ],
    );
    // Whatever else is wrong is found as in a file.
    let of_the_file = |command: &mut Command| {
        command.env("BOOMGATE_UPSTREAM_URL", "ftp://${HOME}");
    };
    told(
        &of_the_file,
        78,
        &[
            "@environment:",
            "resources[0].upstream.url",
            "is not an upstream's address",
        ],
    );
}

/// `docs/sidecar.md` has every variable with what holds where it is not set.
#[test]
fn every_variable_is_in_the_documentation() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sidecar.md");
    let page = std::fs::read_to_string(page).unwrap();
    for variable in VARIABLES {
        let unset = match variable.unset {
            Unset::Refused(_) => "must be set".to_owned(),
            Unset::Value(text) => format!("`{text}`"),
            Unset::Of(other) => format!("`{other}`"),
            Unset::ValueOrSpiffe(text) => format!("`{text}`, or SPIFFE"),
            Unset::Usual => "as in a file".to_owned(),
        };
        let member = variable.member.replace(".0.", "[0].");
        let row = format!("| `{}` | `{member}` | {unset} |", variable.name);
        assert!(page.contains(&row), "{row}");
    }
    assert!(page.contains(sidecar::ENVIRONMENT));
}
