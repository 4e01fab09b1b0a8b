//! `boomgate policy import` as an admin runs it: exports in every form that they come in, and what becomes of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use boomgate::cli::policy::import::{Arguments, import};
use boomgate::config::process_environment;
use boomgate::policy::read::read;
use boomgate::policy::{OnUnsupported, Policy};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::config::support::{Folder, TOKEN};
use crate::support::process::{Ended, run_in};

/// Runs the program in a folder.
fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let arguments = [&["policy", "import"], arguments].concat();
    run_in(folder, ("BOOMGATE_ADMIN_TOKEN", TOKEN), &arguments)
}

/// A policy as Graph exports it, with the members that a test cares for.
fn policy(id: u32, name: &str, conditions: &Value) -> Value {
    let mut all = json!({
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["None"]},
        "clientApplications": {"includeAgentIdServicePrincipals": ["All"]},
    });
    for (member, value) in conditions.as_object().unwrap() {
        all[member] = value.clone();
    }
    json!({
        "id": format!("10000000-0000-4000-8000-{id:012x}"),
        "displayName": name,
        "state": "enabled",
        "conditions": all,
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    })
}

fn utf16(text: &str) -> Vec<u8> {
    let marked = format!("\u{FEFF}{text}");
    marked.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The names in a folder, sorted; none where it is not there.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn exports_of_every_form_become_one_tidy_file_each() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    // As PowerShell writes it, with what Graph hangs onto an object that was fetched on its own.
    let mut single = policy(
        1,
        "Agents - block high risk",
        &json!({"agentIdRiskLevels": "high"}),
    );
    single["@odata.context"] = json!("https://graph.microsoft.com/beta/$metadata#policies/$entity");
    single["#microsoft.graph.restore"] = json!({"title": "restore", "target": "https://t"});
    single["conditions"]["users"]["includeUsers@odata.type"] = json!("#Collection(String)");
    single["conditions"]["inventedLater"] = Value::Null;
    fs::write(at("single.json"), utf16(&single.to_string())).unwrap();
    let list = json!({
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#identity/conditionalAccess/policies",
        "value": [policy(2, "Agents: HR", &json!({})), policy(3, "Agents / HR", &json!({}))],
    });
    fs::write(at("list.json"), format!("\u{FEFF}{list}")).unwrap();
    let array = json!([
        policy(4, "日本", &json!({})),
        {"@odata.type": "#microsoft.graph.ipNamedLocation", "@odata.id": "x", "isTrusted": true,
         "id": "77777777-0000-4000-8000-000000000007", "displayName": "Head Office",
         "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"}]},
    ]);
    fs::write(at("array.json"), array.to_string()).unwrap();

    let files = ["single.json", "list.json", "array.json"];
    let ended = run(
        folder.path(),
        &[&files[..], &["--into", "to/policies"]].concat(),
    );
    let expected = "\
ACTION  KIND            STATE     NAME                      FILE
new     policy          enforced  Agents - block high risk  to/policies/agents-block-high-risk.json
new     policy          enforced  Agents: HR                to/policies/agents-hr.json
new     policy          enforced  Agents / HR               to/policies/agents-hr-10000000-0000-4000-8000-000000000003.json
new     policy          enforced  日本                      to/policies/10000000-0000-4000-8000-000000000004.json
new     named location  -         Head Office               to/named-locations/head-office.json

imported: 5 new, 0 changed, 0 unchanged
";
    assert_eq!(
        (ended.stdout.as_str(), ended.stderr.as_str(), ended.code),
        (expected, "", Some(0))
    );
    let written = fs::read_to_string(at("to/policies/agents-block-high-risk.json")).unwrap();
    let expected = r##"{
  "id": "10000000-0000-4000-8000-000000000001",
  "displayName": "Agents - block high risk",
  "state": "enabled",
  "conditions": {
    "applications": {
      "includeApplications": [
        "All"
      ]
    },
    "clientApplications": {
      "includeAgentIdServicePrincipals": [
        "All"
      ]
    },
    "users": {
      "includeUsers": [
        "None"
      ],
      "includeUsers@odata.type": "#Collection(String)"
    },
    "agentIdRiskLevels": "high",
    "clientAppTypes": [
      "all"
    ],
    "inventedLater": null
  },
  "grantControls": {
    "builtInControls": [
      "block"
    ],
    "operator": "OR"
  }
}
"##;
    assert_eq!(written, expected);
    let location = fs::read_to_string(at("to/named-locations/head-office.json")).unwrap();
    assert!(
        location
            .starts_with("{\n  \"@odata.type\": \"#microsoft.graph.ipNamedLocation\",\n  \"id\":"),
        "{location}"
    );
    assert!(!location.contains("@odata.id"), "{location}");
    assert_eq!(
        names(&at("to/policies")).len(),
        4,
        "no file of the way is left"
    );
}

