//! What is read, what is found wrong with it, and where.

use super::*;
use crate::policy::model::{AgentTarget, ApplicationTarget};
use crate::policy::{Control, Controls, NamedLocations, PolicyState, check_set};
use crate::types::RiskLevel;

/// A policy that blocks agents, with these members in its `conditions`, `grantControls` and beside them.
fn policy(conditions: &str, rest: &str) -> String {
    format!(
        r#"{{
  "id": "10000000-0000-4000-8000-00000000000F", "displayName": "Test", "state": "enabled",
  "grantControls": {{"operator": "OR", "builtInControls": ["block"]}}{rest},
  "conditions": {{
    "applications": {{"includeApplications": ["All"]}},
    "clientApplications": {{"includeAgentIdServicePrincipals": ["All"]}}{conditions}
  }}
}}"#
    )
}

fn messages(text: &str, on_unsupported: OnUnsupported) -> (Vec<Policy>, Vec<String>) {
    let (policies, faults) = read("p.json", text.as_bytes(), on_unsupported);
    let faults = faults.sorted();
    (policies, faults.iter().map(ToString::to_string).collect())
}

#[test]
fn reads_what_is_honoured_without_a_finding() {
    let text = policy(
        r#", "agentIdRiskLevels": "medium, High", "clientAppTypes": ["all"], "users": {"includeUsers": ["None"], "excludeUsers": null},
           "agents": {"@odata.type": "x", "includeAgentUsers": ["all"], "excludeAgentUsers": ["C3C3C3C3-0000-4000-8000-000000000003"],
                      "agentFilter": {"mode": "Exclude", "rule": "CustomSecurityAttribute.S_A -eq \"b\""}},
           "times": null, "locations": {"includeLocations": [], "excludeLocations": []}, "insiderRiskLevels": "none""#,
        r##", "sessionControls": {"persistentBrowser": {"mode": "always", "isEnabled": false}, "disableResilienceDefaults": false},
            "#microsoft.graph.restore": {"title": "x"}, "x@odata.type": 5, "futureMember": {"inner": []}"##,
    );
    let (policies, faults) = messages(&text, OnUnsupported::Reject);
    assert_eq!(faults, Vec::<String>::new());
    let [policy] = policies.as_slice() else {
        panic!("{policies:?}")
    };
    assert_eq!(policy.id.as_str(), "10000000-0000-4000-8000-00000000000f");
    assert_eq!(policy.state, PolicyState::Enabled);
    assert!(policy.is_understood());
    let block = Controls::NONE.with(Control::Block);
    assert_eq!(policy.grant_controls.controls, block);
    let conditions = &policy.conditions;
    assert_eq!(conditions.applications.include, [ApplicationTarget::All]);
    assert_eq!(conditions.agent_users.include, [AgentTarget::All]);
    assert!(conditions.agent_users.filter.is_some());
    let levels = conditions.agent_risk.unwrap();
    assert_eq!(
        RiskLevel::ALL.map(|level| levels.contains(level)),
        [false, false, true, true]
    );
}

