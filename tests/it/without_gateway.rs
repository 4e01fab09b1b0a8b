//! The commands that ask what policies say need neither certificates nor secrets: the shipped configuration does for all
//! of them as it is cloned. What they do read is refused in the gateway's own words.

use std::path::Path;

use crate::config::support::Folder;
use crate::support::process::{Ended, run, run_in};

fn fine(ended: &Ended) {
    let Ended {
        code,
        stdout,
        stderr,
    } = ended;
    assert_eq!((*code, stderr.as_str()), (Some(0), ""), "{stdout}");
}

/// Every such command on a configuration; `what-if` is asked by it alone.
fn commands(config: &str) -> Vec<Vec<&str>> {
    let what_if = ["--agent", "hr-agent", "--path", "/hr/people/7"];
    vec![
        vec!["policy", "lint", "--config", config],
        [&["what-if", "--config", config], &what_if[..]].concat(),
        vec![
            "impact",
            "--records",
            "-",
            "--policies",
            "policies",
            "--config",
            config,
        ],
        vec!["test", "policy-tests", "--config", config],
        vec![
            "policy",
            "import",
            "policies/block-all-agents.json",
            "--into",
            "imported",
            "--config",
            config,
        ],
    ]
}

#[test]
fn the_shipped_policies_are_tested_where_they_were_cloned_to() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy-tests");
    let ended = run(&["test", tests.to_str().unwrap(), "--deny", "unreached"]);
    fine(&ended);
    assert!(ended.stdout.contains("tests hold\n"), "{}", ended.stdout);
}

#[test]
fn the_shipped_configuration_does_without_any_certificate_and_secret() {
    let folder = Folder::as_cloned();
    for command in commands("boomgate.yaml") {
        let ended = run_in(folder.root(), ("NOTHING", "of use"), &command);
        fine(&ended);
    }
    let ended = run_in(
        folder.root(),
        ("NOTHING", "of use"),
        &["check", "--config", "boomgate.yaml"],
    );
    assert_eq!(ended.code, Some(78), "a gateway needs them");
}

#[test]
fn certificates_of_upstreams_are_not_needed_either() {
    let folder = Folder::as_cloned();
    folder.replace(
        "      url: http://127.0.0.1:9101\n",
        "      url: https://127.0.0.1:9101\n      tls: {ca_file: nowhere/ca.pem}\n",
    );
    for command in commands("boomgate.yaml") {
        fine(&run_in(folder.root(), ("NOTHING", "of use"), &command));
    }
}

#[test]
fn faults_of_what_is_read_are_those_of_the_gateway() {
    for (from, to, expected) in [
        ("evaluation:", "evalution:", "did you mean `evaluation`?"),
        ("dir: agents", "dir: nowhere", "directory.dir"),
        ("entra_parity: false", "entra_parity: 1", "evaluation"),
        (
            "path_prefixes: [/hr]",
            "path_prefixes: [hr]",
            "resources[0]",
        ),
        ("file: risky-agents.json", "file: boomgate.yaml", "not JSON"),
    ] {
        let folder = Folder::as_cloned();
        folder.replace(from, to);
        let checked = run_in(
            folder.root(),
            ("NOTHING", "of use"),
            &["check", "--config", "boomgate.yaml"],
        );
        let said = |ended: &Ended| {
            let text = format!("{}{}", ended.stdout, ended.stderr);
            // A file of tests names it from its own folder.
            let text = text.replace("policy-tests/../", "");
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.retain(|line| line.contains(expected));
            lines
        };
        let expected = said(&checked);
        assert!(!expected.is_empty(), "{to}: {checked:?}");
        for command in commands("boomgate.yaml") {
            let ended = run_in(folder.root(), ("NOTHING", "of use"), &command);
            assert_eq!(ended.code, Some(78), "{to} {command:?} {ended:?}");
            assert_eq!(said(&ended), expected, "{to} {command:?}");
        }
    }
}
