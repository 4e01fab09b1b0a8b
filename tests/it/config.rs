//! The configuration as an operator meets it: the shipped reference loads, and every fault of a faulty file is
//! told with its place.

mod again;
mod faults;
pub(crate) mod support;

use boomgate::config::{load, schema};
use boomgate::identity::settings::{KeyOrigin, Profile};
use boomgate::policy::PolicyState;
use boomgate::spiffe::settings::OwnCertificate;
use boomgate::types::RiskLevel;

use support::{Folder, TOKEN, environment, reference_text};

#[test]
fn the_reference_loads_as_it_is() {
    let folder = Folder::with_reference();
    let (loaded, faults) = load(&folder.path("boomgate.yaml"), &environment);
    assert!(faults.is_empty(), "{faults:#?}");
    let loaded = loaded.unwrap();
    let settings = &loaded.settings;
    assert_eq!(settings.management.admin_token.expose(), TOKEN);
    assert_eq!(settings.resources.iter().count(), 4);
    assert_eq!(settings.upstreams.len(), 3);
    let state = |state| loaded.policies.iter().filter(|p| p.state == state).count();
    assert_eq!(state(PolicyState::Enabled), 4);
    assert_eq!(state(PolicyState::EnabledForReportingButNotEnforced), 1);
    assert_eq!(state(PolicyState::Disabled), 1);
    assert_eq!(loaded.directory.agents().count(), 5);
    assert_eq!(loaded.directory.agent_users().count(), 1);
    assert_eq!(loaded.directory.blueprints().count(), 2);
    let high = loaded
        .risk
        .iter()
        .filter(|e| e.effective_level() == Some(RiskLevel::High));
    assert_eq!(high.count(), 1);
    let entra = &settings.issuers[0];
    assert!(matches!(entra.profile, Profile::Entra { .. }));
    let folder_of = |path: &std::path::Path| path.starts_with(folder.root());
    assert!(folder_of(&settings.sources.policies));
    let tls = settings.listeners[0].tls.as_ref().unwrap();
    assert!(matches!(
        &tls.certificate,
        OwnCertificate::Files { key_file, .. } if folder_of(key_file)
    ));
}

#[test]
fn the_reference_names_every_setting_and_shows_the_defaults() {
    let reference = reference_text();
    let schema = schema();
    let mut objects = vec![schema.clone()];
    objects.extend(schema["$defs"].as_object().unwrap().values().cloned());
    objects.push(schema["properties"]["policies"].clone());
    let mut settings = 0;
    for object in objects {
        for (name, property) in object["properties"].as_object().into_iter().flatten() {
            settings += 1;
            assert!(
                reference.contains(&format!("{name}:")),
                "`{name}` is not in the reference"
            );
            let default = match property.get("default") {
                Some(serde_json::Value::String(default)) => default.clone(),
                Some(serde_json::Value::Number(default)) => default.to_string(),
                _ => continue,
            };
            let shown = format!("{name}: {default}");
            // YAML would read a text with braces otherwise.
            let quoted = format!("{name}: \"{default}\"");
            assert!(
                reference.contains(&shown) || reference.contains(&quoted),
                "`{shown}` is not in the reference"
            );
        }
    }
    assert!(settings > 80, "{settings}");
}

#[test]
fn what_the_reference_leaves_out_reads_as_what_it_says() {
    // The reference with its defaults spelled out, and a file without them, mean the same.
    let folder = Folder::with_reference();
    let (full, _) = load(&folder.path("boomgate.yaml"), &environment);
    let folder = Folder::with_minimal();
    let (minimal, faults) = load(&folder.path("boomgate.yaml"), &environment);
    let minimal = minimal.unwrap_or_else(|| panic!("{faults:#?}")).settings;
    let full = full.unwrap().settings;
    assert_eq!(full.listeners[0].limits, minimal.listeners[0].limits);
    assert_eq!(full.tokens, minimal.tokens);
    assert_eq!(full.responses, minimal.responses);
    assert_eq!(full.records, minimal.records);
    assert_eq!(full.decisions, minimal.decisions);
    assert_eq!(full.reload_interval, minimal.reload_interval);
    assert_eq!(full.shutdown, minimal.shutdown);
    assert_eq!(full.management.address, minimal.management.address);
    assert_eq!(full.issuers[0], minimal.issuers[0]);
    assert_eq!(
        full.upstreams.get("hr-api"),
        minimal.upstreams.get("hr-api")
    );
    assert_eq!(full.workers, None);
}

