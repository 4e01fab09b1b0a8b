//! `boomgate impact`: what it says of recorded calls is what a gateway does with the other policies, whatever the records
//! come in; what cannot be decided again is said; and memory does not grow with the records.

mod large;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use boomgate::cli::Output;
use boomgate::cli::impact::{Arguments, impact};
use boomgate::config::process_environment;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::effects::callers::{Caller, risky};
use crate::support::process::{Ended, run};
use crate::support::site::{AGENT, AGENT_USER, OTHER_AGENT, Setup, Site, agent, block};

const RISKY: &str = "a9a9a9a9-0000-4000-8000-000000000032";
const STRANGER: &str = "a9a9a9a9-0000-4000-8000-000000000052";
const DISABLED: &str = "a9a9a9a9-0000-4000-8000-000000000022";

fn callers() -> [Caller; 8] {
    [
        Caller::Agent(AGENT),
        Caller::Agent(OTHER_AGENT),
        Caller::Agent(RISKY),
        Caller::Agent(STRANGER),
        Caller::Agent(DISABLED),
        Caller::AgentUser(AGENT_USER, AGENT),
        Caller::OnBehalfOf(OTHER_AGENT),
        Caller::Human,
    ]
}

fn setup(policies: Vec<(String, Value)>) -> Setup {
    let mut setup = Setup::default();
    let mut disabled = agent(DISABLED, "disabled");
    disabled["accountEnabled"] = json!(false);
    setup.directory.extend([agent(RISKY, "risky"), disabled]);
    setup.risky = vec![risky(RISKY, "agentIdentity", "high")];
    setup.policies = policies;
    setup
}

fn only(id: &str) -> Value {
    json!({"clientApplications": {"includeAgentIdServicePrincipals": [id]}})
}

/// What each caller gets: whether it is let through.
async fn answers(site: &Site) -> Vec<bool> {
    let mut answers = Vec::new();
    for caller in callers() {
        answers.push(caller.get(site, "/hr/people").await.status() == 200);
    }
    answers
}

/// The file of a site's records.
fn records(site: &Site) -> String {
    let path = site.path("records.jsonl");
    assert!(path.exists());
    path.to_str().unwrap().to_owned()
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|_| panic!("{}{}", ended.stdout, ended.stderr))
}

