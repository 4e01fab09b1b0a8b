//! What a report says, by the operator's mapping.
//!
//! Never here: a member that is guessed. What the mapping names and the report lacks is told by its pointer.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use super::settings::Mapping;
use crate::feeds::signals::word;
use crate::identity::subject::SubjectId;
use crate::types::Timestamp;

/// The longest id, subject or value, in bytes.
const MAX_TEXT_BYTES: usize = 512;

/// From so much on a number is of milliseconds: as seconds it would be in the year 5138.
const FIRST_MILLIS: f64 = 100_000_000_000.0;

/// 9999-12-31T23:59:59Z, in seconds.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A member that the mapping names is missing, or not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{member}` (`{pointer}`) is missing or not {expected}")]
pub struct ReportError {
    member: &'static str,
    pointer: Arc<str>,
    expected: &'static str,
}

/// What a report says.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// Its id.
    pub id: Arc<str>,
    /// What is remembered of its id.
    pub key: Arc<str>,
    /// When it happened; never after now.
    pub at: Timestamp,
    /// Whom it is about.
    pub subject: SubjectId,
    /// What decides on the effect.
    pub value: Arc<str>,
    /// A text for people.
    pub evidence: Option<Arc<str>>,
}

/// Reads a report that arrives now.
pub(super) fn read(mapping: &Mapping, report: &Value, now: Timestamp) -> Result<Told, ReportError> {
    let id = text(report, "id", &mapping.id)?;
    let subject = text(report, "subject", &mapping.subject)?;
    let subject = match &mapping.subject_issuer {
        Some(issuer) => SubjectId::IssuerSubject {
            issuer: issuer.to_string(),
            subject,
        },
        None if subject.starts_with("spiffe://") => SubjectId::Uri(subject),
        None => SubjectId::Opaque(subject),
    };
    let at = match &mapping.time {
        // The time of sending is told in whole seconds: of two reports of one second nobody could say which is later.
        None => now,
        Some(pointer) => report
            .pointer(pointer)
            .and_then(time)
            .ok_or_else(|| error("time", pointer, "a time"))?,
    };
    let evidence = mapping.evidence.as_ref();
    let evidence = evidence.and_then(|pointer| report.pointer(pointer)?.as_str());
    Ok(Told {
        key: key(&id),
        id: id.into(),
        // What lies ahead would overrule what is said after it.
        at: at.min(now),
        subject,
        value: text(report, "value", &mapping.value)?.into(),
        evidence: evidence.map(word::evidence),
    })
}

fn error(member: &'static str, pointer: &Arc<str>, expected: &'static str) -> ReportError {
    ReportError {
        member,
        pointer: Arc::clone(pointer),
        expected,
    }
}

/// A text, or a number or truth value as it is written.
fn text(report: &Value, member: &'static str, pointer: &Arc<str>) -> Result<String, ReportError> {
    let text = match report.pointer(pointer) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
        _ => None,
    };
    let fits = |text: &String| {
        !text.is_empty() && text.len() <= MAX_TEXT_BYTES && !text.contains(char::is_control)
    };
    text.filter(fits)
        .ok_or_else(|| error(member, pointer, "a text of 1 to 512 bytes"))
}

fn time(value: &Value) -> Option<Timestamp> {
    if let Value::String(text) = value {
        return Timestamp::parse(text);
    }
    let number = value.as_f64()?;
    let seconds = if number < FIRST_MILLIS {
        number
    } else {
        number / 1_000.0
    };
    if !(0.0..=LAST_SECOND).contains(&seconds) {
        return None;
    }
    let micros = Duration::from_secs_f64(seconds).as_micros();
    i64::try_from(micros).ok().map(Timestamp::from_micros)
}

/// Of one length, whatever the id is.
fn key(id: &str) -> Arc<str> {
    let hash = digest(&SHA256, id.as_bytes());
    let bytes = hash.as_ref().iter().take(16);
    let digits: String = bytes.map(|byte| format!("{byte:02x}")).collect();
    digits.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn mapping() -> Mapping {
        Mapping {
            id: "/id".into(),
            time: Some("/when".into()),
            subject: "/agents/0/id".into(),
            subject_issuer: None,
            value: "/severity".into(),
            evidence: Some("/title".into()),
            effects: BTreeMap::new(),
            otherwise: None,
        }
    }

    fn report() -> Value {
        json!({"id": 7, "when": "2026-10-01T12:00:00Z", "agents": [{"id": "a"}], "severity": "high", "title": "x\ny"})
    }

    fn told(report: &Value) -> Result<Told, ReportError> {
        let late = Timestamp::from_seconds(1_800_000_000);
        read(&mapping(), report, late)
    }

    #[test]
    fn members_are_found_where_the_mapping_says() {
        let told = told(&report()).unwrap();
        assert_eq!(
            (&*told.id, &*told.value, told.evidence.as_deref()),
            ("7", "high", Some("xy"))
        );
        assert_eq!(told.subject, SubjectId::Opaque("a".into()));
        assert_eq!(told.at, Timestamp::parse("2026-10-01T12:00:00Z").unwrap());
    }

    #[test]
    fn a_time_may_be_text_seconds_or_milliseconds_and_is_never_ahead() {
        let at = |when: Value| {
            let mut report = report();
            report["when"] = when;
            told(&report).map(|told| told.at)
        };
        let expected = Timestamp::from_micros(1_790_000_000_500_000);
        assert_eq!(at(json!(1_790_000_000.5)), Ok(expected));
        assert_eq!(at(json!(1_790_000_000_500_i64)), Ok(expected));
        assert_eq!(
            at(json!(1_900_000_000)),
            Ok(Timestamp::from_seconds(1_800_000_000))
        );
        for wrong in [
            json!(-1),
            json!(1e300),
            json!("soon"),
            json!(null),
            json!([1]),
        ] {
            assert!(at(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_missing_is_told_by_its_pointer() {
        for (member, wrong) in [
            ("id", json!("")),
            ("agents", json!([])),
            ("severity", json!({})),
            ("id", json!("a\nb")),
        ] {
            let mut report = report();
            report[member] = wrong;
            let error = told(&report).unwrap_err().to_string();
            assert!(error.contains(&format!("/{member}")), "{error}");
        }
    }
}
