//! Room 4, pure: the calls of agents become detections: what an agent does that it does not usually do, or should not.
//!
//! A [`Detector`] keeps a profile of bounded size per agent, learns what is usual, and gives a [`Finding`] with the very
//! call that makes it. The gateway and `boomgate detect replay` run the same detector on the same facts; all arithmetic
//! is in whole numbers, so that both find the same. `docs/detections.md` tells operators what fires and why.
//! Never here: a clock, a decision, and a profile that is forgotten without being counted.

mod agents;
mod call;
mod hour;
mod kin;
mod profile;
mod rules;
pub mod settings;
mod sketch;
mod tokens;
mod trial;
mod week;

use std::fmt;
use std::sync::Arc;

use crate::risk::RiskSubject;
use crate::types::{CallId, Timestamp};
use agents::Agents;
pub use call::{Answer, Call, Doer, Fate, Mark};
use kin::Kin;
pub use settings::{DetectionSettings, Mode, Rule};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// What can be detected.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: [Self; 7] = [$(Self::$kind,)*];

            /// `riskEventType`: Graph's name where it means the same (`reference/entra.md` §5.1).
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }
        }
    };
}

kinds! {
    /// It reached a resource that it does not usually reach, in earnest. Graph's.
    UnfamiliarResourceAccess = "unfamiliarResourceAccess";
    /// It made many times as many calls as it usually does. Graph's.
    SignInSpike = "signInSpike";
    /// It tried and failed to reach several things that it may not reach. Graph's.
    FailedAccessAttempt = "failedAccessAttempt";
    /// It is new, and shows several patterns of an attacker at once. Graph's.
    EarlyLifeMaliciousActivity = "earlyLifeMaliciousActivity";
    /// One token is used from several places or by several clients.
    TokenReplay = "tokenReplay";
    /// It asked for many things that are not there, or that it never asked for before.
    Reconnaissance = "reconnaissance";
    /// It works at an hour at which it never works.
    OffHoursActivity = "offHoursActivity";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that was detected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The agent that did it.
    pub agent: Arc<str>,
    /// What kind of agent.
    pub subject: RiskSubject,
    /// When: the time of the call that showed it.
    pub at: Timestamp,
    /// In words, with the figures that it rests on. Names no path and no token.
    pub evidence: String,
    /// The call that showed it.
    pub call: Option<CallId>,
}

/// What a detector holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Agents with a profile.
    pub agents: usize,
    /// Profiles that were forgotten to make room, since the detector began.
    pub evicted: u64,
}

/// Learns from calls, and finds what is unusual in them.
#[derive(Debug, Clone)]
pub struct Detector {
    settings: DetectionSettings,
    agents: Agents,
    kin: Kin,
}

impl Detector {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(settings: DetectionSettings) -> Self {
        Self {
            agents: Agents::new(settings.max_agents),
            kin: Kin::default(),
            settings,
        }
    }

    /// Takes other settings; what was learned stays.
    pub fn use_settings(&mut self, settings: DetectionSettings) {
        self.agents.limit(settings.max_agents);
        self.settings = settings;
    }

    /// The settings in use.
    #[must_use]
    pub const fn settings(&self) -> &DetectionSettings {
        &self.settings
    }

    /// What it holds now.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        Holdings {
            agents: self.agents.len(),
            evicted: self.agents.evicted(),
        }
    }

    /// An agent made a call, which was decided on. Calls come in the order of time, give or take some seconds.
    #[must_use]
    pub fn called(&mut self, call: &Call) -> Vec<Finding> {
        let profile = self.agents.of(&call.doer.agent);
        rules::called(profile, &mut self.kin, &self.settings, call)
    }

    /// A call that was forwarded has been answered.
    #[must_use]
    pub fn answered(&mut self, answer: &Answer) -> Vec<Finding> {
        // Whose profile is gone by now, or who has none, has nothing to be compared with.
        match self.agents.known(&answer.doer.agent) {
            Some(profile) => rules::answered(profile, &self.settings, answer),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
