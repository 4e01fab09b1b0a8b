use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::identity::classify::tests::directory;
use crate::identity::profile::{AccountKind, Subject};
use crate::types::{AgentId, AgentUserId, AppId, BlueprintId, ObjectId};

/// Ids of all kinds, known and unknown, each where it may be and where it contradicts the directory.
fn id() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["a", "x", "n", "u", "k", "s", "b", "bp", "w"])
}

fn claimed() -> impl Strategy<Value = Claimed> {
    let says = proptest::option::of(prop_oneof![
        Just(AccountKind::Human),
        Just(AccountKind::Workload)
    ]);
    prop_oneof![
        (id(), proptest::option::of(id()), 0..3, id()).prop_map(
            |(id, blueprint, kind, subject)| {
                Claimed::Agent {
                    id: AgentId::parse(id).unwrap(),
                    blueprint: blueprint.map(|id| BlueprintId::parse(id).unwrap()),
                    subject: match kind {
                        0 => Subject::Agent,
                        1 => Subject::AgentUser(AgentUserId::parse(subject).unwrap()),
                        _ => Subject::Unmarked(ObjectId::parse(subject).unwrap()),
                    },
                }
            }
        ),
        (id(), proptest::option::of(id()), says).prop_map(|(subject, client, says)| {
            Claimed::Unmarked {
                subject: ObjectId::parse(subject).unwrap(),
                client: client.map(|id| AppId::parse(id).unwrap()),
                says,
                looks_like: AccountKind::Human,
            }
        }),
    ]
}

fn in_words(result: &Result<(impl AsRef<Caller>, Recognition), Reason>) -> String {
    match result {
        Ok((caller, recognition)) => format!("{:?} by {recognition:?}", caller.as_ref()),
        Err(reason) => format!("{reason:?}"),
    }
}

proptest! {
    /// What is kept makes no difference to what is found, whatever directory comes after which. Those that were let go of
    /// leave their place in memory to the next.
    #[test]
    fn is_what_the_directory_says_that_there_is_now(
        claimed in claimed(), known in proptest::collection::vec((any::<bool>(), 1..3), 1..6),
    ) {
        let last = LastKnown::default();
        for (knows, calls) in known {
            let now = Arc::new(if knows { directory() } else { Directory::default() });
            let plain = classify(&claimed, &now).map(|(caller, by)| (Arc::new(caller), by));
            for _ in 0..calls {
                prop_assert_eq!(in_words(&last.caller(&claimed, &now)), in_words(&plain));
            }
        }
    }
}

/// The directory's agent identity `a`, by its own token.
fn agent() -> Claimed {
    Claimed::Agent {
        id: AgentId::parse("a").unwrap(),
        blueprint: None,
        subject: Subject::Agent,
    }
}

#[test]
fn the_directory_is_asked_once_and_its_entries_are_counted_once() {
    let (last, directory, claimed) = (LastKnown::default(), Arc::new(directory()), agent());
    let (first, _) = last.caller(&claimed, &directory).unwrap();
    let entry = first.agent().unwrap().entry.as_ref().unwrap();
    let references = Arc::strong_count(entry);
    let (second, _) = last.caller(&claimed, &directory).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(Arc::strong_count(entry), references);
}

#[test]
fn what_a_directory_said_does_not_keep_the_directory() {
    let (last, directory) = (LastKnown::default(), Arc::new(directory()));
    last.caller(&agent(), &directory).unwrap();
    assert_eq!(Arc::strong_count(&directory), 1);
}
