//! What is said of an agent that something was found of: a detection, and the level that follows from it.
//!
//! Each kind of detection is a source of its own, `boomgate:tokenReplay` and the like, so that the level of each stands
//! and expires by itself. Never here: a level that an administrator's later word does not overrule.

use std::sync::Arc;

use crate::detection::{Finding, Kind, Mode, Rule};
use crate::record::change::{Change, Identity, Initiator, Property, Target};
use crate::risk::{DetectionTiming, RiskDetection, RiskEntry, RiskSubject};
use crate::snapshot::Snapshot;
use crate::store::Entry;
use crate::types::{RiskLevel, RiskState, Timestamp};

/// Who says what Boomgate found itself.
const SOURCE: &str = "boomgate";

/// The source of what one kind of detection says.
pub(super) fn source(kind: Kind) -> Arc<str> {
    format!("{SOURCE}:{kind}").into()
}

/// The kind of detection that a source is of, if it is one of ours.
#[must_use]
pub fn kind_of(source: &str) -> Option<Kind> {
    let (of, name) = source.split_once(':')?;
    let mut kinds = Kind::ALL.into_iter();
    kinds.find(|kind| of == SOURCE && kind.as_str() == name)
}

/// The detection, and where it is enforced the level.
pub(super) fn said(finding: Finding, rule: Rule, now: Timestamp) -> Vec<Entry> {
    let is_enforced = rule.mode == Mode::Enforce;
    let entry = RiskEntry {
        id: Arc::clone(&finding.agent),
        subject: finding.subject,
        level: Some(rule.level),
        state: RiskState::AtRisk,
        detail: "none".into(),
        // The time of the act: an administrator's word that came after it overrules it, however late it is found.
        last_modified: finding.at,
        source: source(finding.kind),
    };
    let detection = RiskDetection {
        id: uuid::Uuid::now_v7().simple().to_string().into(),
        identity_id: finding.agent,
        subject: finding.subject,
        event_type: finding.kind.as_str().into(),
        level: Some(rule.level),
        state: if is_enforced {
            RiskState::AtRisk
        } else {
            RiskState::None
        },
        detail: "none".into(),
        activity_at: finding.at,
        detected_at: now,
        last_modified: now,
        timing: DetectionTiming::Realtime,
        evidence: Some(finding.evidence.into()),
        correlation_id: None,
        request_id: finding.call.map(|call| call.to_string().into()),
        source: SOURCE.into(),
    };
    let mut said = vec![Entry::Detection(detection)];
    said.extend(is_enforced.then_some(Entry::Risk(entry)));
    said
}

/// What expires at `at`: the level, which is none from then on.
pub(super) fn expired(entry: &RiskEntry, at: Timestamp) -> RiskEntry {
    RiskEntry {
        level: Some(RiskLevel::None),
        state: RiskState::Remediated,
        last_modified: at,
        ..entry.clone()
    }
}

/// The change that a finding is about to make.
pub(super) fn change(finding: &Finding, rule: Rule, snapshot: &Snapshot, now: Timestamp) -> Change {
    let id = &finding.agent;
    let source = source(finding.kind);
    let before = snapshot.risk.of(id).find(|entry| entry.source == source);
    let before = before.and_then(|entry| entry.effective_level());
    let (kind, display_name) = match finding.subject {
        RiskSubject::AgentUser => (
            "User",
            snapshot.directory.agent_user(id).map(|of| &of.display_name),
        ),
        _ => (
            "ServicePrincipal",
            snapshot.directory.agent(id).map(|of| &of.display_name),
        ),
    };
    let after = match rule.mode {
        Mode::Enforce => rule.level,
        Mode::ReportOnly | Mode::Off => RiskLevel::None,
    };
    let quoted = |value: &str| serde_json::Value::from(value).to_string();
    let property = |name: &str, before: Option<&str>, after: &str| Property {
        display_name: name.to_owned(),
        old_value: before.map(quoted),
        new_value: Some(quoted(after)),
    };
    Change {
        id: uuid::Uuid::now_v7().to_string(),
        correlation_id: finding
            .call
            .map_or_else(String::new, |call| call.to_string()),
        activity_date_time: now,
        activity_display_name: "Detect risk of agent",
        category: "Other",
        operation_type: "Update",
        initiated_by: Initiator {
            app: Some(Identity {
                id: None,
                display_name: "Boomgate detections".into(),
                roles: Vec::new(),
            }),
            user: None,
        },
        target_resources: vec![Target {
            id: id.to_string(),
            display_name: display_name.map(ToString::to_string),
            kind,
            modified_properties: vec![
                property("riskLevel", before.map(RiskLevel::as_str), after.as_str()),
                property("riskEventType", None, finding.kind.as_str()),
                property("riskEvidence", None, &finding.evidence),
            ],
        }],
    }
}
