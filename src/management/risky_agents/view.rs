//! A risk entry as Graph's `riskyAgent` (`reference/entra.md` §5.2).

use serde_json::{Value, json};

use crate::risk::{RiskEntry, RiskSubject};
use crate::snapshot::Snapshot;
use crate::types::RiskLevel;

/// One entry, together with what the directory says of its subject.
pub(super) fn show(snapshot: &Snapshot, entry: &RiskEntry) -> Value {
    let subject = described(snapshot, entry.subject, &entry.id);
    let odata_type = match entry.subject {
        RiskSubject::AgentIdentity => "#microsoft.graph.riskyAgentIdentity",
        RiskSubject::AgentUser => "#microsoft.graph.riskyAgentUser",
        RiskSubject::AgentIdentityBlueprintPrincipal => {
            "#microsoft.graph.riskyAgentIdentityBlueprintPrincipal"
        }
        // INVARIANT: the table that is shown here holds agents only.
        RiskSubject::User
        | RiskSubject::ServicePrincipal
        | RiskSubject::SignIn
        | RiskSubject::Insider => "#microsoft.graph.riskyAgent",
    };
    json!({
        "@odata.type": odata_type,
        "id": entry.id,
        "agentDisplayName": subject.display_name,
        "identityType": identity_type(entry.subject),
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

/// Graph's `agentIdentityType`.
pub(in crate::management) const fn identity_type(subject: RiskSubject) -> &'static str {
    match subject {
        RiskSubject::AgentIdentity => "agentIdentity",
        RiskSubject::AgentUser => "agentUser",
        RiskSubject::AgentIdentityBlueprintPrincipal => "agentIdentityBlueprintPrincipal",
        RiskSubject::User => "user",
        RiskSubject::ServicePrincipal | RiskSubject::SignIn | RiskSubject::Insider => {
            "unknownFutureValue"
        }
    }
}

/// What the directory says of a subject, and whether it and all other sources let it act.
pub(in crate::management) struct Described<'a> {
    pub(in crate::management) display_name: Option<&'a str>,
    pub(in crate::management) blueprint_id: Option<&'a str>,
    pub(in crate::management) is_enabled: bool,
}

/// What the directory says of the subject with this id.
pub(in crate::management) fn described<'a>(
    snapshot: &'a Snapshot,
    subject: RiskSubject,
    id: &str,
) -> Described<'a> {
    let (directory, accounts) = (&snapshot.directory, &snapshot.reported.accounts);
    let is_let = |id: &str| !accounts.is_disabled(id);
    let described = match subject {
        RiskSubject::AgentIdentity => directory.agent(id).map(|agent| Described {
            display_name: Some(&agent.display_name),
            blueprint_id: agent.blueprint.as_ref().map(AsRef::as_ref),
            is_enabled: agent.enabled && is_let(id),
        }),
        RiskSubject::AgentUser => directory.agent_user(id).map(|user| {
            let parent = directory.agent(user.identity_parent.as_str());
            let blueprint = parent.and_then(|agent| agent.blueprint.as_ref());
            Described {
                display_name: Some(&user.display_name),
                blueprint_id: blueprint.map(AsRef::as_ref),
                is_enabled: user.enabled && is_let(id),
            }
        }),
        RiskSubject::AgentIdentityBlueprintPrincipal => directory
            .blueprint_of_principal(id)
            .or_else(|| directory.blueprint(id))
            .map(|blueprint| Described {
                display_name: Some(&blueprint.display_name),
                blueprint_id: Some(blueprint.app_id.as_str()),
                is_enabled: blueprint.enabled
                    && is_let(blueprint.app_id.as_str())
                    && blueprint
                        .principal_id
                        .as_ref()
                        .is_none_or(|id| is_let(id.as_str())),
            }),
        RiskSubject::User
        | RiskSubject::ServicePrincipal
        | RiskSubject::SignIn
        | RiskSubject::Insider => None,
    };
    described.unwrap_or(Described {
        display_name: None,
        blueprint_id: None,
        is_enabled: is_let(id),
    })
}
