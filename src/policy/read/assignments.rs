//! Whom and what a policy concerns: the lists of ids, their keywords and their filters. Never here: who is meant.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::lists::{Read, enumeration, id, keyword, list};
use super::reading::{Reading, member, steps, text};
use crate::policy::filter::{FilterError, FilterRule};
use crate::policy::model::{
    AgentTarget, ApplicationTarget, Assignment, Filter, FilterMode, Guests, UserTarget,
    WorkloadTarget,
};
use crate::types::{AppId, GuestType, ObjectId, TenantId};

/// `applications`
pub(super) fn applications(
    reading: &mut Reading<'_>,
    policy: &Value,
) -> Assignment<ApplicationTarget> {
    let mut include = resources(
        reading,
        policy,
        "conditions.applications.includeApplications",
    );
    include.extend(list(
        reading,
        policy,
        "conditions.applications.includeAuthenticationContextClassReferences",
        "an authentication context, `c1` to `c99`",
        |_, _, text| authentication_context(text),
    ));
    let actions = "conditions.applications.includeUserActions";
    include.extend(list(
        reading,
        policy,
        actions,
        "a user action, `urn:user:…`",
        |_, _, text| {
            if text.starts_with("urn:user:") {
                Read::As(ApplicationTarget::UserAction(text.into()))
            } else {
                Read::NotExpected
            }
        },
    ));
    Assignment {
        include,
        exclude: resources(
            reading,
            policy,
            "conditions.applications.excludeApplications",
        ),
        filter: filter(reading, policy, "conditions.applications.applicationFilter"),
    }
}

fn resources(reading: &mut Reading<'_>, policy: &Value, path: &str) -> Vec<ApplicationTarget> {
    let expected = "`All`, `None`, `AllAgentIdResources` or an appId";
    list(
        reading,
        policy,
        path,
        expected,
        |reading, at, text| match keyword(text) {
            Some("All") => Read::As(ApplicationTarget::All),
            Some("None") => Read::As(ApplicationTarget::None),
            Some("AllAgentIdResources") => Read::As(ApplicationTarget::AllAgentIdResources),
            Some(group @ ("Office365" | "MicrosoftAdminPortals")) => {
                let message =
                    format!("no resource here belongs to the group `{group}`; name appIds");
                reading.warn(at, message);
                Read::As(ApplicationTarget::Group(group))
            }
            _ => id(reading, at, text, AppId::parse).map(ApplicationTarget::Id),
        },
    )
}

/// `c1` … `c99`, in small letters as tokens and operations have them.
fn authentication_context(text: &str) -> Read<ApplicationTarget> {
    let number = text.strip_prefix(['c', 'C']).unwrap_or_default();
    match number.parse::<u8>() {
        Ok(1..=99) if !number.starts_with(['0', '+']) => {
            let context: Arc<str> = text.to_ascii_lowercase().into();
            Read::As(ApplicationTarget::AuthenticationContext(context))
        }
        _ => Read::NotExpected,
    }
}

/// `clientApplications`, as far as it is about agent identities.
pub(super) fn agent_identities(
    reading: &mut Reading<'_>,
    policy: &Value,
) -> Assignment<AgentTarget> {
    Assignment {
        include: agents(
            reading,
            policy,
            "conditions.clientApplications.includeAgentIdServicePrincipals",
        ),
        exclude: agents(
            reading,
            policy,
            "conditions.clientApplications.excludeAgentIdServicePrincipals",
        ),
        filter: filter(
            reading,
            policy,
            "conditions.clientApplications.agentIdServicePrincipalFilter",
        ),
    }
}

/// `agents`, and of `users` the older `AllAgentIdUsers`.
pub(super) fn agent_users(reading: &mut Reading<'_>, policy: &Value) -> Assignment<AgentTarget> {
    let mut assignment = Assignment {
        include: agents(reading, policy, "conditions.agents.includeAgentUsers"),
        exclude: agents(reading, policy, "conditions.agents.excludeAgentUsers"),
        filter: filter(reading, policy, "conditions.agents.agentFilter"),
    };
    for (path, into) in [
        ("conditions.users.includeUsers", &mut assignment.include),
        ("conditions.users.excludeUsers", &mut assignment.exclude),
    ] {
        let Some(Value::Array(items)) = member(policy, path) else {
            continue;
        };
        let words = items.iter().filter_map(Value::as_str);
        let meant = words.filter(|word| keyword(word) == Some("AllAgentIdUsers"));
        into.extend(meant.map(|_| AgentTarget::All));
    }
    assignment
}

