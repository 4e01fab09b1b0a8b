//! What is kept, and how it is written: entries with a key, a rank and a versioned value.
//!
//! An engine keeps [`Sealed`] entries and compares ranks; it need not understand what is in them. So gateways of two
//! versions can share one: an entry of a kind that this version does not know is kept, passed on and left alone.
//! Never here: an entry that is dropped because it could not be read.

mod detection;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::risk::{AccountState, Rank, Revocation, RiskDetection, RiskEntry, RiskSubject};
use crate::types::{RiskLevel, RiskState, Timestamp, json};

/// The version of values that this version writes. Members may be added under it; one whose meaning changes, or that
/// must not be passed over, needs the next.
const VERSION: u64 = 1;

/// One thing that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// What a source said of a subject's risk: one per source and subject.
    Risk(RiskEntry),
    /// The tokens of a subject that are refused: one per subject.
    Revocation(Revocation),
    /// One event that makes an agent risky.
    Detection(RiskDetection),
    /// Whether an account may be used, by one source: one per source and account.
    Account(AccountState),
    /// A source was heard of: one per source.
    Heard {
        /// The source.
        source: Arc<str>,
        /// When.
        at: Timestamp,
    },
    /// A report of a source was taken: one per source and report.
    Seen {
        /// The source.
        source: Arc<str>,
        /// What tells the report from others of its source.
        id: Arc<str>,
        /// When it was taken.
        at: Timestamp,
    },
}

/// An entry as engines keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What it is about: `kind/…`. There is one entry per key.
    pub key: Arc<str>,
    /// Of two entries of one key, the one of the higher rank stands.
    pub rank: Rank,
    /// JSON, with its version.
    pub value: Arc<str>,
}

/// What was found in a sealed entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// An entry of this version.
    Whole(Entry),
    /// An entry that a newer version wrote in a way that this one does not read, taken for the worst that it can say.
    /// Only the sealed one may be passed on.
    Partly(Entry),
    /// An entry of a kind that this version does not know.
    Foreign,
}

impl Entry {
    /// Where it is kept, and which word it is.
    #[must_use]
    pub fn place(&self) -> (Arc<str>, Rank) {
        let sealed = self.seal();
        (sealed.key, sealed.rank)
    }

    /// Closes it.
    #[must_use]
    pub fn seal(&self) -> Sealed {
        let (key, rank, value) = match self {
            Self::Risk(entry) => (
                format!(
                    "risk/{}/{}/{}",
                    entry.source,
                    entry.subject.as_str(),
                    entry.id
                ),
                entry.rank(),
                risk_value(entry),
            ),
            Self::Detection(entry) => (
                detection_key(&entry.id).to_string(),
                entry.rank(),
                detection::value(entry),
            ),
            Self::Account(entry) => (
                format!("account/{}/{}", entry.source, entry.id),
                entry.rank(),
                json!({"v": VERSION, "accountEnabled": entry.enabled}),
            ),
            Self::Heard { source, at } => (
                format!("heard/{source}"),
                of_time(*at),
                json!({"v": VERSION}),
            ),
            Self::Seen { source, id, at } => (
                seen_key(source, id).to_string(),
                of_time(*at),
                json!({"v": VERSION}),
            ),
            Self::Revocation(entry) => (
                format!("revocation/{}", entry.id),
                entry.rank(),
                json!({"v": VERSION, "source": entry.source}),
            ),
        };
        Sealed {
            key: key.into(),
            rank,
            value: value.to_string().into(),
        }
    }
}

/// The key of the detection of this id.
#[must_use]
pub fn detection_key(id: &str) -> Arc<str> {
    format!("detection/{id}").into()
}

/// The key of the report of this id.
#[must_use]
pub fn seen_key(source: &str, id: &str) -> Arc<str> {
    format!("seen/{source}/{id}").into()
}

/// Of what says nothing but that it was, the latest time stands.
const fn of_time(at: Timestamp) -> Rank {
    Rank {
        at,
        weight: 0,
        tie: 0,
    }
}

fn risk_value(entry: &RiskEntry) -> Value {
    json!({
        "v": VERSION,
        "riskLevel": entry.level.map_or("hidden", RiskLevel::as_str),
        "riskState": entry.state.as_str(),
        "riskDetail": entry.detail,
    })
}

