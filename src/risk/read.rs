//! Reads what Graph says of risky agents: a `riskyAgent`, or a list of them (`reference/entra.md` §5.2).
//!
//! A level that cannot be read is a fault, never "none". Never here: IO, and a half of a list.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{RiskEntry, RiskSubject};
use crate::types::json::{self, Path, Step};
use crate::types::{Fault, Faults, ObjectId, RiskLevel, RiskState, Severity, Timestamp, text};

/// The `source` of an entry that was read from a file.
pub const FILE_SOURCE: &str = "file";

/// Reads one file: UTF-8, or UTF-16 with a byte order mark. With an error among the faults, the entries are not to be used.
#[must_use]
pub fn read(file: &str, bytes: &[u8]) -> (Vec<RiskEntry>, Faults) {
    let mut reader = Reader {
        file: file.into(),
        text: String::new(),
        first: BTreeMap::new(),
        entries: Vec::new(),
        faults: Faults::new(),
    };
    match text::decode(bytes) {
        Ok(text) => {
            reader.text = text.into_owned();
            reader.read_text();
        }
        Err(error) => reader.fault_at((0, 0), String::new(), error.to_string()),
    }
    (reader.entries, reader.faults)
}

struct Reader {
    file: Arc<str>,
    text: String,
    /// Which ids were read, and in which line.
    first: BTreeMap<Arc<str>, u32>,
    entries: Vec<RiskEntry>,
    faults: Faults,
}

impl Reader {
    fn read_text(&mut self) {
        let value = match json::parse(self.text.as_bytes()) {
            Ok(value) => value,
            Err(error) => {
                let place = (error.line, error.column);
                return self.fault_at(place, String::new(), error.message);
            }
        };
        match value {
            Value::Array(items) => self.read_items(&items, &[]),
            Value::Object(members) => match members.get("value") {
                None => self.read_object(&members, &[], 1),
                Some(Value::Array(items)) => {
                    if members.contains_key("@odata.nextLink") {
                        let message = "the list goes on at another page, expected all of it: an agent on that page would count as safe";
                        self.fault(&[Step::Member("@odata.nextLink")], message);
                    }
                    self.read_items(items, &[Step::Member("value")]);
                }
                Some(_) => self.fault(&[Step::Member("value")], "expected an array of objects"),
            },
            _ => self.fault_at(
                (1, 1),
                String::new(),
                "expected an object or an array".to_owned(),
            ),
        }
    }

    fn read_items(&mut self, items: &[Value], list: &[Step<'_>]) {
        // In one pass: a file may name a million agents.
        let places = json::locate_items(&self.text, list).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let mut steps = list.to_vec();
            steps.push(Step::Item(index));
            let line = places.get(index).map_or(0, |at| at.line);
            match item {
                Value::Object(members) => self.read_object(members, &steps, line),
                _ => self.fault(&steps, "expected an object"),
            }
        }
    }