#[test]
fn keys_in_a_file_are_read_with_the_configuration() {
    let folder = Folder::with_minimal();
    folder.write_jwks("keys.json");
    folder.replace(
        "    tenant:",
        "    keys:\n      file: keys.json\n    tenant:",
    );
    let (loaded, faults) = load(&folder.path("boomgate.yaml"), &environment);
    let loaded = loaded.unwrap_or_else(|| panic!("{faults:#?}"));
    assert!(matches!(
        loaded.settings.issuers[0].keys.origin,
        KeyOrigin::File(_)
    ));
    assert!(loaded.keys.contains_key("entra"));
}

#[test]
fn the_generation_follows_what_decisions_rest_on_and_nothing_else() {
    let folder = Folder::with_reference();
    let generation = || {
        let (loaded, faults) = load(&folder.path("boomgate.yaml"), &environment);
        loaded.unwrap_or_else(|| panic!("{faults:#?}")).generation
    };
    let first = generation();
    assert_eq!(first, generation());
    folder.replace("drain_timeout: 25s", "drain_timeout: 20s");
    assert_eq!(first, generation());
    folder.replace("entra_parity: false", "entra_parity: true");
    let second = generation();
    assert_ne!(first, second);
    let policy = folder.path("policies/block-all-agents.json");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text.replace("\"disabled\"", "\"enabled\"")).unwrap();
    assert_ne!(second, generation());
}

#[test]
fn the_shipped_schema_is_the_one_that_is_enforced() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/boomgate.schema.json");
    let current = schema::shipped();
    if std::env::var_os("BOOMGATE_BLESS").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let shipped = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        shipped == current,
        "run the test with BOOMGATE_BLESS=1 to write {path} anew"
    );
}

#[test]
fn check_prints_a_summary_or_the_faults_and_their_lines() {
    use boomgate::cli::{Output, check::check};
    let folder = Folder::with_reference();
    let path = folder.path("boomgate.yaml");
    let run = |output| {
        let mut out = Vec::new();
        let code = check(&path, &environment, output, &mut out).unwrap();
        (code, anstream::adapter::strip_bytes(&out).into_vec())
    };
    let (code, text) = run(Output::Text);
    let text = String::from_utf8(text).unwrap();
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("4 enforced, 1 report-only, 1 disabled"),
        "{text}"
    );
    let (code, json) = run(Output::Json);
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(code, 0);
    assert_eq!(json["summary"]["policies"]["enabled"], 4);
    assert_eq!(json["faults"], serde_json::json!([]));

    folder.replace("non_agents: block", "non_agents: blok");
    let (code, text) = run(Output::Text);
    let text = String::from_utf8(text).unwrap();
    assert_eq!(code, 78);
    assert!(
        text.contains(": error: resources[0].non_agents: `blok` is not one of"),
        "{text}"
    );
    assert!(text.contains("|     non_agents: blok\n"), "{text}");
    assert!(text.contains(" |                 ^\n"), "{text}");
    let (code, json) = run(Output::Json);
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(code, 78);
    assert_eq!(json["summary"], serde_json::Value::Null);
    assert_eq!(json["faults"][0]["severity"], "error");
}

#[test]
fn log_formats_and_workers_are_typed() {
    let folder = Folder::with_minimal();
    folder.append("log:\n  format: json\nworkers: 3\n");
    let (loaded, faults) = load(&folder.path("boomgate.yaml"), &environment);
    let settings = loaded.unwrap_or_else(|| panic!("{faults:#?}")).settings;
    assert_eq!(settings.workers, Some(3));
    assert_eq!(
        settings.log.format,
        boomgate::telemetry::logging::LogFormat::Json
    );
}