impl Sealed {
    /// From its three texts; `None` if the rank is none.
    #[must_use]
    pub fn from_texts(key: &str, rank: &str, value: &str) -> Option<Self> {
        Some(Self {
            key: key.into(),
            rank: Rank::parse(rank)?,
            value: value.into(),
        })
    }

    /// Reads it.
    #[must_use]
    pub fn open(&self) -> Opened {
        let value = json::parse(self.value.as_bytes()).unwrap_or(Value::Null);
        let members = value.as_object();
        let members = members.filter(|of| of.get("v").and_then(Value::as_u64) == Some(VERSION));
        match self.key.split_once('/') {
            Some(("risk", rest)) => self.open_risk(rest, members),
            Some(("revocation", id)) => self.open_revocation(id, members),
            Some(("account", rest)) => self.open_account(rest, members),
            Some(("heard", source)) => Opened::Whole(Entry::Heard {
                source: source.into(),
                at: self.rank.at,
            }),
            Some(("seen", rest)) => rest
                .split_once('/')
                .map_or(Opened::Foreign, |(source, id)| {
                    Opened::Whole(Entry::Seen {
                        source: source.into(),
                        id: id.into(),
                        at: self.rank.at,
                    })
                }),
            Some(("detection", id)) => members
                .and_then(|members| detection::read(id, self.rank.at, members))
                // A detection says why; what follows from it is said beside it.
                .map_or(Opened::Foreign, |read| {
                    Opened::Whole(Entry::Detection(read))
                }),
            _ => Opened::Foreign,
        }
    }

    fn open_risk(&self, rest: &str, members: Option<&Map<String, Value>>) -> Opened {
        let mut parts = rest.splitn(3, '/');
        let (source, kind, id) = (parts.next(), parts.next(), parts.next());
        let (Some(source), Some(subject), Some(id)) =
            (source, kind.and_then(RiskSubject::parse), id)
        else {
            // Whatever it is about: nothing that this version decides on.
            return Opened::Foreign;
        };
        let read = members.and_then(|of| {
            let level = match text(of, "riskLevel")? {
                "hidden" => None,
                level => Some(RiskLevel::parse(level)?),
            };
            let state = RiskState::parse(text(of, "riskState")?)?;
            Some((level, state, text(of, "riskDetail")?))
        });
        let entry = |(level, state, detail): (_, _, &str)| {
            Entry::Risk(RiskEntry {
                id: id.into(),
                subject,
                level,
                state,
                detail: detail.into(),
                last_modified: self.rank.at,
                source: source.into(),
            })
        };
        match read {
            Some(read) => Opened::Whole(entry(read)),
            // FAIL-CLOSED: whatever was said, nobody may take the subject for harmless.
            None => Opened::Partly(entry((None, RiskState::AtRisk, "unknownFutureValue"))),
        }
    }

    fn open_account(&self, rest: &str, members: Option<&Map<String, Value>>) -> Opened {
        let Some((source, id)) = rest.split_once('/') else {
            return Opened::Foreign;
        };
        let entry = |enabled| {
            Entry::Account(AccountState {
                id: id.into(),
                enabled,
                at: self.rank.at,
                source: source.into(),
            })
        };
        let enabled = members.and_then(|of| of.get("accountEnabled"));
        match enabled.and_then(Value::as_bool) {
            Some(enabled) => Opened::Whole(entry(enabled)),
            // FAIL-CLOSED: whatever else it says, it may have been disabled.
            None => Opened::Partly(entry(false)),
        }
    }