#[test]
fn risk_levels_read_alike_in_every_form() {
    let levels = |form: &str| {
        let text = policy(&format!(r#", "agentIdRiskLevels": {form}"#), "");
        let (policies, faults) = messages(&text, OnUnsupported::Reject);
        assert_eq!(faults, Vec::<String>::new(), "{form}");
        policies[0].conditions.agent_risk
    };
    assert_eq!(levels(r#""medium,high""#), levels(r#"["high", "medium"]"#));
    assert_eq!(levels(r#""high , medium""#), levels(r#"["Medium","HIGH"]"#));
    for nothing in ["null", "[]", r#""""#] {
        assert_eq!(levels(nothing), None);
    }
}

/// Each member that is not honoured or not understood, with what the finding says.
const UNSUPPORTED: &[(&str, &str, &str)] = &[
    (
        r#", "times": {"x": 1}"#,
        "conditions.times",
        "not honoured here",
    ),
    (
        r#", "locations": {"includeLocations": ["Everywhere you like"]}"#,
        "conditions.locations.includeLocations[0]",
        "an id must not hold a blank",
    ),
    (
        r#", "locations": {"includeLocations": ["Office365"]}"#,
        "conditions.locations.includeLocations[0]",
        "expected `All`, `AllTrusted` or the id of a named location, found `Office365`",
    ),
    (
        r#", "locations": {"excludeLocations": ["AllTrusted"]}"#,
        "conditions.locations",
        "expected `includeLocations` beside what is excluded",
    ),
    (
        r#", "platforms": {"includePlatforms": ["all"], "excludePlatforms": ["beOS"]}"#,
        "conditions.platforms.excludePlatforms[0]",
        "expected `all`, `android`, `iOS`, `windows`, `windowsPhone`, `macOS`, `linux`, found `beOS`",
    ),
    (
        r#", "devices": {"includeDevices": ["All"]}"#,
        "conditions.devices.includeDevices",
        "not honoured here",
    ),
    (
        r#", "users": {"includeUsers": ["AllTrusted"]}"#,
        "conditions.users.includeUsers[0]",
        "expected `All`, `None`, `GuestsOrExternalUsers`, `AllAgentIdUsers` or an id, found `AllTrusted`",
    ),
    (
        r#", "users": {"includeRoles": ["All"]}"#,
        "conditions.users.includeRoles[0]",
        "expected an id, found `All`",
    ),
    (
        r#", "users": {"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "internalGuest,alien"}}"#,
        "conditions.users.includeGuestsOrExternalUsers.guestOrExternalUserTypes",
        "found `alien`",
    ),
    (
        r#", "users": {"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "internalGuest", "externalTenants": {"members": ["t"]}}}"#,
        "conditions.users.includeGuestsOrExternalUsers.externalTenants",
        "expected a `membershipKind`: `all` or `enumerated`",
    ),
    (
        r#", "users": {"excludeGuestsOrExternalUsers": {"externalTenants": {"membershipKind": "all"}}}"#,
        "conditions.users.excludeGuestsOrExternalUsers",
        "expected `guestOrExternalUserTypes` beside `externalTenants`",
    ),
    (
        r#", "clientAppTypes": ["all", "pager"]"#,
        "conditions.clientAppTypes[1]",
        "found `pager`",
    ),
    (
        r#", "agentContext": {"includeAgentContexts": ["All"]}"#,
        "conditions.agentContext.includeAgentContexts[0]",
        "expected the name of an agent context, found `All`",
    ),
    (
        r#", "userRiskLevels": ["hidden"]"#,
        "conditions.userRiskLevels[0]",
        "expected `none`, `low`, `medium` or `high`, found `hidden`",
    ),
    (
        r#", "insiderRiskLevels": "minor,grave""#,
        "conditions.insiderRiskLevels",
        "expected `minor`, `moderate` or `elevated`, found `grave`",
    ),
    (
        r#", "authenticationFlows": {"transferMethods": "telepathy"}"#,
        "conditions.authenticationFlows.transferMethods",
        "expected `deviceCodeFlow` or `authenticationTransfer`, found `telepathy`",
    ),
    (
        r#", "agentIdRiskLevels": "high,severe""#,
        "conditions.agentIdRiskLevels",
        "expected `low`, `medium` or `high`, found `severe`",
    ),
    (
        r#", "agentIdRiskLevels": ["high", "none"]"#,
        "conditions.agentIdRiskLevels[1]",
        "found `none`",
    ),
    (
        r#", "agentIdRiskLevels": 4"#,
        "conditions.agentIdRiskLevels",
        "expected `low`, `medium` or `high`, as a text with commas or a list of texts",
    ),
    (
        r#", "agentIdRiskLevels": [4]"#,
        "conditions.agentIdRiskLevels[0]",
        "expected a text",
    ),
    (
        r#", "moonPhase": "full""#,
        "conditions.moonPhase",
        "not a member that is known here",
    ),
    (
        r#", "moonPhase": false"#,
        "conditions.moonPhase",
        "not a member that is known here",
    ),
    (
        r#", "agents": ["All"]"#,
        "conditions.agents",
        "expected an object",
    ),
    (
        r#", "agents": {"includeAgentUsers": "All"}"#,
        "conditions.agents.includeAgentUsers",
        "expected a list of texts",
    ),
    (
        r#", "agents": {"includeAgentUsers": ["AllTrusted"]}"#,
        "conditions.agents.includeAgentUsers[0]",
        "expected `All`, `None` or an id, found `AllTrusted`",
    ),
    (
        r#", "agents": {"excludeAgentUsers": ["a b"]}"#,
        "conditions.agents.excludeAgentUsers[0]",
        "an id must not hold a blank",
    ),
    (
        r#", "agents": {"agentFilter": {"mode": "maybe", "rule": "CustomSecurityAttribute.S_A -eq \"b\""}}"#,
        "conditions.agents.agentFilter.mode",
        "expected `include` or `exclude`",
    ),
];

#[test]
fn what_is_not_honoured_is_a_finding_and_never_enforced() {
    for (conditions, member, message) in UNSUPPORTED.iter().copied() {
        let text = policy(conditions, "");
        let (_, faults) = messages(&text, OnUnsupported::Reject);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("p.json:6:"), "{}", faults[0]);
        assert!(
            faults[0].contains(&format!(": error: {member}: ")),
            "{}",
            faults[0]
        );
        assert!(faults[0].contains(message), "{}", faults[0]);

        let (policies, faults) = messages(&text, OnUnsupported::ReportOnly);
        assert!(faults[0].contains(": warning: "), "{}", faults[0]);
        assert_eq!(policies[0].not_understood, [Arc::from(member)]);
        assert_eq!(
            policies[0].state,
            PolicyState::EnabledForReportingButNotEnforced
        );

        let disabled = text.replace("\"enabled\"", "\"disabled\"");
        let (policies, faults) = messages(&disabled, OnUnsupported::Reject);
        assert!(faults[0].contains(": warning: "), "{}", faults[0]);
        assert_eq!(policies[0].state, PolicyState::Disabled);
    }
}

#[test]
fn every_member_that_is_not_honoured_is_listed() {
    let text = policy(
        r#", "times": {"x": 1}, "devices": {"includeDeviceStates": ["Compliant"]}"#,
        r#", "sessionControls": {"signInFrequency": {"value": 1, "isEnabled": true}}, "unheardOf": 1"#,
    )
    .replace("[\"block\"]", "[\"block\", \"smile\"]");
    let (policies, faults) = messages(&text, OnUnsupported::ReportOnly);
    let expected = [
        "grantControls.builtInControls[1]",
        "sessionControls.signInFrequency",
        "unheardOf",
        "conditions.times",
        "conditions.devices.includeDeviceStates",
    ];
    assert_eq!(policies[0].not_understood, expected.map(Arc::from));
    assert_eq!(faults.len(), expected.len());
    assert_eq!(
        faults[0],
        "p.json:3:68: warning: grantControls.builtInControls[1]: expected `block`, `mfa`, `compliantDevice`, \
         `domainJoinedDevice`, `approvedApplication`, `compliantApplication`, `passwordChange`, `riskRemediation`, \
         found `smile`; the policy is only reported"
    );
}

#[test]
fn what_is_no_policy_is_always_an_error() {
    let whole = policy("", "");
    for (text, message) in [
        (
            "[1]".to_owned(),
            "p.json:1:2: error: [0]: expected a Conditional Access policy",
        ),
        ("{".to_owned(), "p.json:1:1: error: the text ends too early"),
        (
            whole.replace("\"id\"", "\"ID\""),
            "p.json:1:1: error: id: expected the policy's id",
        ),
        (
            whole.replace("-00000000000F", " "),
            "p.json:2:3: error: id: an id must not hold a blank",
        ),
        (
            whole.replace("\"enabled\"", "null"),
            "p.json:2:72: error: state: expected `enabled`",
        ),
        (
            whole.replace("\"conditions\"", "\"condition\""),
            "error: conditions: expected an object",
        ),
        (
            whole.replace("\"state\"", "\"id\""),
            "error: a member is given twice",
        ),
        (
            policy(
                r#", "agents": {"agentFilter": {"mode": "include", "rule": "x"}}"#,
                "",
            ),
            "p.json:6:119: error: conditions.agents.agentFilter.rule: column 1 of the rule: expected a property",
        ),
        (
            policy(r#", "agents": {"agentFilter": {"mode": "include"}}"#, ""),
            "error: conditions.agents.agentFilter.rule: expected a rule",
        ),
    ] {
        let (_, faults) = messages(&text, OnUnsupported::ReportOnly);
        assert!(
            faults.iter().any(|fault| fault.contains(message)),
            "{message}: {faults:?}"
        );
    }
}

#[test]
fn reads_one_a_list_and_an_array_and_places_findings_in_each() {
    let bad = policy(r#", "times": {"includeLocations": ["x"]}"#, "");
    for (text, count, place) in [
        (
            format!("\n {bad}"),
            1,
            "p.json:7:73: error: conditions.times: ",
        ),
        (
            format!("[\n{}, {bad}]", policy("", "")),
            2,
            "p.json:14:73: error: [1].conditions.times: ",
        ),
        (
            format!(
                "{{\"@odata.context\": \"x\", \"value\": [{}, {bad}]}}",
                policy("", "")
            ),
            2,
            "p.json:13:73: error: value[1].conditions.times: ",
        ),
    ] {
        let (policies, faults) = messages(&text, OnUnsupported::Reject);
        assert_eq!(policies.len(), count);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with(place), "{}", faults[0]);
    }
    let (policies, faults) = messages(
        r#"{"value": [], "@odata.nextLink": "https://graph.microsoft.com/x"}"#,
        OnUnsupported::Reject,
    );
    assert!(policies.is_empty());
    assert!(faults[0].starts_with("p.json:1:15: error: @odata.nextLink: the list goes on"));
}

#[test]
fn an_unknown_state_is_never_enforced() {
    let text = policy("", "").replace("\"enabled\"", "\"armed\"");
    let (policies, faults) = messages(&text, OnUnsupported::ReportOnly);
    assert!(faults[0].contains("warning: state: expected `enabled`"));
    assert_eq!(
        policies[0].state,
        PolicyState::EnabledForReportingButNotEnforced
    );
    assert!(!policies[0].is_understood());
}

#[test]
fn warns_of_policies_that_look_like_protection_and_are_none() {
    let all = policy("", "");
    for (text, message) in [
        (
            all.replace(
                "includeAgentIdServicePrincipals\": [\"All\"]",
                "includeServicePrincipals\": []",
            ),
            "conditions.clientApplications: names no agent, so the policy never applies; v1.0 exports",
        ),
        (
            all.replace(
                "includeAgentIdServicePrincipals",
                "excludeAgentIdServicePrincipals",
            ),
            "conditions: includes no agent identity, agent user, human or service principal",
        ),
        (
            all.replace(
                "\"includeApplications\": [\"All\"]",
                "\"includeApplications\": [\"None\"]",
            ),
            "conditions.applications: includes no resource",
        ),
        (
            all.replace(
                "\"includeApplications\": [\"All\"]",
                "\"includeApplications\": [\"office365\"]",
            ),
            "conditions.applications.includeApplications[0]: no resource here belongs to the group `Office365`",
        ),
        (
            all.replace(
                "\"includeApplications\": [\"All\"]",
                "\"includeApplications\": [\"AllThings\"]",
            ),
            "`AllThings` is not a keyword that is known; it is compared as an id",
        ),
    ] {
        let (_, faults) = messages(&text, OnUnsupported::Reject);
        assert!(
            faults.iter().all(|fault| fault.contains(": warning: ")),
            "{faults:?}"
        );
        assert!(
            faults.iter().any(|fault| fault.contains(message)),
            "{message}: {faults:?}"
        );
    }
}

#[test]
fn two_policies_with_one_id_are_an_error() {
    let (first, _) = read("a.json", policy("", "").as_bytes(), OnUnsupported::Reject);
    let upper = format!("\n{}", policy("", ""));
    let (second, _) = read("b.json", upper.as_bytes(), OnUnsupported::Reject);
    assert!(check_set(&first, &NamedLocations::default()).is_empty());
    let faults = check_set(&[first, second].concat(), &NamedLocations::default()).sorted();
    let messages: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "b.json:2:1: error: id: `10000000-0000-4000-8000-00000000000f` is also the id of the policy at \
          a.json:1:1; expected each id once"
        ]
    );
}

#[test]
fn the_table_names_each_member_once_and_under_its_object() {
    let mut paths: Vec<_> = members::MEMBERS.iter().map(|member| member.path).collect();
    for path in &paths {
        if let Some((parent, _)) = path.rsplit_once('.') {
            let parent = members::MEMBERS.iter().find(|member| member.path == parent);
            assert_eq!(
                parent.map(|member| member.support),
                Some(members::Support::Object),
                "{path}"
            );
        }
    }
    let count = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), count);
}
