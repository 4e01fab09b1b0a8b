//! `boomgate risk` as operators run it: the real binary against a running gateway, over TLS.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::pki::Pki;
use crate::support::site::{
    ADMIN_TOKEN, AGENT, AGENT_USER, OTHER_AGENT, PRINCIPAL, Setup, Site, block,
};

/// What the command did.
#[derive(Debug)]
struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Done {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The cells of a table, line by line.
    fn rows(&self) -> Vec<Vec<&str>> {
        let cells = |line| str::split(line, "  ").map(str::trim);
        let rows = self.out.lines().map(cells);
        rows.map(|row| row.filter(|cell| !cell.is_empty()).collect())
            .collect()
    }
}

/// What the command is told of the gateway.
struct Access {
    management: String,
    ca_file: PathBuf,
    token_file: PathBuf,
}

impl Access {
    fn of(site: &Site) -> Self {
        Self {
            management: format!("https://{}", site.app.management()),
            ca_file: site.pki.path("ca.pem"),
            token_file: site.path("admin-token"),
        }
    }

    /// Runs `boomgate risk`; whatever comes of it, the token is in no output.
    async fn run(&self, arguments: &[&str]) -> Done {
        let mut command = boomgate();
        command
            .args(arguments)
            .arg("--management")
            .arg(&self.management)
            .arg("--ca-file")
            .arg(&self.ca_file)
            .arg("--admin-token-file")
            .arg(&self.token_file);
        run(command).await
    }
}

fn boomgate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_boomgate"));
    command.env_clear().stdin(Stdio::null()).arg("risk");
    command
}

