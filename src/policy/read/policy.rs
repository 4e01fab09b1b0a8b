//! One `conditionalAccessPolicy` object becomes a [`Policy`]. Never here: where a policy applies.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::members::{self, Support};
use super::reading::{Reading, is_annotation, member, steps, text};
use super::{conditions, controls, notes};
use crate::policy::model::{Origin, Policy};
use crate::policy::{Control, PolicyState};
use crate::types::PolicyId;
use crate::types::json::Step;

/// Reads a policy; `None` where it has no id or is none at all, which is then among the faults.
pub(super) fn read(reading: &mut Reading<'_>, value: &Value) -> Option<Policy> {
    let Value::Object(object) = value else {
        let expected =
            "expected a Conditional Access policy: an object, a list of them, or a Graph list";
        reading.malformed(&[], expected);
        return None;
    };
    // The state comes first: what a disabled policy asks for can be no error.
    let state = state(reading, value);
    let id = id(reading, value);
    if !matches!(object.get("conditions"), Some(Value::Object(_))) {
        reading.malformed(
            &steps("conditions"),
            "expected an object with the policy's conditions",
        );
    }
    audit(reading, object, &mut Vec::new());
    let display_name = text(reading, value, "displayName");
    let (conditions, named_locations) = conditions::read(reading, value);
    let grant_controls = controls::read(reading, value);
    notes::write(reading, value, &conditions);
    let id = id?;
    let (line, column) = reading.start();
    Some(Policy {
        display_name: display_name.map_or_else(|| id.to_shared(), Arc::from),
        id,
        state: match state {
            PolicyState::Enabled if !reading.is_understood() => {
                PolicyState::EnabledForReportingButNotEnforced
            }
            state => state,
        },
        origin: Origin {
            file: Arc::clone(reading.file()),
            line,
            column,
        },
        conditions,
        grant_controls,
        not_understood: reading.not_understood(),
        named_locations,
        source: without_annotations(object),
    })
}

/// The members of an object at any depth, less what is said of the export. A type (`@odata.type`) says which of several
/// shapes an object has, and stays.
#[must_use]
pub fn without_annotations(object: &Map<String, Value>) -> Map<String, Value> {
    let stays = |name: &str| !is_annotation(name) || name.ends_with("@odata.type");
    let members = object.iter().filter(|(name, _)| stays(name));
    members
        .map(|(name, value)| (name.clone(), value_without_annotations(value)))
        .collect()
}

fn value_without_annotations(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(without_annotations(object)),
        Value::Array(items) => items.iter().map(value_without_annotations).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn id(reading: &mut Reading<'_>, policy: &Value) -> Option<PolicyId> {
    let Some(Value::String(text)) = member(policy, "id") else {
        reading.malformed(&steps("id"), "expected the policy's id");
        return None;
    };
    match PolicyId::parse(text) {
        Ok(id) => Some(id),
        Err(fault) => {
            reading.malformed(&steps("id"), fault.to_string());
            None
        }
    }
}

fn state(reading: &mut Reading<'_>, policy: &Value) -> PolicyState {
    let expected = "expected `enabled`, `disabled` or `enabledForReportingButNotEnforced`";
    match member(policy, "state") {
        Some(Value::String(text)) => {
            if let Some(state) = PolicyState::parse(text) {
                reading.disabled = state == PolicyState::Disabled;
                return state;
            }
            reading.unsupported(&steps("state"), &format!("{expected}, found `{text}`"));
        }
        _ => reading.malformed(&steps("state"), expected),
    }
    PolicyState::EnabledForReportingButNotEnforced
}

/// Finds whatever is configured and not known, not understood, without a meaning here, or not an object where one belongs.
fn audit<'v>(reading: &mut Reading<'_>, object: &'v Map<String, Value>, at: &mut Vec<Step<'v>>) {
    for (name, value) in object.iter().filter(|(name, _)| !is_annotation(name)) {
        at.push(Step::Member(name));
        match (members::support(at), value) {
            (Some(Support::Object), Value::Object(inner)) => audit(reading, inner, at),
            (Some(Support::Object), value) if is_given(value) => {
                reading.unsupported(at, "expected an object");
            }
            (Some(Support::NotUnderstood), value) if is_configured(value) => {
                reading.unsupported(at, "not honoured here");
            }
            (Some(Support::NotApplicable(why)), value) if is_configured(value) => {
                reading.warn(at, format!("has no effect here: {why}"));
            }
            (Some(Support::Demands(Control::AuthenticationStrength)), value)
                if is_given(value) && !value.is_object() =>
            {
                reading.unsupported(at, "expected an object");
            }
            (None, value) if is_given(value) => {
                reading.unsupported(at, "not a member that is known here");
            }
            (Some(_) | None, _) => {}
        }
        at.pop();
    }
}

/// Whether the value says anything: absent, `null`, `[]` and an object of such all mean "not configured".
fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| !is_annotation(name) && is_given(value)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Whether a member that Graph knows is configured; its own ways to say "not" are no flags, and not enabled.
fn is_configured(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::String(text) => !text.is_empty() && !text.eq_ignore_ascii_case("none"),
        Value::Object(members) => {
            members.get("isEnabled") != Some(&Value::Bool(false))
                && members
                    .iter()
                    .any(|(name, value)| !is_annotation(name) && is_configured(value))
        }
        Value::Null | Value::Number(_) | Value::Array(_) => is_given(value),
    }
}
