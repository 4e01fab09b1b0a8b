mod accounts;
mod kept;

use super::*;
use crate::identity::directory::Directory;

const AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000002";
const BLUEPRINT: &str = "b1b1b1b1-0000-4000-8000-000000000001";
const PRINCIPAL: &str = "b2b2b2b2-0000-4000-8000-000000000001";
const USER: &str = "c3c3c3c3-0000-4000-8000-000000000003";
const SPONSOR: &str = "d4d4d4d4-0000-4000-8000-000000000004";

fn load(files: &[(&str, &str)]) -> (Directory, Vec<String>) {
    load_after(&Arc::default(), files)
}

fn load_after(before: &Arc<Directory>, files: &[(&str, &str)]) -> (Directory, Vec<String>) {
    let mut all = DirectoryParts::after(Arc::clone(before));
    let mut faults = Faults::new();
    for (name, text) in files {
        let (parts, found) = read(name, text.as_bytes());
        all.extend(parts);
        faults.extend(found);
    }
    let (directory, found) = all.build();
    faults.extend(found);
    let lines = faults.sorted().iter().map(ToString::to_string).collect();
    (directory, lines)
}

/// The objects of one file without a fault.
fn parts(name: &str, bytes: &[u8]) -> DirectoryParts {
    let (read, faults) = read(name, bytes);
    assert!(faults.is_empty(), "{faults:?}");
    let mut parts = DirectoryParts::default();
    parts.extend(read);
    parts
}

/// The faults of one file.
fn faults(text: &str) -> Vec<String> {
    load(&[("d.json", text)]).1
}

#[test]
fn of_two_directories_the_first_ones_objects_stand_and_the_others_are_added() {
    let of = |text: &str| parts("d", text.as_bytes());
    let own = r##"[
        {"@odata.type": "#microsoft.graph.agentIdentity", "id": "a1", "accountEnabled": false},
        {"@odata.type": "#microsoft.graph.agentIdentityBlueprint", "id": "o1", "appId": "b1", "accountEnabled": false},
        {"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "id": "p2", "appId": "b2"}
    ]"##;
    let other = r##"[
        {"@odata.type": "#microsoft.graph.agentIdentity", "id": "a1", "accountEnabled": true},
        {"@odata.type": "#microsoft.graph.agentIdentity", "id": "a2", "accountEnabled": true},
        {"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "id": "p1", "appId": "b1", "accountEnabled": true},
        {"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "id": "p2", "appId": "b2", "accountEnabled": false}
    ]"##;
    let mut parts = of(own);
    assert!(!parts.is_empty() && DirectoryParts::default().is_empty());
    let both = parts.extend_where_new(of(other));
    assert_eq!(
        both.iter().map(|id| &**id).collect::<Vec<_>>(),
        ["b2", "a1"]
    );
    let (directory, faults) = parts.build();
    assert!(!faults.has_errors(), "{faults:?}");
    assert!(!directory.agent("a1").unwrap().enabled);
    assert!(directory.agent("a2").unwrap().enabled);
    // Disabled as an application, known by the principal that only the other one has.
    let joined = directory.blueprint_of_principal("p1").unwrap();
    assert!(!joined.enabled);
    assert!(directory.blueprint("b2").unwrap().enabled);
}

#[test]
fn reads_graphs_objects_from_several_files() {
    let blueprint = format!(
        r##"{{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#applications/$entity",
        "@odata.type":"#microsoft.graph.agentIdentityBlueprint","id":"{BLUEPRINT}","appId":"{BLUEPRINT}",
        "displayName":"HR blueprint","tags":[],"signInAudience":"AzureADMyOrg",
        "sponsors@odata.bind":["https://graph.microsoft.com/v1.0/users/{SPONSOR}"]}}"##
    );
    let principal = format!(
        r##"[{{"@odata.type":"Microsoft.Graph.AgentIdentityBlueprintPrincipal","id":"{PRINCIPAL}",
        "appId":"{BLUEPRINT}","accountEnabled":false,"disabledByMicrosoftStatus":null}}]"##
    );
    let agents = format!(
        r##"{{"@odata.context":"https://graph.microsoft.com/beta/$metadata#servicePrincipals/microsoft.graph.agentIdentity",
        "value":[{{"id":"{}","appId":"{AGENT}","agentIdentityBlueprintId":"{BLUEPRINT}","displayName":null,
        "accountEnabled":true,"createdDateTime":"2026-09-01T08:00:00Z","sponsors":["{SPONSOR}",{{"id":"{SPONSOR}"}}],
        "customSecurityAttributes":{{"AgentAttributes":{{"@odata.type":"#Microsoft.DirectoryServices.CustomSecurityAttributeValue",
        "AgentApprovalStatus@odata.type":"#Collection(String)","AgentApprovalStatus":["New","HR_Approved"],
        "Department":"HR","Level":3,"Audited":true,"Gone":null}},"Empty":{{}}}}}}]}}"##,
        AGENT.to_uppercase()
    );
    let user = format!(
        r##"{{"value":[{{"@odata.type":"#microsoft.graph.agentUser","id":"{USER}","identityParentId":"{AGENT}",
        "displayName":"HR agent","userPrincipalName":"hr@contoso.example","accountEnabled":false}}]}}"##
    );
    let (directory, faults) = load(&[
        ("1.json", &user),
        ("2.json", &agents),
        ("3.json", &principal),
        ("4.json", &blueprint),
    ]);
    assert_eq!(faults, Vec::<String>::new());

    let blueprint = directory.blueprint(BLUEPRINT).unwrap();
    assert_eq!(&*blueprint.display_name, "HR blueprint");
    assert_eq!(blueprint.principal_id.as_ref().unwrap().as_str(), PRINCIPAL);
    assert_eq!(blueprint.sponsors.first().unwrap().as_str(), SPONSOR);
    assert!(!blueprint.enabled, "disabled on one side is disabled");
    assert!(directory.blueprint_of_principal(PRINCIPAL).is_some());

    let agent = directory.agent(AGENT).unwrap();
    assert_eq!(agent.blueprint.as_ref().unwrap().as_str(), BLUEPRINT);
    assert_eq!(&*agent.display_name, AGENT, "a name is never missing");
    assert!(agent.enabled);
    assert_eq!(agent.sponsors.len(), 1);
    assert_eq!(
        agent.created_at.unwrap().to_string(),
        "2026-09-01T08:00:00Z"
    );
    let values: Vec<_> = agent
        .attributes
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    assert_eq!(
        values,
        [
            r#"AgentAttributes_AgentApprovalStatus=Many(["new", "hr_approved"])"#,
            r#"AgentAttributes_Audited=One("true")"#,
            r#"AgentAttributes_Department=One("hr")"#,
            r#"AgentAttributes_Level=One("3")"#,
        ]
    );

    let user = directory.agent_user(USER).unwrap();
    assert_eq!(user.identity_parent.as_str(), AGENT);
    assert!(!user.enabled);
    assert_eq!(
        user.user_principal_name.as_deref(),
        Some("hr@contoso.example")
    );
}

