//! What Graph's v1.0 has no word for: it is not shown there, refused where it is sent, and kept where it is not.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::management::graph::GraphError;
use crate::management::odata::Version;

/// Members of a policy that only beta has, by their paths with dots.
const BETA_ONLY: &[&str] = &[
    "partialEnablementStrategy",
    "conditions.agentContext",
    "conditions.agentIdRiskLevels",
    "conditions.agents",
    "conditions.clients",
    "conditions.deviceStates",
    "conditions.globalSecureAccess",
    "conditions.signInRiskDetections",
    "conditions.times",
    "conditions.applications.globalSecureAccess",
    "conditions.applications.includeProtectionLevels",
    "conditions.applications.networkAccess",
    "conditions.clientApplications.agentIdServicePrincipalFilter",
    "conditions.clientApplications.excludeAgentIdServicePrincipals",
    "conditions.clientApplications.includeAgentIdServicePrincipals",
    "conditions.devices.excludeDeviceStates",
    "conditions.devices.excludeDevices",
    "conditions.devices.includeDeviceStates",
    "conditions.devices.includeDevices",
    "sessionControls.blockSensitiveActions",
    "sessionControls.continuousAccessEvaluation",
    "sessionControls.globalSecureAccessFilteringProfile",
    "sessionControls.networkAccessSecurity",
];

/// The policy as a client of this version sees it.
pub(super) fn shown(mut policy: Map<String, Value>, version: Version) -> Map<String, Value> {
    if version == Version::V1 {
        for path in BETA_ONLY {
            take_out(&mut policy, path);
        }
    }
    policy
}

/// Holds what a client of this version sends to what the version knows.
///
/// # Errors
/// 400 for a member that only beta has: left out without a word, a policy would mean something else.
pub(super) fn check(policy: &Map<String, Value>, version: Version) -> Result<(), GraphError> {
    let known_elsewhere = BETA_ONLY.iter().find(|path| holds(policy, path));
    match (version, known_elsewhere) {
        (Version::V1, Some(path)) => {
            let message = format!("v1.0 has no member `{path}`, beta has");
            let details = vec![((*path).to_owned(), "only beta has this member".to_owned())];
            Err(GraphError::new(StatusCode::BAD_REQUEST, message).with_details(details))
        }
        (Version::V1, None) | (Version::Beta, _) => Ok(()),
    }
}

fn take_out(object: &mut Map<String, Value>, path: &str) {
    match path.split_once('.') {
        None => drop(object.remove(path)),
        Some((name, rest)) => {
            if let Some(Value::Object(inner)) = object.get_mut(name) {
                take_out(inner, rest);
            }
        }
    }
}

fn holds(object: &Map<String, Value>, path: &str) -> bool {
    match path.split_once('.') {
        None => object.contains_key(path),
        Some((name, rest)) => match object.get(name) {
            Some(Value::Object(inner)) => holds(inner, rest),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::read::members::MEMBERS;

    #[test]
    fn every_member_of_beta_is_one_that_the_reader_knows() {
        for path in BETA_ONLY {
            let is_known = MEMBERS.iter().any(|member| member.path == *path);
            let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
            let is_below = MEMBERS.iter().any(|member| member.path == parent);
            assert!(is_known || is_below, "{path}");
        }
    }

    #[test]
    fn v1_shows_none_of_them_and_refuses_each() {
        let inner = json!({"agents": {"x": 1}, "users": {"includeUsers": ["None"]}, "clientApplications":
            {"includeAgentIdServicePrincipals": ["All"], "includeServicePrincipals": []}});
        let policy = Map::from_iter([("conditions".to_owned(), inner)]);
        assert_eq!(shown(policy.clone(), Version::Beta), policy);
        let less = shown(policy.clone(), Version::V1);
        let expected = json!({"conditions": {"users": {"includeUsers": ["None"]},
            "clientApplications": {"includeServicePrincipals": []}}});
        assert_eq!(Value::Object(less.clone()), expected);
        assert!(check(&policy, Version::V1).is_err());
        assert!(check(&policy, Version::Beta).is_ok());
        assert!(check(&less, Version::V1).is_ok());
    }
}
