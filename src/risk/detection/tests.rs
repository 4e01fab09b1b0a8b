use proptest::prelude::{Just, Strategy, prop, prop_assert_eq, proptest};

use super::*;

fn detection(number: usize, at: i64) -> RiskDetection {
    RiskDetection {
        id: format!("{number:08}").into(),
        identity_id: "a".into(),
        subject: RiskSubject::AgentIdentity,
        event_type: "signInSpike".into(),
        level: Some(RiskLevel::Medium),
        state: RiskState::AtRisk,
        detail: "none".into(),
        activity_at: Timestamp::from_seconds(at),
        detected_at: Timestamp::from_seconds(at),
        last_modified: Timestamp::from_seconds(at),
        timing: DetectionTiming::Offline,
        evidence: None,
        correlation_id: None,
        request_id: None,
        source: "management".into(),
    }
}

fn all(detections: impl IntoIterator<Item = RiskDetection>) -> Detections {
    let mut all = Detections::default();
    detections
        .into_iter()
        .for_each(|one| all.insert(Arc::new(one)));
    all
}

#[test]
fn the_oldest_are_forgotten_whatever_the_order() {
    let more = MAX_DETECTIONS + 5;
    let forwards = all((0..more).map(|number| detection(number, 1)));
    let backwards = all((0..more).rev().map(|number| detection(number, 1)));
    assert_eq!(forwards, backwards);
    assert_eq!(forwards.iter().count(), MAX_DETECTIONS);
    assert_eq!(forwards.get("00000004"), None);
    assert!(forwards.get("00000005").is_some());
}

proptest! {
    #[test]
    fn whatever_the_order_those_that_saw_the_same_agree(
        (one, other) in prop::collection::vec((0..4usize, 0..4i64), 0..12)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let table = |said: Vec<(usize, i64)>| all(said.into_iter().map(|(id, at)| detection(id, at)));
        prop_assert_eq!(table(one), table(other));
    }
}
