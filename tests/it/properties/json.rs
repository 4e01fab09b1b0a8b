//! A generated policy as Graph's JSON: what the reader has to make of it again.

use boomgate::policy::Policy;
use boomgate::policy::model::{
    AgentTarget, ApplicationTarget, Assignment, Choice, Filter, FilterMode, Guests, LocationTarget,
    Operator, PlatformTarget, RiskLevels, UserTarget, WorkloadTarget,
};
use boomgate::types::RiskLevel;
use serde_json::{Value, json};

/// `conditions` and `grantControls`, in the spelling of exports: flags as one text, lists as lists.
pub(super) fn exported(policy: &Policy) -> Value {
    let conditions = &policy.conditions;
    let grant = &policy.grant_controls;
    let built_in = grant
        .controls
        .iter()
        .filter(|control| control.is_built_in());
    json!({
        "id": policy.id.as_str(), "displayName": &*policy.display_name, "state": policy.state.as_str(),
        "conditions": {
            "applications": applications(&conditions.applications),
            "clientApplications": {
                "includeAgentIdServicePrincipals": list(&conditions.agent_identities.include, agent),
                "excludeAgentIdServicePrincipals": list(&conditions.agent_identities.exclude, agent),
                "agentIdServicePrincipalFilter": filter(conditions.agent_identities.filter.as_ref()),
                "includeServicePrincipals": list(&conditions.workloads.include, workload),
                "excludeServicePrincipals": list(&conditions.workloads.exclude, workload),
                "servicePrincipalFilter": filter(conditions.workloads.filter.as_ref()),
            },
            "agents": {
                "includeAgentUsers": list(&conditions.agent_users.include, agent),
                "excludeAgentUsers": list(&conditions.agent_users.exclude, agent),
                "agentFilter": filter(conditions.agent_users.filter.as_ref()),
            },
            "users": users(&conditions.users),
            "agentIdRiskLevels": levels(conditions.agent_risk).join(","),
            "userRiskLevels": levels(conditions.user_risk),
            "signInRiskLevels": levels(conditions.sign_in_risk),
            "servicePrincipalRiskLevels": levels(conditions.service_principal_risk),
            "insiderRiskLevels": flags(conditions.insider_risk.as_ref(), |one| one.as_str()),
            "platforms": choice(conditions.platforms.as_ref(), "Platforms", |one| match one {
                PlatformTarget::All => "all".to_owned(),
                PlatformTarget::One(one) => one.to_string(),
            }),
            "locations": choice(conditions.locations.as_ref(), "Locations", |one| match one {
                LocationTarget::All => "All".to_owned(),
                LocationTarget::AllTrusted => "AllTrusted".to_owned(),
                LocationTarget::Id(id) => id.to_string(),
            }),
            "devices": {"deviceFilter": filter(conditions.device_filter.as_ref())},
            "agentContext": choice(conditions.agent_contexts.as_ref(), "AgentContexts", |one| one.to_string()),
            "authenticationFlows": {
                "transferMethods": flags(conditions.transfer_methods.as_ref(), |one| one.as_str()),
            },
            "clientAppTypes": conditions.client_app_types.as_ref().map_or_else(
                || vec!["all"],
                |types| types.iter().map(|one| one.as_str()).collect(),
            ),
        },
        "grantControls": {
            "operator": match grant.operator { Operator::And => "AND", Operator::Or => "OR" },
            "builtInControls": built_in.map(|control| control.as_str()).collect::<Vec<_>>(),
            "termsOfUse": grant.terms_of_use,
            "customAuthenticationFactors": grant.custom_factors.iter().map(|one| &**one).collect::<Vec<_>>(),
            "authenticationStrength": grant.authentication_strength.as_ref().map(|id| json!({"id": id})),
        },
    })
}

/// Whether an export can say it: there are no sets without a level, no agents without risk, no exclusion by context.
pub(super) fn can_be_exported(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let is_some_level = |levels: Option<RiskLevels>| {
        levels.is_none_or(|levels| RiskLevel::ALL.into_iter().any(|one| levels.contains(one)))
    };
    is_some_level(conditions.agent_risk)
        && is_some_level(conditions.user_risk)
        && is_some_level(conditions.sign_in_risk)
        && is_some_level(conditions.service_principal_risk)
        && !conditions
            .agent_risk
            .is_some_and(|levels| levels.contains(RiskLevel::None))
        && !conditions
            .insider_risk
            .as_ref()
            .is_some_and(|levels| levels.iter().any(|level| level.as_str() == "none"))
        && !conditions.applications.exclude.iter().any(|target| {
            matches!(
                target,
                ApplicationTarget::AuthenticationContext(_) | ApplicationTarget::UserAction(_)
            )
        })
        && policy.is_understood()
}