/// The control plane runs in the runtime of the test, so the test waits elsewhere.
async fn run(mut command: Command) -> Done {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let done = Done {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    for text in [&done.out, &done.err] {
        assert!(!text.contains(ADMIN_TOKEN), "the token shows: {done:?}");
        assert!(!text.contains('\u{1b}'), "colours in a pipe: {done:?}");
    }
    done
}

fn reported(id: &str, kind: &str, level: &str, state: &str) -> Value {
    json!({"id": id, "identityType": kind, "riskLevel": level, "riskState": state,
        "riskDetail": "adminConfirmedSigninCompromised",
        "riskLastModifiedDateTime": "2026-09-01T08:00:00Z"})
}

/// A gateway that blocks at high risk, and knows of some.
async fn site() -> Site {
    Site::start(Setup {
        policies: vec![block("high", json!({"agentIdRiskLevels": "high"}))],
        risky: vec![
            reported(AGENT_USER, "agentUser", "high", "dismissed"),
            reported(OTHER_AGENT, "agentIdentity", "low", "atRisk"),
            reported("spiffe://t/a?b", "agentIdentity", "high", "atRisk"),
        ],
        ..Setup::default()
    })
    .await
}

async fn status(site: &Site, agent: &str) -> StatusCode {
    let token = site.agent_token(agent);
    site.get("/hr/people", &token).await.status
}

#[tokio::test]
async fn a_list_is_a_table_with_the_risky_ones_first() {
    let site = site().await;
    let done = Access::of(&site).run(&["list"]).await;
    assert_eq!(
        (done.code, done.err.as_str()),
        (0, ""),
        "exit code and errors"
    );
    let rows = done.rows();
    let detail = "adminConfirmedSigninCompromised";
    let at = "2026-09-01T08:00:00Z";
    let kind = "agentIdentity";
    assert_eq!(
        rows,
        [
            [
                "ID",
                "NAME",
                "KIND",
                "LEVEL",
                "STATE",
                "DETAIL",
                "LAST MODIFIED"
            ],
            ["spiffe://t/a?b", "-", kind, "high", "atRisk", detail, at],
            [
                OTHER_AGENT,
                "other-agent",
                kind,
                "low",
                "atRisk",
                detail,
                at
            ],
            [
                AGENT_USER,
                "hr-agent-user",
                "agentUser",
                "high",
                "dismissed",
                detail,
                at
            ],
        ]
    );
}

#[tokio::test]
async fn a_list_of_nobody_says_so() {
    let site = Site::start(Setup::default()).await;
    let access = Access::of(&site);
    let done = access.run(&["list"]).await;
    assert_eq!(
        (done.code, done.out.as_str()),
        (0, "No risk was reported of any agent.\n")
    );
    let done = access.run(&["list", "--output", "json"]).await;
    assert_eq!((done.code, done.json()), (0, json!({"value": []})));
}

#[tokio::test]
async fn one_agent_is_shown_whatever_its_id_holds() {
    let site = site().await;
    let access = Access::of(&site);
    let done = access.run(&["show", "spiffe://t/a?b"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    let rows = done.rows();
    assert_eq!(rows.len(), 9, "{done:?}");
    for row in [
        ["id", "spiffe://t/a?b"],
        ["level", "high"],
        ["enabled", "true"],
    ] {
        assert!(rows.iter().any(|cells| cells == &row), "{row:?} {done:?}");
    }
    let done = access.run(&["show", OTHER_AGENT, "--output", "json"]).await;
    assert_eq!(done.json()["id"], OTHER_AGENT);
    assert_eq!(done.json()["riskLevel"], "low");
}

#[tokio::test]
async fn an_agent_of_which_nothing_was_reported_is_not_found() {
    let site = site().await;
    let done = Access::of(&site).run(&["show", AGENT]).await;
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    let said = format!(
        "boomgate: agent `{AGENT}`: `https://{}`",
        site.app.management()
    );
    assert!(done.err.starts_with(&said), "{done:?}");
    let graph = "404 Not Found: no risk was ever reported of an agent with this id\n";
    assert!(done.err.ends_with(graph), "{done:?}");
}

#[tokio::test]
async fn each_word_counts_for_the_next_call_and_shows_what_it_changed() {
    let site = site().await;
    let access = Access::of(&site);
    for (verb, level, state, next) in [
        ("confirm-compromised", "high", "confirmedCompromised", 403),
        ("confirm-safe", "none", "confirmedSafe", 200),
        ("confirm-compromised", "high", "confirmedCompromised", 403),
        ("dismiss", "none", "dismissed", 200),
    ] {
        let before = status(&site, AGENT).await.as_u16();
        assert_eq!(before, if next == 403 { 200 } else { 403 }, "before {verb}");
        let done = access.run(&[verb, AGENT, OTHER_AGENT]).await;
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{verb}");
        let lines: Vec<&str> = done.out.lines().skip(1).collect();
        assert_eq!(lines.len(), 2, "{done:?}");
        for (line, id) in lines.iter().zip([AGENT, OTHER_AGENT]) {
            for word in [id, level, state] {
                assert!(line.split_whitespace().any(|w| w == word), "{line}");
            }
        }
        for agent in [AGENT, OTHER_AGENT] {
            assert_eq!(status(&site, agent).await.as_u16(), next, "after {verb}");
        }
    }
}

#[tokio::test]
async fn an_agent_that_nobody_knows_can_be_stopped_in_advance() {
    let site = site().await;
    let new = "A9A9A9A9-0000-4000-8000-000000000099";
    let arguments = ["confirm-compromised", new, "--output", "json"];
    let done = Access::of(&site).run(&arguments).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.json()["value"][0]["id"], new.to_lowercase());
    assert_eq!(done.json()["value"][0]["riskState"], "confirmedCompromised");
    assert_eq!(
        status(&site, &new.to_lowercase()).await,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_list_goes_over_all_pages_and_is_a_file_that_a_configuration_reads() {
    let agent = |at: usize| format!("a9a9a9a9-0000-4000-8000-{at:012}");
    let risky = (0..1203).map(|at| reported(&agent(at), "agentIdentity", "low", "atRisk"));
    let principal = reported(
        PRINCIPAL,
        "agentIdentityBlueprintPrincipal",
        "medium",
        "atRisk",
    );
    let site = Site::start(Setup {
        risky: risky.chain([principal]).collect(),
        ..Setup::default()
    })
    .await;
    let done = Access::of(&site).run(&["list", "--output", "json"]).await;
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let list = done.json();
    let ids: Vec<&str> = list["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|agent| agent["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 1204);
    assert_eq!(ids[0], PRINCIPAL);
    assert!((0..1203).all(|at| ids[at + 1] == agent(at)));
    let (entries, faults) = boomgate::risk::read::read("risky.json", done.out.as_bytes());
    assert_eq!((entries.len(), faults.sorted()), (1204, Vec::new()));
}

#[tokio::test]
async fn a_token_that_is_refused_is_named_by_its_file() {
    let site = site().await;
    let mut access = Access::of(&site);
    access.token_file = site.path("other-token");
    let other = "another-token-of-forty-characters-here-x";
    std::fs::write(&access.token_file, other).unwrap();
    for arguments in [&["list"][..], &["confirm-compromised", AGENT]] {
        let done = access.run(arguments).await;
        assert_eq!((done.code, done.out.as_str()), (1, ""));
        let said = format!(
            "boomgate: `{}` refused the token of `{}` (401 Unauthorized)\n",
            access.management,
            access.token_file.display()
        );
        assert_eq!(done.err, said);
    }
    assert_eq!(status(&site, AGENT).await, StatusCode::OK);
}

#[tokio::test]
async fn a_gateway_of_another_ca_gets_no_token() {
    let site = site().await;
    let stranger = Pki::new();
    let mut access = Access::of(&site);
    access.ca_file = stranger.path("ca.pem");
    let done = access.run(&["confirm-compromised", AGENT]).await;
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    assert!(done.err.contains(&access.management), "{done:?}");
    assert!(done.err.contains("invalid peer certificate"), "{done:?}");
    assert_eq!(status(&site, AGENT).await, StatusCode::OK);
}

#[tokio::test]
async fn a_gateway_that_has_stopped_is_named_with_the_cause() {
    let Site { app, pki, .. } = site().await;
    let access = Access {
        management: format!("https://{}", app.management()),
        ca_file: pki.path("ca.pem"),
        token_file: pki.path("site/admin-token"),
    };
    app.stop().await.unwrap();
    let done = access.run(&["list"]).await;
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    let said = format!("boomgate: `{}` cannot be asked: ", access.management);
    assert!(done.err.starts_with(&said), "{done:?}");
    assert!(done.err.contains("Connection refused"), "{done:?}");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_bad_input() {
    let site = site().await;
    let empty = site.path("empty");
    std::fs::write(&empty, "\n").unwrap();
    let absent = site.path("absent");
    for (ca_file, token_file, said) in [
        (Some(&empty), None, "there is no CA certificate to trust"),
        (Some(&absent), None, "cannot be read as PEM"),
        (None, Some(&empty), "holds no admin token"),
        (None, Some(&absent), "the admin token cannot be read from"),
    ] {
        let right = Access::of(&site);
        let access = Access {
            management: right.management,
            ca_file: ca_file.cloned().unwrap_or(right.ca_file),
            token_file: token_file.cloned().unwrap_or(right.token_file),
        };
        let done = access.run(&["list"]).await;
        assert_eq!((done.code, done.out.as_str()), (65, ""), "{done:?}");
        let file = ca_file.or(token_file).unwrap().display().to_string();
        assert!(done.err.contains(said), "{done:?}");
        assert!(done.err.contains(&file), "{done:?}");
    }
}

#[tokio::test]
async fn the_environment_may_say_which_gateway() {
    let site = site().await;
    let access = Access::of(&site);
    let mut command = boomgate();
    command
        .args(["show", OTHER_AGENT])
        .env("BOOMGATE_MANAGEMENT", &access.management)
        .env("BOOMGATE_CA_FILE", &access.ca_file)
        .env("BOOMGATE_ADMIN_TOKEN_FILE", &access.token_file);
    let done = run(command).await;
    assert_eq!((done.code, done.err.as_str()), (0, ""));
}

#[tokio::test]
async fn wrong_usage_asks_nobody() {
    let site = site().await;
    let access = Access::of(&site);
    for arguments in [
        &["confirm-compromised"][..],
        &["confirm-compromised", "two words"],
        &["show"],
        &["list", AGENT],
        &["forgive", AGENT],
        &["list", "--admin-token", "x"],
    ] {
        let done = access.run(arguments).await;
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{arguments:?}");
    }
    let mut insecure = Access::of(&site);
    insecure.management = access.management.replace("https:", "http:");
    assert_eq!(insecure.run(&["list"]).await.code, 2);
    let mut command = boomgate();
    command.arg("list");
    let done = run(command).await;
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.err.contains("--admin-token-file"), "{done:?}");
}