#[tokio::test]
async fn says_what_a_gateway_with_the_other_policies_does() {
    let before = Site::start(setup(vec![
        block("high", json!({"agentIdRiskLevels": "high"})),
        block("other", only(OTHER_AGENT)),
    ]))
    .await;
    let mut report = block("report", only(AGENT));
    report.1["state"] = json!("enabledForReportingButNotEnforced");
    let after = Site::start(setup(vec![
        block("first", only(AGENT)),
        block("stranger", only(STRANGER)),
        report,
    ]))
    .await;
    let (was, is) = (answers(&before).await, answers(&after).await);
    let count = |from: bool, to: bool| {
        was.iter()
            .zip(&is)
            .filter(|pair| *pair == (&from, &to))
            .count()
    };
    let records = records(&before);
    let policies = after.path("policies");
    let ended = run(&[
        "impact",
        "--records",
        &records,
        "--policies",
        policies.to_str().unwrap(),
        "--output",
        "json",
    ]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let found = json_of(&ended);
    assert_eq!(found["replayed"], 8, "{found:#}");
    assert_eq!(found["newlyBlocked"], count(true, false), "{found:#}");
    assert_eq!(found["newlyAllowed"], count(false, true), "{found:#}");
    assert_eq!(found["allowedAsBefore"], count(true, true), "{found:#}");
    assert_eq!(found["blockedAsBefore"], count(false, false), "{found:#}");
    // Each of the four happens, or nothing would be shown.
    assert!(
        [(true, false), (false, true), (true, true), (false, false)]
            .iter()
            .all(|(from, to)| count(*from, *to) > 0)
    );
    let policy = |at: usize| {
        (
            found["policies"][at]["id"].clone(),
            found["policies"][at]["newlyBlocked"].clone(),
            found["policies"][at]["newlyAllowed"].clone(),
        )
    };
    assert_eq!(policy(0), (json!("other"), json!(0), json!(2)), "{found:#}");
    let example = &found["examples"]["newlyBlocked"][0];
    assert_eq!(example["policies"], json!(["policy first"]), "{found:#}");
    assert_eq!(example["agent"], "hr-agent");
    assert_eq!(example["place"], format!("{records}:1"));

    // The policies that made the decisions change nothing of them.
    let same = run(&[
        "impact",
        "--records",
        &records,
        "--policies",
        before.path("policies").to_str().unwrap(),
    ]);
    assert!(
        same.stdout.ends_with("nothing would change\n"),
        "{}",
        same.stdout
    );
    // What is only reported is judged too, when asked.
    let enforced = run(&[
        "impact",
        "--records",
        &records,
        "--policies",
        policies.to_str().unwrap(),
        "--enforce-report-only",
        "--output",
        "json",
    ]);
    let names: Vec<_> = json_of(&enforced)["policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| policy["id"].clone())
        .collect();
    assert!(names.contains(&json!("report")), "{names:?}");
}

/// Records of some calls, and a folder with policies that change some of them.
async fn recorded() -> (Site, TempDir) {
    let site = Site::start(setup(vec![block("other", only(OTHER_AGENT))])).await;
    answers(&site).await;
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    let (name, mut policy) = block("first", only(AGENT));
    policy["displayName"] = json!("</title><script>alert(1)</script>");
    fs::write(
        folder.path().join("policies").join(name),
        policy.to_string(),
    )
    .unwrap();
    (site, folder)
}

#[tokio::test]
async fn records_are_read_from_several_files_compressed_or_piped() {
    let (site, folder) = recorded().await;
    let text = fs::read(records(&site)).unwrap();
    let policies = path(&folder, "policies");
    let half = text
        .iter()
        .take(text.len() / 2)
        .rposition(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    fs::write(folder.path().join("one.jsonl"), &text[..half]).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&text[half..]).unwrap();
    fs::write(folder.path().join("two.jsonl.gz"), gzip.finish().unwrap()).unwrap();
    let whole = run(&[
        "impact",
        "--records",
        &records(&site),
        "--policies",
        &policies,
        "--output",
        "json",
    ]);
    let parts = run(&[
        "impact",
        "--records",
        &path(&folder, "one.jsonl"),
        &path(&folder, "two.jsonl.gz"),
        "--policies",
        &policies,
        "--output",
        "json",
    ]);
    let without_places = |ended: &Ended| {
        let mut found = json_of(ended);
        for list in ["newlyBlocked", "newlyAllowed"] {
            for example in found["examples"][list].as_array_mut().unwrap() {
                assert!(example.as_object_mut().unwrap().remove("place").is_some());
            }
        }
        found
    };
    let whole = without_places(&whole);
    assert!(
        whole["newlyBlocked"].as_u64().unwrap() > 0 && whole["newlyAllowed"].as_u64().unwrap() > 0,
        "{whole:#}"
    );
    assert_eq!(whole, without_places(&parts));

    let arguments = Arguments {
        records: vec!["-".into()],
        policies: policies.into(),
        top: 10,
        output: Output::Json,
        ..Arguments::default()
    };
    let (mut out, mut faults) = (Vec::new(), Vec::new());
    let code = impact(
        &arguments,
        &process_environment,
        &mut &text[..],
        &mut out,
        &mut faults,
    )
    .unwrap();
    assert_eq!((code, faults.len()), (0, 0));
    let piped = Ended {
        code: Some(0),
        stdout: String::from_utf8(out).unwrap(),
        stderr: String::new(),
    };
    assert_eq!(whole, without_places(&piped));
}

#[tokio::test]
async fn what_cannot_be_decided_again_is_counted_with_the_reason_and_never_guessed() {
    let (site, folder) = recorded().await;
    let text = fs::read_to_string(records(&site)).unwrap();
    let decision = text
        .lines()
        .find(|line| line.contains("\"caller\""))
        .unwrap();
    let change = |change: &dyn Fn(&mut Value)| {
        let mut record: Value = serde_json::from_str(decision).unwrap();
        change(&mut record);
        record.to_string()
    };
    let lines = [
        decision.to_owned(),
        change(&|record| {
            record["boomgate"]
                .as_object_mut()
                .unwrap()
                .remove("entraParity")
                .unwrap();
        }),
        change(&|record| {
            record["boomgate"]
                .as_object_mut()
                .unwrap()
                .remove("entraParity")
                .unwrap();
        }),
        change(&|record| record["boomgate"]["truncatedFacts"] = json!(["groups"])),
        change(&|record| record["boomgate"]["reason"] = json!("invented_later")),
        "{\"id\": 1".to_owned(),
        "not JSON at all".to_owned(),
        String::new(),
        // Cut off in the middle, as the last line of a file that is written to may be.
        decision[..decision.len() / 2].to_owned(),
    ];
    let file = path(&folder, "old.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let arguments = [
        "impact",
        "--records",
        &file,
        "--policies",
        &path(&folder, "policies"),
    ];
    let ended = run(&arguments);
    let expected = format!(
        "cannot be decided again, and counted nowhere above:\n  \
3  it is not a record                                                     first at {file}:6\n  \
2  `boomgate.entraParity` is missing: it was written by an older version  first at {file}:2\n  \
1  `boomgate.reason` is one that this version does not know               first at {file}:5\n  \
1  `groups` was too long to be recorded whole                             first at {file}:4\n"
    );
    assert!(
        ended.stdout.contains(&expected),
        "{}\n{expected}",
        ended.stdout
    );
    assert!(
        ended
            .stdout
            .contains("8 lines: 1 decisions made again, 7 that cannot be"),
        "{}",
        ended.stdout
    );
    assert_eq!(ended.code, Some(0));

    // Where nothing could be looked at, "nothing would change" is not said.
    fs::write(&file, &lines[1]).unwrap();
    let ended = run(&arguments);
    assert_eq!(ended.code, Some(65), "{}", ended.stdout);
    assert!(
        ended.stdout.ends_with("no decision could be made again\n"),
        "{}",
        ended.stdout
    );
}

#[tokio::test]
async fn the_page_needs_nothing_else_and_no_text_in_it_is_markup() {
    let (site, folder) = recorded().await;
    let page = path(&folder, "impact.html");
    let ended = run(&[
        "impact",
        "--records",
        &records(&site),
        "--policies",
        &path(&folder, "policies"),
        "--html",
        &page,
    ]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let page = fs::read_to_string(page).unwrap();
    for outside in [
        "<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", "http:",
        "https:",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(
        page.contains("&lt;/title&gt;&lt;script&gt;alert(1)"),
        "{page}"
    );
    assert!(page.contains("prefers-color-scheme: dark"));
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    for heading in [
        "All calls",
        "Over time",
        "By policy",
        "By agent",
        "By blueprint",
        "By resource",
        "Newly blocked, for example",
        "Newly allowed, for example",
    ] {
        assert!(page.contains(&format!("<h2>{heading}</h2>")), "{heading}");
    }
    assert!(page.contains("policy other") && page.contains("hr-agent"));
    // Every element that is opened is closed: an XML reader would take the body.
    for element in [
        "section", "table", "tr", "td", "th", "g", "span", "div", "p", "dl", "dd", "small", "code",
        "title",
    ] {
        let opened = page.matches(&format!("<{element}>")).count()
            + page.matches(&format!("<{element} ")).count();
        assert_eq!(
            opened,
            page.matches(&format!("</{element}>")).count(),
            "{element}"
        );
    }
}

#[tokio::test]
async fn exit_codes_tell_pipelines_what_they_asked_for() {
    let (site, folder) = recorded().await;
    let (records, policies) = (records(&site), path(&folder, "policies"));
    let code = |more: &[&str]| {
        let ended = run(&[
            &["impact", "--records", &records, "--policies", &policies],
            more,
        ]
        .concat());
        ended.code.unwrap()
    };
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--deny", "newly-blocked"]), 1);
    assert_eq!(code(&["--deny", "newly-allowed"]), 1);
    assert_eq!(
        code(&["--config", site.path("boomgate.yaml").to_str().unwrap()]),
        0
    );
    assert_eq!(code(&["--config", &path(&folder, "gone.yaml")]), 78);
    assert_eq!(code(&["--output", "xml"]), 2);
    for (records, policies, told) in [
        (
            "gone.jsonl",
            "policies",
            "gone.jsonl: error: cannot be read",
        ),
        (
            "policies",
            "policies",
            "policies: error: cannot be read: it is a folder",
        ),
        ("empty", "gone", "gone: error: cannot be read"),
        (
            "empty",
            "empty-folder",
            "empty-folder: error: holds no policy",
        ),
        (
            "empty",
            "bad",
            "bad:1:1: error: id: expected the policy's id",
        ),
    ] {
        fs::create_dir_all(folder.path().join("empty-folder")).unwrap();
        fs::write(folder.path().join("empty"), "").unwrap();
        fs::write(
            folder.path().join("bad"),
            "{\"conditions\": {}, \"state\": \"enabled\"}",
        )
        .unwrap();
        let ended = run(&[
            "impact",
            "--records",
            &path(&folder, records),
            "--policies",
            &path(&folder, policies),
        ]);
        assert_eq!(ended.code, Some(65), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(told), "{told}: {}", ended.stderr);
    }
    // A file without a record says that nothing changes, as nothing was recorded.
    let ended = run(&[
        "impact",
        "--records",
        &path(&folder, "empty"),
        "--policies",
        &policies,
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!Path::new("policies").exists());
}
