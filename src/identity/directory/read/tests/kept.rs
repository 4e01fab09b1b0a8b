//! What a directory that is read anew keeps of the one before.

use serde_json::json;

use super::*;
use crate::identity::directory::AgentIdentity;

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

#[test]
fn a_changed_agent_has_what_is_as_it_was_in_common_with_what_it_was() {
    let agent = |name: &str, id: &str| {
        json!([{"@odata.type": "#microsoft.graph.agentIdentity", "id": id, "displayName": name, "sponsors": ["s1"],
            "agentIdentityBlueprintId": "b1", "customSecurityAttributes": {"Set": {"Stage": "Approved"}}}])
        .to_string()
    };
    let none = Arc::default();
    let (before, _) = load_after(&none, &[("a", &agent("one", "a1"))]);
    let before = Arc::new(before);
    let (next, _) = load_after(
        &before,
        &[("a", &agent("two", "a1")), ("b", &agent("new", "a2"))],
    );
    let shared = |id: &str| {
        let (agent, was) = (next.agent(id).unwrap(), before.agent("a1").unwrap());
        let address = |text: Option<&str>| text.unwrap().as_ptr();
        let addresses = |of: &AgentIdentity| {
            let blueprint = of.blueprint.as_ref().map(BlueprintId::as_str);
            let sponsor = of.sponsors.first().map(ObjectId::as_str);
            [
                address(blueprint),
                address(sponsor),
                address(of.attributes.written()),
            ]
        };
        addresses(agent) == addresses(was)
    };
    assert_eq!(&*next.agent("a1").unwrap().display_name, "two");
    assert!(shared("a1"));
    assert!(shared("a2"), "as others that were read with it");
}

#[test]
fn of_a_file_that_is_as_it_was_the_objects_are_joined_anew() {
    let blueprint = r##"{"@odata.type": "#microsoft.graph.agentIdentityBlueprint", "id": "o1", "appId": "b1"}"##;
    let agent = r##"[{"@odata.type": "#microsoft.graph.agentIdentity", "id": "a1", "agentIdentityBlueprintId": "b1"}]"##;
    let mut first = DirectoryParts::default();
    let kept = first.extend(read("a.json", agent.as_bytes()).0);
    first.extend(read("b.json", blueprint.as_bytes()).0);
    let (before, faults) = first.build();
    assert!(faults.is_empty(), "{faults:?}");

    let join = |other: &str| {
        let mut parts = DirectoryParts::after(Arc::new(before.clone()));
        parts.extend_with_kept(Arc::clone(&kept));
        parts.extend(read("b.json", other.as_bytes()).0);
        let (directory, faults) = parts.build();
        let lines: Vec<_> = faults.sorted().iter().map(ToString::to_string).collect();
        (directory, lines)
    };
    let (directory, told) = join("[]");
    assert!(directory.agent("a1").is_some() && directory.blueprint("b1").is_none());
    let stray =
        "a.json:1:2: warning: [0].agentIdentityBlueprintId: no blueprint has the appId `b1`";
    assert_eq!(told, [stray]);

    let user =
        r##"{"@odata.type": "#microsoft.graph.agentUser", "id": "a1", "identityParentId": "a1"}"##;
    let twice = "b.json:1:1: error: id: `a1` is also the id of the object at a.json:1:2";
    assert_eq!(join(user).1, [stray, twice]);
}
