//! `…/policies`: the policies that are in force, and changes of the folder that they are kept in.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::entities::Entities;
use super::versions;
use crate::management::Control;
use crate::management::graph::GraphError;
use crate::management::odata::{Asked, Direction, EntitySet, Kind, Property, apart};
use crate::management::settings::Folders;
use crate::management::writes::Sort;
use crate::policy::{self, CompiledPolicy};
use crate::types::{Faults, PolicyId};

pub(super) static ENTITIES: Entities = Entities {
    set: &SET,
    sort: &SORT,
    exists: |_, _| true,
    shown: versions::shown,
    accept: versions::check,
    has_one_type: true,
};

/// `conditionalAccessPolicy`
static SET: EntitySet = EntitySet {
    path: "identity/conditionalAccess/policies",
    properties: &[
        Property::new("id", Kind::Id),
        Property::new("templateId", Kind::Id),
        Property::new("displayName", Kind::Text),
        Property::new("description", Kind::Text),
        Property::new("createdDateTime", Kind::Time),
        Property::new("modifiedDateTime", Kind::Time),
        Property::new("state", Kind::Name(STATES)),
        Property::new("conditions", Kind::Open),
        Property::new("grantControls", Kind::Open),
        Property::new("sessionControls", Kind::Open),
    ],
    only_selected: &[],
    order: Direction::Ascending,
};

/// Graph's `conditionalAccessPolicyState`.
const STATES: &[&str] = &["enabled", "disabled", "enabledForReportingButNotEnforced"];

static SORT: Sort = Sort {
    name: "policy",
    activities: [
        "Add conditional access policy",
        "Update conditional access policy",
        "Delete conditional access policy",
    ],
    category: "Policy",
    target: "Policy",
    property: Some("ConditionalAccessPolicy"),
    setting: "policies.dir",
    folder: |folders| Some(&folders.policies),
    check,
};

/// What the reader of policies says.
fn check(text: &str, folders: &Folders) -> Faults {
    let (_policies, faults) = policy::read::read("policy", text.as_bytes(), folders.on_unsupported);
    faults
}

/// `GET …/policies`
pub(super) async fn list(
    State(control): State<Arc<Control>>,
    asked: Asked,
) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let show = |policy: &&CompiledPolicy| ENTITIES.item(&policy.model().source, asked.version);
        asked.list(&SET, snapshot.policies.iter(), id, show)
    })
    .await
}

/// `GET …/policies/$count`
pub(super) async fn count(
    State(control): State<Arc<Control>>,
    asked: Asked,
) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let show = |policy: &&CompiledPolicy| ENTITIES.item(&policy.model().source, asked.version);
        asked.count(&SET, snapshot.policies.iter(), id, show)
    })
    .await
}

/// `GET …/policies/{id}`
pub(super) async fn one(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, GraphError> {
    let snapshot = control.state.snapshots.load();
    let id = PolicyId::parse(&id).ok();
    let policy = id.and_then(|id| snapshot.policies.iter().find(|policy| policy.id == id));
    ENTITIES.one(&asked, policy.map(|policy| &policy.model().source))
}

fn id<'p>(policy: &'p &CompiledPolicy) -> &'p str {
    policy.id.as_str()
}