fn applications(list_: &Assignment<ApplicationTarget>) -> Value {
    let of = |list_: &[ApplicationTarget], kind: fn(&ApplicationTarget) -> Option<String>| {
        list_.iter().filter_map(kind).collect::<Vec<_>>()
    };
    let named: fn(&ApplicationTarget) -> Option<String> = |target| match target {
        ApplicationTarget::All => Some("All".to_owned()),
        ApplicationTarget::None => Some("None".to_owned()),
        ApplicationTarget::AllAgentIdResources => Some("AllAgentIdResources".to_owned()),
        ApplicationTarget::Group(name) => Some((*name).to_owned()),
        ApplicationTarget::Id(id) => Some(id.to_string()),
        ApplicationTarget::AuthenticationContext(_) | ApplicationTarget::UserAction(_) => None,
    };
    json!({
        "includeApplications": of(&list_.include, named),
        "excludeApplications": of(&list_.exclude, named),
        "includeAuthenticationContextClassReferences": of(&list_.include, |target| match target {
            ApplicationTarget::AuthenticationContext(context) => Some(context.to_string()),
            _ => None,
        }),
        "includeUserActions": of(&list_.include, |target| match target {
            ApplicationTarget::UserAction(action) => Some(action.to_string()),
            _ => None,
        }),
        "applicationFilter": filter(list_.filter.as_ref()),
    })
}

fn users(users: &Assignment<UserTarget>) -> Value {
    let of = |list_: &[UserTarget], kind: fn(&UserTarget) -> Option<String>| {
        list_.iter().filter_map(kind).collect::<Vec<_>>()
    };
    let named: fn(&UserTarget) -> Option<String> = |target| match target {
        UserTarget::All => Some("All".to_owned()),
        UserTarget::None => Some("None".to_owned()),
        UserTarget::GuestsOrExternalUsers => Some("GuestsOrExternalUsers".to_owned()),
        UserTarget::Id(id) => Some(id.to_string()),
        UserTarget::Group(_) | UserTarget::Role(_) | UserTarget::Guests(_) => None,
    };
    let group: fn(&UserTarget) -> Option<String> = |target| match target {
        UserTarget::Group(id) => Some(id.to_string()),
        _ => None,
    };
    let role: fn(&UserTarget) -> Option<String> = |target| match target {
        UserTarget::Role(id) => Some(id.to_string()),
        _ => None,
    };
    json!({
        "includeUsers": of(&users.include, named), "excludeUsers": of(&users.exclude, named),
        "includeGroups": of(&users.include, group), "excludeGroups": of(&users.exclude, group),
        "includeRoles": of(&users.include, role), "excludeRoles": of(&users.exclude, role),
        "includeGuestsOrExternalUsers": guests(&users.include),
        "excludeGuestsOrExternalUsers": guests(&users.exclude),
    })
}

/// Graph has room for one such object in a list.
fn guests(list_: &[UserTarget]) -> Option<Value> {
    list_.iter().find_map(|target| match target {
        UserTarget::Guests(Guests { kinds, tenants }) => Some(json!({
            "guestOrExternalUserTypes": kinds.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(","),
            "externalTenants": match tenants {
                None => json!({"membershipKind": "all"}),
                Some(tenants) => json!({"membershipKind": "enumerated", "members": tenants}),
            },
        })),
        _ => None,
    })
}

fn agent(target: &AgentTarget) -> String {
    match target {
        AgentTarget::All => "All".to_owned(),
        AgentTarget::None => "None".to_owned(),
        AgentTarget::Id(id) => id.to_string(),
    }
}

fn workload(target: &WorkloadTarget) -> String {
    match target {
        WorkloadTarget::None => "None".to_owned(),
        WorkloadTarget::InMyTenant => "ServicePrincipalsInMyTenant".to_owned(),
        WorkloadTarget::Id(id) => id.to_string(),
    }
}

fn list<T>(all: &[T], text: impl Fn(&T) -> String) -> Vec<String> {
    all.iter().map(text).collect()
}

fn filter(filter: Option<&Filter>) -> Option<Value> {
    filter.map(|filter| {
        let mode = match filter.mode {
            FilterMode::Include => "include",
            FilterMode::Exclude => "exclude",
        };
        json!({"mode": mode, "rule": filter.rule.to_string()})
    })
}

fn levels(levels: Option<RiskLevels>) -> Vec<&'static str> {
    let mut named = Vec::new();
    for level in RiskLevel::ALL {
        if levels.is_some_and(|levels| levels.contains(level)) {
            named.push(level.as_str());
        }
    }
    named
}

fn flags<T>(
    set: Option<&std::collections::BTreeSet<T>>,
    text: impl Fn(&T) -> &'static str,
) -> Option<String> {
    set.map(|set| set.iter().map(text).collect::<Vec<_>>().join(","))
}

fn choice<T>(choice: Option<&Choice<T>>, what: &str, text: impl Fn(&T) -> String) -> Option<Value> {
    choice.map(|choice| {
        let mut lists = serde_json::Map::new();
        lists.insert(
            format!("include{what}"),
            list(&choice.include, &text).into(),
        );
        lists.insert(
            format!("exclude{what}"),
            list(&choice.exclude, &text).into(),
        );
        lists.into()
    })
}
