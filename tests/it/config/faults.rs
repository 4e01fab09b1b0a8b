//! Faulty files: each fault has its line, column, member and what was expected; secrets are never shown; and
//! whatever the bytes are, the answer is a fault and no panic.

use std::fmt::Write as _;

use boomgate::cli::{Output, check::check};
use boomgate::config::load;
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};

use super::support::{Folder, MINIMAL, TOKEN, environment};

/// One case of `faults.txt`.
#[derive(Default)]
struct Case {
    line: usize,
    removed: String,
    added: String,
    faults: Vec<String>,
}

fn cases() -> Vec<Case> {
    let mut cases = vec![Case::default()];
    for (index, line) in include_str!("faults.txt").lines().enumerate() {
        let case = cases.last_mut().unwrap();
        match line.split_at_checked(1) {
            None if case.removed.is_empty() => {}
            None => cases.push(Case::default()),
            Some(("-", removed)) => {
                case.line = index + 1;
                writeln!(case.removed, "{removed}").unwrap();
            }
            Some(("+", added)) => writeln!(case.added, "{added}").unwrap(),
            Some(("!", fault)) => case.faults.push(fault.trim_start().to_owned()),
            Some((other, _)) => assert_eq!(other, "#", "line {}", index + 1),
        }
    }
    cases.retain(|case| !case.removed.is_empty());
    cases
}

#[test]
fn every_fault_is_told_with_its_place() {
    let folder = Folder::with_minimal();
    let cases = cases();
    assert!(cases.len() >= 80, "{}", cases.len());
    for case in cases {
        assert!(MINIMAL.contains(&case.removed), "line {}", case.line);
        let text = MINIMAL.replacen(&case.removed, &case.added, 1);
        folder.write("boomgate.yaml", text);
        assert_eq!(
            folder.faults(),
            case.faults,
            "faults.txt, line {}",
            case.line
        );
    }
}

#[test]
fn faults_of_all_parts_and_files_are_told_at_once() {
    let folder = Folder::with_minimal();
    folder.replace("127.0.0.1:8443", "localhost");
    folder.replace("certs/management.pem", "certs/none.pem");
    folder.replace(
        "profile: entra",
        "profile: entra\n    leeway: 1h\n    leway: 1s",
    );
    folder.replace(
        "policies:\n",
        "  - {name: x, app_id: x, hosts: [hr.example.com], audiences: [x], upstream: {url: 'http://localhost/x'}}\n  - {name: hr-api, app_id: y, hosts: [y], audiences: [y], upstream: {url: 'http://localhost'}}\npolicies:\n",
    );
    folder.append("directory:\n  dir: agents\nrisk:\n  file: risk.json\n");
    folder.write("agents/a.json", "{}");
    folder.write("risk.json", "[{\"id\": 7}]");
    let policy = folder.path("policies/block-all-agents.json");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text.replace("\"disabled\"", "\"paused\"")).unwrap();

    let faults = folder.faults();
    for start in [
        "agents/a.json:1:1: error: ",
        "boomgate.yaml:3:14: error: listeners[0].address: ",
        "boomgate.yaml:9:23: error: management.tls.certificate_file: ",
        "boomgate.yaml:16:5: error: issuers[0].leway: ",
        "boomgate.yaml:25:83: error: resources[1].upstream.url: ",
        "boomgate.yaml:26:12: error: resources[2].name: ",
        "policies/block-all-agents.json:9:",
        "risk.json:1:3: error: [0].id: ",
    ] {
        let found = faults.iter().any(|fault| fault.starts_with(start));
        assert!(found, "nothing starts with `{start}`: {faults:#?}");
    }
}