/// A list of agent identities or agent users.
fn agents(reading: &mut Reading<'_>, policy: &Value, path: &str) -> Vec<AgentTarget> {
    let expected = "`All`, `None` or an id";
    list(
        reading,
        policy,
        path,
        expected,
        |reading, at, text| match keyword(text) {
            Some("All") => Read::As(AgentTarget::All),
            Some("None") => Read::As(AgentTarget::None),
            _ => id(reading, at, text, ObjectId::parse).map(AgentTarget::Id),
        },
    )
}

/// `users`, as far as it is about humans.
pub(super) fn users(reading: &mut Reading<'_>, policy: &Value) -> Assignment<UserTarget> {
    let mut of = |users: &str, groups: &str, roles: &str, guests: &str| {
        let mut targets: Vec<_> = humans(reading, policy, users);
        targets.extend(objects(reading, policy, groups, UserTarget::Group));
        targets.extend(objects(reading, policy, roles, UserTarget::Role));
        targets.extend(guests_of(reading, policy, guests).map(UserTarget::Guests));
        targets
    };
    Assignment {
        include: of(
            "conditions.users.includeUsers",
            "conditions.users.includeGroups",
            "conditions.users.includeRoles",
            "conditions.users.includeGuestsOrExternalUsers",
        ),
        exclude: of(
            "conditions.users.excludeUsers",
            "conditions.users.excludeGroups",
            "conditions.users.excludeRoles",
            "conditions.users.excludeGuestsOrExternalUsers",
        ),
        filter: None,
    }
}

fn humans(reading: &mut Reading<'_>, policy: &Value, path: &str) -> Vec<UserTarget> {
    let expected = "`All`, `None`, `GuestsOrExternalUsers`, `AllAgentIdUsers` or an id";
    list(
        reading,
        policy,
        path,
        expected,
        |reading, at, text| match keyword(text) {
            Some("All") => Read::As(UserTarget::All),
            Some("None") => Read::As(UserTarget::None),
            Some("GuestsOrExternalUsers") => Read::As(UserTarget::GuestsOrExternalUsers),
            // These are no humans: [`agent_users`] takes them.
            Some("AllAgentIdUsers") => Read::Reported,
            _ => id(reading, at, text, ObjectId::parse).map(UserTarget::Id),
        },
    )
}

/// A list that holds ids and no keyword.
fn objects<T>(
    reading: &mut Reading<'_>,
    policy: &Value,
    path: &str,
    target: fn(ObjectId) -> T,
) -> Vec<T> {
    list(reading, policy, path, "an id", |reading, at, text| {
        id(reading, at, text, ObjectId::parse).map(target)
    })
}

/// `conditionalAccessGuestsOrExternalUsers`
fn guests_of(reading: &mut Reading<'_>, policy: &Value, path: &str) -> Option<Guests> {
    let kinds_path = format!("{path}.guestOrExternalUserTypes");
    let names: Vec<_> = GuestType::ALL.iter().map(|kind| kind.as_str()).collect();
    let expected = format!("`{}`", names.join("`, `"));
    let is_none = matches!(member(policy, &kinds_path), Some(Value::String(text)) if text.eq_ignore_ascii_case("none"));
    let kinds = if is_none {
        None
    } else {
        enumeration(reading, policy, &kinds_path, &expected, GuestType::parse)
    };
    let tenants_path = format!("{path}.externalTenants");
    let tenants = tenants(reading, policy, &tenants_path);
    match kinds {
        Some(kinds) => Some(Guests {
            kinds,
            tenants: tenants?,
        }),
        None => {
            if member(policy, &tenants_path).is_some() && member(policy, &kinds_path).is_none() {
                let message = "expected `guestOrExternalUserTypes` beside `externalTenants`";
                reading.unsupported(&steps(path), message);
            }
            None
        }
    }
}

