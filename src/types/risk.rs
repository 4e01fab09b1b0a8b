//! Risk levels and states with Graph's names (`reference/entra.md` §3.4, §5.2).

use std::fmt;

/// How risky an agent is held to be. Ordered: `None < Low < Medium < High`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskLevel {
    /// No risk is known.
    #[default]
    None,
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
}

impl RiskLevel {
    /// Every level, lowest first.
    pub const ALL: [Self; 4] = [Self::None, Self::Low, Self::Medium, Self::High];

    /// Graph's name of the level.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Reads Graph's name of a level, in any case. `hidden` is not a level: it says that the level is withheld.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for RiskLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What became of a risk (`riskState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskState {
    /// Nothing was ever reported.
    #[default]
    None,
    /// An administrator said that the agent is safe.
    ConfirmedSafe,
    /// The cause was removed.
    Remediated,
    /// An administrator dismissed the risk.
    Dismissed,
    /// The level stands.
    AtRisk,
    /// An administrator confirmed the compromise; the level stands.
    ConfirmedCompromised,
}

impl RiskState {
    /// Every state, in Graph's numeric order.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::ConfirmedSafe,
        Self::Remediated,
        Self::Dismissed,
        Self::AtRisk,
        Self::ConfirmedCompromised,
    ];

    /// Graph's name of the state.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ConfirmedSafe => "confirmedSafe",
            Self::Remediated => "remediated",
            Self::Dismissed => "dismissed",
            Self::AtRisk => "atRisk",
            Self::ConfirmedCompromised => "confirmedCompromised",
        }
    }

    /// Reads Graph's name of a state, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(text))
    }

    /// Whether the reported level counts in this state (`reference/entra.md` §5.5).
    #[must_use]
    pub const fn level_counts(self) -> bool {
        match self {
            Self::AtRisk | Self::ConfirmedCompromised => true,
            Self::None | Self::ConfirmedSafe | Self::Remediated | Self::Dismissed => false,
        }
    }

    /// Whether an administrator said so: such a word overrules what was said before it.
    #[must_use]
    pub const fn is_of_an_admin(self) -> bool {
        match self {
            Self::ConfirmedSafe | Self::Dismissed | Self::ConfirmedCompromised => true,
            Self::None | Self::Remediated | Self::AtRisk => false,
        }
    }
}
