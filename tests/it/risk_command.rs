//! `boomgate risk` as operators run it: the real binary against a running gateway, over TLS.

use std::path::PathBuf;

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::pki::Pki;
use crate::support::process::{Ended, Process, run, run_in};
use crate::support::site::{
    ADMIN_TOKEN, AGENT, AGENT_USER, Ground, OTHER_AGENT, PRINCIPAL, Setup, Site, block, start,
};

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

    /// The options with their values.
    fn options(&self) -> [(&str, &str); 3] {
        [
            ("--management", &self.management),
            ("--ca-file", self.ca_file.to_str().unwrap()),
            ("--admin-token-file", self.token_file.to_str().unwrap()),
        ]
    }

    /// Runs `boomgate risk`; whatever comes of it, the token is in no output.
    async fn run(&self, arguments: &[&str]) -> Ended {
        let options = self.options().map(|(name, value)| [name, value]).concat();
        let mut process = Process::start(&[&["risk"], arguments, &options].concat());
        let code = process.end().await.code();
        let (stdout, stderr) = (process.stdout(), process.stderr());
        for text in [&stdout, &stderr] {
            assert!(!text.contains(ADMIN_TOKEN), "the token shows: {text}");
            assert!(!text.contains('\u{1b}'), "colours in a pipe: {text}");
        }
        Ended {
            code,
            stdout,
            stderr,
        }
    }
}

/// Holds a run to be a success, and gives what it printed.
fn fine(ended: Ended) -> String {
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    ended.stdout
}

/// Holds a run to be a failure that printed nothing, and gives what it said.
fn failed(ended: Ended, code: i32) -> String {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""));
    ended.stderr
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The cells of a table, line by line.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let cells = |line| str::split(line, "  ").map(str::trim);
    let rows = text.lines().map(cells);
    rows.map(|row| row.filter(|cell| !cell.is_empty()).collect())
        .collect()
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
    let table = fine(Access::of(&site).run(&["list"]).await);
    let titles = "ID,NAME,KIND,LEVEL,STATE,DETAIL,LAST MODIFIED";
    let told = "adminConfirmedSigninCompromised,2026-09-01T08:00:00Z";
    let expected = [
        titles.to_owned(),
        format!("spiffe://t/a?b,-,agentIdentity,high,atRisk,{told}"),
        format!("{OTHER_AGENT},other-agent,agentIdentity,low,atRisk,{told}"),
        format!("{AGENT_USER},hr-agent-user,agentUser,high,dismissed,{told}"),
    ];
    let rows: Vec<String> = rows(&table).iter().map(|row| row.join(",")).collect();
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn a_list_of_nobody_says_so() {
    let site = Site::start(Setup::default()).await;
    let access = Access::of(&site);
    let text = fine(access.run(&["list"]).await);
    assert_eq!(text, "No risk was reported of any agent.\n");
    let text = fine(access.run(&["list", "--output", "json"]).await);
    assert_eq!(parsed(&text), json!({"value": []}));
}

#[tokio::test]
async fn one_agent_is_shown_whatever_its_id_holds() {
    let site = site().await;
    let access = Access::of(&site);
    let table = fine(access.run(&["show", "spiffe://t/a?b"]).await);
    let rows = rows(&table);
    assert_eq!(rows.len(), 9, "{table}");
    for row in [
        ["id", "spiffe://t/a?b"],
        ["level", "high"],
        ["enabled", "true"],
    ] {
        assert!(rows.iter().any(|cells| cells == &row), "{row:?}\n{table}");
    }
    let text = fine(access.run(&["show", OTHER_AGENT, "--output", "json"]).await);
    let agent = parsed(&text);
    assert_eq!(
        (&agent["id"], &agent["riskLevel"]),
        (&json!(OTHER_AGENT), &json!("low"))
    );
}

#[tokio::test]
async fn an_agent_of_which_nothing_was_reported_is_not_found() {
    let site = site().await;
    let access = Access::of(&site);
    let said = failed(access.run(&["show", AGENT]).await, 1);
    let expected = format!(
        "boomgate: agent `{AGENT}`: `{}` answered 404 Not Found: no risk was ever reported of an agent with this id\n",
        access.management
    );
    assert_eq!(said, expected);
}

#[tokio::test]
async fn each_word_counts_for_the_next_call_and_shows_what_it_changed() {
    let site = site().await;
    let access = Access::of(&site);
    let mut before = 200;
    for (verb, level, state, next) in [
        ("confirm-compromised", "high", "confirmedCompromised", 403),
        ("confirm-safe", "none", "confirmedSafe", 200),
        ("confirm-compromised", "high", "confirmedCompromised", 403),
        ("dismiss", "none", "dismissed", 200),
    ] {
        assert_eq!(status(&site, AGENT).await, before, "before {verb}");
        let table = fine(access.run(&[verb, AGENT, OTHER_AGENT]).await);
        let rows = rows(&table);
        let shown: Vec<_> = rows
            .iter()
            .skip(1)
            .map(|row| [row[0], row[3], row[4]])
            .collect();
        assert_eq!(shown, [[AGENT, level, state], [OTHER_AGENT, level, state]]);
        for agent in [AGENT, OTHER_AGENT] {
            assert_eq!(status(&site, agent).await, next, "after {verb}");
        }
        before = next;
    }
}

