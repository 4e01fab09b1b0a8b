//! The sample exports in `tests/data/entra` load, whatever their encoding, and what is not honoured of each is said.

use std::collections::BTreeMap;
use std::path::Path;

use boomgate::policy::locations::{self, OwnRanges};
use boomgate::policy::read::read;
use boomgate::policy::{NamedLocations, OnUnsupported, PolicyState, check_set};
use boomgate::types::Severity;

/// What each sample configures that is not honoured, or that an operator should know.
const FINDINGS: [(&str, &[&str]); 12] = [
    ("e01", &[]),
    ("e02", &[]),
    ("e03", &["conditions.applications.excludeApplications[0]"]),
    ("e04", &[]),
    ("e05", &[]),
    ("e06", &[]),
    ("e07", &[]),
    ("e08", &[]),
    ("e09", &[]),
    ("e10", &[]),
    ("e11", &[]),
    (
        "e12",
        &[
            "conditions.applications.excludeApplications[1]",
            "sessionControls.cloudAppSecurity",
            "sessionControls.persistentBrowser",
            "sessionControls.signInFrequency",
            "sessionControls.continuousAccessEvaluation",
            "sessionControls.secureSignInSession",
        ],
    ),
];

/// The samples by name.
fn samples() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/entra");
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn every_sample_loads_and_says_what_is_not_honoured() {
    let samples = samples();
    assert_eq!(samples.len(), FINDINGS.len());
    let mut all = Vec::new();
    for ((file, bytes), (name, expected)) in samples.iter().zip(FINDINGS) {
        assert!(file.starts_with(name), "{file}");
        let (policies, faults) = read(file, bytes, OnUnsupported::ReportOnly);
        assert_eq!(policies.len(), 1, "{file}");
        assert!(!faults.has_errors(), "{faults:?}");
        let faults = faults.sorted();
        let members: Vec<_> = faults.iter().map(|fault| fault.member.as_str()).collect();
        assert_eq!(members, expected, "{file}");
        assert!(
            faults
                .iter()
                .all(|fault| fault.line > 1 && fault.column > 1)
        );
        all.extend(policies);
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/named-locations");
    let file = std::fs::read(shipped.join("named-locations.json")).unwrap();
    let (named, faults) = locations::read("named-locations.json", &file);
    assert!(faults.is_empty(), "{faults:?}");
    let (named, faults) = NamedLocations::compile(named, &OwnRanges::default());
    assert!(faults.is_empty(), "{faults:?}");
    // The two places of which nobody but the operator can tell the ranges.
    let faults = check_set(&all, &named).sorted();
    let found: Vec<_> = faults
        .iter()
        .map(|fault| (&*fault.file, fault.member.as_str(), fault.severity))
        .collect();
    assert_eq!(
        found,
        [
            (
                "e08-agent-users-compliant-network-only.json",
                "conditions.locations.excludeLocations[0]",
                Severity::Warning
            ),
            (
                "e12-users-reader-exercise.json",
                "conditions.locations.excludeLocations[0]",
                Severity::Warning
            ),
        ]
    );
    let understood: Vec<_> = all
        .iter()
        .map(boomgate::policy::Policy::is_understood)
        .collect();
    // The last asks how often its humans sign in, and for bound sessions.
    let expected = [
        true, true, true, true, true, true, true, true, true, true, true, false,
    ];
    assert_eq!(understood, expected);
    for policy in all.iter().filter(|policy| !policy.is_understood()) {
        assert_ne!(
            policy.state,
            PolicyState::Enabled,
            "{}",
            policy.display_name
        );
    }
}

#[test]
fn samples_that_are_not_honoured_whole_are_refused_by_default() {
    for ((file, bytes), (_, expected)) in samples().iter().zip(FINDINGS) {
        let (policies, faults) = read(file, bytes, OnUnsupported::Reject);
        let enabled = policies[0].state != PolicyState::Disabled;
        let unsupported = ["signInFrequency", "secureSignInSession"];
        let unsupported = expected
            .iter()
            .any(|member| unsupported.iter().any(|name| member.ends_with(name)));
        assert_eq!(
            faults.has_errors(),
            enabled && unsupported,
            "{file}: {faults:?}"
        );
        assert!(
            enabled
                || faults
                    .iter()
                    .all(|fault| fault.severity == Severity::Warning),
            "{file}"
        );
    }
}

#[test]
fn samples_come_in_the_encodings_of_exports() {
    let marks = |mark: &[u8]| {
        samples()
            .values()
            .filter(|bytes| bytes.starts_with(mark))
            .count()
    };
    assert!(marks(b"\xFF\xFE") >= 2);
    assert!(marks(b"\xFE\xFF") >= 1);
    assert!(marks(b"\xEF\xBB\xBF") >= 1);
}
