use super::*;
use crate::identity::directory::{AgentIdentity, Blueprint, ServicePrincipal, User};
use crate::types::{AgentUserId, Attributes, PrincipalId};

/// A directory with the blueprint `b`, its agent identity `a`, whose agent user is `u`, and an agent identity `x`.
pub(in crate::identity) fn directory() -> Directory {
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
        vec![agent("a", Some("b")).into(), agent("x", None).into()],
        vec![user.into()],
    )
    .with_accounts(vec![human().into()], vec![principal().into()])
}

/// The human `k`.
fn human() -> User {
    User {
        id: ObjectId::parse("k").unwrap(),
        display_name: "k".into(),
        user_principal_name: None,
        enabled: true,
        groups: None,
        directory_roles: None,
        guest: None,
    }
}

/// The service principal `s` of the application `w`.
fn principal() -> ServicePrincipal {
    ServicePrincipal {
        id: ObjectId::parse("s").unwrap(),
        app_id: AppId::parse("w").ok(),
        display_name: "s".into(),
        enabled: true,
        owner_tenant: None,
        attributes: None,
    }
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
        says: app_only.then_some(AccountKind::Workload),
        looks_like: AccountKind::Human,
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
            says: None,
            looks_like: AccountKind::Human,
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
            says: None,
            looks_like: AccountKind::Human,
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

#[test]
fn who_is_no_agent_is_a_human_or_a_workload() {
    let (human, workload) = (AccountKind::Human, AccountKind::Workload);
    let account = |subject: &str, client: &str, says, looks_like| {
        let claimed = Claimed::Unmarked {
            subject: ObjectId::parse(subject).unwrap(),
            client: AppId::parse(client).ok(),
            says,
            looks_like,
        };
        match classify(&claimed, &directory())?.0 {
            Caller::NotAgent(caller) => Ok(match caller.account {
                Account::Unnamed => panic!("a token names its subject"),
                Account::Human(entry) => (human, entry.is_some()),
                Account::Workload(entry) => (workload, entry.is_some()),
            }),
            other => panic!("{other:?}"),
        }
    };
    // By the token's word, or by the looks.
    assert_eq!(account("h", "c", Some(human), workload), Ok((human, false)));
    assert_eq!(account("h", "c", None, workload), Ok((workload, false)));
    // The directory knows better than looks.
    assert_eq!(account("k", "c", None, workload), Ok((human, true)));
    assert_eq!(account("s", "c", None, human), Ok((workload, true)));
    // A workload's entry is found by its client too; a human with that client is none.
    assert_eq!(account("x2", "w", None, workload), Ok((workload, true)));
    assert_eq!(account("h", "w", None, human), Ok((human, false)));
    // The token must not contradict the directory.
    let refused = Err(Reason::TokenClaimsRefused);
    assert_eq!(account("k", "c", Some(workload), workload), refused);
    assert_eq!(account("s", "c", Some(human), human), refused);
    // Nor does an agent act for a workload; for a human that is known, it does.
    let acts_for = |id: &str| marked("a", Subject::Unmarked(ObjectId::parse(id).unwrap()));
    assert_eq!(acts_for("s"), Err(Reason::TokenClaimsRefused));
    assert!(acts_for("k").is_ok());
}