#[test]
fn an_empty_file_a_missing_one_and_a_list_are_told_apart() {
    let folder = Folder::with_minimal();
    let first_fault = |text: &str| {
        folder.write("boomgate.yaml", text);
        folder.faults().remove(0)
    };
    let empty = "boomgate.yaml: error: the file is empty, expected a configuration";
    assert_eq!(first_fault(""), empty);
    assert_eq!(first_fault("# only a comment\n"), empty);
    assert_eq!(
        first_fault("[]"),
        "boomgate.yaml:1:1: error: expected a mapping, found a list"
    );
    std::fs::remove_file(folder.path("boomgate.yaml")).unwrap();
    assert_eq!(
        folder.faults(),
        ["boomgate.yaml: error: cannot read the file: no such file or folder"]
    );
    folder.write("boomgate.yaml", [b'a', b':', b' ', 0xff]);
    assert!(folder.faults()[0].starts_with("boomgate.yaml: error: not UTF-8"));
    folder.write("boomgate.yaml", vec![b' '; 2 * 1024 * 1024]);
    assert!(folder.faults()[0].contains("larger than"));
}

#[test]
fn bombs_of_aliases_and_depth_are_refused() {
    let folder = Folder::with_minimal();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{items}]").unwrap();
    }
    for text in [bomb, "[".repeat(20_000), "{a: ".repeat(20_000)] {
        folder.write("boomgate.yaml", text);
        let faults = folder.faults();
        assert!(faults[0].contains("too large"), "{faults:?}");
    }
}

/// What an operator sees of a faulty file, by both ways of printing.
fn shown(folder: &Folder) -> String {
    let path = folder.path("boomgate.yaml");
    let mut out = Vec::new();
    for output in [Output::Text, Output::Json] {
        check(&path, &environment, output, &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn a_secret_is_never_shown() {
    let place = "admin_token: ${BOOMGATE_ADMIN_TOKEN}";
    for secret in [
        "admin_token: hunter2",
        "admin_token: 'hunter2 and ${BOOMGATE_ADMIN_TOKEN}'",
        "admin_token: ${SHORT_TOKEN}",
        "admin_token: [hunter2]",
        "admin_token: {a: hunter2}",
        "admin_token: |\n    hunter2\n    hunter2",
        "admin_token: >-\n    hunter2",
        "admin_token: \"hunter2",
        "admin_token: @hunter2",
        "admin_token: !!int hunter2",
        "admin_token: file:short-token",
        "admin_tokn: hunter2",
        "admin_secret: hunter2",
    ] {
        let folder = Folder::with_minimal();
        folder.write("short-token", "hunter2\n");
        folder.replace(place, secret);
        let shown = shown(&folder);
        assert!(shown.contains("error"), "{secret}: {shown}");
        assert!(!shown.contains("hunter2"), "{secret}: {shown}");
        assert!(!shown.contains(TOKEN), "{secret}: {shown}");
    }
}

#[test]
fn a_value_from_the_environment_is_shown_by_its_name() {
    let folder = Folder::with_minimal();
    folder.replace("http://127.0.0.1:9101", "${BAD_URL}");
    let shown = shown(&folder);
    assert!(
        shown.contains("`${BAD_URL}` is not an upstream's address"),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"), "{shown}");

    let folder = Folder::with_minimal();
    folder.replace("hr.example.com", "\"${HR_HOST}\"");
    assert_eq!(folder.faults(), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_the_bytes_are_the_answer_is_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("boomgate.yaml");
        std::fs::write(&path, bytes).unwrap();
        let (loaded, faults) = load(&path, &environment);
        prop_assert!(loaded.is_none() && faults.has_errors());
    }

    #[test]
    fn whatever_is_changed_in_a_good_file_there_is_no_panic(
        at in any::<prop::sample::Index>(),
        cut in 0_usize..40,
        put in "[ \\n:{}\\[\\]a-z0-9&*!|>'\"$#,-]{0,12}",
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("boomgate.yaml");
        let start = at.index(MINIMAL.len());
        let end = (start + cut).min(MINIMAL.len());
        let text = [&MINIMAL.as_bytes()[..start], put.as_bytes(), &MINIMAL.as_bytes()[end..]].concat();
        std::fs::write(&path, text).unwrap();
        // Certificates are missing, so nothing loads.
        let (loaded, faults) = load(&path, &environment);
        prop_assert!(loaded.is_none() && faults.has_errors());
        for fault in faults.iter() {
            prop_assert!(!fault.message.contains(TOKEN));
        }
    }
}
