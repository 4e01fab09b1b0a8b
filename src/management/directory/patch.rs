//! `PATCH servicePrincipals/{id}` and `users/{id}`: whether an account is enabled, and its attributes.
//!
//! The file that holds the object is rewritten, and all else in it stays. Of an account that no file of the operator's
//! holds, the word is kept in the store. Never here: another member of the object.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::objects::{self, ATTRIBUTES, Collection, Row};
use super::word;
use crate::identity::directory;
use crate::management::Control;
use crate::management::actor::Role;
use crate::management::graph::GraphError;
use crate::management::settings::Folders;
use crate::management::writes::{Asker, Edit, IsIt, Sort, apart, merged, not_seen, object, write};
use crate::store::folder::Folder;
use crate::types::json::tidy;
use crate::types::{BlueprintId, Faults, ObjectId, json as strict};

/// Whether it may act.
const ENABLED: &str = "accountEnabled";

/// Changes one account.
pub(super) async fn update(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    mut asker: Asker,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
    collection: &'static Collection,
) -> Result<Response, GraphError> {
    let mut patch = object(&headers, body)?;
    check_members(&patch, &asker)?;
    // What the object is, its file says.
    patch.retain(|name, _| !name.starts_with("@odata."));
    let unknown = || {
        let message = format!("no {} has this id", collection.what);
        GraphError::new(StatusCode::NOT_FOUND, message)
    };
    let id = ObjectId::parse(&id).map_err(|_no_id| unknown())?;
    let if_match = asker.if_match.take();
    if if_match.is_some() {
        // The version is one of what is in force, and that is to be what the files say.
        drop(control.state.reloads.now().await);
    }
    let (sort, blueprint) = {
        let snapshot = control.state.snapshots.load();
        let row = objects::find(&snapshot.directory, id.as_str());
        let row = row.filter(|row| (collection.holds)(row));
        let sort = row.and_then(sort_of).ok_or_else(unknown)?;
        (sort, row.and_then(blueprint_of))
    };
    if let (Some(app_id), Some(Value::Bool(true))) = (blueprint, patch.get(ENABLED)) {
        may_be_enabled(&control, app_id).await?;
    }
    let enabled = patch.get(ENABLED).and_then(Value::as_bool);
    if is_of_operator(&control, &id).await? {
        let (state, seen) = (Arc::clone(&control), id.clone());
        let change = Edit::Update(Box::new(move |before| {
            is_seen(&state, &seen, sort, if_match.as_deref())?;
            Ok(merged(before, &patch))
        }));
        let said = (&control, &id);
        write(
            &control,
            sort,
            (id.as_str(), is(&id)),
            change,
            asker.clone(),
        )
        .await?;
        if enabled == Some(true) {
            // Whatever was said of it beside the directory.
            word::take_back(said, sort, &asker).await?;
        }
    } else {
        is_seen(&control, &id, sort, if_match.as_deref())?;
        let Some(enabled) = enabled.filter(|_| patch.len() == 1) else {
            return Err(word::not_here(sort));
        };
        word::say((&control, &id), sort, enabled, &asker).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let snapshot = control.state.snapshots.load();
    let row = objects::find(&snapshot.directory, id.as_str());
    let tag = row.map(|row| row.etag(&snapshot.reported.accounts).to_string());
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

/// Whether the client has seen what is there, if it says what it has seen.
fn is_seen(
    control: &Control,
    id: &ObjectId,
    sort: &'static Sort,
    if_match: Option<&str>,
) -> Result<(), GraphError> {
    let snapshot = control.state.snapshots.load();
    let row = objects::find(&snapshot.directory, id.as_str());
    let accounts = &snapshot.reported.accounts;
    let is_seen = |field| row.is_some_and(|row| row.etag(accounts).is_among(field));
    if if_match.is_none_or(is_seen) {
        Ok(())
    } else {
        Err(not_seen(sort))
    }
}

/// Whether a file of the operator's holds the account.
async fn is_of_operator(control: &Control, id: &ObjectId) -> Result<bool, GraphError> {
    let folders = control.state.folders.load_full();
    let Some(path) = directory_folder(&folders).cloned() else {
        return Ok(false);
    };
    let is_it = is(id);
    let found = apart(move || Folder::new(path).find(|object| is_it(object))).await?;
    // FAIL-CLOSED: of a folder that cannot be read, nobody knows what is in it.
    let found = found.map_err(|fault| GraphError::new(StatusCode::CONFLICT, fault.to_string()))?;
    Ok(found.is_some())
}

/// The appId of the blueprint whose principal it is.
fn blueprint_of(row: Row<'_>) -> Option<BlueprintId> {
    match row {
        Row::Principal(blueprint, _) => Some(blueprint.app_id.clone()),
        Row::AgentIdentity(_) | Row::AgentUser(_) | Row::Application(_) => None,
    }
}

/// A blueprint whose application is disabled stays disabled, whatever its principal says.
async fn may_be_enabled(control: &Arc<Control>, app_id: BlueprintId) -> Result<(), GraphError> {
    let folders = control.state.folders.load_full();
    let Some(path) = directory_folder(&folders).cloned() else {
        return Ok(());
    };
    let of_blueprint = move |object: &Map<String, Value>| {
        let own = object.get("appId").and_then(Value::as_str);
        let own = own.and_then(|own| BlueprintId::parse(own).ok());
        is_application(object)
            && own.as_ref() == Some(&app_id)
            && object.get(ENABLED) == Some(&Value::Bool(false))
    };
    let found = apart(move || Folder::new(path).find(of_blueprint)).await?;
    let found = found.map_err(|fault| GraphError::new(StatusCode::CONFLICT, fault.to_string()))?;
    if found.is_none() {
        return Ok(());
    }
    let message = format!(
        "the blueprint's application has `{ENABLED}: false` in its file, and would keep the blueprint disabled: \
         change it there first"
    );
    Err(GraphError::new(StatusCode::CONFLICT, message))
}

/// Only two members are changed here, and attributes decide which policies apply: that is for administrators.
fn check_members(patch: &Map<String, Value>, asker: &Asker) -> Result<(), GraphError> {
    let refused = |message: String| GraphError::new(StatusCode::BAD_REQUEST, message);
    for (name, value) in patch {
        match (name.as_str(), value) {
            (ENABLED, Value::Bool(_)) => {}
            (ENABLED, _) => {
                return Err(refused(format!("{ENABLED}: expected true or false")));
            }
            (ATTRIBUTES, Value::Object(_)) => asker.actor.require(Role::Admin)?,
            (ATTRIBUTES, _) => {
                return Err(refused(format!("{ATTRIBUTES}: expected an object of sets")));
            }
            ("@odata.type" | "@odata.context", _) => {}
            (other, _) => {
                return Err(refused(format!(
                    "`{other}` cannot be changed here, only `{ENABLED}` and `{ATTRIBUTES}`"
                )));
            }
        }
    }
    if patch.contains_key(ENABLED) || patch.contains_key(ATTRIBUTES) {
        Ok(())
    } else {
        Err(refused(format!("expected `{ENABLED}` or `{ATTRIBUTES}`")))
    }
}

/// Object ids are unique over all accounts of a directory.
fn is(id: &ObjectId) -> IsIt {
    let id = id.clone();
    Arc::new(move |object| {
        let own = object.get("id").and_then(Value::as_str);
        let has_id = own.and_then(|own| ObjectId::parse(own).ok()).as_ref() == Some(&id);
        // The application of a blueprint is no account.
        has_id && !is_application(object)
    })
}

fn is_application(object: &Map<String, Value>) -> bool {
    let type_of = object.get("@odata.type").and_then(Value::as_str);
    type_of.is_some_and(|name| {
        let name = name.trim_start_matches('#');
        name.eq_ignore_ascii_case("microsoft.graph.agentIdentityBlueprint")
    })
}

fn sort_of(row: Row<'_>) -> Option<&'static Sort> {
    match row {
        Row::AgentIdentity(_) => Some(&AGENT_IDENTITY),
        Row::Principal(..) => Some(&PRINCIPAL),
        Row::AgentUser(_) => Some(&AGENT_USER),
        Row::Application(_) => None,
    }
}

static AGENT_IDENTITY: Sort = Sort {
    check: |text, _| check(text, "#microsoft.graph.agentIdentity"),
    ..SERVICE_PRINCIPAL
};

static PRINCIPAL: Sort = Sort {
    check: |text, _| check(text, "#microsoft.graph.agentIdentityBlueprintPrincipal"),
    ..SERVICE_PRINCIPAL
};

static AGENT_USER: Sort = Sort {
    name: "agent user",
    activities: ["Add user", "Update user", "Delete user"],
    category: "UserManagement",
    target: "User",
    check: |text, _| check(text, "#microsoft.graph.agentUser"),
    ..SERVICE_PRINCIPAL
};

const SERVICE_PRINCIPAL: Sort = Sort {
    name: "service principal",
    activities: [
        "Add service principal",
        "Update service principal",
        "Remove service principal",
    ],
    category: "ApplicationManagement",
    target: "ServicePrincipal",
    property: None,
    setting: "directory.dir",
    folder: directory_folder,
    check: |text, _| check(text, "#microsoft.graph.agentIdentity"),
};

const fn directory_folder(folders: &Folders) -> Option<&std::path::PathBuf> {
    folders.directory.as_ref()
}

/// What the reader of the directory says of the object, which in its file may have its type from its list.
fn check(text: &str, odata_type: &str) -> Faults {
    let typed = strict::parse(text.as_bytes()).ok().and_then(|value| {
        let mut members = value.as_object()?.clone();
        let of = members.entry("@odata.type").or_insert(Value::Null);
        if of.is_null() {
            *of = json!(odata_type);
        }
        Some(tidy(&members, 0))
    });
    let text = typed.as_deref().unwrap_or(text);
    let (_parts, faults) = directory::read::read("object", text.as_bytes());
    faults
}
