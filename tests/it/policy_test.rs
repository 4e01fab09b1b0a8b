//! `boomgate test` as an author of policies and a pipeline run it: the samples' own tests hold, what does not hold is
//! told with what was found, and what no test reaches is told too.

use serde_json::Value;

use crate::config::support::{Folder, TOKEN};
use crate::support::process::{Ended, run_in};

fn run(folder: &Folder, arguments: &[&str]) -> Ended {
    let arguments = [&["test"], arguments].concat();
    run_in(folder.root(), ("BOOMGATE_ADMIN_TOKEN", TOKEN), &arguments)
}

#[test]
fn the_tests_of_the_sample_policies_hold_and_reach_every_policy() {
    let folder = Folder::with_reference();
    let ended = run(&folder, &["policy-tests", "--deny", "unreached"]);
    assert_eq!(
        (ended.stderr.as_str(), ended.code),
        ("", Some(0)),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("tests hold\n"), "{}", ended.stdout);
}

#[test]
fn what_does_not_hold_is_told_with_what_was_found_and_what_each_policy_says() {
    let folder = Folder::with_reference();
    folder.write(
        "t/a.yaml",
        "config: ../boomgate.yaml
tests:
  - name: holds
    who: hr-agent
    call: GET /hr/people
    expect: allow
  - name: expects <too> much
    who: new-agent
    call: GET /hr/people
    expect: allow
    reason: no_policy_blocked
    policies:
      Agents - block high risk agent identities: failure
      Agents - of another name: success
  - name: nobody's call
    who: nobody
    resource: hr-api
    expect: block
",
    );
    let ended = run(&folder, &["t", "--junit", "junit.xml"]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    let expected = "\
t/a.yaml:7: fails: expects <too> much
  agent identity new-agent (a9a9a9a9-0000-4000-8000-000000000022) calls GET /hr/people of hr-api
  effect
    - allow
    + block (blocked_by_policy)
  reason
    - no_policy_blocked
    + blocked_by_policy
  Agents - allow only approved agents
    - does not apply
    + failure
  Agents - block high risk agent identities
    - failure
    + does not apply: agentIdRisk
  Agents - of another name
    - success
    + no policy has this name or id
  what each policy says:
    Agents - allow only approved agents            enforced     applies                     failure
";
    assert!(ended.stdout.starts_with(expected), "{}", ended.stdout);
    assert!(
        ended.stdout.contains(
            "t/a.yaml:15: fails: nobody's call\n  cannot be asked: the directory has nobody"
        ),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains(
            "Agent users - block medium and high risk       enforced         0  that it applies\n"
        ),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.ends_with("2 of 3 tests do not hold\n"),
        "{}",
        ended.stdout
    );

    let junit = std::fs::read_to_string(folder.path("junit.xml")).unwrap();
    assert!(
        junit.contains("<testsuite name=\"t/a.yaml\" tests=\"3\" failures=\"1\" errors=\"1\">"),
        "{junit}"
    );
    assert!(
        junit.contains("name=\"expects &lt;too&gt; much\" file=\"t/a.yaml\" line=\"7\""),
        "{junit}"
    );
    assert!(
        junit.contains(
            "<failure message=\"effect: expected allow, found block (blocked_by_policy)\">"
        ),
        "{junit}"
    );
    assert!(
        junit.contains("<error message=\"the directory has nobody"),
        "{junit}"
    );

    let ended = run(&folder, &["t", "--output", "json"]);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&report["tests"], &report["failed"]),
        (&Value::from(3), &Value::from(2))
    );
    assert_eq!(report["results"][0]["holds"], true);
    assert_eq!(report["results"][1]["differences"][0]["of"], "effect");
    assert_eq!(report["coverage"][0]["tests"], 1, "{report:#}");
}

#[test]
fn a_slip_in_a_file_has_its_place_and_codes_tell_what_is_wrong() {
    let folder = Folder::with_reference();
    for (text, told) in [
        (
            "tests: [{name: a, who: b, expect: alow}]",
            "t/a.yaml:1:35: error: tests[0].expect: `alow` is not one of `allow`, `block`, did you mean `allow`?",
        ),
        (
            "tests: [{name: a, who: b, expct: allow, expect: allow}]",
            "unknown key, did you mean `expect`?",
        ),
        ("test: []", "unknown key, did you mean `tests`?"),
        ("tests: [", "t/a.yaml:1:"),
        ("tests: []", "names no configuration"),
    ] {
        folder.write("t/a.yaml", text);
        let ended = run(&folder, &["t"]);
        assert_eq!(ended.code, Some(65), "{text}: {}", ended.stdout);
        assert!(ended.stderr.contains(told), "{text}: {}", ended.stderr);
    }
    assert_eq!(run(&folder, &["t", "--config", "gone.yaml"]).code, Some(78));
    assert_eq!(run(&folder, &["gone"]).code, Some(65));
    assert_eq!(run(&folder, &["certs"]).code, Some(65));
    assert_eq!(run(&folder, &[]).code, Some(2));
    let schema = run(&folder, &["--schema"]);
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    assert_eq!(schema["title"], "Boomgate policy tests");
}
