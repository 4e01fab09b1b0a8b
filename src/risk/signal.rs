//! Security events that other systems send (CAEP 1.0 §3, RISC 1.0 §2), and what each does to whom it is about.
//!
//! The table of effects is the operator's; the defaults take what an event says of an agent at its word. An event whose
//! grave and harmless forms cannot be told apart counts as the grave one. Never here: who is meant, and IO.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::types::RiskLevel;

/// What the types of CAEP's events begin with.
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";

/// What the types of RISC's events begin with.
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// An event, by the standard's name; where what it says decides, with that behind a dot.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum SignalEvent {
            $($(#[$doc])* $name,)*
        }

        impl SignalEvent {
            /// Every event.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name, in the configuration and as a label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

events! {
    /// CAEP: sessions of the subject ended.
    SessionRevoked = "session-revoked",
    /// CAEP: what tokens say of the subject is no longer so.
    TokenClaimsChange = "token-claims-change",
    /// CAEP: a credential was created.
    CredentialCreated = "credential-change.create",
    /// CAEP: a credential was changed, deleted or revoked.
    CredentialChanged = "credential-change.other",
    /// CAEP: the assurance of the subject's authentication is lower now.
    AssuranceDecreased = "assurance-level-change.decrease",
    /// CAEP: it is higher now.
    AssuranceIncreased = "assurance-level-change.increase",
    /// CAEP: a device does not comply any more.
    DeviceNotCompliant = "device-compliance-change.not-compliant",
    /// CAEP: a device complies again.
    DeviceCompliant = "device-compliance-change.compliant",
    /// CAEP: a session began.
    SessionEstablished = "session-established",
    /// CAEP: a session was used.
    SessionPresented = "session-presented",
    /// CAEP: the subject's risk is high.
    RiskHigh = "risk-level-change.high",
    /// CAEP: it is medium.
    RiskMedium = "risk-level-change.medium",
    /// CAEP: it is low.
    RiskLow = "risk-level-change.low",
    /// RISC: the account must change a credential.
    CredentialChangeRequired = "account-credential-change-required",
    /// RISC: the account was deleted for good.
    AccountPurged = "account-purged",
    /// RISC: the account was disabled.
    AccountDisabled = "account-disabled",
    /// RISC: the account was enabled.
    AccountEnabled = "account-enabled",
    /// RISC: the account has another identifier now.
    IdentifierChanged = "identifier-changed",
    /// RISC: the identifier belongs to somebody else now.
    IdentifierRecycled = "identifier-recycled",
    /// RISC: a credential of the account is known to others.
    CredentialCompromise = "credential-compromise",
    /// RISC: the account takes part in the exchange of events.
    OptIn = "opt-in",
    /// RISC: it will not any more.
    OptOutInitiated = "opt-out-initiated",
    /// RISC: it does after all.
    OptOutCancelled = "opt-out-cancelled",
    /// RISC: it does not any more.
    OptOutEffective = "opt-out-effective",
    /// RISC: somebody began to recover the account.
    RecoveryActivated = "recovery-activated",
    /// RISC: what an account is recovered with was changed.
    RecoveryInformationChanged = "recovery-information-changed",
    /// RISC: sessions ended (deprecated).
    SessionsRevoked = "sessions-revoked",
}

impl SignalEvent {
    /// Reads the name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == name)
    }

    /// The event of this type (a URI), by what it says; `None` for a type that no standard has.
    ///
    /// # Errors
    /// What the standard demands and the event lacks.
    pub fn read(kind: &str, payload: &Map<String, Value>) -> Result<Option<Self>, &'static str> {
        let text = |member: &str| payload.get(member).and_then(Value::as_str);
        let name = kind.strip_prefix(CAEP).or_else(|| kind.strip_prefix(RISC));
        let event = match name {
            Some("credential-change") => {
                text("credential_type").ok_or("`credential_type` is missing")?;
                match text("change_type").ok_or("`change_type` is missing")? {
                    "create" => Self::CredentialCreated,
                    _ => Self::CredentialChanged,
                }
            }
            Some("assurance-level-change") => match text("change_direction") {
                Some("increase") => Self::AssuranceIncreased,
                _ => Self::AssuranceDecreased,
            },
            Some("device-compliance-change") => {
                match text("current_status").ok_or("`current_status` is missing")? {
                    "compliant" => Self::DeviceCompliant,
                    _ => Self::DeviceNotCompliant,
                }
            }
            Some("risk-level-change") => {
                let level = text("current_level").ok_or("`current_level` is missing")?;
                // The standard's are in capitals; some transmitters write them small.
                match level.to_ascii_uppercase().as_str() {
                    "LOW" => Self::RiskLow,
                    "MEDIUM" => Self::RiskMedium,
                    // FAIL-CLOSED: a level that the standard does not have yet.
                    _ => Self::RiskHigh,
                }
            }
            // Without a member that decides, the name is all.
            Some(name) if !name.contains('.') => return Ok(Self::parse(name)),
            Some(_) | None => return Ok(None),
        };
        Ok(Some(event))
    }

    /// The types of all events, as a stream's configuration asks for them.
    #[must_use]
    pub fn types() -> Vec<String> {
        let mut types: Vec<_> = Self::ALL.iter().map(|event| event.kind()).collect();
        types.dedup();
        types
    }

    /// The event's type.
    fn kind(self) -> String {
        let base = match self {
            Self::SessionRevoked
            | Self::TokenClaimsChange
            | Self::CredentialCreated
            | Self::CredentialChanged
            | Self::AssuranceDecreased
            | Self::AssuranceIncreased
            | Self::DeviceNotCompliant
            | Self::DeviceCompliant
            | Self::SessionEstablished
            | Self::SessionPresented
            | Self::RiskHigh
            | Self::RiskMedium
            | Self::RiskLow => CAEP,
            Self::CredentialChangeRequired
            | Self::AccountPurged
            | Self::AccountDisabled
            | Self::AccountEnabled
            | Self::IdentifierChanged
            | Self::IdentifierRecycled
            | Self::CredentialCompromise
            | Self::OptIn
            | Self::OptOutInitiated
            | Self::OptOutCancelled
            | Self::OptOutEffective
            | Self::RecoveryActivated
            | Self::RecoveryInformationChanged
            | Self::SessionsRevoked => RISC,
        };
        format!("{base}{}", self.family())
    }

    /// The event's name without what it says: reports of one family of one stream replace each other.
    #[must_use]
    pub fn family(self) -> &'static str {
        let name = self.as_str();
        name.split_once('.').map_or(name, |(family, _)| family)
    }
}

