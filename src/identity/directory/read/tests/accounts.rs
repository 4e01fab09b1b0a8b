//! What is read of humans and classic workloads.

use super::*;
use crate::identity::evidence::List;
use crate::types::GuestType;

/// One user with these members.
fn user(members: &str) -> String {
    format!(r##"{{"@odata.type":"#microsoft.graph.user","id":"{USER}",{members}}}"##)
}

#[test]
fn reads_what_a_human_is_a_member_of() {
    let lists = |members: &str| {
        let text = user(members);
        let (directory, found) = load(&[("d.json", &text)]);
        assert!(found.is_empty(), "{found:?}");
        let user = directory.user(USER).unwrap();
        let joined = |list: &Option<List>| list.as_ref().map(|all| all.join("|"));
        (joined(&user.groups), joined(&user.directory_roles))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(lists(r#""displayName":"x""#), (None, None));
    assert_eq!(lists(r#""memberOf":[]"#), (some(""), some("")));
    let typed = r##""memberOf":[
        {"@odata.type":"#microsoft.graph.group","id":"g1"},
        {"@odata.type":"#microsoft.graph.directoryRole","id":"r1","roleTemplateId":"t1"},
        {"@odata.type":"#microsoft.graph.administrativeUnit","id":"u1"}]"##;
    assert_eq!(lists(typed), (some("g1"), some("t1")));
    // Whether a bare id is a group or a role, nobody knows.
    let bare = r#""memberOf":["g1","https://graph.microsoft.com/v1.0/directoryObjects/g2"]"#;
    assert_eq!(lists(bare), (some("g1|g2"), None));
    // Nested groups count where they are listed.
    let nested = r#""memberOf":["g1"],"transitiveMemberOf":["g1","g2"]"#;
    assert_eq!(lists(nested).0, some("g1|g2"));
}

#[test]
fn a_list_of_memberships_that_goes_on_is_a_fault() {
    let text = user(r#""memberOf":[],"memberOf@odata.nextLink":"https://x""#);
    assert_eq!(faults(&text).len(), 1);
    for wrong in [
        r#""memberOf":7"#,
        r#""memberOf":[{}]"#,
        r#""userType":"Robot""#,
    ] {
        assert_eq!(faults(&user(wrong)).len(), 1, "{wrong}");
    }
}

#[test]
fn tells_members_from_guests() {
    let kind = |members: &str| {
        let text = user(members);
        let (directory, _) = load(&[("d.json", &text)]);
        directory.user(USER).unwrap().guest
    };
    assert_eq!(kind(r#""userType":null"#), None);
    assert_eq!(kind(r#""userType":"Member""#), Some(None));
    assert_eq!(
        kind(r#""userType":"Guest""#),
        Some(Some(GuestType::InternalGuest))
    );
    assert_eq!(
        kind(r##""userType":"Guest","userPrincipalName":"a_b.com#EXT#@c.com""##),
        Some(Some(GuestType::B2bCollaborationGuest))
    );
    assert_eq!(
        kind(r#""userType":"Member","creationType":"Invitation""#),
        Some(Some(GuestType::B2bCollaborationMember))
    );
}

#[test]
fn reads_classic_workloads_as_graph_lists_them() {
    let text = format!(
        r##"{{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#servicePrincipals","value":[
        {{"id":"s1","appId":"w1","appOwnerOrganizationId":"{SPONSOR}","accountEnabled":false,
          "customSecurityAttributes":{{"S":{{"A":"Payroll"}}}}}},
        {{"id":"s2","appId":"w2"}},
        {{"@odata.type":"#microsoft.graph.agentIdentity","id":"{AGENT}"}}]}}"##
    );
    let (directory, found) = load(&[("d.json", &text)]);
    assert!(found.is_empty(), "{found:?}");
    let one = directory.service_principal("s1").unwrap();
    assert!(!one.enabled);
    assert_eq!(one.owner_tenant.as_ref().unwrap().as_str(), SPONSOR);
    let attributes = one.attributes.as_ref().unwrap();
    assert!(attributes.get("S_A").is_some());
    let other = directory.service_principal_of("w2").unwrap();
    assert_eq!(other.id.as_str(), "s2");
    assert!(other.attributes.is_none());
    assert!(directory.agent(AGENT).is_some());
}

#[test]
fn an_agent_that_is_listed_as_another_account_is_a_fault() {
    let as_user = user(&format!(r#""identityParentId":"{AGENT}""#));
    let as_principal = format!(
        r##"{{"@odata.type":"#microsoft.graph.servicePrincipal","id":"s","agentIdentityBlueprintId":"{BLUEPRINT}"}}"##
    );
    for text in [as_user, as_principal] {
        let found = faults(&text);
        assert!(found.concat().contains("only an agent has it"), "{found:?}");
    }
}
