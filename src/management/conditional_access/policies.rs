//! `…/policies`: the policies that are in force, and changes of the folder that they are kept in.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::{answer, changed, tagged, versions};
use crate::management::Control;
use crate::management::graph::GraphError;
use crate::management::odata::{Asked, Direction, EntitySet, Kind, Property, apart};
use crate::management::settings::Folders;
use crate::management::writes::{
    Asker, Edit, IsIt, Sort, merged, object, without_annotations, write,
};
use crate::policy::{self, CompiledPolicy};
use crate::store::etag::ETag;
use crate::types::{Faults, PolicyId, Timestamp};

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
        asked.list(&SET, snapshot.policies.iter(), id, |policy| {
            show(&asked, policy)
        })
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
        asked.count(&SET, snapshot.policies.iter(), id, |policy| {
            show(&asked, policy)
        })
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
    let Some(policy) = policy else {
        let message = "there is no policy with this id";
        return Err(GraphError::new(StatusCode::NOT_FOUND, message));
    };
    let source = &policy.model().source;
    let shown = versions::shown(source.clone(), asked.version);
    answer(&asked, &SET, StatusCode::OK, &ETag::of(source), shown)
}

/// `POST …/policies`: a new one, with an id of ours.
pub(super) async fn create(
    State(control): State<Arc<Control>>,
    asked: Asked,
    asker: Asker,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, GraphError> {
    let mut policy = without_annotations(object(&headers, body)?);
    versions::check(&policy, asked.version)?;
    require_name(&policy)?;
    let id = uuid::Uuid::new_v4().to_string();
    policy.remove("@odata.type");
    policy.insert("id".to_owned(), json!(id));
    policy.insert(
        "createdDateTime".to_owned(),
        json!(control.state.clock.now()),
    );
    policy.insert("modifiedDateTime".to_owned(), Value::Null);
    let new = Edit::Add(policy);
    let policy = write(&control, &SORT, (&id, is(&id)?), new, asker).await?;
    let (etag, policy) = (
        ETag::of(&policy),
        versions::shown(without_annotations(policy), asked.version),
    );
    answer(&asked, &SET, StatusCode::CREATED, &etag, policy)
}

/// `PATCH …/policies/{id}`: the members that are sent; all others stay, those too that the version does not show.
pub(super) async fn update(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    asked: Asked,
    asker: Asker,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, GraphError> {
    let mut patch = without_annotations(object(&headers, body)?);
    versions::check(&patch, asked.version)?;
    if patch.contains_key("displayName") {
        require_name(&patch)?;
    }
    refuse_other_id(&patch, &id)?;
    for own in ["@odata.type", "id", "createdDateTime", "modifiedDateTime"] {
        patch.remove(own);
    }
    let now = control.state.clock.now();
    let change = Edit::Update(Box::new(move |before| {
        Ok(modified(merged(before, patch), now))
    }));
    let policy = write(&control, &SORT, (&id, is(&id)?), change, asker).await?;
    let (etag, policy) = (
        ETag::of(&policy),
        versions::shown(without_annotations(policy), asked.version),
    );
    changed(&asked, &SET, &headers, &etag, policy)
}

/// `DELETE …/policies/{id}`
pub(super) async fn delete(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    asker: Asker,
) -> Result<StatusCode, GraphError> {
    write(&control, &SORT, (&id, is(&id)?), Edit::Delete, asker).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn id<'p>(policy: &'p &CompiledPolicy) -> &'p str {
    policy.id.as_str()
}

fn show(asked: &Asked, policy: &CompiledPolicy) -> Value {
    let source = &policy.model().source;
    tagged(
        versions::shown(source.clone(), asked.version),
        &ETag::of(source),
    )
}

/// How the policy of this id is known in its folder.
///
/// # Errors
/// 404 for what is no id: nothing has it.
fn is(id: &str) -> Result<IsIt, GraphError> {
    let id = PolicyId::parse(id).map_err(|_no_id| {
        GraphError::new(StatusCode::NOT_FOUND, "there is no policy with this id")
    })?;
    Ok(Arc::new(move |object| {
        let own = object.get("id").and_then(Value::as_str);
        own.and_then(|own| PolicyId::parse(own).ok()).as_ref() == Some(&id)
    }))
}

/// Changed now.
fn modified(mut object: Map<String, Value>, now: Timestamp) -> Map<String, Value> {
    object.insert("modifiedDateTime".to_owned(), json!(now));
    object
}

/// People know it by its name.
fn require_name(object: &Map<String, Value>) -> Result<(), GraphError> {
    let name = object.get("displayName").and_then(Value::as_str);
    if name.is_some_and(|name| !name.trim().is_empty()) {
        return Ok(());
    }
    let what = "expected a text that is not blank";
    let details = vec![("displayName".to_owned(), what.to_owned())];
    let message = format!("displayName: {what}");
    Err(GraphError::new(StatusCode::BAD_REQUEST, message).with_details(details))
}

/// An object keeps its id.
fn refuse_other_id(patch: &Map<String, Value>, id: &str) -> Result<(), GraphError> {
    match patch.get("id").and_then(Value::as_str) {
        Some(other) if !other.eq_ignore_ascii_case(id) => {
            let message = format!("id: the address says `{id}`, and an id cannot be changed");
            Err(GraphError::new(StatusCode::BAD_REQUEST, message))
        }
        Some(_) | None => Ok(()),
    }
}
