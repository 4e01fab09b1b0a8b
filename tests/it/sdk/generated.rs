//! Policies for the round trip: every member that Graph's schema has, in the forms that it has, in mixtures that nobody
//! thought of. The same ones in each run.

use proptest::sample::select;
use proptest::strategy::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// Members by their paths, each with the forms that it may have beside being absent.
fn members() -> Vec<(&'static str, Vec<Value>)> {
    let ids = json!([
        "d4d4d4d4-0000-4000-8000-000000000004",
        "D4D4D4D4-0000-4000-8000-00000000000A"
    ]);
    let agents = json!(["a9a9a9a9-0000-4000-8000-000000000002"]);
    let rule = |rule: &str| json!({"mode": "exclude", "rule": rule});
    let attribute = rule(
        "CustomSecurityAttribute.AgentAttributes_AgentApprovalStatus -contains \"HR_Approved\"",
    );
    let tenants = json!({"guestOrExternalUserTypes": "internalGuest,b2bCollaborationGuest", "externalTenants": {
        "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "membershipKind": "enumerated",
        "members": ["7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00"]}});
    let none = || vec![Value::Null, json!([])];
    let list = |value: &Value| [none(), vec![value.clone()]].concat();
    vec![
        (
            "description",
            vec![Value::Null, json!("nobody\n\"knows\" \u{e9} \u{1d11e}")],
        ),
        (
            "templateId",
            vec![Value::Null, json!("6bdcbbb7-ebd1-4f8f-a02f-652db0e3665d")],
        ),
        ("partialEnablementStrategy", vec![Value::Null]),
        ("conditions.userRiskLevels", list(&json!(["low", "high"]))),
        (
            "conditions.signInRiskLevels",
            list(&json!(["none", "medium"])),
        ),
        (
            "conditions.servicePrincipalRiskLevels",
            list(&json!(["high"])),
        ),
        (
            "conditions.insiderRiskLevels",
            vec![Value::Null, json!("minor,elevated")],
        ),
        (
            "conditions.agentIdRiskLevels",
            vec![Value::Null, json!("high"), json!("medium,high")],
        ),
        ("conditions.times", vec![Value::Null]),
        ("conditions.deviceStates", vec![Value::Null]),
        (
            "conditions.agentContext",
            vec![
                Value::Null,
                json!({"includeAgentContexts": ["agentUserSessionsInitiatedFromEndpoints"], "excludeAgentContexts": []}),
            ],
        ),
        (
            "conditions.platforms",
            vec![
                Value::Null,
                json!({"includePlatforms": ["all"], "excludePlatforms": ["iOS", "macOS"]}),
            ],
        ),
        (
            "conditions.locations",
            vec![
                Value::Null,
                json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
            ],
        ),
        (
            "conditions.devices",
            vec![
                Value::Null,
                json!({"deviceFilter": rule("device.isCompliant -eq True")}),
            ],
        ),
        (
            "conditions.authenticationFlows",
            vec![
                Value::Null,
                json!({"transferMethods": "deviceCodeFlow,authenticationTransfer"}),
            ],
        ),
        (
            "conditions.users.includeUsers",
            vec![
                json!(["None"]),
                json!(["All"]),
                json!(["AllAgentIdUsers"]),
                ids.clone(),
            ],
        ),
        ("conditions.users.excludeUsers", list(&ids)),
        ("conditions.users.includeGroups", list(&ids)),
        ("conditions.users.excludeRoles", list(&ids)),
        (
            "conditions.users.excludeGuestsOrExternalUsers",
            vec![Value::Null, tenants],
        ),
        (
            "conditions.agents",
            vec![
                Value::Null,
                json!({"includeAgentUsers": ["All"], "excludeAgentUsers": [], "agentFilter": null}),
                json!({"includeAgentUsers": ["All"], "excludeAgentUsers": ids, "agentFilter": attribute}),
            ],
        ),
        (
            "conditions.clientApplications.includeAgentIdServicePrincipals",
            vec![json!(["All"]), agents.clone()],
        ),
        (
            "conditions.clientApplications.excludeAgentIdServicePrincipals",
            list(&agents),
        ),
        (
            "conditions.clientApplications.agentIdServicePrincipalFilter",
            vec![Value::Null, attribute],
        ),
        (
            "conditions.clientApplications.includeServicePrincipals",
            list(&json!(["ServicePrincipalsInMyTenant"])),
        ),
        (
            "conditions.applications.excludeApplications",
            list(&json!(["Office365", "AllAgentIdResources"])),
        ),
        ("conditions.applications.includeUserActions", none()),
        (
            "sessionControls",
            vec![
                Value::Null,
                json!({"signInFrequency": {"value": 4, "type": "hours", "authenticationType": "primaryAndSecondaryAuthentication",
                "frequencyInterval": "timeBased", "isEnabled": true}, "persistentBrowser": null,
                "disableResilienceDefaults": false}),
                json!({"cloudAppSecurity": {"cloudAppSecurityType": "monitorOnly", "isEnabled": true},
                "continuousAccessEvaluation": {"mode": "strictLocation"}}),
            ],
        ),
    ]
}

/// A list of so many policies.
pub(super) fn policies(count: usize) -> Value {
    let mut runner = TestRunner::deterministic();
    let mut pick = |values: Vec<Option<Value>>| {
        let tree = select(values).new_tree(&mut runner).unwrap();
        tree.current()
    };
    let mut policies = Vec::new();
    for number in 0..count {
        let mut policy = json!({
            "id": format!("20000000-0000-4000-8000-{number:012x}"),
            "displayName": format!("Generated {number}"),
            "createdDateTime": "2026-09-01T08:00:00.1234567Z",
            "modifiedDateTime": null,
            "conditions": {"clientAppTypes": ["all"], "applications": {"includeApplications": ["All"]},
                "users": {}, "clientApplications": {}},
            "grantControls": {"operator": "OR", "builtInControls": ["block"], "customAuthenticationFactors": [],
                "termsOfUse": []},
        });
        let states = ["enabled", "disabled", "enabledForReportingButNotEnforced"];
        policy["state"] = pick(states.map(|state| Some(json!(state))).to_vec()).unwrap();
        for (path, forms) in members() {
            let forms: Vec<_> = forms.into_iter().map(Some).chain([None]).collect();
            if let Some(value) = pick(forms) {
                put(policy.as_object_mut().unwrap(), path, value);
            }
        }
        policies.push(policy);
    }
    json!({"@odata.context": "c", "value": policies})
}

fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(object.insert(path.to_owned(), value)),
        Some((name, rest)) => put(object[name].as_object_mut().unwrap(), rest, value),
    }
}
