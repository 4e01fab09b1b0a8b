//! `conditions`: the lists, filters and risk levels that are honoured. Never here: members that are not
//! (the audit of [`policy`](super::policy) finds those).

use serde_json::Value;

use super::members;
use super::policy::text;
use super::reading::{Reading, member, steps};
use crate::policy::filter::FilterRule;
use crate::policy::model::{
    AgentTarget, ApplicationTarget, Assignment, ConditionSet, Filter, FilterMode, RiskLevels,
};
use crate::types::json::Step;
use crate::types::{AppId, IdError, ObjectId, RiskLevel};

/// Reads what is honoured of a policy's conditions.
pub(super) fn read(reading: &mut Reading<'_>, policy: &Value) -> ConditionSet {
    honoured_values(reading, policy, "conditions.clientAppTypes");
    let mut agent_users = Assignment {
        include: agents(reading, policy, "conditions.agents.includeAgentUsers"),
        exclude: agents(reading, policy, "conditions.agents.excludeAgentUsers"),
        filter: filter(reading, policy, "conditions.agents.agentFilter"),
    };
    for (path, list) in [
        ("conditions.users.includeUsers", &mut agent_users.include),
        ("conditions.users.excludeUsers", &mut agent_users.exclude),
    ] {
        if honoured_values(reading, policy, path).contains(&"AllAgentIdUsers") {
            list.push(AgentTarget::All);
        }
    }
    ConditionSet {
        applications: Assignment {
            include: applications(
                reading,
                policy,
                "conditions.applications.includeApplications",
            ),
            exclude: applications(
                reading,
                policy,
                "conditions.applications.excludeApplications",
            ),
            filter: filter(reading, policy, "conditions.applications.applicationFilter"),
        },
        agent_identities: Assignment {
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
        },
        agent_users,
        agent_risk: risk_levels(reading, policy, "conditions.agentIdRiskLevels"),
    }
}

/// The values of a list that is honoured for some values only; each other one is a finding.
pub(super) fn honoured_values(
    reading: &mut Reading<'_>,
    policy: &Value,
    path: &str,
) -> Vec<&'static str> {
    let honoured = members::honoured_values(path);
    let mut found = Vec::new();
    for (at, text) in texts(reading, policy, path) {
        match honoured.iter().find(|one| one.eq_ignore_ascii_case(text)) {
            Some(one) => found.push(*one),
            None => {
                let message = format!(
                    "`{text}` is not honoured yet; honoured here: `{}`",
                    honoured.join("`, `")
                );
                reading.unsupported(&item(path, at), &message);
            }
        }
    }
    found
}

/// A list of agent identities or agent users.
fn agents(reading: &mut Reading<'_>, policy: &Value, path: &str) -> Vec<AgentTarget> {
    let mut targets = Vec::new();
    for (at, text) in texts(reading, policy, path) {
        targets.extend(match keyword(text) {
            Some("All") => Some(AgentTarget::All),
            Some("None") => Some(AgentTarget::None),
            Some(_) => {
                let message = format!("expected `All`, `None` or an id, found `{text}`");
                reading.unsupported(&item(path, at), &message);
                None
            }
            None => id(reading, &item(path, at), text, ObjectId::parse).map(AgentTarget::Id),
        });
    }
    targets
}

/// A list of resources.
fn applications(reading: &mut Reading<'_>, policy: &Value, path: &str) -> Vec<ApplicationTarget> {
    let mut targets = Vec::new();
    for (at, text) in texts(reading, policy, path) {
        targets.extend(match keyword(text) {
            Some("All") => Some(ApplicationTarget::All),
            Some("None") => Some(ApplicationTarget::None),
            Some("AllAgentIdResources") => Some(ApplicationTarget::AllAgentIdResources),
            Some(group @ ("Office365" | "MicrosoftAdminPortals")) => {
                let message =
                    format!("no resource here belongs to the group `{group}`; name appIds");
                reading.warn(&item(path, at), message);
                Some(ApplicationTarget::Group(group))
            }
            Some(_) => {
                let message = format!(
                    "expected `All`, `None`, `AllAgentIdResources` or an appId, found `{text}`"
                );
                reading.unsupported(&item(path, at), &message);
                None
            }
            None => id(reading, &item(path, at), text, AppId::parse).map(ApplicationTarget::Id),
        });
    }
    targets
}

