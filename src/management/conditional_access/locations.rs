//! `…/namedLocations`: the named locations that are in force, and changes of the folder that they are kept in.
//!
//! Of the three types, v1.0 does not know the compliant network: there it is not.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;

use super::entities::{Entities, Object, wrong};
use crate::management::Control;
use crate::management::graph::GraphError;
use crate::management::odata::{Asked, Direction, EntitySet, Kind, Property, Version, apart};
use crate::management::settings::Folders;
use crate::management::writes::Sort;
use crate::policy::locations::{self, NamedLocation};
use crate::snapshot::Snapshot;
use crate::types::{Faults, ObjectId};

pub(super) static ENTITIES: Entities = Entities {
    set: &SET,
    sort: &SORT,
    exists,
    shown: |location, _| location,
    accept,
    has_one_type: false,
};

/// `namedLocation` and its three subtypes.
static SET: EntitySet = EntitySet {
    path: "identity/conditionalAccess/namedLocations",
    properties: &[
        Property::new("id", Kind::Id),
        Property::new("displayName", Kind::Text),
        Property::new("createdDateTime", Kind::Time),
        Property::new("modifiedDateTime", Kind::Time),
        Property::new("isTrusted", Kind::Bool),
        Property::new("ipRanges", Kind::Open),
        Property::new("countriesAndRegions", Kind::List(&Kind::Text)),
        Property::new("countryLookupMethod", Kind::Text),
        Property::new("includeUnknownCountriesAndRegions", Kind::Bool),
        Property::new("compliantNetworkType", Kind::Text),
    ],
    only_selected: &[],
    order: Direction::Ascending,
};

static SORT: Sort = Sort {
    name: "named location",
    activities: [
        "Add named location",
        "Update named location",
        "Delete named location",
    ],
    category: "Policy",
    target: "Other",
    property: Some("NamedLocation"),
    setting: "named_locations.dir",
    folder: |folders| folders.named_locations.as_ref(),
    check,
};

/// What the reader of named locations says.
fn check(text: &str, _folders: &Folders) -> Faults {
    let (_locations, faults) = locations::read("named location", text.as_bytes());
    faults
}

/// What a named location may be.
const TYPES: [&str; 3] = [
    "microsoft.graph.ipNamedLocation",
    "microsoft.graph.countryNamedLocation",
    "microsoft.graph.compliantNetworkNamedLocation",
];

fn is_of_beta_only(location: &Object) -> bool {
    let kind = location.get("@odata.type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.ends_with("compliantNetworkNamedLocation"))
}

fn exists(location: &Object, version: Version) -> bool {
    version == Version::Beta || !is_of_beta_only(location)
}

fn accept(location: &Object, version: Version) -> Result<(), GraphError> {
    if !exists(location, version) {
        return Err(wrong("@odata.type", "v1.0 has no such type, beta has"));
    }
    let kind = location.get("@odata.type").and_then(Value::as_str);
    let is_known = |kind: &str| TYPES.contains(&kind.trim_start_matches('#'));
    if kind.is_none_or(is_known) {
        return Ok(());
    }
    let what = format!("expected one of `#{}`", TYPES.join("`, `#"));
    Err(wrong("@odata.type", &what))
}

/// `GET …/namedLocations`
pub(super) async fn list(
    State(control): State<Arc<Control>>,
    asked: Asked,
) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let show = |location: &&NamedLocation| ENTITIES.item(&location.source, asked.version);
        asked.list(&SET, rows(&snapshot, asked.version), id, show)
    })
    .await
}

/// `GET …/namedLocations/$count`
pub(super) async fn count(
    State(control): State<Arc<Control>>,
    asked: Asked,
) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let show = |location: &&NamedLocation| ENTITIES.item(&location.source, asked.version);
        asked.count(&SET, rows(&snapshot, asked.version), id, show)
    })
    .await
}

/// `GET …/namedLocations/{id}`
pub(super) async fn one(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, GraphError> {
    let snapshot = control.state.snapshots.load();
    let id = ObjectId::parse(&id).ok();
    let mut locations = rows(&snapshot, asked.version);
    let location = id.and_then(|id| locations.find(|location| location.id == id));
    ENTITIES.one(&asked, location.map(|location| &location.source))
}

fn rows(snapshot: &Snapshot, version: Version) -> impl Iterator<Item = &NamedLocation> {
    let locations = snapshot.policies.named_locations().iter();
    locations.filter(move |location| exists(&location.source, version))
}

fn id<'l>(location: &'l &NamedLocation) -> &'l str {
    location.id.as_str()
}
