//! How decisions are made, as the operator says.

use crate::risk::RiskSettings;
use crate::types::Fact;

/// What happens to agents that the directory does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownAgents {
    /// Policies judge them: those on `All` agents apply, and attribute filters see no attributes.
    #[default]
    Evaluate,
    /// They are blocked.
    Block,
}

/// A kind of fact that may be missing: because a token, the directory or a database does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKind {
    /// The human's groups.
    Groups,
    /// The human's directory roles.
    DirectoryRoles,
    /// Whether the human is a guest, and of what kind.
    UserType,
    /// The country of the address.
    Country,
    /// The platform of the device.
    Platform,
    /// The kind of client.
    ClientAppType,
    /// How the session came to this client.
    TransferMethod,
    /// The properties of the device.
    Device,
    /// Where an agent user's session was started from.
    AgentContext,
    /// What was shown of grant controls.
    Controls,
    /// Whether a classic workload is registered in the tenant, and its attributes.
    ServicePrincipal,
}

/// A set of kinds of fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FactKinds(u16);

impl FactKinds {
    /// This one too.
    #[must_use]
    pub const fn with(self, kind: FactKind) -> Self {
        Self(self.0 | Self::bit(kind))
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn contains(self, kind: FactKind) -> bool {
        self.0 & Self::bit(kind) != 0
    }

    #[expect(clippy::as_conversions, reason = "a discriminant, below 16")]
    const fn bit(kind: FactKind) -> u16 {
        1 << (kind as u16)
    }
}

impl FromIterator<FactKind> for FactKinds {
    fn from_iter<I: IntoIterator<Item = FactKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::default(), Self::with)
    }
}

/// How decisions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecisionSettings {
    /// Read policies only as Entra does (`product.md` §4).
    pub entra_parity: bool,
    /// Agents that the directory does not know.
    pub unknown_agents: UnknownAgents,
    /// Whether withheld risk fails closed.
    pub risk_required: bool,
    /// The kinds of fact that may be missing: a condition on one that is does not hold. All others are required.
    pub optional_facts: FactKinds,
}

impl DecisionSettings {
    /// How risk levels combine under these settings.
    #[must_use]
    pub const fn risk(self) -> RiskSettings {
        RiskSettings {
            inherit: !self.entra_parity,
            required: self.risk_required && !self.entra_parity,
        }
    }

    /// A fact of this kind, where its sources told of it or did not.
    pub(super) fn fact<T>(self, kind: FactKind, told: Option<T>) -> Fact<T> {
        match told {
            Some(value) => Fact::Known(value),
            None => self.missing(kind),
        }
    }

    /// What a fact of this kind is that nobody tells. FAIL-CLOSED: it is required, unless the operator says otherwise.
    #[must_use]
    pub const fn missing<T>(self, kind: FactKind) -> Fact<T> {
        if self.entra_parity || self.optional_facts.contains(kind) {
            Fact::Unknown
        } else {
            Fact::RequiredUnknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_tells_is_required_unless_said_otherwise() {
        let mut settings = DecisionSettings::default();
        let missing = |settings: DecisionSettings| settings.fact::<bool>(FactKind::Groups, None);
        assert_eq!(missing(settings), Fact::RequiredUnknown);
        settings.optional_facts = [FactKind::Country, FactKind::Controls]
            .into_iter()
            .collect();
        assert_eq!(missing(settings), Fact::RequiredUnknown);
        assert_eq!(settings.missing::<bool>(FactKind::Country), Fact::Unknown);
        settings.optional_facts = settings.optional_facts.with(FactKind::Groups);
        assert_eq!(missing(settings), Fact::Unknown);
        assert_eq!(settings.fact(FactKind::Groups, Some(7)), Fact::Known(7));
        let parity = DecisionSettings {
            entra_parity: true,
            ..DecisionSettings::default()
        };
        assert_eq!(missing(parity), Fact::Unknown);
    }
}
