//! Reads Graph's `agentRiskDetection`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{DetectionTiming, RiskDetection};
use crate::risk::RiskSubject;
use crate::types::{ObjectId, RiskLevel, RiskState, Timestamp};

/// The longest text for people that is kept.
const MAX_TEXT: usize = 500;

impl RiskDetection {
    /// Reads one, with the id that Graph has for it. `source` says so.
    ///
    /// # Errors
    /// The member that is missing or not known, and what was expected.
    pub fn read(members: &Map<String, Value>, source: &Arc<str>) -> Result<Self, String> {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let needed = |name: &str| {
            let text = text(name).filter(|text| !text.is_empty());
            text.ok_or_else(|| format!("`{name}` is missing, expected text"))
        };
        let time = |name: &str| {
            let expected = || format!("`{name}` is not known, expected a time");
            Timestamp::parse(needed(name)?).ok_or_else(expected)
        };
        // The older name is Graph's until April 2027.
        let agent = needed("identityId").or_else(|_| needed("agentId"))?;
        let agent = ObjectId::parse(agent).map_err(|_error| "`identityId` is no id")?;
        let level = match needed("riskLevel")? {
            level if level.eq_ignore_ascii_case("hidden") => None,
            level => Some(RiskLevel::parse(level).ok_or("`riskLevel` is not known")?),
        };
        let state = RiskState::parse(needed("riskState")?).ok_or("`riskState` is not known")?;
        let detected_at = time("detectedDateTime")?;
        let or_detected = |name: &str| text(name).map_or(Ok(detected_at), |_| time(name));
        let kind = text("identityType").and_then(RiskSubject::parse);
        let timing = text("detectionTimingType").and_then(DetectionTiming::parse);
        Ok(Self {
            id: needed("id")?.into(),
            identity_id: agent.to_shared(),
            subject: kind.unwrap_or(RiskSubject::AgentIdentity),
            event_type: short(needed("riskEventType")?),
            level,
            state,
            detail: short(text("riskDetail").unwrap_or("none")),
            activity_at: or_detected("activityDateTime")?,
            detected_at,
            last_modified: or_detected("lastModifiedDateTime")?,
            timing: timing.unwrap_or(DetectionTiming::Offline),
            evidence: text("riskEvidence").map(short),
            correlation_id: text("signInCorrelationId").map(short),
            request_id: text("signInRequestId").map(short),
            source: Arc::clone(source),
        })
    }
}

/// A text for people, without what a terminal would act on.
fn short(text: &str) -> Arc<str> {
    let shown = text.chars().filter(|c| !c.is_control());
    shown.take(MAX_TEXT).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn graphs() -> Value {
        json!({
            "id": "1e00aa", "agentId": "a9", "identityId": "A9A9A9A9-0000-4000-8000-000000000002", "displayName": "hr-agent-01",
            "identityType": "agentIdentity", "activityDateTime": "2026-10-01T11:58:00Z",
            "detectedDateTime": "2026-10-01T12:00:00Z", "lastModifiedDateTime": "2026-10-01T12:01:00Z",
            "detectionTimingType": "offline", "riskEventType": "unfamiliarResourceAccess",
            "riskLevel": "high", "riskState": "atRisk", "riskDetail": "none", "riskEvidence": null,
            "additionalInfo": null, "source": "IdentityProtection", "signInRequestId": "r1",
        })
    }

    fn read(value: &Value) -> Result<RiskDetection, String> {
        RiskDetection::read(value.as_object().unwrap(), &"graph".into())
    }

    #[test]
    fn reads_what_graph_says() {
        let read = read(&graphs()).unwrap();
        assert_eq!(
            (&*read.id, &*read.identity_id),
            ("1e00aa", "a9a9a9a9-0000-4000-8000-000000000002")
        );
        assert_eq!(read.level, Some(RiskLevel::High));
        assert_eq!(read.activity_at.to_string(), "2026-10-01T11:58:00Z");
        assert_eq!(read.last_modified.to_string(), "2026-10-01T12:01:00Z");
        assert_eq!(&*read.event_type, "unfamiliarResourceAccess");
        assert_eq!(read.request_id.as_deref(), Some("r1"));
        assert_eq!((read.evidence, &*read.source), (None, "graph"));
    }

    #[test]
    fn what_is_missing_is_named_and_what_may_be_is_filled_in() {
        for name in [
            "id",
            "riskEventType",
            "riskLevel",
            "riskState",
            "detectedDateTime",
        ] {
            let mut value = graphs();
            value.as_object_mut().unwrap().remove(name);
            assert!(read(&value).unwrap_err().contains(name), "{name}");
        }
        let mut value = graphs();
        for name in [
            "identityId",
            "activityDateTime",
            "lastModifiedDateTime",
            "identityType",
        ] {
            value.as_object_mut().unwrap().remove(name);
        }
        let older = read(&value).unwrap();
        assert_eq!(&*older.identity_id, "a9");
        assert_eq!(older.activity_at, older.detected_at);
        value["riskLevel"] = json!("hidden");
        assert_eq!(read(&value).unwrap().level, None);
        value["riskLevel"] = json!("severe");
        assert!(read(&value).is_err());
    }
}
