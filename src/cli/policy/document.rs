//! A file of Graph's objects taken apart: each policy and each named location with its place, so that whatever is found
//! about one can be told with file, line and column.
//!
//! What a policy means is read by [`policy::read`](mod@crate::policy::read) alone. Never here: a meaning.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::policy::read::read as read_policies;
use crate::policy::{OnUnsupported, Policy};
use crate::types::json::{self, Path, Step};
use crate::types::{Fault, Faults, ObjectId, Severity, text};

/// A file that was taken apart.
#[derive(Debug)]
pub(super) struct Document {
    /// Its name, for messages.
    pub(super) file: Arc<str>,
    /// Its text, without a byte order mark.
    text: String,
    /// Its objects, in order.
    pub(super) objects: Vec<Object>,
    /// Where Graph says that it comes from.
    pub(super) context: Option<String>,
    /// What stands beside the objects of a list and says that they are not all.
    pub(super) faults: Faults,
}

/// One object of a file.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) members: Map<String, Value>,
    /// Its bytes in the file's text.
    range: Range<usize>,
    line: u32,
    column: u32,
    /// The way to it from the top of the file, for messages.
    path: String,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Policy,
    NamedLocation,
}

/// Graph's name of a kind of location ends so.
const LOCATION: &str = "NamedLocation";
/// What only a location has, in exports that leave types out.
const LOCATION_MEMBERS: [&str; 3] = ["ipRanges", "countriesAndRegions", "compliantNetworkType"];

impl Document {
    /// Takes a file apart; its name is for messages only. Objects that are neither policies nor locations are faults.
    ///
    /// # Errors
    /// Why it is no JSON.
    pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Self, Fault> {
        let file: Arc<str> = file.into();
        let fault = |message, line, column| Fault {
            file: Arc::clone(&file),
            line,
            column,
            member: String::new(),
            message,
            severity: Severity::Error,
        };
        let text = match text::decode(bytes) {
            Ok(text) => text.into_owned(),
            Err(error) => return Err(fault(error.to_string(), 0, 0)),
        };
        let value = json::parse(text.as_bytes())
            .map_err(|error| fault(error.message, error.line, error.column))?;
        let mut document = Self {
            context: context(&value),
            file,
            text,
            objects: Vec::new(),
            faults: Faults::new(),
        };
        document.take_apart(value);
        Ok(document)
    }

    fn take_apart(&mut self, value: Value) {
        match value {
            Value::Array(items) => self.add_items(items, &[]),
            Value::Object(mut object) if is_list(&object) => {
                if let Some(Value::Array(items)) = object.remove("value") {
                    self.add_items(items, &[Step::Member("value")]);
                }
                if object.contains_key("@odata.nextLink") {
                    let (line, column) = self.locate_in_file(&[Step::Member("@odata.nextLink")]);
                    let message = "the list goes on at another page, which is not in this file";
                    self.push(line, column, "@odata.nextLink", message, Severity::Warning);
                }
            }
            whole => {
                let start = self.text.len() - self.text.trim_start().len();
                let range = start..self.text.trim_end().len();
                let (line, column) = self.locate_in_file(&[]);
                self.add(whole, range, (line, column), String::new());
            }
        }
    }

