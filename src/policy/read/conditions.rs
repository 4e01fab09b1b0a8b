//! `conditions`: what a call is judged by beside who makes it and what for. Never here: members that are not honoured
//! (the audit of [`policy`](super::policy) finds those).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::assignments::{self, filter_in};
use super::lists::{Read, enumeration, id, keyword, list};
use super::reading::{Reading, member, steps};
use crate::policy::filter::FilterRule;
use crate::policy::model::{
    Choice, ConditionSet, LocationTarget, PlatformTarget, Reference, RiskLevels,
};
use crate::types::{
    ClientAppType, DevicePlatform, InsiderRiskLevel, ObjectId, RiskLevel, TransferMethod,
};

/// Reads a policy's conditions, and where they name named locations.
pub(super) fn read(reading: &mut Reading<'_>, policy: &Value) -> (ConditionSet, Vec<Reference>) {
    let mut named_locations = Vec::new();
    let conditions = ConditionSet {
        applications: assignments::applications(reading, policy),
        agent_identities: assignments::agent_identities(reading, policy),
        agent_users: assignments::agent_users(reading, policy),
        users: assignments::users(reading, policy),
        workloads: assignments::workloads(reading, policy),
        agent_risk: risk_levels(
            reading,
            policy,
            "conditions.agentIdRiskLevels",
            &AGENT_LEVELS,
        ),
        user_risk: risk_levels(
            reading,
            policy,
            "conditions.userRiskLevels",
            &RiskLevel::ALL,
        ),
        sign_in_risk: risk_levels(
            reading,
            policy,
            "conditions.signInRiskLevels",
            &RiskLevel::ALL,
        ),
        service_principal_risk: risk_levels(
            reading,
            policy,
            "conditions.servicePrincipalRiskLevels",
            &RiskLevel::ALL,
        ),
        insider_risk: flags(
            reading,
            policy,
            "conditions.insiderRiskLevels",
            "`minor`, `moderate` or `elevated`",
            |name| InsiderRiskLevel::parse(name).filter(|level| *level != InsiderRiskLevel::None),
        ),
        platforms: platforms(reading, policy),
        locations: locations(reading, policy, &mut named_locations),
        device_filter: filter_in(
            reading,
            policy,
            "conditions.devices.deviceFilter",
            FilterRule::parse_device,
        ),
        agent_contexts: agent_contexts(reading, policy),
        transfer_methods: flags(
            reading,
            policy,
            "conditions.authenticationFlows.transferMethods",
            "`deviceCodeFlow` or `authenticationTransfer`",
            TransferMethod::parse,
        ),
        client_app_types: client_app_types(reading, policy),
    };
    (conditions, named_locations)
}

/// `agentIdRiskLevels` has no `none`.
const AGENT_LEVELS: [RiskLevel; 3] = [RiskLevel::Low, RiskLevel::Medium, RiskLevel::High];

fn risk_levels(
    reading: &mut Reading<'_>,
    policy: &Value,
    path: &str,
    known: &[RiskLevel],
) -> Option<RiskLevels> {
    let expected = match known {
        [RiskLevel::None, ..] => "`none`, `low`, `medium` or `high`",
        _ => "`low`, `medium` or `high`",
    };
    let levels = enumeration(reading, policy, path, expected, |name| {
        RiskLevel::parse(name).filter(|level| known.contains(level))
    });
    levels.map(RiskLevels::from_iter)
}

/// A set that Graph writes as `none` where it is not configured.
fn flags<T: Ord>(
    reading: &mut Reading<'_>,
    policy: &Value,
    path: &str,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<BTreeSet<T>> {
    match member(policy, path) {
        Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("none") => None,
        _ => enumeration(reading, policy, path, expected, parse),
    }
}

fn platforms(reading: &mut Reading<'_>, policy: &Value) -> Option<Choice<PlatformTarget>> {
    let names: Vec<_> = DevicePlatform::ALL.iter().map(|one| one.as_str()).collect();
    let expected = format!("`all`, `{}`", names.join("`, `"));
    let mut of = |path| {
        list(reading, policy, path, &expected, |_, _, text| {
            if text.eq_ignore_ascii_case("all") {
                return Read::As(PlatformTarget::All);
            }
            match DevicePlatform::parse(text) {
                Some(platform) => Read::As(PlatformTarget::One(platform)),
                None => Read::NotExpected,
            }
        })
    };
    let include = of("conditions.platforms.includePlatforms");
    let exclude = of("conditions.platforms.excludePlatforms");
    choice(
        reading,
        policy,
        ("conditions.platforms", "includePlatforms"),
        include,
        exclude,
    )
}

fn locations(
    reading: &mut Reading<'_>,
    policy: &Value,
    named: &mut Vec<Reference>,
) -> Option<Choice<LocationTarget>> {
    let expected = "`All`, `AllTrusted` or the id of a named location";
    let mut of = |path| {
        list(reading, policy, path, expected, |reading, at, text| {
            match keyword(text) {
                Some("All") => return Read::As(LocationTarget::All),
                Some("AllTrusted") => return Read::As(LocationTarget::AllTrusted),
                Some(_) | None => {}
            }
            id(reading, at, text, ObjectId::parse).map(|id| {
                let (member, line, column) = reading.place(at);
                named.push(Reference {
                    id: id.clone(),
                    member,
                    line,
                    column,
                });
                LocationTarget::Id(id)
            })
        })
    };
    let include = of("conditions.locations.includeLocations");
    let exclude = of("conditions.locations.excludeLocations");
    choice(
        reading,
        policy,
        ("conditions.locations", "includeLocations"),
        include,
        exclude,
    )
}

fn agent_contexts(reading: &mut Reading<'_>, policy: &Value) -> Option<Choice<Arc<str>>> {
    let mut of = |path| {
        list(
            reading,
            policy,
            path,
            "the name of an agent context",
            |_, _, text| {
                if keyword(text).is_some() || text.trim().is_empty() {
                    Read::NotExpected
                } else {
                    Read::As(text.into())
                }
            },
        )
    };
    let include = of("conditions.agentContext.includeAgentContexts");
    let exclude = of("conditions.agentContext.excludeAgentContexts");
    choice(
        reading,
        policy,
        ("conditions.agentContext", "includeAgentContexts"),
        include,
        exclude,
    )
}

/// A condition's two lists; one that excludes and includes nothing says nothing that could be relied on.
fn choice<T>(
    reading: &mut Reading<'_>,
    policy: &Value,
    (path, list): (&str, &str),
    include: Vec<T>,
    exclude: Vec<T>,
) -> Option<Choice<T>> {
    if include.is_empty() {
        let given = member(policy, &format!("{path}.{list}"));
        let is_given = matches!(given, Some(Value::Array(items)) if !items.is_empty());
        if !exclude.is_empty() && !is_given {
            let message = format!("expected `{list}` beside what is excluded");
            reading.unsupported(&steps(path), &message);
        }
        return None;
    }
    Some(Choice { include, exclude })
}

fn client_app_types(reading: &mut Reading<'_>, policy: &Value) -> Option<BTreeSet<ClientAppType>> {
    let path = "conditions.clientAppTypes";
    let names: Vec<_> = ClientAppType::ALL.iter().map(|one| one.as_str()).collect();
    let expected = format!("`all`, `{}`", names.join("`, `"));
    // `all` is every type, so with it the condition is none.
    let types = enumeration(reading, policy, path, &expected, |name| {
        if name.eq_ignore_ascii_case("all") {
            return Some(None);
        }
        ClientAppType::parse(name).map(Some)
    })?;
    types.into_iter().collect()
}
