//! A change of what decisions rest on, in the shape of Graph's `directoryAudit`: who, what, before and after.
//!
//! Two lines with one id: the first is written before the change is made, so that none goes unrecorded, the second says
//! what became of it. Only the second has a `result`. Never here: a secret, and a change that is made all the same.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::outbox::{LineOf, Outbox};
use super::{RecordUnavailable, Recorder};
use crate::telemetry::RecordResult;
use crate::types::{Buffer, Timestamp, json};

/// What is about to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Of this change alone.
    pub id: String,
    /// The request that asks for it.
    pub correlation_id: String,
    /// When.
    pub activity_date_time: Timestamp,
    /// What is done, as Entra's audit log calls it.
    pub activity_display_name: &'static str,
    /// `Policy`, `RiskManagement` and the like.
    pub category: &'static str,
    /// `Add`, `Update` or `Delete`.
    pub operation_type: &'static str,
    /// Who does it.
    pub initiated_by: Initiator,
    /// To what.
    pub target_resources: Vec<Target>,
}

/// Who makes a change: one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Initiator {
    /// A program, or whoever holds its credential.
    pub app: Option<Identity>,
    /// A person.
    pub user: Option<Identity>,
}

/// By what somebody is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The object id, where there is one.
    pub id: Option<Arc<str>>,
    /// For people.
    pub display_name: Arc<str>,
    /// The role by which the change was allowed.
    pub roles: Vec<&'static str>,
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its id.
    pub id: String,
    /// For people.
    pub display_name: Option<String>,
    /// `Policy`, `ServicePrincipal`, `User`, `Application` or `Other`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// From what to what.
    pub modified_properties: Vec<Property>,
}

/// One property, before and after: JSON texts, as Graph has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    /// Its name.
    pub display_name: String,
    /// Before; nothing where it was not there.
    pub old_value: Option<String>,
    /// After; nothing where it is gone.
    pub new_value: Option<String>,
}

impl Property {
    /// A whole object as one property, as Entra records policies.
    #[must_use]
    pub fn whole(
        name: &str,
        before: Option<&Map<String, Value>>,
        after: Option<&Map<String, Value>>,
    ) -> Self {
        let text = |object: &Map<String, Value>| Value::Object(object.clone()).to_string();
        Self {
            display_name: name.to_owned(),
            old_value: before.map(text),
            new_value: after.map(text),
        }
    }

    /// Each member that differs, as a property of its own.
    #[must_use]
    pub fn of_members(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Self> {
        let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        let differ = names
            .into_iter()
            .filter(|name| before.get(*name) != after.get(*name));
        differ
            .map(|name| Self {
                display_name: name.clone(),
                old_value: before.get(name).map(ToString::to_string),
                new_value: after.get(name).map(ToString::to_string),
            })
            .collect()
    }
}

/// A line: the change, and what is known of how it went.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(rename = "")]
    change: &'a Change,
    logged_by_service: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_reason: Option<&'a str>,
    boomgate: Phase,
}

/// What Graph has no word for.
#[derive(Serialize)]
struct Phase {
    change: &'static str,
}

impl Change {
    /// Writes the line, without its line break.
    fn line(
        &self,
        result: Option<&'static str>,
        reason: Option<&str>,
        line: &mut Buffer,
    ) -> Result<(), serde_json::Error> {
        let of = Line {
            change: self,
            logged_by_service: "Boomgate",
            boomgate: Phase {
                change: if result.is_some() { "ended" } else { "begun" },
            },
            result,
            result_reason: reason,
        };
        json::write(line, &of)
    }
}

/// A change that is recorded as begun.
#[derive(Debug)]
#[must_use = "how a change ended is recorded too"]
pub struct Begun {
    change: Change,
    outbox: Arc<Outbox>,
}

impl Begun {
    /// Records how it ended: why it was not made, if it was not.
    pub fn ended(self, result: Result<(), &str>) {
        let (result, reason) = match result {
            Ok(()) => ("success", None),
            Err(reason) => ("failure", Some(reason)),
        };
        // After the writer's end there is nobody to tell.
        let _told = self.outbox.push(LineOf::Changed, |line| {
            self.change.line(Some(result), reason, line)
        });
    }
}

impl Recorder {
    /// Records that a change is about to be made, and waits until that is written. To be awaited before it is made.
    ///
    /// # Errors
    /// [`RecordUnavailable`] if it could not be written: the change must not be made, whatever is to happen to calls.
    pub async fn change(&self, change: Change) -> Result<Begun, RecordUnavailable> {
        match self.begin(&change).await {
            Some(outbox) => Ok(Begun { change, outbox }),
            None => {
                self.0.metrics.records(RecordResult::Refused).add(1);
                Err(RecordUnavailable)
            }
        }
    }

    async fn begin(&self, change: &Change) -> Option<Arc<Outbox>> {
        let place = self.place().await?;
        let outbox = Arc::clone(self.0.queue.outboxes.mine());
        let heard = outbox.push_awaited(LineOf::Change, |line| change.line(None, None, line))?;
        // The writer gives the place back when the line is written.
        place.forget();
        let heard = tokio::time::timeout(self.0.settings.wait, heard).await;
        heard.ok()?.ok()?;
        Some(outbox)
    }
}

#[cfg(test)]
mod tests;
