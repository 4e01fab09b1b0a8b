//! `boomgate demo`: its files, the commands that it prints, its line per decision, its end.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{Process, run};

/// The callers of `tokens/`.
const CALLERS: [&str; 10] = [
    "hr-agent",
    "finance-agent",
    "new-agent",
    "compromised-agent",
    "agent-user",
    "on-behalf-of",
    "human",
    "no-markers",
    "expired",
    "forged",
];

/// The commands that a demo prints, by what they call as whom, and the status that its guide promises for each.
/// Boomgate's own command ends with a table, and has none.
const PROMISED: [(&str, &str, &str); 9] = [
    ("hr-agent.jwt", "/hr/people", "200"),
    ("new-agent.jwt", "/hr/people", "403"),
    ("compromised-agent.jwt", "/hr/people", "403"),
    ("finance-agent.jwt", "/finance/invoices", "200"),
    ("admin-token", "/riskyAgents/confirmCompromised", "204"),
    ("/boomgate risk confirm-compromised ", "/admin-token", ""),
    ("hr-agent.jwt", "/hr/people", "403"),
    ("admin-token", "/identityProtection/riskyAgents", "200"),
    ("ca.pem", "/metrics", "200"),
];

/// The name of the folder: one that a shell takes for two words.
const NAME: &str = "a demo";

const FREE_PORTS: [&str; 4] = ["--port", "0", "--management-port", "0"];

/// A demo that runs.
struct Demo {
    folder: TempDir,
    process: Process,
}

impl Demo {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let dir = folder.path().join(NAME);
        let arguments = ["demo", "--dir", dir.to_str().unwrap()];
        let mut process = Process::start(&[&arguments[..], &FREE_PORTS].concat());
        process
            .until("the guide is printed", async |process| {
                process.stdout().contains("Ctrl-C")
            })
            .await;
        Self { folder, process }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(NAME).join(name)
    }

    /// The port of the gateway, or of management, as the guide says it.
    fn port(&self, of: &str) -> String {
        let guide = self.process.stdout();
        let mut lines = guide.lines().map(str::trim);
        let line = lines.find(|line| line.starts_with(of)).unwrap();
        line.rsplit(':').next().unwrap().to_owned()
    }

    /// The commands of the guide.
    fn commands(&self) -> Vec<String> {
        let guide = self.process.stdout();
        let is_command = |line: &&str| line.starts_with("curl ") || line.contains(" risk confirm");
        let lines = guide.lines().filter(is_command);
        lines.map(ToOwned::to_owned).collect()
    }

    /// The lines below the guide.
    fn decisions(&self) -> Vec<String> {
        let printed = self.process.stdout();
        let (_, below) = printed.split_once("Decisions appear below.\n").unwrap();
        let lines = below.lines().filter(|line| !line.is_empty());
        lines.map(ToOwned::to_owned).collect()
    }
}

/// Whether this machine has curl. Under `tests/run`, which installs it, it must.
fn has_curl() -> bool {
    let has = Command::new("curl").arg("--version").output().is_ok();
    let under_run = std::env::var_os("BOOMGATE_TESTS_RUN").is_some();
    assert!(has || !under_run, "tests/run must install curl");
    if !has {
        println!("needs tests/run: there is no curl on this machine");
    }
    has
}

