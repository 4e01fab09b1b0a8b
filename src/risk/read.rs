//! Reads what Graph says of risk: a `riskyAgent` (`reference/entra.md` §5.2), `riskyUser`, `riskyServicePrincipal` or
//! `riskDetection`, or a list of them. `@odata.type`, or that of the list, tells them apart; without it, it is an agent.
//!
//! A sign-in is known by what its tokens say of it: `sessionId` (their `sid`) or `uniqueTokenIdentifier` (`uti`, `jti`).
//! A `riskyUser` may have `insiderRiskLevel` beside Graph's members.
//!
//! A level that cannot be read is a fault, never "none". Never here: IO, and a half of a list.

mod kind;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use self::kind::Kind;
use super::{RiskEntry, RiskSubject, insider_level};
use crate::types::json::{self, Path, Step};
use crate::types::{
    Fault, Faults, InsiderRiskLevel, ObjectId, RiskLevel, RiskState, Severity, Timestamp, text,
};

/// The `source` of an entry that was read from a file.
pub const FILE_SOURCE: &str = "file";

/// Graph's names of the kinds of agents (`agentIdentityType`).
const AGENTS: [RiskSubject; 3] = [
    RiskSubject::AgentIdentity,
    RiskSubject::AgentUser,
    RiskSubject::AgentIdentityBlueprintPrincipal,
];

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
    /// Which ids of which kind were read, and in which line.
    first: BTreeMap<(RiskSubject, Arc<str>), u32>,
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
            Value::Array(items) => self.read_items(&items, &[], None),
            Value::Object(members) => match members.get("value") {
                None => self.read_object(&members, &[], 1, None),
                Some(Value::Array(items)) => {
                    if members.contains_key("@odata.nextLink") {
                        let message = "the list goes on at another page, expected all of it: an agent on that page would count as safe";
                        self.fault(&[Step::Member("@odata.nextLink")], message);
                    }
                    let context = members.get("@odata.context").and_then(Value::as_str);
                    let kind = context.and_then(Kind::of_context);
                    self.read_items(items, &[Step::Member("value")], kind);
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

    fn read_items(&mut self, items: &[Value], list: &[Step<'_>], listed_as: Option<Kind>) {
        // In one pass: a file may name a million agents.
        let places = json::locate_items(&self.text, list).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let mut steps = list.to_vec();
            steps.push(Step::Item(index));
            let line = places.get(index).map_or(0, |at| at.line);
            match item {
                Value::Object(members) => self.read_object(members, &steps, line, listed_as),
                _ => self.fault(&steps, "expected an object"),
            }
        }
    }

    /// Every member is read before one that is missing ends the entry, so that one run names every fault.
    fn read_object(
        &mut self,
        members: &Map<String, Value>,
        at: &[Step<'_>],
        line: u32,
        listed_as: Option<Kind>,
    ) {
        let kind = match members.get("@odata.type") {
            None | Some(Value::Null) => Some(listed_as.unwrap_or(Kind::Agent)),
            Some(_) => {
                let types = names_of(Kind::TYPES.map(|(name, kind)| (name, kind)));
                self.word(members, at, "@odata.type", &types, Kind::of_type)
            }
        };
        let Some(kind) = kind else { return };
        let (ids, subject) = match kind {
            Kind::Agent => (self.id(members, at), self.agent_kind(members, at)),
            Kind::User => (self.id(members, at), Some(RiskSubject::User)),
            Kind::ServicePrincipal => (self.id(members, at), Some(RiskSubject::ServicePrincipal)),
            Kind::SignIn => (self.sign_in_ids(members, at), Some(RiskSubject::SignIn)),
        };
        let level = self.level(members, at);
        let states = RiskState::ALL.map(|state| (state.as_str(), ()));
        let states = names_of(states);
        let state = self.word(members, at, "riskState", &states, RiskState::parse);
        let insider = match kind {
            Kind::User => self.insider_level(members, at),
            Kind::Agent | Kind::ServicePrincipal | Kind::SignIn => Some(None),
        };
        let detail = match members.get("riskDetail") {
            None | Some(Value::Null) => Some("none".into()),
            Some(_) => self.word(members, at, "riskDetail", "text", |text| Some(text.into())),
        };
        let last_modified = self.last_modified(members, at, kind);
        let (
            Some(ids),
            Some(subject),
            Some(level),
            Some(state),
            Some(insider),
            Some(detail),
            Some(last_modified),
        ) = (ids, subject, level, state, insider, detail, last_modified)
        else {
            return;
        };
        for id in ids {
            let entry = RiskEntry {
                id,
                subject,
                level,
                state,
                detail: Arc::clone(&detail),
                last_modified,
                source: FILE_SOURCE.into(),
            };
            let insider = insider.map(|level| RiskEntry {
                subject: RiskSubject::Insider,
                level,
                state: RiskState::AtRisk,
                ..entry.clone()
            });
            self.put(entry, at, line);
            self.entries.extend(insider);
        }
    }

    /// Takes an entry, unless its subject has one already. A sign-in may have several.
    fn put(&mut self, entry: RiskEntry, at: &[Step<'_>], line: u32) {
        if entry.subject != RiskSubject::SignIn {
            let key = (kind_of(entry.subject), Arc::clone(&entry.id));
            if let Some(first) = self.first.insert(key, line) {
                let message = format!("this account was given before, in line {first}");
                return self.fault(&with(at, "id"), &message);
            }
        }
        self.entries.push(entry);
    }

    fn id(&mut self, members: &Map<String, Value>, at: &[Step<'_>]) -> Option<Vec<Arc<str>>> {
        let id = self.word(members, at, "id", "an id", |text| {
            ObjectId::parse(text).ok().map(|id| id.to_shared())
        })?;
        Some(vec![id])
    }

    /// By what a sign-in is known: one or both.
    fn sign_in_ids(
        &mut self,
        members: &Map<String, Value>,
        at: &[Step<'_>],
    ) -> Option<Vec<Arc<str>>> {
        let mut ids = Vec::new();
        for name in ["sessionId", "uniqueTokenIdentifier"] {
            if members.get(name).is_some_and(|value| !value.is_null()) {
                let text = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
                ids.push(self.word(members, at, name, "an id", text)?);
            }
        }
        if ids.is_empty() {
            let message = "expected `sessionId` or `uniqueTokenIdentifier`, by which tokens name their sign-in";
            self.fault(at, message);
            return None;
        }
        Some(ids)
    }

    fn agent_kind(&mut self, members: &Map<String, Value>, at: &[Step<'_>]) -> Option<RiskSubject> {
        let names = AGENTS.map(|kind| (kind.as_str(), kind));
        self.word(members, at, "identityType", &names_of(names), |text| {
            RiskSubject::parse(text).filter(|kind| AGENTS.contains(kind))
        })
    }

    /// The level; inside, `None`: withheld.
    fn level(
        &mut self,
        members: &Map<String, Value>,
        at: &[Step<'_>],
    ) -> Option<Option<RiskLevel>> {
        let levels = RiskLevel::ALL.map(|level| (level.as_str(), ()));
        let expected = format!("{}, `hidden`", names_of(levels));
        self.word(members, at, "riskLevel", &expected, |text| {
            or_hidden(text, RiskLevel::parse)
        })
    }

    /// A user's level as an insider, if the object has one.
    fn insider_level(
        &mut self,
        members: &Map<String, Value>,
        at: &[Step<'_>],
    ) -> Option<Option<Option<RiskLevel>>> {
        const NAME: &str = "insiderRiskLevel";
        if matches!(members.get(NAME), None | Some(Value::Null)) {
            return Some(None);
        }
        let expected = "`none`, `minor`, `moderate`, `elevated`, `hidden`";
        let of_name = |text: &str| {
            let wanted = InsiderRiskLevel::parse(text)?;
            let mut levels = RiskLevel::ALL.into_iter();
            levels.find(|level| insider_level(*level) == wanted)
        };
        let level = self.word(members, at, NAME, expected, |text| or_hidden(text, of_name))?;
        Some(Some(level))
    }

    fn last_modified(
        &mut self,
        members: &Map<String, Value>,
        at: &[Step<'_>],
        kind: Kind,
    ) -> Option<Timestamp> {
        let name = match kind {
            Kind::Agent | Kind::ServicePrincipal => "riskLastModifiedDateTime",
            Kind::User => "riskLastUpdatedDateTime",
            Kind::SignIn => "lastUpdatedDateTime",
        };
        match members.get(name) {
            None | Some(Value::Null) => Some(Timestamp::default()),
            Some(_) => {
                let expected = "a time such as `2026-10-01T12:00:00Z`";
                self.word(members, at, name, expected, Timestamp::parse)
            }
        }
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

/// Of two subjects with one id, only agents of several kinds are one.
const fn kind_of(subject: RiskSubject) -> RiskSubject {
    match subject {
        RiskSubject::AgentUser | RiskSubject::AgentIdentityBlueprintPrincipal => {
            RiskSubject::AgentIdentity
        }
        other => other,
    }
}

/// A level, or that it is withheld.
fn or_hidden(text: &str, parse: impl Fn(&str) -> Option<RiskLevel>) -> Option<Option<RiskLevel>> {
    match parse(text) {
        Some(level) => Some(Some(level)),
        None => text.eq_ignore_ascii_case("hidden").then_some(None),
    }
}

fn names_of<T, const N: usize>(known: [(&str, T); N]) -> String {
    known.map(|(name, _)| format!("`{name}`")).join(", ")
}

#[cfg(test)]
mod tests;