/// What an event does to whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effect {
    /// The level of risk that its stream reports from now on.
    pub risk: Option<RiskLevel>,
    /// Whether tokens that were issued before are refused.
    pub revoke_tokens: bool,
    /// Whether the account is enabled from now on.
    pub enabled: Option<bool>,
}

impl Effect {
    const NONE: Self = Self {
        risk: None,
        revoke_tokens: false,
        enabled: None,
    };
    const REVOKE: Self = Self {
        revoke_tokens: true,
        ..Self::NONE
    };
    const DISABLE: Self = Self {
        enabled: Some(false),
        ..Self::REVOKE
    };

    const fn risk(level: RiskLevel) -> Self {
        Self {
            risk: Some(level),
            ..Self::NONE
        }
    }

    /// What an event does unless the operator says otherwise.
    #[must_use]
    pub const fn by_default(event: SignalEvent) -> Self {
        match event {
            SignalEvent::SessionRevoked
            | SignalEvent::SessionsRevoked
            | SignalEvent::TokenClaimsChange
            | SignalEvent::CredentialChanged
            | SignalEvent::AssuranceDecreased
            | SignalEvent::IdentifierRecycled => Self::REVOKE,
            SignalEvent::RiskHigh => Self::risk(RiskLevel::High),
            SignalEvent::RiskMedium | SignalEvent::DeviceNotCompliant => {
                Self::risk(RiskLevel::Medium)
            }
            SignalEvent::RiskLow => Self::risk(RiskLevel::Low),
            SignalEvent::DeviceCompliant => Self::risk(RiskLevel::None),
            SignalEvent::CredentialChangeRequired => Self {
                risk: Some(RiskLevel::Medium),
                ..Self::REVOKE
            },
            SignalEvent::CredentialCompromise => Self {
                risk: Some(RiskLevel::High),
                ..Self::REVOKE
            },
            SignalEvent::AccountPurged | SignalEvent::AccountDisabled => Self::DISABLE,
            SignalEvent::AccountEnabled => Self {
                enabled: Some(true),
                ..Self::NONE
            },
            SignalEvent::CredentialCreated
            | SignalEvent::AssuranceIncreased
            | SignalEvent::SessionEstablished
            | SignalEvent::SessionPresented
            | SignalEvent::IdentifierChanged
            | SignalEvent::OptIn
            | SignalEvent::OptOutInitiated
            | SignalEvent::OptOutCancelled
            | SignalEvent::OptOutEffective
            | SignalEvent::RecoveryActivated
            | SignalEvent::RecoveryInformationChanged => Self::NONE,
        }
    }
}

/// What each event does: the operator's word, else the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects(BTreeMap<SignalEvent, Effect>);

impl Effects {
    /// The defaults, with these in place of some.
    #[must_use]
    pub const fn new(own: BTreeMap<SignalEvent, Effect>) -> Self {
        Self(own)
    }

    /// What this event does.
    #[must_use]
    pub fn of(&self, event: SignalEvent) -> Effect {
        let own = self.0.get(&event).copied();
        own.unwrap_or(Effect::by_default(event))
    }
}

#[cfg(test)]
mod tests;
