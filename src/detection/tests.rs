//! Each rule by an agent that keeps to its habits, and then does one thing that it should not.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::types::RiskLevel;

/// A Monday, 00:00 UTC.
const MONDAY: i64 = 1_785_715_200;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// An agent with office hours: 30 calls in each, to ten things of one resource, for four weeks.
struct Office {
    detector: Detector,
    now: i64,
}

impl Office {
    fn new() -> Self {
        Self::with(DetectionSettings::default(), 28)
    }

    fn with(settings: DetectionSettings, days: i64) -> Self {
        let mut office = Self {
            detector: Detector::new(settings),
            now: MONDAY,
        };
        for day in (0..days).filter(|day| day % 7 < 5) {
            for hour in 9..17 {
                for minute in 0..30 {
                    office.now = MONDAY + day * DAY + hour * HOUR + minute * 120;
                    let found = office.call(|_| {});
                    assert_eq!(found, [], "day {day}");
                }
            }
        }
        office.now = MONDAY + days * DAY + 10 * HOUR;
        office
    }

    fn usual(&self) -> Call {
        Call {
            doer: Doer {
                agent: "a".into(),
                subject: RiskSubject::AgentIdentity,
                on_behalf: false,
            },
            at: Timestamp::from_seconds(self.now),
            blueprint: Some("b".into()),
            resource: "hr".into(),
            target: Mark::of(&[&(self.now / 120 % 10).to_be_bytes()]),
            token: Some(Mark::of(&[&(self.now / HOUR).to_be_bytes()])),
            address: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
            client: Mark::of(&[b"agent/1"]),
            tls: Some(Mark::of(&[b"its library"])),
            fate: Fate::Forwarded,
            id: None,
        }
    }

    /// A call that differs in something, answered with 200.
    fn call(&mut self, change: impl FnOnce(&mut Call)) -> Vec<Kind> {
        self.call_answered(change, 200)
    }

    fn call_answered(&mut self, change: impl FnOnce(&mut Call), status: u16) -> Vec<Kind> {
        let mut call = self.usual();
        change(&mut call);
        let mut found = self.detector.called(&call);
        if call.fate == Fate::Forwarded {
            found.extend(self.detector.answered(&Answer {
                doer: call.doer.clone(),
                at: call.at,
                target: call.target,
                status,
                id: None,
            }));
        }
        assert!(found.iter().all(|finding| !finding.evidence.is_empty()));
        self.now += 1;
        found.into_iter().map(|finding| finding.kind).collect()
    }

    /// All that was found in so many calls.
    fn calls(&mut self, count: u32, change: impl Fn(u32, &mut Call), status: u16) -> Vec<Kind> {
        let calls = 0..count;
        calls
            .flat_map(|n| self.call_answered(|call| change(n, call), status))
            .collect()
    }
}

fn elsewhere(call: &mut Call) {
    call.address = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
}

fn by_another_client(call: &mut Call) {
    call.client = Mark::of(&[b"curl"]);
}

fn mark(n: u32) -> Mark {
    Mark::of(&[b"new", &n.to_be_bytes()])
}

#[test]
fn a_copied_token_is_found_at_its_first_use_elsewhere_by_another_client() {
    let mut office = Office::new();
    assert_eq!(office.call(|_| {}), []);
    let stolen = office.call(|call| {
        elsewhere(call);
        by_another_client(call);
    });
    assert_eq!(stolen, [Kind::TokenReplay]);
    assert_eq!(office.call(by_another_client), [], "once an hour");
}

#[test]
fn a_new_version_or_a_move_comes_with_a_new_token_and_is_none() {
    let mut office = Office::new();
    let moved = |n: u32, call: &mut Call| {
        elsewhere(call);
        by_another_client(call);
        call.token = Some(mark(n / 10));
    };
    assert_eq!(office.calls(30, moved, 200), []);
    // The old replica goes on beside it.
    assert_eq!(office.calls(30, |_, _| {}, 200), []);
}

#[test]
fn a_token_that_goes_to_and_fro_is_found_after_some_moves_and_where_replicas_share_tokens_never() {
    let mut office = Office::new();
    let to_and_fro = |n: u32, call: &mut Call| {
        if n % 2 == 1 {
            elsewhere(call);
        }
    };
    assert_eq!(office.calls(4, to_and_fro, 200), []);
    assert_eq!(office.calls(4, to_and_fro, 200), [Kind::TokenReplay]);

    let mut shared = Office::with(DetectionSettings::default(), 5);
    assert_eq!(shared.calls(20, to_and_fro, 200), [], "it is still learned");
    let mut later = |days: i64| {
        shared.now += days * DAY;
        shared.calls(20, to_and_fro, 200)
    };
    assert_eq!(later(7), []);
    assert_eq!(later(7), []);
}

#[test]
fn a_client_of_the_same_name_that_begins_tls_otherwise_is_another_one() {
    let with_another_library = |call: &mut Call| call.tls = Some(Mark::of(&[b"another library"]));
    let mut office = Office::new();
    assert_eq!(office.call(|_| {}), []);
    let unknown = office.call(|call| {
        elsewhere(call);
        call.tls = None;
    });
    assert_eq!(unknown, []);
    let stolen = office.call(|call| {
        elsewhere(call);
        with_another_library(call);
    });
    assert_eq!(stolen, [Kind::TokenReplay]);

    // Beside it, on the same machine: once it may be another version.
    let to_and_fro = |n: u32, call: &mut Call| {
        if n % 2 == 1 {
            with_another_library(call);
        }
    };
    let mut office = Office::new();
    assert_eq!(office.calls(4, to_and_fro, 200), []);
    assert_eq!(office.calls(4, to_and_fro, 200), [Kind::TokenReplay]);

    let settings = DetectionSettings {
        tls_threshold: 0,
        ..DetectionSettings::default()
    };
    let mut off = Office::with(settings, 14);
    assert_eq!(off.calls(8, to_and_fro, 200), []);

    // What it has several of while it is learned is its own.
    let mut both = Office::with(DetectionSettings::default(), 5);
    assert_eq!(both.calls(20, to_and_fro, 200), [], "it is still learned");
    both.now += 7 * DAY;
    assert_eq!(both.calls(20, to_and_fro, 200), []);
}

