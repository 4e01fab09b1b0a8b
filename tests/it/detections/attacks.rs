//! What attackers do with an agent that they have got hold of, or have made.

use boomgate::detection::{Fate, Kind};

use super::agents::{Agent, Habit, Origin};
use super::traffic::{Rng, Wish};

/// Patterns of attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attack {
    /// A token is copied, and used from elsewhere beside the agent itself.
    StolenToken,
    /// The agent's own machine looks around for what there is.
    LookingAround,
    /// It tries what it may not.
    Forbidden,
    /// It takes data of a resource that it may reach and never does.
    NewResource,
    /// It takes all data that it can reach at once.
    Burst,
    /// It is used at night, slowly.
    NightWork,
    /// A new agent that was made for no good.
    RogueNewcomer,
}

impl Attack {
    pub(crate) const ALL: [Self; 7] = [
        Self::StolenToken,
        Self::LookingAround,
        Self::Forbidden,
        Self::NewResource,
        Self::Burst,
        Self::NightWork,
        Self::RogueNewcomer,
    ];

    /// What should be found.
    pub(crate) const fn expected(self) -> Kind {
        match self {
            Self::StolenToken => Kind::TokenReplay,
            Self::LookingAround => Kind::Reconnaissance,
            Self::Forbidden => Kind::FailedAccessAttempt,
            Self::NewResource => Kind::UnfamiliarResourceAccess,
            Self::Burst => Kind::SignInSpike,
            Self::NightWork => Kind::OffHoursActivity,
            Self::RogueNewcomer => Kind::EarlyLifeMaliciousActivity,
        }
    }

    /// Whose agent it is done with.
    pub(crate) fn victim(self, rng: &mut Rng) -> Habit {
        match self {
            // Whoever works by day can be seen at night, and a token is copied where it is used.
            Self::NightWork | Self::StolenToken if rng.chance(500) => Habit::Office,
            Self::NightWork => Habit::Person,
            Self::StolenToken => Habit::Service,
            _ => Habit::ALL[usize::try_from(rng.between(0, 5)).unwrap()],
        }
    }
}

/// One attack.
#[derive(Debug, Clone)]
pub(crate) struct Episode {
    pub(crate) agent: usize,
    pub(crate) attack: Attack,
    pub(crate) from_hour: u32,
    /// The last hour of it.
    pub(crate) until_hour: u32,
    /// How much is done in an hour.
    strength: u32,
    seed: u64,
}

impl Episode {
    pub(crate) fn new(
        agent: usize,
        attack: Attack,
        victim: &Agent,
        days: u32,
        rng: &mut Rng,
    ) -> Self {
        let day = rng.between(21, days - 2);
        // On a Tuesday, Wednesday or Thursday.
        let day = day - day % 7 + 1 + day % 3;
        let clock = match attack {
            Attack::NightWork => rng.between(0, 2),
            _ => rng.between(11, 16),
        };
        let from_hour = day * 24 + clock;
        let strength = match attack {
            Attack::StolenToken => rng.between(10, 60),
            Attack::LookingAround => rng.between(15, 150),
            Attack::Forbidden => rng.between(14, 60),
            Attack::NewResource => rng.between(20, 200),
            Attack::Burst => (victim.rate() * rng.between(10, 40)).max(400),
            Attack::NightWork => rng.between(18, 60),
            Attack::RogueNewcomer => rng.between(40, 200),
        };
        Self {
            agent,
            attack,
            from_hour,
            until_hour: from_hour + rng.between(0, 1),
            strength,
            seed: u64::from(rng.between(0, u32::MAX - 1)),
        }
    }

    /// What the attacker does in an hour.
    pub(crate) fn hour(&self, hour: u32, agent: &mut Agent) -> Vec<Wish> {
        let mut rng = Rng::new(self.seed + u64::from(hour));
        let attempts = 0..self.strength;
        attempts.map(|_| self.wish(hour, agent, &mut rng)).collect()
    }

    fn wish(&self, hour: u32, agent: &mut Agent, rng: &mut Rng) -> Wish {
        let second = rng.between(0, 3_599);
        let usual = Wish {
            second,
            resource: agent.resource(),
            target: rng.between(0, agent.targets() - 1),
            status: 200,
            fate: Fate::Forwarded,
            origin: agent.home(),
            token: agent.token(hour, 0),
        };
        match self.attack {
            Attack::StolenToken => Wish {
                second: rng.between(900, 3_599),
                origin: Origin {
                    network: 3_000_000 + u32::try_from(self.agent).unwrap(),
                    host: 66,
                    client: 66,
                },
                ..usual
            },
            Attack::LookingAround => Wish {
                target: 50_000 + rng.between(0, 400),
                status: if rng.chance(100) { 200 } else { 404 },
                ..usual
            },
            Attack::Forbidden => Wish {
                resource: 9_000 + rng.between(0, 3),
                target: rng.between(0, 8),
                fate: if rng.chance(800) {
                    Fate::Refused
                } else {
                    Fate::Forwarded
                },
                status: 403,
                ..usual
            },
            Attack::NewResource => Wish {
                resource: 9_500,
                target: rng.between(0, 5),
                ..usual
            },
            Attack::Burst | Attack::NightWork => usual,
            Attack::RogueNewcomer => match rng.between(0, 2) {
                0 => Wish {
                    target: 50_000 + rng.between(0, 60),
                    status: 404,
                    ..usual
                },
                1 => Wish {
                    resource: 9_000,
                    target: rng.between(0, 12),
                    fate: Fate::Refused,
                    ..usual
                },
                _ => Wish {
                    resource: 9_600 + rng.between(0, 9),
                    ..usual
                },
            },
        }
    }
}