/// The samples of the project, of which some use all that Graph knows.
fn samples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["tests/data/entra", "config/policies"] {
        for name in names(&root.join(folder)) {
            files.push(root.join(folder).join(name));
        }
    }
    assert!(files.len() > 15, "{files:?}");
    files
}

fn read_all(files: &[PathBuf]) -> Vec<Policy> {
    let mut policies = Vec::new();
    for file in files {
        let bytes = fs::read(file).unwrap();
        policies.extend(read("f", &bytes, OnUnsupported::ReportOnly).0);
    }
    policies.sort_by(|one, other| one.id.cmp(&other.id));
    policies
}

#[test]
fn an_imported_policy_says_what_its_export_said() {
    let folder = TempDir::new().unwrap();
    let into = folder.path().join("policies");
    let mut files = samples();
    // Two samples are of one id: the later ones take part in a round of their own.
    let (entra, own): (Vec<_>, Vec<_>) = files
        .drain(..)
        .partition(|file| file.to_string_lossy().contains("data/entra"));
    for files in [entra, own] {
        let into = into.join(files.len().to_string());
        let arguments = Arguments {
            files: files.clone(),
            into: Some(into.clone()),
            ..Arguments::default()
        };
        let mut out = Vec::new();
        let code = import(
            &arguments,
            &process_environment,
            &mut &b""[..],
            &mut out,
            &mut Vec::new(),
        );
        assert_eq!(code.unwrap(), 0, "{}", String::from_utf8_lossy(&out));
        let written: Vec<_> = names(&into).iter().map(|name| into.join(name)).collect();
        let (before, mut after) = (read_all(&files), read_all(&written));
        assert_eq!(before.len(), files.len());
        assert_eq!(after.len(), before.len());
        for (before, after) in before.into_iter().zip(&mut after) {
            after.origin = before.origin.clone();
            after.named_locations = before.named_locations.clone();
            // The order of members may be another, and with it that of what is not understood.
            let mut one = before.clone();
            one.not_understood.sort();
            after.not_understood.sort();
            assert_eq!(&one, after);
        }
    }
}

