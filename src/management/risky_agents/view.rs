//! A risk entry as Graph's `riskyAgent` (`reference/entra.md` §5.2).

use serde_json::{Value, json};

use crate::risk::{RiskEntry, RiskSubject};
use crate::snapshot::Snapshot;
use crate::types::RiskLevel;

/// Shows entries together with what the directory says of their subjects.
pub(super) struct View<'a> {
    snapshot: &'a Snapshot,
    /// Whether the client reads names that were added to an enumeration later.
    knows_new_names: bool,
}

impl<'a> View<'a> {
    /// How a client sees the snapshot.
    pub(super) const fn new(snapshot: &'a Snapshot, knows_new_names: bool) -> Self {
        Self {
            snapshot,
            knows_new_names,
        }
    }

    /// One entry.
    pub(super) fn of(&self, entry: &RiskEntry) -> Value {
        let subject = Described::of(self.snapshot, entry);
        let (odata_type, identity_type) = match entry.subject {
            RiskSubject::AgentIdentity => ("riskyAgentIdentity", "agentIdentity"),
            RiskSubject::AgentUser => ("riskyAgentUser", "agentUser"),
            RiskSubject::AgentIdentityBlueprintPrincipal => (
                "riskyAgentIdentityBlueprintPrincipal",
                if self.knows_new_names {
                    "agentIdentityBlueprintPrincipal"
                } else {
                    "unknownFutureValue"
                },
            ),
            // INVARIANT: the table that is shown here holds agents only.
            RiskSubject::User
            | RiskSubject::ServicePrincipal
            | RiskSubject::SignIn
            | RiskSubject::Insider => ("riskyAgent", "unknownFutureValue"),
        };
        json!({
            "@odata.type": format!("#microsoft.graph.{odata_type}"),
            "id": entry.id,
            "agentDisplayName": subject.display_name,
            "identityType": identity_type,
            "blueprintId": subject.blueprint_id,
            "isDeleted": false,
            "isEnabled": subject.is_enabled,
            "isProcessing": false,
            "riskLevel": entry.level.map_or("hidden", RiskLevel::as_str),
            "riskState": entry.state,
            "riskDetail": entry.detail,
            "riskLastModifiedDateTime": entry.last_modified,
        })
    }
}

/// What the directory says of a subject; one that it does not know is not disabled by it.
struct Described<'a> {
    display_name: Option<&'a str>,
    blueprint_id: Option<&'a str>,
    is_enabled: bool,
}

impl<'a> Described<'a> {
    fn of(snapshot: &'a Snapshot, entry: &RiskEntry) -> Self {
        let (directory, id) = (&snapshot.directory, &*entry.id);
        let described = match entry.subject {
            RiskSubject::AgentIdentity => directory.agent(id).map(|agent| Self {
                display_name: Some(&agent.display_name),
                blueprint_id: agent.blueprint.as_ref().map(AsRef::as_ref),
                is_enabled: agent.enabled,
            }),
            RiskSubject::AgentUser => directory.agent_user(id).map(|user| {
                let parent = directory.agent(user.identity_parent.as_str());
                let blueprint = parent.and_then(|agent| agent.blueprint.as_ref());
                Self {
                    display_name: Some(&user.display_name),
                    blueprint_id: blueprint.map(AsRef::as_ref),
                    is_enabled: user.enabled,
                }
            }),
            RiskSubject::AgentIdentityBlueprintPrincipal => directory
                .blueprint_of_principal(id)
                .or_else(|| directory.blueprint(id))
                .map(|blueprint| Self {
                    display_name: Some(&blueprint.display_name),
                    blueprint_id: Some(blueprint.app_id.as_str()),
                    is_enabled: blueprint.enabled,
                }),
            RiskSubject::User
            | RiskSubject::ServicePrincipal
            | RiskSubject::SignIn
            | RiskSubject::Insider => None,
        };
        described.unwrap_or(Self {
            display_name: None,
            blueprint_id: None,
            is_enabled: true,
        })
    }
}
