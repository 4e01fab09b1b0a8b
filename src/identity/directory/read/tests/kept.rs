//! What a directory that is read anew keeps of the one before.

use serde_json::json;

use super::*;

#[test]
fn an_object_that_is_as_it_was_is_kept_and_one_that_is_not_is_read() {
    let agent = |member: &str, value: Value| {
        let mut agent = json!({"@odata.type": "#microsoft.graph.agentIdentity", "id": "a1", "accountEnabled": true,
            "agentIdentityBlueprintId": "b1", "createdDateTime": "2026-09-01T08:00:00Z", "sponsors": ["s1"],
            "customSecurityAttributes": {"Set": {"Stage": "Approved"}}, "displayName": "one"});
        agent[member] = value;
        agent.to_string()
    };
    let same = agent("accountEnabled", json!(true));
    let others = r##"[
        {"@odata.type": "#microsoft.graph.agentIdentityBlueprint", "id": "b1", "appId": "b1", "displayName": "B"},
        {"@odata.type": "#microsoft.graph.agentUser", "id": "u1", "identityParentId": "a1"},
        {"@odata.type": "#microsoft.graph.user", "id": "h1", "displayName": "Kim"},
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "w1", "appId": "x1"}
    ]"##;
    let files = |agent: &str, others: &str, before: &Arc<Directory>| {
        let (directory, faults) = load_after(before, &[("a", agent), ("others", others)]);
        assert!(faults.is_empty(), "{faults:?}");
        Arc::new(directory)
    };
    let none = Arc::default();
    let before = files(&same, others, &none);
    let again = files(&same, others, &before);
    fn kept<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
        Arc::ptr_eq(one.unwrap(), other.unwrap())
    }
    assert!(kept(again.agent("a1"), before.agent("a1")));
    assert!(kept(again.agent_user("u1"), before.agent_user("u1")));
    assert!(kept(again.user("h1"), before.user("h1")));
    assert!(kept(
        again.service_principal("w1"),
        before.service_principal("w1")
    ));

    for (member, value) in [
        ("accountEnabled", json!(false)),
        ("displayName", json!("One")),
        ("agentIdentityBlueprintId", Value::Null),
        ("createdDateTime", json!("2026-09-01T08:00:01Z")),
        ("sponsors", json!(["s1", "s2"])),
        // Decides the same, and is shown otherwise.
        (
            "customSecurityAttributes",
            json!({"Set": {"Stage": "approved"}}),
        ),
    ] {
        let changed = agent(member, value);
        let (next, anew) = (
            files(&changed, others, &before),
            files(&changed, others, &none),
        );
        assert!(!kept(next.agent("a1"), before.agent("a1")), "{member}");
        assert_eq!(format!("{next:?}"), format!("{anew:?}"), "{member}");
    }
    let changed = others.replace("Kim", "Sam").replace("\"x1\"", "\"x2\"");
    let (next, anew) = (
        files(&same, &changed, &before),
        files(&same, &changed, &none),
    );
    assert_eq!(format!("{next:?}"), format!("{anew:?}"));
    assert!(kept(next.agent_user("u1"), before.agent_user("u1")));
    assert!(!kept(next.user("h1"), before.user("h1")));
}