#[test]
fn a_human_behind_an_agent_leaves_no_habits_but_a_copied_token_is_found() {
    let mut office = Office::new();
    let for_a_human = |n: u32, call: &mut Call| {
        call.doer.on_behalf = true;
        call.target = mark(n);
        call.resource = format!("api-{}", n % 7).into();
    };
    assert_eq!(office.calls(500, for_a_human, 404), []);
    let copied = office.call(|call| {
        call.doer.on_behalf = true;
        elsewhere(call);
        by_another_client(call);
    });
    assert_eq!(copied, [Kind::TokenReplay]);
}

#[test]
fn a_new_resource_is_found_when_it_is_used_in_earnest_and_not_when_it_is_tried() {
    let finance = |_: u32, call: &mut Call| call.resource = "finance".into();
    let mut office = Office::new();
    assert_eq!(office.calls(23, finance, 200), []);
    assert_eq!(
        office.calls(5, finance, 200),
        [Kind::UnfamiliarResourceAccess]
    );

    let mut slow = Office::new();
    for _ in 0..30 {
        assert_eq!(slow.calls(10, finance, 200), []);
        slow.now += HOUR;
    }
    assert_eq!(slow.calls(100, finance, 200), [], "by now it is usual");
}

#[test]
fn what_one_agent_of_a_blueprint_is_used_to_is_no_news_of_another() {
    let mut office = Office::new();
    let mut sibling = office.usual();
    sibling.doer.agent = "sibling".into();
    sibling.resource = "finance".into();
    for n in 0..20_000 {
        sibling.at = Timestamp::from_seconds(MONDAY + n * 100);
        drop(office.detector.called(&sibling));
    }
    let finance = |_: u32, call: &mut Call| call.resource = "finance".into();
    assert_eq!(office.calls(100, finance, 200), []);
}

#[test]
fn many_times_the_usual_calls_are_a_spike() {
    let mut office = Office::new();
    // Five times thirty, and not fewer than two hundred; up to an eighth more is held to be usual.
    assert_eq!(office.calls(190, |_, _| {}, 200), []);
    assert_eq!(office.calls(40, |_, _| {}, 200), [Kind::SignInSpike]);
}

#[test]
fn asking_for_what_is_not_there_is_reconnaissance_and_asking_again_is_none() {
    let mut office = Office::new();
    assert_eq!(office.calls(100, |_, call| call.target = mark(0), 404), []);
    let found = office.calls(40, |n, call| call.target = mark(n), 404);
    assert_eq!(found, [Kind::Reconnaissance]);
    office.now += HOUR;
    let found = office.calls(100, |n, call| call.target = mark(1_000 + n), 200);
    assert_eq!(
        found,
        [Kind::Reconnaissance],
        "things that are there, by the dozen"
    );
}

#[test]
fn attempts_at_what_it_may_not_reach_are_found_and_rights_that_were_lost_are_none() {
    let mut office = Office::new();
    let lost = |_: u32, call: &mut Call| call.fate = Fate::Refused;
    assert_eq!(office.calls(100, lost, 200), []);
    let withheld = |n: u32, call: &mut Call| {
        call.target = mark(n);
        call.fate = Fate::Withheld;
    };
    assert_eq!(
        office.calls(50, withheld, 200),
        [],
        "its own effect proves nothing"
    );
    let tried = |n: u32, call: &mut Call| {
        call.target = mark(n);
        call.fate = Fate::Refused;
    };
    assert_eq!(office.calls(10, tried, 200), [Kind::FailedAccessAttempt]);
}

#[test]
fn work_at_night_is_found_of_an_agent_that_has_hours() {
    let mut office = Office::new();
    office.now += 16 * HOUR;
    assert_eq!(office.calls(19, |_, _| {}, 200), []);
    assert_eq!(office.calls(2, |_, _| {}, 200), [Kind::OffHoursActivity]);
}

#[test]
fn a_newcomer_is_told_by_several_patterns_at_once_and_by_one_never() {
    let new = || Office::with(DetectionSettings::default(), 0);
    let missing = |n: u32, call: &mut Call| call.target = mark(n);
    let refused = |n: u32, call: &mut Call| {
        call.target = mark(n);
        call.fate = Fate::Refused;
    };
    assert_eq!(new().calls(50, missing, 404), []);
    assert_eq!(new().calls(50, refused, 200), []);
    let mut both = new();
    assert_eq!(both.calls(30, missing, 404), []);
    assert_eq!(
        both.calls(30, refused, 200),
        [Kind::EarlyLifeMaliciousActivity]
    );
}

#[test]
fn what_is_off_is_not_looked_for() {
    let off = Kind::ALL
        .into_iter()
        .fold(DetectionSettings::default(), |settings, kind| {
            settings.with(
                kind,
                Rule {
                    mode: Mode::Off,
                    level: RiskLevel::Low,
                    ..Rule::default_of(kind)
                },
            )
        });
    let mut office = Office::with(off, 28);
    let strange = |n: u32, call: &mut Call| {
        call.target = mark(n);
        elsewhere(call);
        by_another_client(call);
        call.resource = "finance".into();
    };
    assert_eq!(office.calls(1_000, strange, 404), []);
}
