//! The sample exports in `tests/data/entra` load, whatever their encoding, and what is not honoured of each is said.

use std::collections::BTreeMap;
use std::path::Path;

use boomgate::policy::read::read;
use boomgate::policy::{OnUnsupported, PolicyState, check_set};
use boomgate::types::Severity;

/// What each sample configures that is not honoured, or that an operator should know.
const FINDINGS: [(&str, &[&str]); 12] = [
    ("e01", &[]),
    ("e02", &[]),
    ("e03", &["conditions.applications.excludeApplications[0]"]),
    ("e04", &[]),
    ("e05", &[]),
    ("e06", &[]),
    (
        "e07",
        &[
            "conditions.agentContext",
            "grantControls.builtInControls[0]",
        ],
    ),
    ("e08", &["conditions.locations"]),
    ("e09", &[]),
    (
        "e10",
        &[
            "conditions.users.includeUsers[0]",
            "conditions.users.excludeUsers[0]",
            "conditions.users.excludeGroups",
            "conditions.users.excludeGuestsOrExternalUsers",
            "grantControls.authenticationStrength",
        ],
    ),
    (
        "e11",
        &[
            "conditions.locations",
            "conditions.clientApplications.includeServicePrincipals",
        ],
    ),
    (
        "e12",
        &[
            "conditions.userRiskLevels",
            "conditions.signInRiskLevels",
            "conditions.insiderRiskLevels",
            "conditions.clientAppTypes[0]",
            "conditions.clientAppTypes[1]",
            "conditions.applications.excludeApplications[1]",
            "conditions.users.includeGroups",
            "conditions.users.includeRoles",
            "conditions.platforms",
            "conditions.locations",
            "conditions.devices",
            "conditions.authenticationFlows",
            "grantControls.builtInControls[0]",
            "grantControls.builtInControls[1]",
            "grantControls.termsOfUse",
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
    assert!(check_set(&all).is_empty());
    let understood: Vec<_> = all
        .iter()
        .map(boomgate::policy::Policy::is_understood)
        .collect();
    let agents = [
        true, true, true, true, true, true, false, false, true, false, false, false,
    ];
    assert_eq!(understood, agents);
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
        let unsupported = expected
            .iter()
            .any(|member| !member.contains("excludeApplications"));
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
