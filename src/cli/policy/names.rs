//! The ids that a policy names, held against the directory, the resources and the named locations that there are.
//!
//! A name that nothing has is most often a slip, or an export of another tenant; it is told, and never put right here.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::document::{Document, Object};
use crate::call::Resources;
use crate::config::folders;
use crate::identity::Directory;
use crate::policy::read::members::KEYWORDS;
use crate::types::json::Step;
use crate::types::{Fault, Faults, ObjectId, Severity};

/// The named locations that are there without a file: multifactor authentication's trusted addresses, and the network of
/// Global Secure Access (`reference/entra.md` §3.4).
const LOCATIONS_OF_ENTRA: [&str; 2] = [
    "00000000-0000-0000-0000-000000000000",
    "3d46dbda-8382-466a-856d-eb00cbc6b910",
];

/// Who and what there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) directory: &'a Directory,
    pub(super) resources: &'a Resources,
    /// Ids of named locations.
    pub(super) locations: &'a BTreeSet<String>,
}

/// The lists of ids, and what is said of one that is not there (nothing where it is).
type Check = for<'a> fn(Known<'a>, &str) -> Option<&'static str>;

const LISTS: [(&str, &[&str], Check); 4] = [
    (
        "clientApplications",
        &[
            "includeAgentIdServicePrincipals",
            "excludeAgentIdServicePrincipals",
        ],
        agent_identity,
    ),
    (
        "agents",
        &["includeAgentUsers", "excludeAgentUsers"],
        agent_user,
    ),
    (
        "applications",
        &["includeApplications", "excludeApplications"],
        resource,
    ),
    (
        "locations",
        &["includeLocations", "excludeLocations"],
        location,
    ),
];

/// Tells every id of the policy that names nobody and nothing.
pub(super) fn check(document: &Document, object: &Object, known: Known<'_>) -> Faults {
    let mut faults = Faults::new();
    let conditions = object.members.get("conditions");
    for (condition, lists, missing) in LISTS {
        for list in lists {
            let ids = conditions
                .and_then(|all| all.get(condition)?.get(*list)?.as_array())
                .into_iter()
                .flatten();
            for (at, id) in ids.enumerate() {
                let Some(id) = id_of(id) else { continue };
                if let Some(what) = missing(known, id.as_str()) {
                    let steps = [
                        Step::Member("conditions"),
                        Step::Member(condition),
                        Step::Member(list),
                        Step::Item(at),
                    ];
                    let message = format!("`{id}` {what}");
                    faults.push(document.fault(object, &steps, Severity::Warning, message));
                }
            }
        }
    }
    faults
}

/// The ids of the named locations in a folder, and what is wrong with it.
pub(super) fn ids_of_locations(folder: &Path) -> (BTreeSet<String>, Faults) {
    let (mut ids, mut faults) = (BTreeSet::new(), Faults::new());
    match folders::read_folder(folder) {
        Ok((sources, found)) => {
            faults.extend(found);
            for source in sources {
                match Document::read(&source.shown, &source.bytes) {
                    Ok(document) => ids.extend(document.objects.iter().filter_map(Object::id)),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        Err(reason) => faults.push(folders::of_file(
            folder,
            format!("cannot read the folder: {reason}"),
        )),
    }
    (ids, faults)
}

/// Tells that none of the resources that the policy names is there, if it names nothing else.
pub(super) fn check_resources(
    document: &Document,
    object: &Object,
    known: Known<'_>,
) -> Option<Fault> {
    let applications = object.members.get("conditions")?.get("applications")?;
    let has_filter = applications
        .get("applicationFilter")
        .is_some_and(|filter| !filter.is_null());
    let included = applications.get("includeApplications")?.as_array()?;
    let is_gone =
        |item: &Value| id_of(item).is_some_and(|id| resource(known, id.as_str()).is_some());
    if has_filter || included.is_empty() || !included.iter().all(is_gone) {
        return None;
    }
    let steps = ["conditions", "applications", "includeApplications"].map(Step::Member);
    let message = "names no resource that is configured, so the policy never applies here";
    Some(document.fault(object, &steps, Severity::Warning, message.to_owned()))
}

/// The id that an item is; `None` for a keyword, and for what the reader of policies refuses.
fn id_of(item: &Value) -> Option<ObjectId> {
    let text = item.as_str()?;
    let is_keyword = KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_keyword {
        None
    } else {
        ObjectId::parse(text).ok()
    }
}

fn agent_identity(known: Known<'_>, id: &str) -> Option<&'static str> {
    let directory = known.directory;
    if directory.is_empty()
        || directory.agent(id).is_some()
        || directory.blueprint(id).is_some()
        || directory.blueprint_of_principal(id).is_some()
    {
        None
    } else if directory.agent_user(id).is_some() {
        Some("is an agent user, which policies for agent identities do not concern")
    } else {
        Some("is neither an agent identity nor a blueprint that the directory has")
    }
}

fn agent_user(known: Known<'_>, id: &str) -> Option<&'static str> {
    let directory = known.directory;
    if directory.is_empty() || directory.agent_user(id).is_some() {
        None
    } else if directory.agent(id).is_some() {
        Some("is an agent identity, which policies for agent users do not concern")
    } else {
        Some("is no agent user that the directory has")
    }
}

fn resource(known: Known<'_>, id: &str) -> Option<&'static str> {
    let mut resources = known.resources.iter();
    if resources.any(|resource| resource.app_id.as_str() == id) {
        None
    } else {
        Some("is the `app_id` of no resource that is configured")
    }
}

fn location(known: Known<'_>, id: &str) -> Option<&'static str> {
    if known.locations.contains(id) || LOCATIONS_OF_ENTRA.contains(&id) {
        None
    } else {
        Some("is no named location that is there")
    }
}
