//! `boomgate policy lint` as an admin and a pipeline run it: what it finds, where, and how it ends. That its claims hold
//! for every call is shown beside the other properties of the evaluator.

use std::fs;

use serde_json::{Value, json};

use crate::config::support::{Folder, TOKEN};
use crate::support::process::{Ended, run_in};

fn run(folder: &Folder, arguments: &[&str]) -> Ended {
    let arguments = [&["policy", "lint"], arguments].concat();
    run_in(folder.root(), ("BOOMGATE_ADMIN_TOKEN", TOKEN), &arguments)
}

/// Writes an enforced policy that blocks all agent identities everywhere, less what the test changes.
fn write(folder: &Folder, name: &str, id: u32, change: impl FnOnce(&mut Value)) {
    let mut policy = json!({
        "id": format!("10000000-0000-4000-8000-{id:012x}"),
        "displayName": name,
        "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["None"]},
            "clientApplications": {"includeAgentIdServicePrincipals": ["All"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    });
    change(&mut policy);
    let text = serde_json::to_string_pretty(&policy).unwrap();
    folder.write(&format!("odd/{name}.json"), text);
}

fn odd() -> Folder {
    let folder = Folder::with_reference();
    write(&folder, "a-high", 1, |policy| {
        policy["conditions"]["agentIdRiskLevels"] = json!("medium,high");
    });
    write(&folder, "b-high-at-hr", 2, |policy| {
        policy["conditions"]["agentIdRiskLevels"] = json!("high");
        policy["conditions"]["applications"] =
            json!({"includeApplications": ["e5e5e5e5-0000-4000-8000-000000000005"]});
    });
    write(&folder, "c-high-again", 3, |policy| {
        policy["conditions"]["agentIdRiskLevels"] = json!(["high", "medium"]);
    });
    write(&folder, "d-never", 4, |policy| {
        let clients = json!({"includeAgentIdServicePrincipals": ["x"], "excludeAgentIdServicePrincipals": ["y", "x"]});
        policy["conditions"]["clientApplications"] = clients;
    });
    write(&folder, "e-contradiction", 5, |policy| {
        let rule = "CustomSecurityAttribute.A_B -eq \"x\" -and CustomSecurityAttribute.A_C -eq \"y\" -and CustomSecurityAttribute.A_B -ne \"X\"";
        policy["conditions"]["clientApplications"]["agentIdServicePrincipalFilter"] =
            json!({"mode": "include", "rule": rule});
    });
    write(&folder, "f-all-reported", 6, |policy| {
        policy["state"] = json!("enabledForReportingButNotEnforced");
    });
    write(&folder, "g-off", 7, |policy| {
        policy["state"] = json!("disabled");
    });
    folder
}

#[test]
fn each_oddity_is_told_with_its_place_and_the_reason() {
    let folder = odd();
    let ended = run(&folder, &["odd"]);
    let lines: Vec<_> = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("odd/") || line.contains("policies:"))
        .collect();
    let expected = [
        "odd/b-high-at-hr.json:23:3: warning: displayName: changes no verdict: `a-high` (odd/a-high.json:1) blocks every call to which it applies [shadowed]",
        "odd/c-high-again.json:26:3: warning: displayName: says the same as `a-high` (odd/a-high.json:1) [repeats]",
        "odd/d-never.json:26:3: warning: displayName: the policy never applies: all that it includes it excludes as well [never-applies]",
        "odd/e-contradiction.json:26:3: warning: displayName: the policy never applies: its filter asks for a thing and for its opposite [never-applies]",
        "odd/f-all-reported.json:22:3: warning: displayName: would block every agent identity at every resource, were it enforced [locks-out]",
        "7 policies: 0 errors, 5 warnings",
    ];
    assert_eq!(lines, expected, "{}", ended.stdout);
    assert_eq!((ended.stderr.as_str(), ended.code), ("", Some(0)));
    assert_eq!(run(&folder, &["odd", "--deny", "warnings"]).code, Some(1));
    let allowed = run(
        &folder,
        &[
            "odd",
            "--deny",
            "warnings",
            "--allow",
            "shadowed,repeats,never-applies,locks-out",
        ],
    );
    assert_eq!(
        (allowed.stdout.as_str(), allowed.code),
        ("7 policies: 0 errors, 0 warnings\n", Some(0))
    );
}

/// Under `entra_parity` no agent identity has a location, and a policy on all of them blocks none.
#[test]
fn a_policy_on_all_locations_shadows_those_on_some_and_none_without_locations() {
    let folder = Folder::with_reference();
    let high = |name, id, locations: Value| {
        write(&folder, name, id, |policy| {
            policy["conditions"]["agentIdRiskLevels"] = json!("high");
            policy["conditions"]["locations"] = locations;
        });
    };
    high("a-all", 1, json!({"includeLocations": ["All"]}));
    high("b-trusted", 2, json!({"includeLocations": ["AllTrusted"]}));
    high("c-without", 3, Value::Null);
    let ended = run(&folder, &["odd", "--output", "json"]);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let told: Vec<_> = findings
        .map(|finding| (finding["rule"].as_str(), finding["file"].as_str()))
        .collect();
    let shadowed = ["odd/a-all.json", "odd/b-trusted.json"];
    assert_eq!(told, shadowed.map(|file| (Some("shadowed"), Some(file))));
}

#[test]
fn a_policy_that_locks_everybody_out_is_an_error() {
    let folder = odd();
    write(&folder, "h-all", 8, |_| {});
    let ended = run(&folder, &["odd", "--output", "json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&report["policies"], &report["errors"]),
        (&json!(8), &json!(1))
    );
    let findings = report["findings"].as_array().unwrap();
    let error = findings
        .iter()
        .find(|finding| finding["severity"] == "error")
        .unwrap();
    assert_eq!(
        (&error["rule"], &error["file"]),
        (&json!("locks-out"), &json!("odd/h-all.json"))
    );
    // With it, all that is enforced for agent identities is for nothing.
    let shadowed = findings
        .iter()
        .filter(|finding| finding["rule"] == "shadowed");
    assert_eq!(shadowed.count(), 2, "{findings:#?}");
}

#[test]
fn with_a_configuration_ids_that_nobody_has_are_told() {
    let folder = Folder::with_reference();
    let fine = run(&folder, &["--config", "boomgate.yaml"]);
    assert_eq!(
        (fine.stderr.as_str(), fine.code),
        ("", Some(0)),
        "{}",
        fine.stdout
    );
    fs::remove_dir_all(folder.path("policies")).unwrap();
    let elsewhere = "00000003-0000-0000-c000-000000000000";
    write(&folder, "elsewhere", 1, |policy| {
        policy["conditions"]["applications"]["includeApplications"] = json!([elsewhere]);
        policy["conditions"]["clientApplications"]["includeAgentIdServicePrincipals"] =
            json!(["b1b1b1b1-0000-4000-8000-000000000001", elsewhere]);
    });
    let ended = run(
        &folder,
        &["odd", "--config", "boomgate.yaml", "--output", "json"],
    );
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let found: Vec<_> = findings
        .map(|finding| {
            (
                finding["rule"].as_str().unwrap(),
                finding["member"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        (
            "never-applies",
            "conditions.applications.includeApplications",
        ),
        (
            "unknown-id",
            "conditions.applications.includeApplications[0]",
        ),
        (
            "unknown-id",
            "conditions.clientApplications.includeAgentIdServicePrincipals[1]",
        ),
    ];
    assert_eq!(found, expected, "{}", ended.stdout);
    assert_eq!(ended.code, Some(0));
    // The folder of the configuration itself is gone.
    assert_eq!(run(&folder, &["--config", "boomgate.yaml"]).code, Some(65));
}

#[test]
fn what_is_no_policy_is_bad_data_and_what_the_gateway_refuses_is_an_error() {
    let folder = Folder::with_reference();
    folder.write("odd/broken.json", "{\"conditions\": }");
    let ended = run(&folder, &["odd"]);
    assert_eq!(ended.code, Some(65), "{}", ended.stdout);
    assert!(
        ended.stdout.starts_with("odd/broken.json:1:"),
        "{}",
        ended.stdout
    );
    fs::remove_file(folder.path("odd/broken.json")).unwrap();

    write(&folder, "later", 1, |policy| {
        policy["conditions"]["inventedLater"] = json!({"a": 1});
    });
    let path_alone = run(&folder, &["odd/later.json", "--allow", "locks-out"]);
    assert!(
        path_alone
            .stdout
            .contains("warning: conditions.inventedLater: not a member that is known here"),
        "{}",
        path_alone.stdout
    );
    assert_eq!(path_alone.code, Some(0), "{}", path_alone.stdout);
    let as_configured = run(&folder, &["odd/later.json", "--config", "boomgate.yaml"]);
    assert_eq!(as_configured.code, Some(1), "{}", as_configured.stdout);

    write(&folder, "twin", 1, |policy| {
        policy["state"] = json!("disabled");
    });
    let twins = run(&folder, &["odd"]);
    assert!(
        twins
            .stdout
            .contains("is also the id of the policy at odd/later.json:1:1"),
        "{}",
        twins.stdout
    );
    assert_eq!(twins.code, Some(1));

    assert_eq!(run(&folder, &[]).code, Some(2));
    assert_eq!(run(&folder, &["gone"]).code, Some(65));
    assert_eq!(
        run(&folder, &["odd", "--config", "gone.yaml"]).code,
        Some(78)
    );
}

#[test]
fn a_policy_on_countries_that_nobody_tells_is_told_here_and_at_load() {
    let folder = Folder::with_reference();
    write(&folder, "abroad", 9, |policy| {
        policy["conditions"]["locations"] = json!({"includeLocations": ["All"],
            "excludeLocations": ["88888888-0000-4000-8000-000000000008"]});
    });
    let from = folder.path("odd/abroad.json");
    fs::copy(from, folder.path("policies/abroad.json")).unwrap();
    let check = || {
        let arguments = ["check", "--config", "boomgate.yaml"];
        run_in(folder.root(), ("BOOMGATE_ADMIN_TOKEN", TOKEN), &arguments)
    };
    let expected =
        "conditions.locations.excludeLocations[0]: in which country an address is nobody tells";
    for ended in [check(), run(&folder, &["--config", "boomgate.yaml"])] {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let text = ended.stdout + &ended.stderr;
        assert!(
            text.contains(expected) && text.contains("abroad.json:"),
            "{text}"
        );
    }
    let database = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/countries/countries.mmdb"
    );
    folder.replace(
        "  dir: named-locations\n",
        &format!("  dir: named-locations\n  country_database: {database:?}\n"),
    );
    for ended in [check(), run(&folder, &["--config", "boomgate.yaml"])] {
        let text = ended.stdout + &ended.stderr;
        assert!(!text.contains("nobody tells"), "{text}");
    }
}
