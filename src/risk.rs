//! Room 3, pure: what is known of the risk of agents, humans, their sign-ins and workloads, and the levels that follow.
//!
//! Effective level: `reference/entra.md` §5.5; with inheritance (`product.md` §4), the highest of an agent's
//! own, its agent identity's (for agent users) and its blueprint's. Of what several sources say of one subject, an
//! administrator's word overrules all that was said before it; of the rest, the highest counts.
//! Never here: IO, and a level that cannot be explained.

pub mod accounts;
pub mod detection;
pub mod rank;
pub mod read;
pub mod reported;
pub mod revocations;
mod seen;
pub mod signal;
mod table;

use std::sync::Arc;

use crate::types::{Fact, InsiderRiskLevel, RiskLevel, RiskState, Timestamp};

pub use accounts::{AccountState, Accounts};
pub use detection::{DetectionTiming, Detections, RiskDetection};
pub use rank::Rank;
pub use reported::{Heard, Reported};
pub use revocations::{Revocation, Revocations};
pub use seen::Seen;
pub use table::RiskTable;

/// What a risk entry is about: Graph's `agentIdentityType`, and the other subjects of identity protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskSubject {
    /// An agent identity, by its object id.
    AgentIdentity,
    /// An agent user, by its object id.
    AgentUser,
    /// A blueprint, by its principal's object id or its appId.
    AgentIdentityBlueprintPrincipal,
    /// A human, by object id or the issuer's subject.
    User,
    /// A classic workload, by its service principal's object id.
    ServicePrincipal,
    /// A human's session, by the token's `sid`, or the one token, by its own id.
    SignIn,
    /// A human as an insider. The levels are `minor`, `moderate` and `elevated`, kept as low, medium and high.
    Insider,
}

impl RiskSubject {
    /// Every kind of subject.
    pub const ALL: [Self; 7] = [
        Self::AgentIdentity,
        Self::AgentUser,
        Self::AgentIdentityBlueprintPrincipal,
        Self::User,
        Self::ServicePrincipal,
        Self::SignIn,
        Self::Insider,
    ];

    /// The stable name of the kind; of agents, Graph's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentIdentity => "agentIdentity",
            Self::AgentUser => "agentUser",
            Self::AgentIdentityBlueprintPrincipal => "agentIdentityBlueprintPrincipal",
            Self::User => "user",
            Self::ServicePrincipal => "servicePrincipal",
            Self::SignIn => "signIn",
            Self::Insider => "insider",
        }
    }

    /// Reads the name of a kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What one source last said of one subject. Graph's `riskyAgent`, `riskyUser`, `riskyServicePrincipal` or
/// `riskDetection`, with the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskEntry {
    /// The subject's id.
    pub id: Arc<str>,
    /// What kind of subject.
    pub subject: RiskSubject,
    /// The reported level; `None`: withheld (Graph's `hidden`), which is not the same as `none`.
    pub level: Option<RiskLevel>,
    /// What became of it.
    pub state: RiskState,
    /// Graph's `riskDetail`.
    pub detail: Arc<str>,
    /// `riskLastModifiedDateTime`.
    pub last_modified: Timestamp,
    /// Who said so: `file`, `management`.
    pub source: Arc<str>,
}

impl RiskEntry {
    /// The level that counts; `None` where it is withheld.
    #[must_use]
    pub fn effective_level(&self) -> Option<RiskLevel> {
        if self.state.level_counts() {
            self.level
        } else {
            Some(RiskLevel::None)
        }
    }

    /// Which of two entries of one source on one subject stands: the later one, and of two of one moment the graver.
    #[must_use]
    pub fn rank(&self) -> Rank {
        Rank {
            at: self.last_modified,
            weight: rank::weight(self.effective_level()),
            tie: rank::tie(&[
                self.state.as_str(),
                &self.detail,
                self.subject.as_str(),
                // One that does not count shows all the same.
                self.level.map_or("hidden", RiskLevel::as_str),
            ]),
        }
    }
}

/// One entry that took part in an assessment: the record's `riskInputs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskInput {
    /// The entry.
    pub entry: Arc<RiskEntry>,
    /// Whether it is about the caller's parent or blueprint rather than the caller itself.
    pub inherited: bool,
}

/// The effective risk of a caller, and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The agent identity's level.
    pub agent: Fact<RiskLevel>,
    /// The agent user's level, where there is one.
    pub agent_user: Fact<RiskLevel>,
    /// The human's level, where there is one.
    pub user: Fact<RiskLevel>,
    /// The level of the human's sign-in.
    pub sign_in: Fact<RiskLevel>,
    /// The human's level as an insider.
    pub insider: Fact<InsiderRiskLevel>,
    /// The classic workload's level, if the caller is one.
    pub service_principal: Fact<RiskLevel>,
    /// The entries that were read.
    pub inputs: Vec<RiskInput>,
}

/// How levels combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskSettings {
    /// Whether an agent inherits from its parent and blueprint. Off under `entra_parity`.
    pub inherit: bool,
    /// Whether a withheld level fails closed ([`Fact::RequiredUnknown`]) instead of counting as unknown.
    pub required: bool,
}

impl RiskSettings {
    /// What a withheld level amounts to.
    #[must_use]
    pub const fn withheld(self) -> Fact<RiskLevel> {
        if self.required {
            Fact::RequiredUnknown
        } else {
            Fact::Unknown
        }
    }
}

/// By what the sign-in behind a token is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignInIds<'a> {
    /// The session.
    pub session: Option<&'a str>,
    /// The token.
    pub token: Option<&'a str>,
}

impl Assessment {
    /// Nothing was said of anybody.
    const NONE: Self = Self {
        agent: Fact::Known(RiskLevel::None),
        agent_user: Fact::Known(RiskLevel::None),
        user: Fact::Known(RiskLevel::None),
        sign_in: Fact::Known(RiskLevel::None),
        insider: Fact::Known(InsiderRiskLevel::None),
        service_principal: Fact::Known(RiskLevel::None),
        inputs: Vec::new(),
    };
}

/// The level of an insider, as it was reported.
#[must_use]
pub const fn insider_level(level: RiskLevel) -> InsiderRiskLevel {
    match level {
        RiskLevel::None => InsiderRiskLevel::None,
        RiskLevel::Low => InsiderRiskLevel::Minor,
        RiskLevel::Medium => InsiderRiskLevel::Moderate,
        RiskLevel::High => InsiderRiskLevel::Elevated,
    }
}

/// The higher of two levels. An unknown one could be anything: it stands, unless the other is already the highest.
fn higher(one: Fact<RiskLevel>, other: Fact<RiskLevel>) -> Fact<RiskLevel> {
    match (one, other) {
        (Fact::Known(RiskLevel::High), _) | (_, Fact::Known(RiskLevel::High)) => {
            Fact::Known(RiskLevel::High)
        }
        (Fact::RequiredUnknown, _) | (_, Fact::RequiredUnknown) => Fact::RequiredUnknown,
        (Fact::Known(one), Fact::Known(other)) => Fact::Known(one.max(other)),
        // An optional source that is silent takes nothing away from what another one says.
        (Fact::Known(known), Fact::Unknown) | (Fact::Unknown, Fact::Known(known)) => {
            if known > RiskLevel::None {
                Fact::Known(known)
            } else {
                Fact::Unknown
            }
        }
        (Fact::Unknown, Fact::Unknown) => Fact::Unknown,
    }
}

#[cfg(test)]
mod tests;
