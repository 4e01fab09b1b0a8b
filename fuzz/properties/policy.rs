//! What holds of the readers of policies, rules and named locations, whatever the bytes. The fuzz targets look for bytes
//! that break it; `tests/it/fuzz_policy.rs` replays the corpora.

use boomgate::policy::filter::FilterRule;
use boomgate::policy::locations::{self, OwnRanges};
use boomgate::policy::read::read;
use boomgate::policy::{
    AgentFacts, AnalysisReason, Facts, HumanFacts, NamedLocations, OnUnsupported, PolicySet,
    PolicyState, ResourceFacts, SessionFacts, Subject, WorkloadFacts, check_set,
};
use boomgate::types::{Attributes, Fact, RiskLevel, Timestamp};

/// A policy that is read comes back from its own JSON as the same; one that is not understood is never enforced; and any
/// that is read can be judged, in which the index finds what a look at each would.
pub fn policies(data: &[u8]) {
    let (policies, faults) = read("p.json", data, OnUnsupported::ReportOnly);
    for policy in &policies {
        assert!(policy.is_understood() || policy.state != PolicyState::Enabled);
        assert!(policy.is_understood() || !faults.is_empty());
        let written = serde_json::to_vec(&policy.source).expect("JSON is written");
        let (again, _) = read("p.json", &written, OnUnsupported::ReportOnly);
        let [again] = again.as_slice() else {
            panic!("one policy is written, {} are read", again.len());
        };
        assert_eq!(policy.id, again.id);
        assert_eq!(policy.state, again.state);
        assert_eq!(policy.conditions, again.conditions);
        assert_eq!(policy.grant_controls, again.grant_controls);
        assert_eq!(policy.source, again.source);
    }
    let locations = NamedLocations::default();
    assert!(
        check_set(&policies, &locations)
            .iter()
            .all(|fault| fault.line > 0)
    );
    let set = PolicySet::compile(policies, &locations);
    for subject in subjects() {
        let facts = facts(subject);
        let evaluation = set.evaluate(&facts);
        let all = set.evaluate_all(&facts);
        for (policy, result) in set.iter().zip(&all) {
            assert!(!AnalysisReason::of(policy, result).as_str().is_empty());
        }
        let applied: Vec<_> = all
            .into_iter()
            .filter(|one| one.outcome.applied())
            .collect();
        assert_eq!(evaluation.applied, applied);
    }
}

fn subjects() -> [Subject<'static>; 3] {
    static NONE: Attributes = Attributes::NONE;
    let agent = AgentFacts {
        id: "a9a9a9a9-0000-4000-8000-000000000002",
        blueprint_app_id: Some("b1b1b1b1-0000-4000-8000-000000000001"),
        blueprint_principal_id: None,
        attributes: &NONE,
        risk: Fact::Known(RiskLevel::High),
    };
    let human = HumanFacts::unknown(Fact::Known("d4d4d4d4-0000-4000-8000-000000000004"));
    [
        Subject::AgentIdentity(agent),
        Subject::OnBehalfOf { human, agent },
        Subject::Workload(WorkloadFacts::unknown(
            "aaaa0000-0000-4000-8000-000000000001",
        )),
    ]
}

fn facts(subject: Subject<'static>) -> Facts<'static> {
    Facts {
        subject,
        resource: ResourceFacts {
            app_id: Fact::Known("e5e5e5e5-0000-4000-8000-000000000005"),
            attributes: Fact::Unknown,
            is_agent: Fact::Known(true),
            authentication_contexts: &[],
        },
        session: SessionFacts::UNKNOWN,
        now: Timestamp::from_seconds(1_790_000_000),
        entra_parity: false,
    }
}

/// A rule that parses prints as one that parses to the same, and can be asked of anything.
pub fn filter_rules(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for parse in [FilterRule::parse, FilterRule::parse_device] {
        if let Ok(rule) = parse(text) {
            let printed = rule.to_string();
            // What is printed may be longer than a rule may be: quotes of Booleans, hyphens that were left out.
            if printed.chars().count() <= boomgate::policy::filter::MAX_RULE_CHARS {
                assert_eq!(parse(&printed).as_ref(), Ok(&rule), "{printed}");
            }
            std::hint::black_box(rule.matches(&Attributes::NONE));
        }
    }
}

/// Locations that are read without an error can be compiled, and an address is in those whose ranges hold it.
pub fn named_locations(data: &[u8]) {
    let (read, faults) = locations::read("l.json", data);
    if faults.has_errors() {
        return;
    }
    let (compiled, _) = NamedLocations::compile(read.clone(), &OwnRanges::default());
    for text in [
        "198.51.100.7",
        "0.0.0.0",
        "255.255.255.255",
        "2001:db8::1",
        "::",
    ] {
        let address = text.parse().expect("an address");
        let session = SessionFacts {
            address: Fact::Known(address),
            ..SessionFacts::UNKNOWN
        };
        let found = compiled
            .of_session(&session)
            .filter(|one| is_in(one, address));
        let by_table = found.count();
        let one_by_one = read.iter().filter(|one| is_in(one, address)).count();
        assert_eq!(by_table, one_by_one, "{text}");
    }
}

fn is_in(location: &locations::NamedLocation, address: std::net::IpAddr) -> bool {
    match &location.place {
        locations::Place::Ip(ranges) => ranges.iter().any(|range| range.contains(address)),
        _ => false,
    }
}
