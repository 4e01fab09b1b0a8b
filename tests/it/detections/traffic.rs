//! Labelled traffic: agents of several kinds with their rhythms and mishaps, and attackers among them.
//!
//! The same seed gives the same traffic. Nothing here knows what a detector looks for.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use boomgate::detection::{Answer, Call, Doer, Fate, Mark};
use boomgate::risk::RiskSubject;
use boomgate::types::Timestamp;

use super::agents::{Agent, Habit, Origin};
use super::attacks::{Attack, Episode};

/// Monday, 2026-08-03T00:00:00Z.
pub(crate) const START: i64 = 1_785_715_200;

/// Numbers that look random and are not (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high - low) + 1;
        low + u32::try_from(self.next() % span).unwrap()
    }

    /// True so many times out of a thousand.
    pub(crate) fn chance(&mut self, permille: u32) -> bool {
        self.between(0, 999) < permille
    }
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Call(Call),
    Answer(Answer),
}

/// One call that an agent is about to make.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// Seconds after the hour.
    pub(crate) second: u32,
    pub(crate) resource: u32,
    /// Which of the things of the resource.
    pub(crate) target: u32,
    pub(crate) status: u16,
    /// Whether policy lets it through.
    pub(crate) fate: Fate,
    pub(crate) origin: Origin,
    pub(crate) token: u64,
}

/// How much traffic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Agents of each habit that nobody attacks.
    pub(crate) normal: usize,
    /// Attacks of each pattern.
    pub(crate) attacks: usize,
    /// Attacks begin after the 21st day.
    pub(crate) days: u32,
}

/// All agents, and what will happen to them.
#[derive(Debug)]
pub(crate) struct World {
    agents: Vec<Agent>,
    pub(crate) episodes: Vec<Episode>,
    hours: u32,
    /// How many agents are never attacked.
    pub(crate) normal: usize,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let mut rng = Rng::new(plan.seed);
        let mut agents = Vec::new();
        for habit in Habit::ALL {
            for _ in 0..plan.normal {
                agents.push(Agent::new(agents.len(), habit, &mut rng));
            }
        }
        let normal = agents.len();
        let mut episodes = Vec::new();
        for attack in Attack::ALL {
            for _ in 0..plan.attacks {
                let habit = attack.victim(&mut rng);
                let mut victim = Agent::new(agents.len(), habit, &mut rng);
                let episode = Episode::new(agents.len(), attack, &victim, plan.days, &mut rng);
                if attack == Attack::RogueNewcomer {
                    victim.begins = episode.from_hour;
                }
                episodes.push(episode);
                agents.push(victim);
            }
        }
        Self {
            agents,
            episodes,
            hours: plan.days * 24,
            normal,
        }
    }

    /// Lets it all happen, hour by hour.
    pub(crate) fn run(&mut self, mut happens: impl FnMut(usize, Event)) {
        for hour in 0..self.hours {
            for (number, agent) in self.agents.iter_mut().enumerate() {
                if hour < agent.begins {
                    continue;
                }
                let mut wishes = agent.hour(hour);
                let attacks = self.episodes.iter().filter(|of| of.agent == number);
                for episode in attacks.filter(|of| (of.from_hour..=of.until_hour).contains(&hour)) {
                    wishes.extend(episode.hour(hour, agent));
                }
                wishes.sort_by_key(|wish| wish.second);
                for wish in wishes {
                    let (call, answer) = agent.act(hour, &wish);
                    happens(number, Event::Call(call));
                    if let Some(answer) = answer {
                        happens(number, Event::Answer(answer));
                    }
                }
            }
        }
    }

    /// The id of an agent.
    pub(crate) fn id(&self, agent: usize) -> &Arc<str> {
        &self.agents[agent].id
    }

    /// On how many days the agents that nobody attacks were there.
    pub(crate) fn normal_days(&self) -> u32 {
        u32::try_from(self.normal).unwrap() * self.hours / 24
    }
}

impl Agent {
    /// What the gateway sees of a call, and of its answer.
    fn act(&self, hour: u32, wish: &Wish) -> (Call, Option<Answer>) {
        let seconds = START + i64::from(hour) * 3_600 + i64::from(wish.second);
        let at = Timestamp::from_seconds(seconds);
        let doer = Doer {
            agent: Arc::clone(&self.id),
            subject: self.subject(),
            on_behalf: false,
        };
        let target = Mark::of(&[&wish.resource.to_be_bytes(), &wish.target.to_be_bytes()]);
        let [.., a, b, c] = wish.origin.network.to_be_bytes();
        let call = Call {
            doer: doer.clone(),
            at,
            blueprint: Some(Arc::clone(&self.blueprint)),
            resource: format!("api-{}", wish.resource).into(),
            target,
            token: Some(Mark::of(&[&wish.token.to_be_bytes()])),
            address: IpAddr::V4(Ipv4Addr::new(10 + a, b, c, wish.origin.host)),
            client: Mark::of(&[&wish.origin.client.to_be_bytes()]),
            tls: Some(Mark::of(&[b"tls", &wish.origin.client.to_be_bytes()])),
            fate: wish.fate,
            id: None,
        };
        let answer = (wish.fate == Fate::Forwarded).then_some(Answer {
            doer,
            at,
            target,
            status: wish.status,
            id: None,
        });
        (call, answer)
    }

    fn subject(&self) -> RiskSubject {
        match self.habit {
            Habit::Person => RiskSubject::AgentUser,
            _ => RiskSubject::AgentIdentity,
        }
    }
}
