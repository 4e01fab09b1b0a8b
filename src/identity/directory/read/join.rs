//! Joins the objects of all files into one directory: a blueprint with its principal, ids that must be unique,
//! parents that must be there.

use std::collections::{BTreeMap, BTreeSet};

use super::{BlueprintPart, DirectoryParts, Part, Place};
use crate::identity::directory::{Blueprint, Directory};
use crate::types::{BlueprintId, Faults, Severity};

pub(super) fn build(parts: DirectoryParts) -> (Directory, Faults) {
    let mut faults = Faults::new();
    check_ids(&parts, &mut faults);
    let blueprints = blueprints(parts.blueprints, &mut faults);
    for part in &parts.agents {
        if let Some(blueprint) = &part.value.blueprint
            && !blueprints.contains_key(blueprint)
        {
            let message = format!("no blueprint has the appId `{blueprint}`");
            warn(
                &mut faults,
                &part.place,
                "agentIdentityBlueprintId",
                message,
            );
        }
    }
    let agent_ids: BTreeSet<_> = parts.agents.iter().map(|part| &part.value.id).collect();
    for part in &parts.agent_users {
        let parent = &part.value.identity_parent;
        if !agent_ids.contains(parent) {
            let message = format!("no agent identity has the id `{parent}`");
            warn(&mut faults, &part.place, "identityParentId", message);
        }
    }
    let directory = Directory::new(
        blueprints.into_values().collect(),
        parts.agents.into_iter().map(|part| part.value).collect(),
        parts
            .agent_users
            .into_iter()
            .map(|part| part.value)
            .collect(),
    );
    let directory = directory.with_accounts(
        parts.users.into_iter().map(|part| part.value).collect(),
        parts
            .service_principals
            .into_iter()
            .map(|part| part.value)
            .collect(),
    );
    (directory, faults)
}

fn warn(faults: &mut Faults, place: &Place, member: &str, message: String) {
    faults.push(place.fault(Severity::Warning, member, message));
}

/// Object ids are unique over all kinds of a tenant: one id must never name an agent and an agent user.
fn check_ids(parts: &DirectoryParts, faults: &mut Faults) {
    let principals = parts.blueprints.iter().filter_map(|part| {
        let id = part.value.principal_id.as_ref()?;
        Some((id.as_str(), &part.place))
    });
    let agents = parts.agents.iter();
    let agent_users = parts.agent_users.iter();
    let users = parts.users.iter();
    let workloads = parts.service_principals.iter();
    let all = principals
        .chain(agents.map(|part| (part.value.id.as_str(), &part.place)))
        .chain(agent_users.map(|part| (part.value.id.as_str(), &part.place)))
        .chain(users.map(|part| (part.value.id.as_str(), &part.place)))
        .chain(workloads.map(|part| (part.value.id.as_str(), &part.place)));
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for (id, place) in all {
        match seen.get(id) {
            Some(first) => {
                let message = given_twice(id, first);
                faults.push(place.fault(Severity::Error, "id", message));
            }
            None => {
                seen.insert(id, place);
            }
        }
    }
}

/// Joins applications and principals on their appId. Either alone is enough; two of one sort are an error.
fn blueprints(
    parts: Vec<Part<BlueprintPart>>,
    faults: &mut Faults,
) -> BTreeMap<BlueprintId, Blueprint> {
    let mut applications: BTreeMap<BlueprintId, Part<BlueprintPart>> = BTreeMap::new();
    let mut principals: BTreeMap<BlueprintId, Part<BlueprintPart>> = BTreeMap::new();
    for part in parts {
        let of_its_sort = match part.value.principal_id {
            Some(_) => &mut principals,
            None => &mut applications,
        };
        let app_id = part.value.app_id.clone();
        match of_its_sort.get(&app_id) {
            Some(first) => {
                let message = given_twice(app_id.as_str(), &first.place);
                faults.push(part.place.fault(Severity::Error, "appId", message));
            }
            None => {
                of_its_sort.insert(app_id, part);
            }
        }
    }
    let mut joined: BTreeMap<BlueprintId, Blueprint> = BTreeMap::new();
    for (app_id, principal) in principals {
        let application = applications.remove(&app_id);
        let blueprint = join(application.map(|part| part.value), principal.value);
        joined.insert(app_id, blueprint);
    }
    for (app_id, application) in applications {
        joined.insert(app_id, alone(application.value));
    }
    joined
}

/// A blueprint of both. Disabled on either side is disabled; what the principal does not say, the application does.
fn join(application: Option<BlueprintPart>, mut principal: BlueprintPart) -> Blueprint {
    if let Some(application) = application {
        principal.object_id = application.object_id;
        principal.enabled &= application.enabled;
        principal.display_name = principal.display_name.or(application.display_name);
        if principal.attributes.is_empty() {
            principal.attributes = application.attributes;
        }
        if principal.sponsors.is_empty() {
            principal.sponsors = application.sponsors;
        }
    }
    alone(principal)
}

fn alone(part: BlueprintPart) -> Blueprint {
    let name = part.display_name;
    Blueprint {
        display_name: name.unwrap_or_else(|| part.app_id.to_shared()),
        app_id: part.app_id,
        object_id: part.object_id,
        principal_id: part.principal_id,
        enabled: part.enabled,
        attributes: part.attributes,
        sponsors: part.sponsors,
    }
}

fn given_twice(id: &str, other: &Place) -> String {
    format!(
        "`{id}` is also the id of the object at {}:{}:{}",
        other.file, other.line, other.column
    )
}
