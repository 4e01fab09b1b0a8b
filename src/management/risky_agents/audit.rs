//! An administrator's word on agents as a change of the audit log: who said what of whom, before and after.

use std::collections::BTreeSet;

use super::actions::{Action, subject};
use super::view::described;
use crate::management::Control;
use crate::management::writes::Asker;
use crate::record::change::{Change, Property, Target};
use crate::risk::RiskSubject;
use crate::types::{AgentId, RiskLevel, RiskState};

/// The change that the action is about to make.
pub(super) fn change(
    control: &Control,
    asker: &Asker,
    action: Action,
    agents: &BTreeSet<AgentId>,
) -> Change {
    let snapshot = control.state.snapshots.load();
    let targets = agents.iter().map(|id| {
        let id = id.as_str();
        let subject = subject(control, &snapshot, id).unwrap_or(RiskSubject::AgentIdentity);
        let before = snapshot.risk.get(id);
        let level = before.map(|entry| entry.level.map_or("hidden", RiskLevel::as_str));
        let state = before.map(|entry| entry.state.as_str());
        Target {
            id: id.to_owned(),
            display_name: described(&snapshot, subject, id)
                .display_name
                .map(ToOwned::to_owned),
            kind: match subject {
                RiskSubject::AgentUser
                | RiskSubject::User
                | RiskSubject::SignIn
                | RiskSubject::Insider => "User",
                RiskSubject::AgentIdentity
                | RiskSubject::AgentIdentityBlueprintPrincipal
                | RiskSubject::ServicePrincipal => "ServicePrincipal",
            },
            modified_properties: vec![
                property("riskLevel", level, action.level.as_str()),
                property("riskState", state, RiskState::as_str(action.state)),
            ],
        }
    });
    Change {
        id: uuid::Uuid::now_v7().to_string(),
        correlation_id: asker.ids.id().to_owned(),
        activity_date_time: control.state.clock.now(),
        activity_display_name: action.activity,
        category: "Other",
        operation_type: "Update",
        initiated_by: asker.actor.initiator(),
        target_resources: targets.collect(),
    }
}

/// Values of the audit log are JSON.
fn property(name: &str, before: Option<&str>, after: &str) -> Property {
    let text = |value: &str| format!("\"{value}\"");
    Property {
        display_name: name.to_owned(),
        old_value: before.map(text),
        new_value: Some(text(after)),
    }
}