    fn add_items(&mut self, items: Vec<Value>, steps: &[Step<'_>]) {
        let places = json::locate_items(&self.text, steps).unwrap_or_default();
        let ranges = json::item_ranges(&self.text, steps).unwrap_or_default();
        for (at, (item, (place, range))) in items
            .into_iter()
            .zip(places.into_iter().zip(ranges))
            .enumerate()
        {
            let path = format!("{}[{at}]", Path(steps));
            self.add(item, range, (place.line, place.column), path);
        }
    }

    fn add(&mut self, value: Value, range: Range<usize>, place: (u32, u32), path: String) {
        let (line, column) = place;
        let expected = match value {
            Value::Object(members) => {
                if let Some(kind) = Kind::of(&members) {
                    return self.objects.push(Object {
                        kind,
                        members,
                        range,
                        line,
                        column,
                        path,
                    });
                }
                if members.contains_key("Conditions")
                    || members.contains_key("AdditionalProperties")
                {
                    "is an object of PowerShell's, not of Graph's; export what `Invoke-MgGraphRequest -OutputType Json` gives"
                } else {
                    "expected a Conditional Access policy (it has `conditions`) or a named location (its `@odata.type` says so)"
                }
            }
            _ => "expected an object: a Conditional Access policy or a named location",
        };
        self.push(line, column, &path, expected, Severity::Error);
    }

    fn push(&mut self, line: u32, column: u32, member: &str, message: &str, severity: Severity) {
        self.faults.push(Fault {
            file: Arc::clone(&self.file),
            line,
            column,
            member: member.to_owned(),
            message: message.to_owned(),
            severity,
        });
    }

    fn locate_in_file(&self, steps: &[Step<'_>]) -> (u32, u32) {
        json::locate(&self.text, steps).unwrap_or((0, 0))
    }

    /// Reads a policy of this file. Places are those of the file.
    pub(super) fn policy(
        &self,
        object: &Object,
        on_unsupported: OnUnsupported,
    ) -> (Option<Policy>, Faults) {
        let text = self.text_of(object);
        let (policies, found) = read_policies(&self.file, text.as_bytes(), on_unsupported);
        let mut faults = Faults::new();
        for mut fault in found.sorted() {
            (fault.line, fault.column) = object.moved(fault.line, fault.column);
            fault.member = object.path_to(&fault.member);
            faults.push(fault);
        }
        let policy = policies.into_iter().next().map(|mut policy| {
            let origin = &mut policy.origin;
            (origin.line, origin.column) = object.moved(origin.line, origin.column);
            policy
        });
        (policy, faults)
    }

    /// The same, for whoever does not load it: what only stops the load is a warning, as it may be read otherwise.
    pub(super) fn policy_to_look_at(
        &self,
        object: &Object,
        on_unsupported: OnUnsupported,
    ) -> (Option<Policy>, Faults) {
        let (_, lenient) = self.policy(object, OnUnsupported::ReportOnly);
        let (policy, found) = self.policy(object, on_unsupported);
        let malformed = lenient.sorted();
        let mut faults = Faults::new();
        for mut fault in found.sorted() {
            if !malformed.contains(&fault) {
                fault.severity = Severity::Warning;
            }
            faults.push(fault);
        }
        (policy, faults)
    }

    /// A fault of a member of an object of this file; of the object, where it does not have the member.
    pub(super) fn fault(
        &self,
        object: &Object,
        steps: &[Step<'_>],
        severity: Severity,
        message: String,
    ) -> Fault {
        let (line, column) = json::locate(self.text_of(object), steps).unwrap_or((1, 1));
        let (line, column) = object.moved(line, column);
        Fault {
            file: Arc::clone(&self.file),
            line,
            column,
            member: object.path_to(&Path(steps).to_string()),
            message,
            severity,
        }
    }

    /// The text of an object, and nothing behind it.
    fn text_of(&self, object: &Object) -> &str {
        self.text.get(object.range.clone()).unwrap_or_default()
    }
}

impl Kind {
    fn of(members: &Map<String, Value>) -> Option<Self> {
        let of_type = members.get("@odata.type").and_then(Value::as_str);
        let is_location = of_type.is_some_and(|name| name.ends_with(LOCATION))
            || LOCATION_MEMBERS
                .iter()
                .any(|name| members.contains_key(*name));
        if members.contains_key("conditions") {
            Some(Self::Policy)
        } else if is_location {
            Some(Self::NamedLocation)
        } else {
            None
        }
    }
}

impl Object {
    /// Its id, folded.
    pub(super) fn id(&self) -> Option<String> {
        let id = ObjectId::parse(self.text("id")?).ok()?;
        Some(id.to_string())
    }

    /// The text of a member.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// The place in the file of a place in the object.
    fn moved(&self, line: u32, column: u32) -> (u32, u32) {
        match line {
            0 => (self.line, self.column),
            1 => {
                let column = self.column.saturating_add(column).saturating_sub(1);
                (self.line, column)
            }
            _ => (self.line.saturating_add(line).saturating_sub(1), column),
        }
    }

    fn path_to(&self, member: &str) -> String {
        match (self.path.as_str(), member) {
            ("", member) => member.to_owned(),
            (path, "") => path.to_owned(),
            (path, member) => format!("{path}.{member}"),
        }
    }
}

/// Whether an object is a Graph list; a policy is none, whatever else it has.
fn is_list(object: &Map<String, Value>) -> bool {
    matches!(object.get("value"), Some(Value::Array(_))) && !object.contains_key("conditions")
}

/// `@odata.context` of a list, or of the first object that has one.
fn context(value: &Value) -> Option<String> {
    let of = |value: &Value| {
        value
            .get("@odata.context")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    of(value).or_else(|| value.as_array()?.iter().find_map(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Document {
        Document::read("f.json", text.as_bytes()).unwrap()
    }

    const POLICY: &str = r#"{"id": "p", "displayName": "P", "state": "enabled",
  "conditions": {"clientApplications": {"includeAgentIdServicePrincipals": ["All"]}, "applications": {"includeApplications": ["All"]},
    "times": {"a": 1}},
  "grantControls": {"builtInControls": ["block"]}}"#;

    #[test]
    fn tells_policies_from_locations_and_says_what_is_neither() {
        let document = read(&format!(
            "{{\"@odata.nextLink\": \"n\", \"value\": [{POLICY},\n {{\"@odata.type\": \"#microsoft.graph.ipNamedLocation\", \"id\": \"l\"}},
 {{\"countriesAndRegions\": []}}, {{\"id\": \"x\"}}, {{\"Conditions\": {{}}}}, 7]}}"
        ));
        let kinds: Vec<_> = document.objects.iter().map(|object| object.kind).collect();
        assert_eq!(
            kinds,
            [Kind::Policy, Kind::NamedLocation, Kind::NamedLocation]
        );
        let told: Vec<_> = document
            .faults
            .sorted()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(told.len(), 4, "{told:#?}");
        assert!(
            told[0].starts_with("f.json:1:2: warning: @odata.nextLink: the list goes on"),
            "{told:#?}"
        );
        assert!(
            told[1].starts_with("f.json:6:31: error: value[3]: expected a Conditional"),
            "{told:#?}"
        );
        assert!(
            told[2].contains("value[4]: is an object of PowerShell's"),
            "{told:#?}"
        );
        assert!(
            told[3].contains("value[5]: expected an object"),
            "{told:#?}"
        );
    }

    #[test]
    fn the_places_of_a_policy_in_a_list_are_those_of_the_file() {
        let document = read(&format!("[\n  {{\"ipRanges\": []}}, {POLICY}]"));
        let object = &document.objects[1];
        let (policy, faults) = document.policy(object, OnUnsupported::ReportOnly);
        let origin = policy.unwrap().origin;
        assert_eq!(
            (&*origin.file, origin.line, origin.column),
            ("f.json", 2, 21)
        );
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert!(
            told[0].starts_with("f.json:4:5: warning: [1].conditions.times: not honoured"),
            "{told:?}"
        );
        let steps = [Step::Member("displayName")];
        let fault = document.fault(object, &steps, Severity::Warning, "m".to_owned());
        assert_eq!(
            fault.to_string(),
            "f.json:2:33: warning: [1].displayName: m"
        );
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        let fault = Document::read("f.json", b"[\n {,}]").unwrap_err();
        assert_eq!((fault.line, fault.column), (2, 3));
        assert!(Document::read("f.json", b"{\0}\0").is_err());
    }
}
