//! How a detection is written.

use serde_json::{Map, Value, json};

use super::{VERSION, text};
use crate::risk::{DetectionTiming, RiskDetection, RiskSubject};
use crate::types::{RiskLevel, RiskState, Timestamp};

pub(super) fn value(entry: &RiskDetection) -> Value {
    json!({
        "v": VERSION,
        "identityId": entry.identity_id,
        "identityType": entry.subject.as_str(),
        "riskEventType": entry.event_type,
        "riskLevel": entry.level.map_or("hidden", RiskLevel::as_str),
        "riskState": entry.state.as_str(),
        "riskDetail": entry.detail,
        "activity": entry.activity_at.as_micros(),
        "detected": entry.detected_at.as_micros(),
        "timing": entry.timing.as_str(),
        "evidence": entry.evidence,
        "correlationId": entry.correlation_id,
        "requestId": entry.request_id,
        "source": entry.source,
    })
}

/// The detection of this id, of which something was last said at this time; `None` if it is of a newer version.
pub(super) fn read(
    id: &str,
    last_modified: Timestamp,
    members: &Map<String, Value>,
) -> Option<RiskDetection> {
    let time = |name: &str| members.get(name).and_then(Value::as_i64);
    let level = match text(members, "riskLevel")? {
        "hidden" => None,
        level => Some(RiskLevel::parse(level)?),
    };
    Some(RiskDetection {
        id: id.into(),
        identity_id: text(members, "identityId")?.into(),
        subject: RiskSubject::parse(text(members, "identityType")?)?,
        event_type: text(members, "riskEventType")?.into(),
        level,
        state: RiskState::parse(text(members, "riskState")?)?,
        detail: text(members, "riskDetail")?.into(),
        activity_at: Timestamp::from_micros(time("activity")?),
        detected_at: Timestamp::from_micros(time("detected")?),
        last_modified,
        timing: DetectionTiming::parse(text(members, "timing")?)?,
        evidence: text(members, "evidence").map(Into::into),
        correlation_id: text(members, "correlationId").map(Into::into),
        request_id: text(members, "requestId").map(Into::into),
        source: text(members, "source")?.into(),
    })
}