    fn open_revocation(&self, id: &str, members: Option<&Map<String, Value>>) -> Opened {
        let entry = |source: &str| {
            Entry::Revocation(Revocation {
                id: id.into(),
                issued_until: self.rank.at,
                source: source.into(),
            })
        };
        match members.and_then(|of| text(of, "source")) {
            Some(source) => Opened::Whole(entry(source)),
            // FAIL-CLOSED: whatever else it says, it cuts.
            None => Opened::Partly(entry("unknown")),
        }
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::DetectionTiming;

    fn risk(level: Option<RiskLevel>) -> RiskEntry {
        RiskEntry {
            id: "spiffe://a/b/ä".into(),
            subject: RiskSubject::AgentUser,
            level,
            state: RiskState::ConfirmedCompromised,
            detail: "adminConfirmedAgentCompromised".into(),
            last_modified: Timestamp::from_micros(1_760_000_000_123_456),
            source: "management".into(),
        }
    }

    #[test]
    fn what_is_sealed_opens_as_it_was() {
        let revocation = Revocation {
            id: "x/y".into(),
            issued_until: Timestamp::from_micros(7),
            source: "management".into(),
        };
        let detection = RiskDetection {
            id: "0199".into(),
            identity_id: "a/b".into(),
            subject: RiskSubject::AgentIdentity,
            event_type: "signInSpike".into(),
            level: None,
            state: RiskState::AtRisk,
            detail: "none".into(),
            activity_at: Timestamp::from_micros(1),
            detected_at: Timestamp::from_micros(2),
            last_modified: Timestamp::from_micros(3),
            timing: DetectionTiming::Realtime,
            evidence: Some("many calls".into()),
            correlation_id: None,
            request_id: Some("r".into()),
            source: "management".into(),
        };
        for entry in [
            Entry::Detection(detection),
            Entry::Risk(risk(Some(RiskLevel::High))),
            Entry::Risk(risk(None)),
            Entry::Revocation(revocation),
            Entry::Account(AccountState {
                id: "a/b".into(),
                enabled: false,
                at: Timestamp::from_micros(5),
                source: "idp".into(),
            }),
            Entry::Heard {
                source: "idp".into(),
                at: Timestamp::from_micros(6),
            },
            Entry::Seen {
                source: "edr".into(),
                id: "a/b".into(),
                at: Timestamp::from_micros(7),
            },
        ] {
            let sealed = entry.seal();
            let texts = (sealed.key.as_ref(), sealed.rank.to_string(), &*sealed.value);
            let read = Sealed::from_texts(texts.0, &texts.1, texts.2).unwrap();
            assert_eq!(read, sealed);
            assert_eq!(read.open(), Opened::Whole(entry));
        }
    }

    #[test]
    fn the_form_of_an_entry_is_what_other_versions_read() {
        let sealed = Entry::Risk(risk(Some(RiskLevel::Low))).seal();
        assert_eq!(&*sealed.key, "risk/management/agentUser/spiffe://a/b/ä");
        let value: Value = serde_json::from_str(&sealed.value).unwrap();
        let detail = "adminConfirmedAgentCompromised";
        assert_eq!(
            value,
            json!({"v": 1, "riskLevel": "low", "riskState": "confirmedCompromised", "riskDetail": detail})
        );
    }

    #[test]
    fn a_newer_version_of_a_known_kind_counts_for_the_worst_and_a_new_kind_is_left_alone() {
        let sealed = Entry::Risk(risk(Some(RiskLevel::Low))).seal();
        for value in [
            sealed.value.replace(r#""v":1"#, r#""v":2"#),
            sealed.value.replace("low", "extreme"),
            "nonsense".to_owned(),
        ] {
            let newer = Sealed {
                value: value.into(),
                ..sealed.clone()
            };
            let Opened::Partly(Entry::Risk(entry)) = newer.open() else {
                panic!("{:?}", newer.open());
            };
            assert_eq!(
                (entry.effective_level(), &*entry.id),
                (None, "spiffe://a/b/ä")
            );
        }
        let cut = Sealed::from_texts("revocation/a", &sealed.rank.to_string(), r#"{"v":9}"#);
        assert!(matches!(
            cut.unwrap().open(),
            Opened::Partly(Entry::Revocation(_))
        ));
        for key in ["mood/a", "risk/management/robot/a", "risk/a", "risk"] {
            let other = Sealed::from_texts(key, &sealed.rank.to_string(), "{}").unwrap();
            assert_eq!(other.open(), Opened::Foreign);
        }
    }

    #[test]
    fn members_that_were_added_under_this_version_are_passed_over() {
        let sealed = Entry::Risk(risk(Some(RiskLevel::Low))).seal();
        let added = sealed.value.replacen('{', r#"{"added":[1],"#, 1);
        let added = Sealed {
            value: added.into(),
            ..sealed.clone()
        };
        assert_eq!(added.open(), sealed.open());
    }
}
