//! Why an agent has its level: every source that spoke of it or of whom it inherits from, and what became of each word.
//!
//! `GET …/riskyAgents/{id}/boomgate.explain`, which Graph does not have. The level is asked of the very function that
//! decisions ask. Never here: a level of its own.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::{Value, json};

use super::view::{described, identity_type};
use crate::detection::DetectionSettings;
use crate::feeds::detections::{ends, kind_of};
use crate::identity::{Agent, Caller};
use crate::management::Control;
use crate::management::graph::GraphError;
use crate::risk::{Assessment, RiskEntry, RiskSubject, SignInIds};
use crate::snapshot::Snapshot;
use crate::types::{AgentId, Fact, RiskLevel, Timestamp};

/// One subject whose word counts for an agent, and how it is related to it.
struct Related {
    id: Arc<str>,
    relation: &'static str,
}

/// `GET …/riskyAgents/{id}/boomgate.explain`
pub(super) async fn explain(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, GraphError> {
    let unknown = || GraphError::new(StatusCode::NOT_FOUND, "nobody knows an agent with this id");
    let id = AgentId::parse(&id).map_err(|_not_one| unknown())?;
    let snapshot = control.state.snapshots.load();
    let settings = control.state.detections.load_full();
    let now = control.state.clock.now();
    let is_known = super::actions::subject(&control, &snapshot, id.as_str());
    let subject = is_known.ok_or_else(unknown)?;
    Ok(Json(explained(
        &snapshot,
        settings.as_deref(),
        &id,
        subject,
        now,
    )))
}

fn explained(
    snapshot: &Snapshot,
    settings: Option<&DetectionSettings>,
    id: &AgentId,
    subject: RiskSubject,
    now: Timestamp,
) -> Value {
    let (caller, related) = standing(snapshot, id, subject);
    let risk = snapshot.decisions.risk();
    let assessment = snapshot.risk.assess(&caller, SignInIds::default(), risk);
    let level = match (&caller, subject) {
        // A blueprint makes no calls: its level is that of what was said of it.
        (_, RiskSubject::AgentIdentityBlueprintPrincipal) => assessment.agent,
        (Caller::AgentUser { .. }, _) => assessment.agent_user,
        _ => assessment.agent,
    };
    let subjects = related.iter().map(|one| {
        let entries = snapshot.risk.of(&one.id);
        let sources = entries.map(|entry| source(snapshot, &assessment, entry, settings, now));
        json!({
            "id": one.id,
            "relation": one.relation,
            "sources": sources.collect::<Vec<_>>(),
            "accounts": accounts(snapshot, &one.id),
        })
    });
    let about = described(snapshot, subject, id.as_str());
    json!({
        "id": id,
        "displayName": about.display_name,
        "identityType": identity_type(subject),
        "blueprintId": about.blueprint_id,
        "isEnabled": about.is_enabled,
        "riskLevel": shown(level),
        "inherits": risk.inherit,
        "evaluatedDateTime": now,
        "subjects": subjects.collect::<Vec<_>>(),
    })
}

/// The agent as a caller, and all of whom it inherits.
fn standing(snapshot: &Snapshot, id: &AgentId, subject: RiskSubject) -> (Caller, Vec<Related>) {
    let own = |relation| Related {
        id: id.to_shared(),
        relation,
    };
    let user = snapshot.directory.agent_user(id.as_str());
    let parent = user.and_then(|user| snapshot.directory.agent(user.identity_parent.as_str()));
    let (caller, mut related) = if let (Some(user), Some(parent)) = (user, parent) {
        let agent = Agent::of(parent.id.clone(), None, &snapshot.directory);
        let caller = Caller::agent_user(user, agent);
        let of_parent = Related {
            id: parent.id.to_shared(),
            relation: "agentIdentity",
        };
        (caller, vec![own("self"), of_parent])
    } else {
        let agent = Agent::of(id.clone(), None, &snapshot.directory);
        (Caller::Autonomous(agent), vec![own("self")])
    };
    if !snapshot.decisions.risk().inherit || subject == RiskSubject::AgentIdentityBlueprintPrincipal
    {
        related.truncate(1);
        return (caller, related);
    }
    if let Some(agent) = caller.agent() {
        related.extend(agent.blueprint.as_ref().map(|id| Related {
            id: id.to_shared(),
            relation: "blueprint",
        }));
        related.extend(agent.blueprint_principal().map(|id| Related {
            id: id.to_shared(),
            relation: "blueprintPrincipal",
        }));
    }
    (caller, related)
}

/// One word, and what became of it.
fn source(
    snapshot: &Snapshot,
    assessment: &Assessment,
    entry: &Arc<RiskEntry>,
    settings: Option<&DetectionSettings>,
    now: Timestamp,
) -> Value {
    let counts = assessment.inputs.iter().any(|input| input.entry == *entry);
    let expires = kind_of(&entry.source)
        .filter(|_| entry.state.level_counts())
        .and_then(|kind| ends(kind, entry.last_modified, settings));
    let effective = if counts {
        entry.effective_level()
    } else {
        Some(RiskLevel::None)
    };
    json!({
        "source": entry.source,
        "riskLevel": entry.level.map_or("hidden", RiskLevel::as_str),
        "riskState": entry.state,
        "riskDetail": entry.detail,
        "riskLastModifiedDateTime": entry.last_modified,
        "ageSeconds": now.since(entry.last_modified).as_secs(),
        "expirationDateTime": expires,
        "counts": counts,
        "effectiveRiskLevel": effective.map_or("hidden", RiskLevel::as_str),
        "detections": detections(snapshot, entry),
    })
}

/// What sources said of the account, beside the directory.
fn accounts(snapshot: &Snapshot, id: &str) -> Vec<Value> {
    let accounts = &snapshot.reported.accounts;
    let said = accounts.of(id).map(|state| {
        json!({
            "source": state.source,
            "accountEnabled": state.enabled,
            "lastModifiedDateTime": state.at,
        })
    });
    said.collect()
}

/// Why the source said so, the newest first.
fn detections(snapshot: &Snapshot, entry: &RiskEntry) -> Vec<Value> {
    let kind = kind_of(&entry.source);
    let of_entry = snapshot.reported.detections.iter().filter(|one| {
        one.identity_id == entry.id
            && match kind {
                Some(kind) => *one.event_type == *kind.as_str(),
                None => one.source == entry.source,
            }
    });
    let mut shown: Vec<_> = of_entry
        .map(|one| {
            json!({
                "id": one.id,
                "riskEventType": one.event_type,
                "riskState": one.state,
                "activityDateTime": one.activity_at,
                "riskEvidence": one.evidence,
                "signInRequestId": one.request_id,
            })
        })
        .collect();
    shown.reverse();
    shown.truncate(MOST_DETECTIONS);
    shown
}

/// How many detections are shown of one source.
const MOST_DETECTIONS: usize = 10;

const fn shown(level: Fact<RiskLevel>) -> &'static str {
    match level {
        Fact::Known(level) => level.as_str(),
        Fact::Unknown | Fact::RequiredUnknown => "hidden",
    }
}
