use super::*;
use crate::record::replay::NotReplayable;
use crate::record::tests::fixture::{Who, decided, line};

/// What the path tells of a call, and what its record does.
async fn both_ways(who: Who, risk: Option<RiskLevel>) -> (Option<Observed>, Option<Observed>) {
    let decided = decided(who, "/hr/people/4711", risk).await;
    let source = Source::of(&decided);
    let line = line(&source, false);
    let read = ObservedReader::default().read(&line).unwrap();
    (observe(&source).map(|(call, _)| call), read)
}

#[tokio::test]
async fn a_record_tells_the_same_of_a_call_as_the_path() {
    for who in Who::ALL {
        for risk in [None, Some(RiskLevel::High)] {
            let (seen, read) = both_ways(who, risk).await;
            assert_eq!(seen, read);
            let is_agent = !matches!(who, Who::Human | Who::Workload);
            assert_eq!(seen.is_some(), is_agent);
        }
    }
}

#[tokio::test]
async fn an_answer_belongs_to_the_call_that_it_names() {
    let decided = decided(Who::Autonomous, "/hr/people/4711", None).await;
    let source = Source::of(&decided);
    let mut reader = ObservedReader::default();
    let line = line(&source, false);
    let Some(Observed::Call(call)) = reader.read(&line).unwrap() else {
        panic!("no call");
    };
    assert_eq!(call.fate, Fate::Forwarded);
    let (_, unanswered) = observe(&source).unwrap();
    let id = source.context.id;
    let outcome = |result: &str| {
        format!(r#"{{"id":"{id}","boomgate":{{"outcome":{{"result":"{result}","status":404}}}}}}"#)
    };
    let read = reader.read(outcome("completed").as_bytes()).unwrap();
    assert_eq!(
        read,
        unanswered.map(|of| of.answered(StatusCode::NOT_FOUND))
    );
    let again = reader.read(outcome("completed").as_bytes()).unwrap();
    assert_eq!(again, None, "it is answered once");
}

#[test]
fn a_line_that_is_no_record_is_told_and_a_change_is_passed_over() {
    let mut reader = ObservedReader::default();
    assert!(reader.read(b"{").is_err());
    assert!(reader.read(br#"{"id": "x", "boomgate": {}}"#).is_err());
    let change = br#"{"id":"0199","boomgate":{"change":"begun"}}"#;
    assert_eq!(reader.read(change), Ok(None));
    let cut = br#"{"id":"01999f4e-0000-7000-8000-000000000001","appId":"a","boomgate":{"caller":"agent_identity"}}"#;
    assert_eq!(
        reader.read(cut),
        Err(NotReplayable::Incomplete("createdDateTime"))
    );
}
