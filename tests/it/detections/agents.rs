//! Agents that nobody attacks: when they work, what they reach, and what goes wrong with them all the same.

use std::sync::Arc;

use boomgate::detection::Fate;

use super::traffic::{Rng, Wish};

/// How an agent spends its week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// With its people: Monday to Friday, in working hours.
    Office,
    /// A job every night, a larger one on Sundays; late now and then, and run twice when it failed.
    Batch,
    /// Day and night, more by day.
    Service,
    /// Whenever something happens: short bursts at any hour.
    Events,
    /// Walks through everything that there is; some of it is gone.
    Crawler,
    /// An agent user: a few calls on working days, and on a Saturday now and then.
    Person,
}

impl Habit {
    pub(crate) const ALL: [Self; 6] = [
        Self::Office,
        Self::Batch,
        Self::Service,
        Self::Events,
        Self::Crawler,
        Self::Person,
    ];
}

/// From where and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) network: u32,
    pub(crate) host: u8,
    pub(crate) client: u32,
}

/// What goes wrong for a while.
#[derive(Debug, Clone, Copy)]
enum Mishap {
    /// Calls that are repeated because the thing is gone since the last deployment.
    Gone { targets: u32, until: u32 },
    /// Rights that a new version lacks.
    Forbidden { targets: u32, until: u32 },
    /// Rights to a whole resource that were taken away by mistake.
    Revoked { until: u32 },
}

/// One agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: Arc<str>,
    pub(crate) blueprint: Arc<str>,
    pub(crate) habit: Habit,
    /// The hour of its first call.
    pub(crate) begins: u32,
    rng: Rng,
    number: u32,
    rate: u32,
    start: u32,
    resources: Vec<u32>,
    targets: u32,
    /// A resource that it takes up, and in which hour; slowly.
    taken_up: Option<(u32, u32)>,
    replicas: Vec<Origin>,
    shares_tokens: bool,
    version: u32,
    deploys: u32,
    mishap: Option<Mishap>,
}

/// Agents of one blueprint.
const KIN: usize = 5;

impl Agent {
    pub(crate) fn new(number: usize, habit: Habit, rng: &mut Rng) -> Self {
        let number = u32::try_from(number).unwrap();
        let blueprint = number / u32::try_from(KIN).unwrap();
        let mut own = Rng::new(u64::from(rng.between(0, u32::MAX - 1)));
        let replicas = match habit {
            Habit::Service => own.between(1, 3),
            Habit::Crawler => own.between(1, 2),
            _ => 1,
        };
        let client = 1_000 + blueprint;
        let origins = (0..replicas).map(|replica| Origin {
            // Replicas may be in several zones, and each may leave by several addresses of its own.
            network: number * 4 + replica % 2,
            host: u8::try_from(10 + replica).unwrap(),
            client,
        });
        let count = own.between(1, 4);
        let base = blueprint * 10;
        Self {
            id: format!("a9a9a9a9-0000-4000-8000-{number:012}").into(),
            blueprint: format!("b1b1b1b1-0000-4000-8000-{blueprint:012}").into(),
            habit,
            begins: 0,
            number,
            rate: match habit {
                Habit::Office => own.between(10, 60),
                Habit::Batch => own.between(150, 900),
                Habit::Service => own.between(10, 50),
                Habit::Events => own.between(15, 90),
                Habit::Crawler => own.between(20, 60),
                Habit::Person => own.between(3, 15),
            },
            start: match habit {
                Habit::Office | Habit::Person => own.between(5, 10),
                _ => own.between(0, 5),
            },
            resources: (0..count).map(|n| base + n).collect(),
            targets: match habit {
                Habit::Crawler => 150,
                _ => own.between(6, 25),
            },
            // One of three takes up a resource at some time, all of a blueprint the same one.
            taken_up: blueprint
                .is_multiple_of(3)
                .then(|| (base + 9, 24 * own.between(12, 40))),
            replicas: origins.collect(),
            shares_tokens: own.chance(500),
            version: 0,
            deploys: 24 * own.between(4, 14),
            mishap: None,
            rng: own,
        }
    }

    /// A resource that it uses now.
    pub(crate) fn resource(&mut self) -> u32 {
        let at = self
            .rng
            .between(0, u32::try_from(self.resources.len() - 1).unwrap());
        self.resources[usize::try_from(at).unwrap()]
    }

    /// How many calls it makes in an hour at work.
    pub(crate) const fn rate(&self) -> u32 {
        self.rate
    }

    /// How many things it asks for in each resource.
    pub(crate) const fn targets(&self) -> u32 {
        self.targets
    }

    /// Where it works.
    pub(crate) fn home(&self) -> Origin {
        self.replicas[0]
    }

    /// The token that is valid at this time.
    pub(crate) fn token(&self, hour: u32, replica: u32) -> u64 {
        let replica = if self.shares_tokens { 0 } else { replica };
        u64::from(self.number) << 40 | u64::from(replica) << 32 | u64::from(hour)
    }

