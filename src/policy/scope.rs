//! Which condition and which control concerns whom: the one table of it (`reference/entra.md` §4.5, `product.md` §4).
//!
//! The evaluator goes by it, the notes at load do, and the page of documentation is written from it. Never here: how a
//! condition is judged.

use super::{Condition, Control, Principal};

/// Whether a condition or a control concerns a kind of principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// As in Entra.
    Entra,
    /// Here and not in Entra; `entra_parity` turns it off.
    Beyond,
    /// Never: such a condition does not hold, and such a control cannot be satisfied.
    Never,
}

use Scope::{Beyond, Entra, Never};

impl Scope {
    /// Whether it does, under this reading.
    #[must_use]
    pub const fn applies(self, entra_parity: bool) -> bool {
        match self {
            Entra => true,
            Beyond => !entra_parity,
            Never => false,
        }
    }
}

/// One line of the table: agent identity, agent user, human, classic workload.
const fn line(scopes: [Scope; 4], principal: Principal) -> Scope {
    let [agent_identity, agent_user, human, workload] = scopes;
    match principal {
        Principal::AgentIdentity => agent_identity,
        Principal::AgentUser => agent_user,
        Principal::Human => human,
        Principal::Workload => workload,
    }
}

impl Condition {
    /// Whether the condition can hold for this kind of principal.
    #[must_use]
    pub const fn scope(self, principal: Principal) -> Scope {
        let scopes = match self {
            Self::Application => [Entra, Entra, Entra, Entra],
            Self::Users => [Never, Entra, Entra, Never],
            Self::ServicePrincipals => [Entra, Never, Never, Entra],
            Self::DevicePlatform | Self::DeviceState => [Beyond, Entra, Entra, Never],
            Self::Location => [Beyond, Entra, Entra, Entra],
            Self::ClientType => [Beyond, Beyond, Entra, Never],
            Self::SignInRisk | Self::UserRisk | Self::InsiderRisk | Self::AuthenticationFlows => {
                [Never, Never, Entra, Never]
            }
            Self::ServicePrincipalRisk => [Never, Never, Never, Entra],
            Self::AgentIdRisk => [Entra, Entra, Never, Never],
            Self::AgentContext => [Never, Entra, Never, Never],
        };
        line(scopes, principal)
    }
}

impl Control {
    /// Whether this kind of principal can satisfy the control.
    #[must_use]
    pub const fn scope(self, principal: Principal) -> Scope {
        let scopes = match self {
            Self::Block => [Entra, Entra, Entra, Entra],
            Self::CompliantDevice => [Beyond, Entra, Entra, Never],
            // What rests on the device, the client or the credential has its like for agents.
            Self::DomainJoinedDevice
            | Self::ApprovedApplication
            | Self::CompliantApplication
            | Self::AuthenticationStrength => [Beyond, Beyond, Entra, Never],
            // What asks a person to do something has not.
            Self::Mfa
            | Self::PasswordChange
            | Self::RiskRemediation
            | Self::TermsOfUse
            | Self::CustomAuthenticationFactors => [Never, Never, Entra, Never],
        };
        line(scopes, principal)
    }
}