/// Pastes commands into a shell, as they are; gives the status of each call of curl, which its own file of options
/// has it say.
fn paste(demo: &Demo, commands: &str) -> Vec<String> {
    let home = demo.folder.path();
    let options = "silent\nshow-error\nwrite-out = \"\\nstatus %{http_code}\\n\"\n";
    std::fs::write(home.join(".curlrc"), options).unwrap();
    let output = Command::new("bash")
        .args(["-c", commands])
        .env("CURL_HOME", home)
        .env("DIR", demo.path(""))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{commands}: {stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let statuses = stdout
        .lines()
        .filter_map(|line| line.strip_prefix("status "));
    statuses.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn files_are_as_promised_and_secrets_are_their_owners_only() {
    let mut demo = Demo::start().await;
    let tokens = CALLERS.map(|caller| format!("tokens/{caller}.jwt"));
    for name in tokens.iter().map(String::as_str).chain(["admin-token"]) {
        let secret = demo.path(name);
        assert!(!std::fs::read_to_string(&secret).unwrap().is_empty());
        let mode = std::fs::metadata(&secret).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(std::fs::read_dir(demo.path("tokens")).unwrap().count(), 10);
    for name in ["gateway.yaml", "ca.pem"] {
        assert!(demo.path(name).is_file(), "{name}");
    }
    let config = demo.path("gateway.yaml");
    let checked = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(checked.code, Some(0), "{}", checked.stdout);
    assert!(!checked.stdout.contains("warning"), "{}", checked.stdout);
    demo.process.signal("INT");
    assert_eq!(demo.process.end().await.code(), Some(0));
}

#[tokio::test]
async fn every_command_of_the_guide_works_when_pasted_and_every_decision_is_a_line() {
    if !has_curl() {
        return;
    }
    let mut demo = Demo::start().await;
    let commands = demo.commands();
    assert_eq!(commands.len(), PROMISED.len(), "{commands:#?}");
    for (command, (file, path, status)) in commands.iter().zip(PROMISED) {
        assert!(
            command.contains(file) && command.ends_with(path),
            "{command}"
        );
        assert_eq!(paste(&demo, command), [status], "{command}");
    }
    demo.process
        .until("there is a line for each decision", async |process| {
            process.stdout().matches(" µs").count() >= 5
        })
        .await;
    let expected = [
        ("allow", "hr-agent", "/hr/people"),
        ("block", "new-agent", "/hr/people"),
        ("block", "compromised-agent", "/hr/people"),
        ("allow", "finance-agent", "/finance/invoices"),
        ("block", "hr-agent", "/hr/people"),
    ];
    let decisions = demo.decisions();
    assert_eq!(decisions.len(), expected.len(), "{decisions:#?}");
    for (line, (effect, caller, path)) in decisions.iter().zip(expected) {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[1..3], [effect, caller], "{line}");
        assert!(words.contains(&path), "{line}");
    }

    demo.process.signal("INT");
    assert_eq!(demo.process.end().await.code(), Some(0));
    assert!(demo.process.stdout().ends_with("\nDraining.\n"));
    assert_eq!(demo.process.stderr(), "");
    let records = std::fs::read_to_string(demo.path("records.jsonl")).unwrap();
    let records = records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let decisions = records.filter(|record| record["boomgate"]["decision"].is_string());
    assert_eq!(decisions.count(), expected.len());
}

/// The commands that the README has beside the demo do what it says.
#[tokio::test]
async fn the_readme_tells_the_truth() {
    if !has_curl() {
        return;
    }
    let demo = Demo::start().await;
    let readme = include_str!("../../../README.md");
    let mut blocks = readme.split("```sh\n").skip(2);
    let mut block = || {
        let (block, _) = blocks.next().unwrap().split_once("```").unwrap();
        let ported = block.replace(":8443", &format!(":{}", demo.port("gateway")));
        ported.replace(":9443", &format!(":{}", demo.port("management")))
    };
    let calls = block();
    let promises = calls.lines().filter(|line| line.starts_with("call "));
    let promised: Vec<_> = promises
        .map(|line| match line.split_once('#').unwrap().1 {
            said if said.contains("forwarded") => "200",
            said if said.contains("blocked") => "403",
            said if said.contains("401") => "401",
            said => panic!("what is promised by `{said}`?"),
        })
        .collect();
    assert!(promised.len() > 4);
    assert_eq!(paste(&demo, &calls), promised);
    assert_eq!(paste(&demo, &block()), ["204"]);
    assert_eq!(
        paste(&demo, &calls)[0],
        "403",
        "the agent is compromised now"
    );
}

#[tokio::test]
async fn no_token_is_printed() {
    if !has_curl() {
        return;
    }
    let mut demo = Demo::start().await;
    let command = &demo.commands()[0];
    let secrets: Vec<_> = CALLERS
        .map(|caller| format!("tokens/{caller}.jwt"))
        .into_iter()
        .chain(["admin-token".to_owned()])
        .map(|name| std::fs::read_to_string(demo.path(&name)).unwrap())
        .collect();
    for caller in CALLERS {
        paste(&demo, &command.replace("hr-agent", caller));
    }
    demo.process
        .until("there is a line for each decision", async |process| {
            process.stdout().matches(" µs").count() >= CALLERS.len()
        })
        .await;
    demo.process.signal("INT");
    assert_eq!(demo.process.end().await.code(), Some(0));
    let records = std::fs::read_to_string(demo.path("records.jsonl")).unwrap();
    for text in [demo.process.stdout(), demo.process.stderr(), records] {
        for piece in secrets.iter().flat_map(|secret| secret.split('.')) {
            assert!(!text.contains(piece.get(..24).unwrap()), "{text}");
        }
    }
}

#[tokio::test]
async fn an_edit_that_is_not_understood_shows_beside_the_decisions() {
    let mut demo = Demo::start().await;
    std::fs::write(demo.path("policies/bad.json"), "{").unwrap();
    demo.process
        .until("the fault is shown", async |process| {
            process.stderr().contains("policies/bad.json:1:1: error: ")
        })
        .await;
    demo.process.signal("TERM");
    assert_eq!(demo.process.end().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_demo_says_which_port_is_taken_and_how_to_choose_another() {
    let demo = Demo::start().await;
    let (gateway, management) = (demo.port("gateway"), demo.port("management"));
    let second = |port: &str, management_port: &str| {
        let dir = demo.path("../second");
        let arguments = ["demo", "--dir", dir.to_str().unwrap()];
        let ports = ["--port", port, "--management-port", management_port];
        let ended = run(&[&arguments[..], &ports].concat());
        assert!(!dir.exists(), "nothing is left behind");
        ended
    };
    let ended = second(&gateway, "0");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let advice = format!(
        "port {gateway} is taken, perhaps by another demo; choose another with `--port PORT`"
    );
    assert!(ended.stderr.contains(&advice), "{}", ended.stderr);

    let ended = second("0", &management);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let advice = format!(
        "port {management} is taken, perhaps by another demo; choose another with `--management-port PORT`"
    );
    assert!(ended.stderr.contains(&advice), "{}", ended.stderr);
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("ca.pem"), "mine").unwrap();
    let arguments = ["demo", "--dir", folder.path().to_str().unwrap()];
    let ended = run(&[&arguments[..], &FREE_PORTS].concat());
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("is not empty; choose another"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        std::fs::read_to_string(folder.path().join("ca.pem")).unwrap(),
        "mine"
    );
}