/// Graph's keyword, if the text is one in any case.
fn keyword(text: &str) -> Option<&'static str> {
    let mut keywords = members::KEYWORDS.into_iter();
    keywords.find(|keyword| keyword.eq_ignore_ascii_case(text))
}

fn id<T>(
    reading: &mut Reading<'_>,
    at: &[Step<'_>],
    text: &str,
    parse: impl Fn(&str) -> Result<T, IdError>,
) -> Option<T> {
    match parse(text) {
        Ok(id) => {
            // A keyword that Graph may add one day looks like this, and no GUID does.
            let looks_like_keyword = text.starts_with(|c: char| c.is_ascii_uppercase())
                && text.bytes().all(|b| b.is_ascii_alphabetic());
            if looks_like_keyword {
                let message =
                    format!("`{text}` is not a keyword that is known; it is compared as an id");
                reading.warn(at, message);
            }
            Some(id)
        }
        Err(fault) => {
            reading.unsupported(at, &fault.to_string());
            None
        }
    }
}

/// A filter object; a rule that does not parse is always an error.
fn filter(reading: &mut Reading<'_>, policy: &Value, path: &str) -> Option<Filter> {
    let mode_path = format!("{path}.mode");
    let rule_path = format!("{path}.rule");
    let mode_text = text(reading, policy, &mode_path);
    let rule = match member(policy, &rule_path) {
        Some(Value::String(text)) => match FilterRule::parse(text) {
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

/// Risk levels as one comma-separated text or as a list; a set that is not understood whole is none.
fn risk_levels(reading: &mut Reading<'_>, policy: &Value, path: &str) -> Option<RiskLevels> {
    let names: Vec<(Vec<Step<'_>>, &str)> = match member(policy, path)? {
        Value::String(text) if text.trim().is_empty() => return None,
        Value::String(text) => text.split(',').map(|name| (steps(path), name)).collect(),
        Value::Array(_) => texts(reading, policy, path)
            .into_iter()
            .map(|(at, name)| (item(path, at), name))
            .collect(),
        _ => {
            let expected = "expected risk levels: a text with commas, or a list of texts";
            reading.unsupported(&steps(path), expected);
            return None;
        }
    };
    let mut levels = (!names.is_empty()).then(RiskLevels::default);
    for (at, name) in names {
        let level = match RiskLevel::parse(name.trim()) {
            Some(RiskLevel::None) | None => None,
            known => known,
        };
        if level.is_none() {
            let message = format!(
                "expected `low`, `medium` or `high`, found `{}`",
                name.trim()
            );
            reading.unsupported(&at, &message);
        }
        levels = levels.zip(level).map(|(levels, level)| levels.with(level));
    }
    levels
}

/// The texts of a list, each with its place in it.
fn texts<'v>(reading: &mut Reading<'_>, policy: &'v Value, path: &str) -> Vec<(usize, &'v str)> {
    let items = match member(policy, path) {
        None => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            reading.unsupported(&steps(path), "expected a list of texts");
            return Vec::new();
        }
    };
    let mut texts = Vec::new();
    for (at, value) in items.iter().enumerate() {
        match value {
            Value::String(text) => texts.push((at, text.as_str())),
            _ => reading.unsupported(&item(path, at), "expected a text"),
        }
    }
    texts
}

fn item(path: &str, at: usize) -> Vec<Step<'_>> {
    let mut steps = steps(path);
    steps.push(Step::Item(at));
    steps
}
