//! The command itself, as a process: what it prints, what it answers, how it ends.

mod demo;
mod run;

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::config::support::{Folder, TOKEN};
use crate::support::process::{Ended, run, run_in};

/// Runs `check` on a configuration of this folder.
fn check(folder: &Path, more: &[&str]) -> Ended {
    let arguments = [&["check", "--config", "boomgate.yaml"], more].concat();
    run_in(folder, ("BOOMGATE_ADMIN_TOKEN", TOKEN), &arguments)
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_there_is() {
    for arguments in [
        &[][..],
        &["open"],
        &["check", "--config"],
        &["check", "--config", "f", "--output", "xml"],
        &["demo", "--port", "sixty"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(ended.stderr.contains("--help"), "{}", ended.stderr);
    }
}

#[test]
fn help_and_version_are_fine() {
    let help = run(&["--help"]);
    assert_eq!(help.code, Some(0));
    for command in [
        "demo", "run", "check", "impact", "policy", "risk", "schema", "test",
    ] {
        assert!(help.stdout.contains(command), "{}", help.stdout);
    }
    let version = run(&["--version"]);
    let expected = format!("boomgate {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((version.code, version.stdout), (Some(0), expected));
}

#[test]
fn the_shipped_schema_is_the_one_that_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/boomgate.schema.json");
    let printed = run(&["schema"]);
    assert_eq!(printed.code, Some(0));
    assert!(printed.stdout == fs::read_to_string(path).unwrap());
}

#[test]
fn a_fine_configuration_is_exit_code_0_and_summed_up() {
    let folder = Folder::with_reference();
    let ended = check(folder.root(), &[]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.contains("boomgate.yaml: fine\n"),
        "{}",
        ended.stdout
    );

    let ended = check(folder.root(), &["--output", "json"]);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(ended.code, Some(0));
    let policies = &report["summary"]["policies"];
    assert!(policies["enabled"].as_u64().unwrap() > 0, "{report:#}");
    assert_eq!(report["summary"]["resources"][0]["name"], "hr-api");
}

#[test]
fn faults_are_exit_code_78_with_file_line_and_column() {
    let folder = Folder::with_minimal();
    folder.replace("hosts: [hr.example.com]", "hosts: [hr.example.com:443]");
    folder.write(
        "policies/bad.json",
        "{\n  \"displayName\": \"p\",\n  \"state\": 1\n}",
    );
    let host = "boomgate.yaml:19:13: error: resources[0].hosts[0]: ";
    let state = "policies/bad.json:3:3: error: state: ";

    let checked = check(folder.root(), &[]);
    assert_eq!(checked.code, Some(78));
    let run = run_in(
        folder.root(),
        ("BOOMGATE_ADMIN_TOKEN", TOKEN),
        &["run", "--config", "boomgate.yaml"],
    );
    assert_eq!(run.code, Some(78));
    for text in [&checked.stdout, &run.stderr] {
        assert!(text.contains(host) && text.contains(state), "{text}");
        assert!(text.contains("  19 |     hosts: [hr.example.com:443]\n"));
    }
    assert_eq!((run.stdout.as_str(), checked.stderr.as_str()), ("", ""));

    let ended = check(folder.root(), &["--output", "json"]);
    assert_eq!(ended.code, Some(78));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(report["summary"].is_null());
    let faults = report["faults"].as_array().unwrap();
    let has = |file: &str, line: u32, column: u32| {
        faults.iter().any(|fault| {
            fault["file"] == file
                && fault["line"] == line
                && fault["column"] == column
                && fault["severity"] == "error"
        })
    };
    assert!(has("boomgate.yaml", 19, 13), "{report:#}");
    assert!(has("policies/bad.json", 3, 3), "{report:#}");
}

#[test]
fn a_configuration_that_is_not_there_is_exit_code_78() {
    for command in ["run", "check"] {
        let ended = run(&[command, "--config", "/nowhere/boomgate.yaml"]);
        assert_eq!(ended.code, Some(78));
        let text = ended.stdout + &ended.stderr;
        assert!(
            text.contains("/nowhere/boomgate.yaml: error: cannot read the file"),
            "{text}"
        );
    }
}

#[test]
fn a_secret_that_is_at_fault_is_not_shown() {
    let folder = Folder::with_minimal();
    let arguments = ["check", "--config", "boomgate.yaml"];
    let ended = run_in(
        folder.root(),
        ("BOOMGATE_ADMIN_TOKEN", "too-short-a-secret"),
        &arguments,
    );
    assert_eq!(ended.code, Some(78));
    let text = ended.stdout + &ended.stderr;
    assert!(text.contains("management.admin_token: "), "{text}");
    assert!(!text.contains("too-short"), "{text}");
}