#[tokio::test]
async fn an_agent_that_nobody_knows_can_be_stopped_in_advance() {
    let site = site().await;
    let new = "A9A9A9A9-0000-4000-8000-000000000099";
    let arguments = ["confirm-compromised", new, "--output", "json"];
    let text = fine(Access::of(&site).run(&arguments).await);
    let agent = &parsed(&text)["value"][0];
    assert_eq!(agent["id"], new.to_lowercase());
    assert_eq!(agent["riskState"], "confirmedCompromised");
    assert_eq!(status(&site, &new.to_lowercase()).await, 403);
}

#[tokio::test]
async fn a_list_goes_over_all_pages_and_is_a_file_that_a_configuration_reads() {
    let agent = |at: usize| format!("a9a9a9a9-0000-4000-8000-{at:012}");
    let risky = (0..603).map(|at| reported(&agent(at), "agentIdentity", "low", "atRisk"));
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
    let text = fine(Access::of(&site).run(&["list", "--output", "json"]).await);
    let list = parsed(&text);
    let ids: Vec<&str> = list["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|agent| agent["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 604);
    assert_eq!(ids[0], PRINCIPAL);
    assert!((0..603).all(|at| ids[at + 1] == agent(at)));
    let (entries, faults) = boomgate::risk::read::read("risky.json", text.as_bytes());
    assert_eq!((entries.len(), faults.sorted()), (604, Vec::new()));
}

#[tokio::test]
async fn a_token_that_is_refused_is_named_by_its_file() {
    let site = site().await;
    let mut access = Access::of(&site);
    access.token_file = site.path("other-token");
    let other = "another-token-of-forty-characters-here-x";
    std::fs::write(&access.token_file, other).unwrap();
    for arguments in [&["list"][..], &["confirm-compromised", AGENT]] {
        let ended = access.run(arguments).await;
        assert!(!ended.stderr.contains(other), "the token shows: {ended:?}");
        let expected = format!(
            "boomgate: `{}` refused the token of `{}` (401 Unauthorized)\n",
            access.management,
            access.token_file.display()
        );
        assert_eq!(failed(ended, 1), expected);
    }
    assert_eq!(status(&site, AGENT).await, 200);
}

#[tokio::test]
async fn a_gateway_of_another_ca_gets_no_token() {
    let site = site().await;
    let stranger = Pki::new();
    let mut access = Access::of(&site);
    access.ca_file = stranger.path("ca.pem");
    let said = failed(access.run(&["confirm-compromised", AGENT]).await, 1);
    assert!(said.contains(&access.management), "{said}");
    assert!(said.contains("invalid peer certificate"), "{said}");
    assert_eq!(status(&site, AGENT).await, 200);
}

#[tokio::test]
async fn a_gateway_that_has_stopped_is_named_with_the_cause() {
    let ground = Ground::lay(&Setup::default()).await;
    let app = start(&ground.path(""));
    let access = Access {
        management: format!("https://{}", app.management()),
        ca_file: ground.pki.path("ca.pem"),
        token_file: ground.path("admin-token"),
    };
    app.stop().await.unwrap();
    let said = failed(access.run(&["list"]).await, 1);
    let expected = format!("boomgate: `{}` cannot be asked: ", access.management);
    assert!(said.starts_with(&expected), "{said}");
    assert!(said.contains("Connection refused"), "{said}");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_bad_input() {
    let site = site().await;
    let empty = site.path("empty");
    std::fs::write(&empty, "\n").unwrap();
    let absent = site.path("absent");
    for (ca_file, token_file, expected) in [
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
        let said = failed(access.run(&["list"]).await, 65);
        let file = ca_file.or(token_file).unwrap().display().to_string();
        assert!(said.contains(expected) && said.contains(&file), "{said}");
    }
}

#[tokio::test]
async fn the_environment_may_say_each_option() {
    let site = site().await;
    for (variable, option) in [
        ("BOOMGATE_MANAGEMENT", "--management"),
        ("BOOMGATE_CA_FILE", "--ca-file"),
        ("BOOMGATE_ADMIN_TOKEN_FILE", "--admin-token-file"),
    ] {
        let (access, folder) = (Access::of(&site), site.path(""));
        // The control plane runs in the runtime of this test, which must not wait here.
        let ended = tokio::task::spawn_blocking(move || {
            let mut arguments = vec!["risk", "show", OTHER_AGENT];
            let mut said = "";
            for (name, value) in access.options() {
                if name == option {
                    said = value;
                } else {
                    arguments.extend([name, value]);
                }
            }
            run_in(&folder, (variable, said), &arguments)
        });
        let table = fine(ended.await.unwrap());
        assert!(table.contains(OTHER_AGENT), "{variable}: {table}");
    }
}

#[tokio::test]
async fn wrong_usage_asks_nobody() {
    let mut access = Access {
        management: "https://127.0.0.1:1".to_owned(),
        ca_file: "absent".into(),
        token_file: "absent".into(),
    };
    for arguments in [
        &["confirm-compromised"][..],
        &["confirm-compromised", "two words"],
        &["show"],
        &["list", AGENT],
        &["forgive", AGENT],
        &["list", "--admin-token", "x"],
    ] {
        failed(access.run(arguments).await, 2);
    }
    access.management = "http://127.0.0.1:1".to_owned();
    let said = failed(access.run(&["list"]).await, 2);
    assert!(said.contains("https://host"), "{said}");
    let said = failed(run(&["risk", "list"]), 2);
    assert!(said.contains("--admin-token-file"), "{said}");
}