    /// All that it does in an hour.
    pub(crate) fn hour(&mut self, hour: u32) -> Vec<Wish> {
        self.deploy(hour);
        let (day, clock) = (hour / 24 % 7, hour % 24);
        let is_working_day = day < 5;
        let at_work = (self.start..self.start + 9).contains(&clock);
        let noise = self.rng.between(60, 140);
        let mut calls = self.rate * noise / 100;
        calls = match self.habit {
            Habit::Office if is_working_day && at_work => calls,
            // Someone stays late, or starts early.
            Habit::Office
                if is_working_day && (clock + 1 == self.start || clock == self.start + 9) =>
            {
                if self.rng.chance(150) { calls / 3 } else { 0 }
            }
            Habit::Person if is_working_day && at_work => {
                if self.rng.chance(600) {
                    calls
                } else {
                    0
                }
            }
            Habit::Person if day == 5 && clock == self.start + 2 => {
                if self.rng.chance(120) {
                    calls
                } else {
                    0
                }
            }
            Habit::Batch => self.batch(day, clock, calls),
            Habit::Service => calls * if (7..19).contains(&clock) { 3 } else { 1 } / 2,
            Habit::Events => {
                if self.rng.chance(90) {
                    calls * self.rng.between(1, 6)
                } else {
                    0
                }
            }
            Habit::Crawler => calls,
            Habit::Office | Habit::Person => 0,
        };
        let mut wishes: Vec<_> = (0..calls).map(|_| self.usual_call(hour)).collect();
        self.take_up(hour, calls, &mut wishes);
        self.suffer(hour, calls, &mut wishes);
        wishes
    }

    /// The nightly job: on time, or an hour late; larger on Sundays, and once more where it failed.
    fn batch(&mut self, day: u32, clock: u32, calls: u32) -> u32 {
        let late = u32::from((self.number + day).is_multiple_of(11));
        let calls = if day == 6 { calls * 3 } else { calls };
        let is_due = clock == self.start + late;
        let is_again = clock == self.start + late + 1 && self.rng.chance(100);
        if is_due || is_again { calls } else { 0 }
    }

    fn usual_call(&mut self, hour: u32) -> Wish {
        let replica = self
            .rng
            .between(0, u32::try_from(self.replicas.len() - 1).unwrap());
        let resource = self.resource();
        // Some things are asked for often, others rarely; some were deleted meanwhile.
        let rare = self.rng.chance(200);
        let most = if rare {
            self.targets
        } else {
            self.targets.div_ceil(3)
        };
        let target = self.rng.between(0, most - 1) + self.version * 3;
        let gone = if self.habit == Habit::Crawler { 15 } else { 4 };
        Wish {
            second: self.rng.between(0, 3_599),
            resource,
            target,
            status: if self.rng.chance(gone) {
                404
            } else if self.rng.chance(3) {
                500
            } else {
                200
            },
            fate: Fate::Forwarded,
            origin: self.replicas[usize::try_from(replica).unwrap()],
            token: self.token(hour, replica),
        }
    }

    /// Every week or two there is a new version: a new client, some new things, from another network now and then.
    fn deploy(&mut self, hour: u32) {
        if hour < self.deploys {
            return;
        }
        self.deploys = hour + 24 * self.rng.between(5, 16);
        self.version += 1;
        let moves = self.rng.chance(150);
        for replica in &mut self.replicas {
            replica.client += 100_000;
            if moves {
                replica.network = (replica.network & !3) + 2 + (replica.network & 1);
            }
        }
        let until = hour + self.rng.between(1, 6);
        let targets = self.rng.between(1, 4);
        self.mishap = match self.rng.between(0, 9) {
            0..=2 => Some(Mishap::Gone { targets, until }),
            3 => Some(Mishap::Forbidden {
                targets: targets.min(3),
                until,
            }),
            4 => Some(Mishap::Revoked { until }),
            _ => None,
        };
    }

    /// A new resource is tried out, then used more every day.
    fn take_up(&mut self, hour: u32, calls: u32, wishes: &mut Vec<Wish>) {
        let Some((resource, since)) = self.taken_up.filter(|(_, since)| hour >= *since) else {
            return;
        };
        let days = (hour - since) / 24;
        if days > 6 {
            self.resources.push(resource);
            self.taken_up = None;
            return;
        }
        // On its first day a handful of calls.
        let permille = if days == 0 { 60 } else { 50 + 60 * days };
        let most = if days == 0 { 1 } else { calls };
        for _ in 0..calls.min(most) {
            if self.rng.chance(permille) {
                let target = self.rng.between(0, 3);
                let wish = self.usual_call(hour);
                wishes.push(Wish {
                    resource,
                    target,
                    status: 200,
                    ..wish
                });
            }
        }
    }

    /// A program that repeats what fails.
    fn suffer(&mut self, hour: u32, calls: u32, wishes: &mut Vec<Wish>) {
        let Some(mishap) = self.mishap else { return };
        let (targets, until) = match mishap {
            Mishap::Gone { targets, until } | Mishap::Forbidden { targets, until } => {
                (targets, until)
            }
            Mishap::Revoked { until } => (1, until),
        };
        if hour > until {
            self.mishap = None;
            return;
        }
        for _ in 0..calls.min(300) {
            let wish = self.usual_call(hour);
            let one = self.rng.between(0, targets - 1);
            let (target, status) = match mishap {
                Mishap::Gone { .. } => (10_000 + self.version * 10 + one, 404),
                Mishap::Forbidden { .. } => (20_000 + self.version * 10 + one, 403),
                Mishap::Revoked { .. } => (wish.target, 403),
            };
            let resource = self.resources[0];
            wishes.push(Wish {
                resource,
                target,
                status,
                ..wish
            });
        }
    }
}