/// The tenants of `externalTenants`; the inner `None` is all of them, the outer one what was not understood.
#[expect(
    clippy::option_option,
    reason = "not understood is not the same as all of them"
)]
fn tenants(
    reading: &mut Reading<'_>,
    policy: &Value,
    path: &str,
) -> Option<Option<BTreeSet<TenantId>>> {
    let kind_path = format!("{path}.membershipKind");
    let members_path = format!("{path}.members");
    let kind = text(reading, policy, &kind_path);
    let members = list(
        reading,
        policy,
        &members_path,
        "the id of a tenant",
        |reading, at, text| id(reading, at, text, TenantId::parse),
    );
    match kind {
        Some(kind) if kind.eq_ignore_ascii_case("enumerated") => {
            Some(Some(members.into_iter().collect()))
        }
        Some(kind) if kind.eq_ignore_ascii_case("all") => Some(None),
        None if member(policy, path).is_none() => Some(None),
        Some(_) => {
            reading.unsupported(&steps(&kind_path), "expected `all` or `enumerated`");
            None
        }
        None => {
            let expected = "expected a `membershipKind`: `all` or `enumerated`";
            reading.unsupported(&steps(path), expected);
            None
        }
    }
}

/// `clientApplications`, as far as it is about classic workloads.
pub(super) fn workloads(reading: &mut Reading<'_>, policy: &Value) -> Assignment<WorkloadTarget> {
    let mut of = |path: &str, expected: &str| {
        list(
            reading,
            policy,
            path,
            expected,
            |reading, at, text| match keyword(text) {
                Some("None") => Read::As(WorkloadTarget::None),
                Some("ServicePrincipalsInMyTenant") => Read::As(WorkloadTarget::InMyTenant),
                _ => id(reading, at, text, ObjectId::parse).map(WorkloadTarget::Id),
            },
        )
    };
    let expected = "`ServicePrincipalsInMyTenant`, `None` or an id";
    Assignment {
        include: of(
            "conditions.clientApplications.includeServicePrincipals",
            expected,
        ),
        exclude: of(
            "conditions.clientApplications.excludeServicePrincipals",
            expected,
        ),
        filter: filter(
            reading,
            policy,
            "conditions.clientApplications.servicePrincipalFilter",
        ),
    }
}

/// A filter on custom security attributes; a rule that does not parse is always an error.
pub(super) fn filter(reading: &mut Reading<'_>, policy: &Value, path: &str) -> Option<Filter> {
    filter_in(reading, policy, path, FilterRule::parse)
}

/// A filter object whose rule `parse` reads.
pub(super) fn filter_in(
    reading: &mut Reading<'_>,
    policy: &Value,
    path: &str,
    parse: fn(&str) -> Result<FilterRule, FilterError>,
) -> Option<Filter> {
    let mode_path = format!("{path}.mode");
    let rule_path = format!("{path}.rule");
    let mode_text = text(reading, policy, &mode_path);
    let rule = match member(policy, &rule_path) {
        Some(Value::String(text)) => match parse(text) {
            Ok(rule) => rule,
            Err(fault) => {
                reading.malformed(&steps(&rule_path), fault.to_string());
                return None;
            }
        },
        None if mode_text.is_none() => return None,
        Some(_) | None => {
            reading.malformed(&steps(&rule_path), "expected a rule in double quotes");
            return None;
        }
    };
    let modes = [
        ("include", FilterMode::Include),
        ("exclude", FilterMode::Exclude),
    ];
    let known = |text: &str| {
        modes
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
    };
    match mode_text.map(known) {
        Some(Some((_, mode))) => Some(Filter { mode: *mode, rule }),
        Some(None) => {
            reading.unsupported(&steps(&mode_path), "expected `include` or `exclude`");
            None
        }
        None => {
            reading.malformed(&steps(path), "expected a `mode`: `include` or `exclude`");
            None
        }
    }
}