#[test]
fn reads_utf_16_as_powershell_writes_it() {
    let text = format!(
        "\u{FEFF}{{\"@odata.type\":\"#microsoft.graph.agentIdentity\",\"id\":\"{AGENT}\",\"displayName\":\"é\"}}"
    );
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (directory, _) = parts("d.json", &bytes).build();
    assert_eq!(&*directory.agent(AGENT).unwrap().display_name, "é");
    assert!(read("d.json", b"\xFF\xFEa").1.has_errors());
}

#[test]
fn names_file_line_column_and_member_of_every_fault() {
    let text = format!(
        r##"{{"value": [
  {{"@odata.type": "#microsoft.graph.agentIdentity",
   "id": 7, "accountEnabled": "yes",
   "customSecurityAttributes": {{"S": {{"A": {{}}, "B": [true]}}, "T": 1}},
   "sponsors": ["{SPONSOR}", {{"name": "x"}}],
   "createdDateTime": "yesterday"}},
  {{"@odata.type": "#microsoft.graph.group", "id": "{USER}"}},
  {{"id": "{USER}"}},
  {{"@odata.type": "#microsoft.graph.agentUser", "id": "{USER}"}},
  {{"@odata.type": "#microsoft.graph.agentIdentity", "id": "{AGENT}", "accountenabled": false}},
  {{"@odata.type": "#microsoft.graph.agentIdentity", "id": "{AGENT}", "appId": "{USER}"}},
  {{"@odata.type": null, "id": "a b"}},
  "x"
]}}"##
    );
    let expected = [
        "d.json:3:4: error: value[0].id: expected a string",
        "d.json:3:13: error: value[0].accountEnabled: expected `true` or `false`",
        "d.json:4:39: error: value[0].customSecurityAttributes.S.A: expected a string,",
        "d.json:4:48: error: value[0].customSecurityAttributes.S.B: expected a string,",
        "d.json:4:62: error: value[0].customSecurityAttributes.T: expected an object",
        "d.json:5:57: error: value[0].sponsors[1]: expected an id,",
        "d.json:6:4: error: value[0].createdDateTime: `yesterday` is not a time",
        "d.json:7:4: error: value[1].@odata.type: unknown type `#microsoft.graph.group`",
        "d.json:8:3: error: value[2]: `@odata.type` is missing",
        "d.json:9:3: error: value[3]: `identityParentId` is missing",
        "d.json:10:99: error: value[4].accountenabled: is spelt `accountEnabled`",
        "d.json:11:99: error: value[5].appId: `c3c3c3c3-0000-4000-8000-000000000003` is not the `id`",
        "d.json:12:3: error: value[6]: `@odata.type` is missing",
        "d.json:13:3: error: value[7]: expected an object",
    ];
    let found = faults(&text);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn an_object_is_what_its_list_says_wherever_the_list_says_it() {
    let agent = format!(r#"{{"id": "{AGENT}"}}"#);
    let context = r#""@odata.context": "https://graph/$metadata#servicePrincipals/microsoft.graph.agentIdentity""#;
    for text in [
        format!(r#"{{{context}, "value": [{agent}]}}"#),
        format!(r#"{{"value": [{agent}], {context}}}"#),
    ] {
        let (directory, faults) = load(&[("d.json", &text)]);
        assert!(faults.is_empty(), "{faults:?}");
        assert!(directory.agent(AGENT).is_some());
    }
}

#[test]
fn of_a_text_that_is_not_json_nothing_stands() {
    let agent =
        format!(r##"{{"@odata.type": "#microsoft.graph.agentIdentity", "id": "{AGENT}"}}"##);
    for (text, place) in [
        (
            format!(r#"{{"value": [{agent}, {{"id": 1}}], "value": []}}"#),
            "member is given twice",
        ),
        (format!("[{agent}, {{}}, "), "ends too early"),
        (format!("[{agent}, 1, }}"), "not JSON"),
    ] {
        let (parts, faults) = read("d.json", text.as_bytes());
        let faults: Vec<_> = faults.sorted().iter().map(ToString::to_string).collect();
        assert!(
            matches!(&*faults, [one] if one.contains(place)),
            "{faults:?}"
        );
        assert!(parts.is_empty());
    }
}

#[test]
fn refuses_files_that_are_not_directories() {
    for (text, expected) in [
        ("", "d.json:1:0: error: the text ends too early"),
        ("7", "d.json:1:1: error: expected an object or an array"),
        (
            "{\"value\":{}}",
            "d.json:1:2: error: value: expected an array of objects",
        ),
        (
            "{\"a\":1,\n\"a\":2}",
            "d.json:2:3: error: a member is given twice",
        ),
    ] {
        assert_eq!(faults(text), [expected]);
    }
}

#[test]
fn refuses_an_id_that_is_given_twice_in_whatever_kind_or_file() {
    let agent = format!(r##"{{"@odata.type":"#microsoft.graph.agentIdentity","id":"{AGENT}"}}"##);
    let user = format!(
        r##"{{"@odata.type":"#microsoft.graph.agentUser","id":"{AGENT}","identityParentId":"{AGENT}"}}"##
    );
    let principal = format!(
        r##"{{"@odata.type":"#microsoft.graph.agentIdentityBlueprintPrincipal","id":"{AGENT}","appId":"{BLUEPRINT}"}}"##
    );
    for other in [&agent, &user, &principal] {
        let (_, faults) = load(&[("a.json", &agent), ("b.json", other)]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults.concat().contains("is also the id of the object at"));
    }
    let blueprint = |id: &str| {
        format!(
            r##"{{"@odata.type":"#microsoft.graph.agentIdentityBlueprintPrincipal","id":"{id}","appId":"{BLUEPRINT}"}}"##
        )
    };
    let (_, faults) = load(&[
        ("a.json", &blueprint(PRINCIPAL)),
        ("b.json", &blueprint(USER)),
    ]);
    assert_eq!(
        faults,
        [format!(
            "b.json:1:1: error: appId: `{BLUEPRINT}` is also the id of the object at a.json:1:1"
        )]
    );
}

#[test]
fn warns_of_parents_that_are_not_there() {
    let text = format!(
        r##"{{"value":[
        {{"@odata.type":"#microsoft.graph.agentIdentity","id":"{AGENT}","agentIdentityBlueprintId":"{BLUEPRINT}"}},
        {{"@odata.type":"#microsoft.graph.agentUser","id":"{USER}","identityParentId":"{SPONSOR}"}}]}}"##
    );
    let found = faults(&text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|fault| fault.contains(": warning: ")));
    let (directory, _) = load(&[("d.json", &text)]);
    assert!(directory.agent(AGENT).is_some());
    assert!(directory.agent_user(USER).is_some());
}

#[test]
fn a_list_that_goes_on_is_not_all_agents() {
    let text = r#"{"value":[],
        "@odata.nextLink":"https://graph.microsoft.com/next"}"#;
    assert_eq!(
        faults(text),
        [
            "d.json:2:9: error: @odata.nextLink: the list goes on at another page; once every page is here, remove this member"
        ]
    );
}
