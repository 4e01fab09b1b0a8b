use serde_json::json;

use super::*;

fn read(kind: &str, payload: &Value) -> Result<Option<SignalEvent>, &'static str> {
    SignalEvent::read(kind, payload.as_object().unwrap())
}

#[test]
fn every_event_of_caep_is_read_by_its_name_and_what_it_says() {
    for event in SignalEvent::ALL {
        assert_eq!(SignalEvent::parse(event.as_str()), Some(*event));
    }
    let caep = |name: &str, payload| read(&format!("{CAEP}{name}"), &payload);
    for (name, payload, event) in [
        ("session-revoked", json!({}), SignalEvent::SessionRevoked),
        (
            "token-claims-change",
            json!({"claims": {}}),
            SignalEvent::TokenClaimsChange,
        ),
        (
            "credential-change",
            json!({"credential_type": "x509", "change_type": "create"}),
            SignalEvent::CredentialCreated,
        ),
        (
            "credential-change",
            json!({"credential_type": "x509", "change_type": "revoke"}),
            SignalEvent::CredentialChanged,
        ),
        (
            "assurance-level-change",
            json!({"change_direction": "increase"}),
            SignalEvent::AssuranceIncreased,
        ),
        (
            "assurance-level-change",
            json!({}),
            SignalEvent::AssuranceDecreased,
        ),
        (
            "device-compliance-change",
            json!({"current_status": "compliant"}),
            SignalEvent::DeviceCompliant,
        ),
        (
            "device-compliance-change",
            json!({"current_status": "lost"}),
            SignalEvent::DeviceNotCompliant,
        ),
        (
            "session-established",
            json!({}),
            SignalEvent::SessionEstablished,
        ),
        (
            "session-presented",
            json!({}),
            SignalEvent::SessionPresented,
        ),
        (
            "risk-level-change",
            json!({"current_level": "LOW"}),
            SignalEvent::RiskLow,
        ),
        (
            "risk-level-change",
            json!({"current_level": "MEDIUM"}),
            SignalEvent::RiskMedium,
        ),
        (
            "risk-level-change",
            json!({"current_level": "HIGH"}),
            SignalEvent::RiskHigh,
        ),
        (
            "risk-level-change",
            json!({"current_level": "DIRE"}),
            SignalEvent::RiskHigh,
        ),
    ] {
        assert_eq!(
            caep(name, payload.clone()),
            Ok(Some(event)),
            "{name} {payload}"
        );
    }
}

#[test]
fn a_level_in_small_letters_is_the_same() {
    let small = json!({"current_level": "low"});
    let event = read(&format!("{CAEP}risk-level-change"), &small);
    assert_eq!(event, Ok(Some(SignalEvent::RiskLow)));
}

#[test]
fn every_event_of_risc_is_read_by_its_name() {
    for name in [
        "account-credential-change-required",
        "account-purged",
        "account-disabled",
        "account-enabled",
        "identifier-changed",
        "identifier-recycled",
        "credential-compromise",
        "opt-in",
        "opt-out-initiated",
        "opt-out-cancelled",
        "opt-out-effective",
        "recovery-activated",
        "recovery-information-changed",
        "sessions-revoked",
    ] {
        let event = read(&format!("{RISC}{name}"), &json!({})).unwrap().unwrap();
        assert_eq!(event.as_str(), name);
    }
}

#[test]
fn what_no_standard_has_is_none_and_what_lacks_a_member_is_refused() {
    assert_eq!(read("https://example.com/other", &json!({})), Ok(None));
    assert_eq!(read(&format!("{CAEP}mood-change"), &json!({})), Ok(None));
    // The name with what it says is ours, and no type.
    assert_eq!(
        read(&format!("{CAEP}risk-level-change.low"), &json!({})),
        Ok(None)
    );
    for name in [
        "credential-change",
        "device-compliance-change",
        "risk-level-change",
    ] {
        assert!(
            read(&format!("{CAEP}{name}"), &json!({})).is_err(),
            "{name}"
        );
    }
}

#[test]
fn the_operators_word_stands_in_place_of_the_default() {
    let own = Effect::risk(RiskLevel::High);
    let effects = Effects::new(BTreeMap::from([(SignalEvent::SessionRevoked, own)]));
    assert_eq!(effects.of(SignalEvent::SessionRevoked), own);
    assert_eq!(effects.of(SignalEvent::AccountDisabled), Effect::DISABLE);
}