    /// Every member is read before one that is missing ends the entry, so that one run names every fault.
    fn read_object(&mut self, members: &Map<String, Value>, at: &[Step<'_>], line: u32) {
        let id = self.word(members, at, "id", "an id", |text| {
            ObjectId::parse(text).ok().map(|id| id.to_shared())
        });
        let subjects = names_of(RiskSubject::ALL.map(|kind| (kind.as_str(), ())));
        let subject = self.word(members, at, "identityType", &subjects, RiskSubject::parse);
        let levels = RiskLevel::ALL.map(|level| (level.as_str(), ()));
        let expected = format!("{}, `hidden`", names_of(levels));
        let level = self.word(
            members,
            at,
            "riskLevel",
            &expected,
            |text| match RiskLevel::parse(text) {
                Some(level) => Some(Some(level)),
                None => text.eq_ignore_ascii_case("hidden").then_some(None),
            },
        );
        let states = RiskState::ALL.map(|state| (state.as_str(), ()));
        let state = self.word(
            members,
            at,
            "riskState",
            &names_of(states),
            RiskState::parse,
        );
        let detail = match members.get("riskDetail") {
            None | Some(Value::Null) => Some("none".into()),
            Some(_) => self.word(members, at, "riskDetail", "text", |text| Some(text.into())),
        };
        let last_modified = match members.get("riskLastModifiedDateTime") {
            None | Some(Value::Null) => Some(Timestamp::default()),
            Some(_) => self.word(
                members,
                at,
                "riskLastModifiedDateTime",
                "a time such as `2026-10-01T12:00:00Z`",
                Timestamp::parse,
            ),
        };
        let (Some(id), Some(subject), Some(level), Some(state), Some(detail), Some(last_modified)) =
            (id, subject, level, state, detail, last_modified)
        else {
            return;
        };
        if let Some(first) = self.first.insert(Arc::clone(&id), line) {
            let message = format!("this agent was given before, in line {first}");
            return self.fault(&with(at, "id"), &message);
        }
        self.entries.push(RiskEntry {
            id,
            subject,
            level,
            state,
            detail,
            last_modified,
            source: FILE_SOURCE.into(),
        });
    }

    /// A member that must be text which `parse` understands.
    fn word<T>(
        &mut self,
        members: &Map<String, Value>,
        at: &[Step<'_>],
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (steps, message) = match members.get(name) {
            Some(Value::String(text)) => match parse(text) {
                Some(value) => return Some(value),
                None => (
                    with(at, name),
                    format!("`{text}` is not known, expected {expected}"),
                ),
            },
            Some(_) => (with(at, name), format!("expected {expected}")),
            None => (
                at.to_vec(),
                format!("`{name}` is missing, expected {expected}"),
            ),
        };
        self.fault(&steps, &message);
        None
    }

    fn place(&self, steps: &[Step<'_>]) -> (u32, u32) {
        json::locate(&self.text, steps).unwrap_or((0, 0))
    }

    fn fault(&mut self, steps: &[Step<'_>], message: &str) {
        self.fault_at(
            self.place(steps),
            Path(steps).to_string(),
            message.to_owned(),
        );
    }

    fn fault_at(&mut self, (line, column): (u32, u32), member: String, message: String) {
        self.faults.push(Fault {
            file: Arc::clone(&self.file),
            line,
            column,
            member,
            message,
            severity: Severity::Error,
        });
    }
}

fn with<'s>(at: &[Step<'s>], name: &'s str) -> Vec<Step<'s>> {
    let mut steps = at.to_vec();
    steps.push(Step::Member(name));
    steps
}

fn names_of<T, const N: usize>(known: [(&str, T); N]) -> String {
    known.map(|(name, _)| format!("`{name}`")).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = r#"{"id":"A9A9A9A9-0000-4000-8000-000000000002","identityType":"agentIdentity",
        "riskLevel":"high","riskState":"atRisk","riskDetail":null,"riskLastModifiedDateTime":"2026-10-01T12:00:00Z"}"#;

    fn lines(text: &str) -> Vec<String> {
        let (_, faults) = read("risk.json", text.as_bytes());
        faults.sorted().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn reads_one_a_list_and_an_array() {
        for text in [
            AGENT.to_owned(),
            format!("[{AGENT}]"),
            format!(r#"{{"@odata.context":"x","value":[{AGENT}]}}"#),
        ] {
            let (entries, faults) = read("risk.json", text.as_bytes());
            assert!(faults.is_empty(), "{:?}", lines(&text));
            let [entry] = entries.as_slice() else {
                panic!("expected one entry of {text}");
            };
            assert_eq!(entry.id.as_ref(), "a9a9a9a9-0000-4000-8000-000000000002");
            assert_eq!(entry.level, Some(RiskLevel::High));
            assert_eq!(entry.detail.as_ref(), "none");
            assert_eq!(entry.last_modified.to_string(), "2026-10-01T12:00:00Z");
        }
    }

    #[test]
    fn a_withheld_level_is_not_none_and_an_unknown_one_is_a_fault() {
        let (entries, _) = read("r", AGENT.replace("high", "hidden").as_bytes());
        assert_eq!(entries.first().map(|entry| entry.level), Some(None));
        assert_eq!(
            lines(&AGENT.replace("high", "severe")),
            [
                "risk.json:2:9: error: riskLevel: `severe` is not known, expected `none`, `low`, `medium`, `high`, `hidden`"
            ]
        );
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        assert_eq!(lines("[]"), Vec::<String>::new());
        assert_eq!(lines(&format!("[{AGENT},\n{AGENT}]")).len(), 1);
        assert_eq!(lines("[{},1]").len(), 5);
        assert!(lines(r#"{"@odata.nextLink":"x","value":[]}"#)[0].starts_with("risk.json:1:2"));
        assert_eq!(lines("{").len(), 1);
        assert_eq!(lines("7").len(), 1);
        assert_eq!(lines(r#"{"value":7}"#).len(), 1);
    }
}
