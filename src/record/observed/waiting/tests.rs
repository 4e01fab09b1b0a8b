//! What is told is looked at once, in the order of its thread, as far as there is room; nobody sleeps through it.

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use super::*;
use crate::detection::{Answer, Doer, Mark};
use crate::risk::RiskSubject;
use crate::telemetry::Metrics;
use crate::types::Timestamp;

const LONG: Duration = Duration::from_secs(20);

struct World {
    metrics: Arc<Metrics>,
    observations: Observations,
}

impl World {
    fn with_room(room: usize) -> Self {
        let metrics = Metrics::new().unwrap();
        let counters = metrics.detections().counters();
        let observations = Observations::new(room, &counters.taken, &counters.dropped);
        Self {
            metrics,
            observations,
        }
    }

    /// How many found a place, and how many did not.
    fn counted(&self) -> (usize, usize) {
        let text = self.metrics.encode();
        let of = |result: &str| {
            let series = format!("observations_total{{result=\"{result}\"}} ");
            let value = text.split(&series).nth(1).unwrap();
            value.lines().next().unwrap().parse().unwrap()
        };
        (of("taken"), of("dropped"))
    }
}

/// Something that `thread` tells.
fn of(thread: &str, number: u16) -> Observed {
    Observed::Answer(Answer {
        doer: Doer {
            agent: thread.into(),
            subject: RiskSubject::AgentIdentity,
            on_behalf: false,
        },
        at: Timestamp::default(),
        target: Mark::default(),
        status: number,
        id: None,
    })
}

/// All that waits: who told it, and the number.
fn look(looker: &mut Looker) -> Vec<(String, u16)> {
    let mut all = Vec::new();
    let looked = looker.each(|observed| {
        let Observed::Answer(answer) = observed else {
            panic!("{observed:?}");
        };
        all.push((answer.doer.agent.to_string(), answer.status));
        Some(())
    });
    assert!(looked.is_some());
    all
}

#[test]
fn what_finds_no_room_is_counted_and_passed_over_and_room_comes_back() {
    let world = World::with_room(150);
    let mut looker = world.observations.look();
    for round in 1..=3 {
        for number in 0..200 {
            world.observations.mine().tell(of("one", number));
        }
        let seen: Vec<_> = look(&mut looker).into_iter().map(|(_, n)| n).collect();
        assert_eq!(seen, (0..150).collect::<Vec<_>>());
        assert_eq!(world.counted(), (150 * round, 50 * round));
    }
}

#[test]
fn all_parts_together_have_no_more_room_than_there_is() {
    for room in [1, 2, 99, 1_000] {
        let world = World::with_room(room);
        let mut looker = world.observations.look();
        thread::scope(|scope| {
            for _ in 0..24 {
                scope.spawn(|| {
                    for number in 0..100 {
                        world.observations.mine().tell(of("one", number));
                    }
                });
            }
        });
        let seen = look(&mut looker).len();
        assert!(seen <= room && seen * 10 >= room * 8, "{seen} of {room}");
        assert_eq!(world.counted(), (seen, 2_400 - seen));
    }
}

#[test]
fn of_many_threads_each_comes_once_and_in_the_order_of_its_thread() {
    const THREADS: usize = 24;
    const EACH: u16 = 400;
    let world = World::with_room(100_000);
    let mut looker = world.observations.look();
    let (began, mut seen) = (Instant::now(), BTreeMap::<String, Vec<u16>>::new());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let observations = &world.observations;
            scope.spawn(move || {
                for number in 0..EACH {
                    let name = thread.to_string();
                    observations.mine().tell(of(&name, number));
                    if thread % 3 == 0 {
                        thread::park_timeout(Duration::from_micros(50));
                    }
                }
            });
        }
        while seen.values().map(Vec::len).sum::<usize>() < THREADS * usize::from(EACH) {
            assert!(began.elapsed() < LONG, "one was slept through");
            assert!(looker.wait(Duration::from_micros(100)));
            for (thread, number) in look(&mut looker) {
                seen.entry(thread).or_default().push(number);
            }
        }
    });
    assert_eq!(seen.len(), THREADS);
    for numbers in seen.values() {
        assert_eq!(*numbers, (0..EACH).collect::<Vec<_>>());
    }
}

#[test]
fn the_last_are_looked_at_before_the_end_and_later_ones_passed_over() {
    let world = World::with_room(10);
    let mut looker = world.observations.look();
    world.observations.mine().tell(of("one", 1));
    world.observations.finish();
    assert!(!looker.wait(LONG));
    assert_eq!(look(&mut looker), [("one".to_owned(), 1)]);
    drop(looker);
    world.observations.mine().tell(of("one", 2));
    assert_eq!(world.counted(), (1, 1));
}