#[test]
fn a_policy_that_is_there_is_kept_and_one_that_differs_is_replaced_only_when_forced() {
    let folder = TempDir::new().unwrap();
    let export = folder.path().join("export.json");
    let before = policy(1, "One", &json!({"agentIdRiskLevels": "high"}));
    fs::write(&export, before.to_string()).unwrap();
    let first = run(folder.path(), &["export.json", "--into", "p"]);
    assert_eq!(first.code, Some(0), "{}", first.stdout);
    let file = folder.path().join("p/one.json");
    let text = fs::read_to_string(&file).unwrap();
    // An admin may call the file as he likes, and write it by hand.
    let own = folder.path().join("p/mine.json");
    fs::write(&own, before.to_string()).unwrap();
    fs::remove_file(&file).unwrap();
    let again = run(folder.path(), &["export.json", "--into", "p"]);
    assert!(
        again.stdout.contains("unchanged  policy"),
        "{}",
        again.stdout
    );
    assert_eq!(
        (again.code, names(&folder.path().join("p"))),
        (Some(0), vec!["mine.json".to_owned()])
    );
    assert_eq!(fs::read_to_string(&own).unwrap(), before.to_string());

    let users =
        json!({"includeUsers": ["None"], "excludeUsers": ["d4d4d4d4-0000-4000-8000-000000000004"]});
    let after = policy(
        1,
        "One of another name",
        &json!({"agentIdRiskLevels": "medium,high", "users": users}),
    );
    let new = policy(2, "Two", &json!({}));
    fs::write(&export, json!([after, new]).to_string()).unwrap();
    let shown = "\
p/mine.json: differs from the import
  conditions.agentIdRiskLevels
    - \"high\"
    + \"medium,high\"
  conditions.users.excludeUsers
    + \"d4d4d4d4-0000-4000-8000-000000000004\"
  displayName
    - \"One\"
    + \"One of another name\"
";
    let refused = run(folder.path(), &["export.json", "--into", "p"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stdout.contains(shown), "{}", refused.stdout);
    assert!(
        refused
            .stdout
            .contains("nothing was written (1 new, 1 changed, 0 unchanged)"),
        "{}",
        refused.stdout
    );
    assert_eq!(names(&folder.path().join("p")), ["mine.json"]);
    assert_eq!(fs::read_to_string(&own).unwrap(), before.to_string());

    let dry = run(
        folder.path(),
        &[
            "export.json",
            "--into",
            "p",
            "--force",
            "--dry-run",
            "--output",
            "json",
        ],
    );
    assert_eq!(dry.code, Some(0), "{}", dry.stdout);
    assert_eq!(fs::read_to_string(&own).unwrap(), before.to_string());
    let report: Value = serde_json::from_str(&dry.stdout).unwrap();
    assert_eq!(report["written"], false);
    assert_eq!(report["policies"][0]["action"], "changed");
    let change = &report["policies"][0]["changes"][0];
    assert_eq!(
        *change,
        json!({"member": "conditions.agentIdRiskLevels", "before": "high", "after": "medium,high"})
    );

    let forced = run(folder.path(), &["export.json", "--into", "p", "--force"]);
    assert_eq!(forced.code, Some(0), "{}", forced.stdout);
    assert_eq!(names(&folder.path().join("p")), ["mine.json", "two.json"]);
    let written: Value = serde_json::from_str(&fs::read_to_string(&own).unwrap()).unwrap();
    assert_eq!(written["conditions"]["agentIdRiskLevels"], "medium,high");
    assert_ne!(fs::read_to_string(&own).unwrap(), text);
}

#[test]
fn a_policy_among_others_in_one_file_is_replaced_where_it_stands() {
    let folder = TempDir::new().unwrap();
    let two = policy(2, "Two", &json!({}));
    let both = json!({"value": [policy(1, "One", &json!({})), two]});
    fs::create_dir(folder.path().join("p")).unwrap();
    fs::write(folder.path().join("p/all.json"), both.to_string()).unwrap();
    fs::write(
        folder.path().join("other.json"),
        policy(1, "Uno", &json!({})).to_string(),
    )
    .unwrap();
    let ended = run(folder.path(), &["other.json", "--into", "p", "--force"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    assert_eq!(names(&folder.path().join("p")), ["all.json"]);
    let text = fs::read_to_string(folder.path().join("p/all.json")).unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list["value"][0]["displayName"], "Uno");
    assert_eq!(list["value"][1], two);
    assert!(
        text.contains(&two.to_string()),
        "the other stays byte for byte: {text}"
    );
}

#[test]
fn one_bad_input_keeps_all_from_being_written() {
    let folder = TempDir::new().unwrap();
    let good = policy(1, "Good", &json!({}));
    fs::write(folder.path().join("good.json"), good.to_string()).unwrap();
    let mut no_id = policy(2, "No id", &json!({}));
    no_id.as_object_mut().unwrap().remove("id");
    let mut twin = good;
    twin["state"] = json!("disabled");
    let powershell = json!({"Conditions": {}, "DisplayName": "P", "AdditionalProperties": {}});
    for (bad, told) in [
        ("{\"id\":", "bad.json:1:6: error: the text ends too early"),
        ("", "bad.json:1:0: error: the text ends too early"),
        (&no_id.to_string(), "error: id: expected the policy's id"),
        (
            &twin.to_string(),
            "bad.json:1:271: error: id: `10000000-0000-4000-8000-000000000001` was given before, in good.json, and says something else",
        ),
        (
            &powershell.to_string(),
            "is an object of PowerShell's, not of Graph's",
        ),
        ("[7]", "bad.json:1:2: error: [0]: expected an object"),
        (
            "{\"ipRanges\": []}",
            "error: id: expected the named location's id",
        ),
    ] {
        fs::write(folder.path().join("bad.json"), bad).unwrap();
        let ended = run(folder.path(), &["good.json", "bad.json", "--into", "p"]);
        assert_eq!(ended.code, Some(65), "{bad}: {}", ended.stdout);
        assert!(ended.stdout.contains(told), "{bad}: {}", ended.stdout);
        assert!(
            ended
                .stdout
                .ends_with("nothing was written: correct the errors first\n"),
            "{}",
            ended.stdout
        );
        assert!(!folder.path().join("p").exists());
    }
    let gone = run(folder.path(), &["good.json", "gone.json", "--into", "p"]);
    assert!(
        gone.stdout
            .contains("gone.json: error: cannot read the file: no such file or folder"),
        "{}",
        gone.stdout
    );
    assert_eq!(gone.code, Some(65));
    // Given twice and alike, one is enough.
    let twice = run(folder.path(), &["good.json", "good.json", "--into", "p"]);
    assert!(
        twice.stdout.contains("warning: id: `10000000"),
        "{}",
        twice.stdout
    );
    assert_eq!(
        (twice.code, names(&folder.path().join("p")).len()),
        (Some(0), 1)
    );
    // What is in the folder already may be the very policy.
    fs::write(folder.path().join("p/good.json"), "{").unwrap();
    let ended = run(folder.path(), &["good.json", "--into", "p"]);
    assert_eq!(ended.code, Some(65), "{}", ended.stdout);
    assert_eq!(
        fs::read_to_string(folder.path().join("p/good.json")).unwrap(),
        "{"
    );
}

#[test]
fn findings_say_what_was_lost_what_is_not_honoured_and_what_is_not_there() {
    let folder = Folder::with_reference();
    let nobody = "b1b1b1b1-0000-4000-8000-0000000000ff";
    let locations = json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted", "77777777-0000-4000-8000-000000000007",
        "99999999-0000-4000-8000-000000000001", "99999999-0000-4000-8000-000000000009"]});
    let names_unknown = policy(
        1,
        "Unknown",
        &json!({
            "clientApplications": {"includeAgentIdServicePrincipals": [
                "A9A9A9A9-0000-4000-8000-000000000002", "b1b1b1b1-0000-4000-8000-000000000001", nobody]},
            "agents": {"excludeAgentUsers": ["a9a9a9a9-0000-4000-8000-000000000002"]},
            "applications": {"includeApplications": ["e5e5e5e5-0000-4000-8000-000000000005", "00000003-0000-0000-c000-000000000000"]},
            "locations": locations,
        }),
    );
    let lost = policy(
        2,
        "Lost",
        &json!({"clientApplications": {"includeServicePrincipals": [], "excludeServicePrincipals": []}}),
    );
    let export = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies",
        "value": [names_unknown, lost],
    });
    folder.write(
        "export.json",
        serde_json::to_string_pretty(&export).unwrap(),
    );
    let location = json!({"countriesAndRegions": ["NO"], "id": "99999999-0000-4000-8000-000000000009", "displayName": "N"});
    folder.write("location.json", location.to_string());
    // A folder of policies that the gateway would refuse for now is no hindrance.
    fs::remove_dir_all(folder.path("policies")).unwrap();

    let ended = run(
        folder.root(),
        &[
            "export.json",
            "location.json",
            "--config",
            "boomgate.yaml",
            "--output",
            "json",
        ],
    );
    assert_eq!(
        (ended.stderr.as_str(), ended.code),
        ("", Some(0)),
        "{}",
        ended.stdout
    );
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let text = |finding: &Value, member: &str| finding[member].as_str().unwrap().to_owned();
    for (member, told) in [
        (
            "value[0].conditions.clientApplications.includeAgentIdServicePrincipals[2]",
            "is neither an agent identity nor a blueprint",
        ),
        (
            "value[0].conditions.agents.excludeAgentUsers[0]",
            "is an agent identity, which policies for agent users",
        ),
        (
            "value[0].conditions.applications.includeApplications[1]",
            "is the `app_id` of no resource",
        ),
        (
            "value[0].conditions.locations.excludeLocations[2]",
            "is no named location that is there",
        ),
        (
            "value[1].conditions.clientApplications",
            "exported from v1.0, which loses the members for agents",
        ),
    ] {
        let there = findings.iter().any(|finding| {
            text(finding, "member") == member && text(finding, "message").contains(told)
        });
        assert!(there, "{member}: {told}\n{findings:#?}");
    }
    let unknown = findings
        .iter()
        .filter(|finding| finding["message"].as_str().unwrap().starts_with('`'));
    assert_eq!(unknown.count(), 4, "{findings:#?}");
    assert!(
        findings
            .iter()
            .all(|finding| finding["severity"] == "warning"),
        "{findings:#?}"
    );
    assert_eq!(
        names(&folder.path("policies")),
        ["lost.json", "unknown.json"]
    );
    assert_eq!(report["namedLocations"][0]["action"], "new");
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = TempDir::new().unwrap();
    let arguments = Arguments {
        files: vec![PathBuf::from("-")],
        into: Some(folder.path().join("p")),
        ..Arguments::default()
    };
    let text = utf16(&policy(1, "Piped", &json!({})).to_string());
    let mut out = Vec::new();
    let code = import(
        &arguments,
        &process_environment,
        &mut &text[..],
        &mut out,
        &mut Vec::new(),
    );
    assert_eq!(code.unwrap(), 0, "{}", String::from_utf8_lossy(&out));
    assert_eq!(names(&folder.path().join("p")), ["piped.json"]);
}

#[test]
fn wrong_usage_and_bad_configuration_have_codes_of_their_own() {
    let folder = Folder::with_minimal();
    folder.write("p.json", policy(1, "P", &json!({})).to_string());
    for arguments in [&[][..], &["p.json"], &["--into", "x"]] {
        assert_eq!(run(folder.root(), arguments).code, Some(2), "{arguments:?}");
    }
    folder.replace("hr-api", "");
    let ended = run(folder.root(), &["p.json", "--config", "boomgate.yaml"]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(78), ""),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("boomgate.yaml:"), "{}", ended.stderr);
}
