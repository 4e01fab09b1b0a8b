use super::*;
use crate::identity::directory::{AgentIdentity, Blueprint};
use crate::types::{AgentUserId, Attributes, PrincipalId};

/// A directory with the blueprint `b`, its agent identity `a`, whose agent user is `u`, and an agent identity `x`.
fn directory() -> Directory {
    let agent = |id: &str, blueprint: Option<&str>| AgentIdentity {
        id: AgentId::parse(id).unwrap(),
        blueprint: blueprint.map(|id| BlueprintId::parse(id).unwrap()),
        display_name: id.into(),
        enabled: true,
        attributes: Attributes::none(),
        sponsors: Vec::new(),
        created_at: None,
    };
    let blueprint = Blueprint {
        app_id: BlueprintId::parse("b").unwrap(),
        object_id: None,
        principal_id: PrincipalId::parse("bp").ok(),
        display_name: "b".into(),
        enabled: true,
        attributes: Attributes::none(),
        sponsors: Vec::new(),
    };
    let user = AgentUser {
        id: AgentUserId::parse("u").unwrap(),
        identity_parent: AgentId::parse("a").unwrap(),
        display_name: "u".into(),
        user_principal_name: None,
        enabled: true,
        attributes: Attributes::none(),
    };
    Directory::new(
        vec![blueprint],
        vec![agent("a", Some("b")), agent("x", None)],
        vec![user],
    )
}

fn in_words(claimed: &Claimed) -> Result<String, Reason> {
    let (caller, recognition) = classify(claimed, &directory())?;
    let agent = caller.agent().map_or(String::new(), |agent| {
        let blueprint = agent.blueprint.as_ref().map_or("-", |id| id.as_str());
        let known = if agent.entry.is_some() {
            "known"
        } else {
            "new"
        };
        format!(" {} of {blueprint}, {known}", agent.id)
    });
    let kind = caller.kind();
    Ok(format!("{kind}{agent} by {recognition:?}"))
}

fn marked(id: &str, subject: Subject) -> Result<String, Reason> {
    in_words(&Claimed::Agent {
        id: AgentId::parse(id).unwrap(),
        blueprint: BlueprintId::parse("t").ok(),
        subject,
    })
}

fn unmarked(subject: &str, client: &str, app_only: bool) -> Result<String, Reason> {
    in_words(&Claimed::Unmarked {
        subject: ObjectId::parse(subject).unwrap(),
        client: AppId::parse(client).ok(),
        app_only,
    })
}

#[test]
fn markers_count_and_the_directory_adds_what_it_knows() {
    let user = |id: &str| Subject::AgentUser(AgentUserId::parse(id).unwrap());
    let human = |id: &str| Subject::Unmarked(ObjectId::parse(id).unwrap());
    let refused = Err(Reason::TokenClaimsRefused);
    let table = [
        (
            "a",
            Subject::Agent,
            Ok("agent_identity a of b, known by Markers"),
        ),
        (
            "x",
            Subject::Agent,
            Ok("agent_identity x of t, known by Markers"),
        ),
        (
            "n",
            Subject::Agent,
            Ok("agent_identity n of t, new by Markers"),
        ),
        ("a", user("u"), Ok("agent_user a of b, known by Markers")),
        ("n", user("v"), Ok("agent_user n of t, new by Markers")),
        ("a", human("h"), Ok("on_behalf_of a of b, known by Markers")),
        ("a", human("u"), Ok("agent_user a of b, known by Markers")),
        ("x", user("u"), refused),
        ("x", human("u"), refused),
        // Of another kind than the directory says.
        ("u", Subject::Agent, refused),
        ("u", human("h"), refused),
        ("a", user("x"), refused),
        ("a", human("x"), refused),
    ];
    for (id, subject, expected) in table {
        let found = marked(id, subject.clone());
        assert_eq!(found.as_deref(), expected.as_deref(), "{id} {subject:?}");
    }
}

#[test]
fn without_markers_the_directory_is_asked() {
    let refused = Err(Reason::TokenClaimsRefused);
    let table = [
        ("a", "a", Ok("agent_identity a of b, known by Directory")),
        ("h", "a", Ok("on_behalf_of a of b, known by Directory")),
        ("u", "a", Ok("agent_user a of b, known by Directory")),
        ("u", "", Ok("agent_user a of b, known by Directory")),
        ("a", "", Ok("agent_identity a of b, known by Directory")),
        ("a", "c", Ok("agent_identity a of b, known by Directory")),
        ("u", "x", refused),
        ("u", "c", refused),
        ("x", "a", refused),
        ("h", "c", Ok("not_agent by Nothing")),
        ("h", "", Ok("not_agent by Nothing")),
        ("n", "n", Ok("not_agent by Nothing")),
    ];
    for (subject, client, expected) in table {
        let found = unmarked(subject, client, false);
        assert_eq!(found.as_deref(), expected.as_deref(), "{subject} {client}");
    }
}

#[test]
fn an_agent_that_calls_without_a_user_is_its_own_subject() {
    assert_eq!(unmarked("h", "a", true), Err(Reason::TokenClaimsRefused));
    assert!(unmarked("a", "a", true).is_ok());
    assert!(unmarked("h", "c", true).is_ok());
}

#[test]
fn a_client_that_is_its_own_subject_is_a_hint_only() {
    for (client, hint) in [("n", true), ("c", false)] {
        let claimed = Claimed::Unmarked {
            subject: ObjectId::parse("n").unwrap(),
            client: AppId::parse(client).ok(),
            app_only: false,
        };
        let (caller, recognition) = classify(&claimed, &directory()).unwrap();
        assert_eq!(recognition, Recognition::Nothing);
        match caller {
            Caller::NotAgent(nobody) => assert_eq!(nobody.may_be_agent, hint),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_blueprints_entry_comes_with_the_agent() {
    let claimed = Claimed::Agent {
        id: AgentId::parse("n").unwrap(),
        blueprint: BlueprintId::parse("b").ok(),
        subject: Subject::Agent,
    };
    let (caller, _) = classify(&claimed, &directory()).unwrap();
    assert!(caller.agent().unwrap().blueprint_entry.is_some());
}

#[test]
fn a_blueprint_is_no_agent_and_comes_with_its_entry() {
    for (subject, client, known) in [
        ("bp", "b", true),
        ("bp", "", true),
        ("h", "b", true),
        ("h", "bp", false),
        ("h", "c", false),
    ] {
        let claimed = Claimed::Unmarked {
            subject: ObjectId::parse(subject).unwrap(),
            client: AppId::parse(client).ok(),
            app_only: false,
        };
        let (caller, _) = classify(&claimed, &directory()).unwrap();
        match caller {
            Caller::NotAgent(nobody) => {
                assert_eq!(
                    nobody.blueprint_entry.is_some(),
                    known,
                    "{subject} {client}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
