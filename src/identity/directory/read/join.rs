//! Joins the objects of all files into one directory: a blueprint with its principal, ids that must be unique,
//! parents that must be there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::BlueprintPart;
use super::parts::{At, DirectoryParts};
use crate::identity::directory::{Blueprint, Directory};
use crate::types::{BlueprintId, Faults, Severity};

pub(super) fn build(parts: &DirectoryParts) -> (Directory, Faults) {
    let mut faults = Faults::new();
    check_ids(parts, &mut faults);
    let directory = Directory::new(
        blueprints(parts, &mut faults).into_values().collect(),
        all(parts.agents()),
        all(parts.agent_users()),
    );
    let directory = directory.with_accounts(all(parts.users()), all(parts.service_principals()));
    check_parents(parts, &directory, &mut faults);
    (directory, faults)
}

fn all<'a, T: 'a>(parts: impl Iterator<Item = (At<'a>, &'a Arc<T>)>) -> Vec<Arc<T>> {
    parts.map(|(_, object)| Arc::clone(object)).collect()
}

/// An agent without its blueprint, and an agent user without its agent, are told and read.
fn check_parents(parts: &DirectoryParts, directory: &Directory, faults: &mut Faults) {
    let mut warn = |at: At<'_>, member: &str, message: String| {
        faults.push(at.fault(Severity::Warning, member, message));
    };
    for (at, agent) in parts.agents() {
        if let Some(blueprint) = &agent.blueprint
            && directory.blueprint(blueprint.as_str()).is_none()
        {
            let message = format!("no blueprint has the appId `{blueprint}`");
            warn(at, "agentIdentityBlueprintId", message);
        }
    }
    for (at, user) in parts.agent_users() {
        let parent = &user.identity_parent;
        if directory.agent(parent.as_str()).is_none() {
            let message = format!("no agent identity has the id `{parent}`");
            warn(at, "identityParentId", message);
        }
    }
}

/// Object ids are unique over all kinds of a tenant: one id must never name an agent and an agent user.
fn check_ids(parts: &DirectoryParts, faults: &mut Faults) {
    let mut ids: Vec<&str> = object_ids(parts).map(|(_, id)| id).collect();
    ids.sort_unstable();
    let neighbours = ids.array_windows();
    let twice: BTreeSet<&str> = neighbours
        .filter_map(|[one, next]| (one == next).then_some(*one))
        .collect();
    let mut seen: BTreeMap<&str, At<'_>> = BTreeMap::new();
    for (at, id) in object_ids(parts).filter(|(_, id)| twice.contains(id)) {
        if let Some(first) = seen.get(id) {
            let message = given_twice(id, *first);
            faults.push(at.fault(Severity::Error, "id", message));
        } else {
            seen.insert(id, at);
        }
    }
}

fn object_ids(parts: &DirectoryParts) -> impl Iterator<Item = (At<'_>, &str)> {
    let principals = parts
        .blueprints()
        .filter_map(|(at, blueprint)| Some((at, blueprint.principal_id.as_ref()?.as_str())));
    principals
        .chain(parts.agents().map(|(at, agent)| (at, agent.id.as_str())))
        .chain(parts.agent_users().map(|(at, user)| (at, user.id.as_str())))
        .chain(parts.users().map(|(at, user)| (at, user.id.as_str())))
        .chain(
            parts
                .service_principals()
                .map(|(at, one)| (at, one.id.as_str())),
        )
}

/// Joins applications and principals on their appId. Either alone is enough; two of one sort are an error.
fn blueprints(parts: &DirectoryParts, faults: &mut Faults) -> BTreeMap<BlueprintId, Blueprint> {
    let mut applications: BTreeMap<&BlueprintId, (At<'_>, &BlueprintPart)> = BTreeMap::new();
    let mut principals: BTreeMap<&BlueprintId, (At<'_>, &BlueprintPart)> = BTreeMap::new();
    for (at, part) in parts.blueprints() {
        let of_its_sort = match part.principal_id {
            Some(_) => &mut principals,
            None => &mut applications,
        };
        if let Some((first, _)) = of_its_sort.get(&part.app_id) {
            let message = given_twice(part.app_id.as_str(), *first);
            faults.push(at.fault(Severity::Error, "appId", message));
        } else {
            of_its_sort.insert(&part.app_id, (at, part));
        }
    }
    let mut joined: BTreeMap<BlueprintId, Blueprint> = BTreeMap::new();
    for (app_id, (_, principal)) in principals {
        let application = applications.remove(app_id).map(|(_, part)| part.clone());
        let blueprint = join(application, principal.clone());
        joined.insert(app_id.clone(), blueprint);
    }
    for (app_id, (_, application)) in applications {
        joined.insert(app_id.clone(), alone(application.clone()));
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

fn given_twice(id: &str, other: At<'_>) -> String {
    format!("`{id}` is also the id of the object at {}", other.shown())
}
