//! Grant controls that an issuer vouches for: those that it enforces before it gives a token for a human, and those that
//! an authentication context class in a token stands for.
//!
//! Never here: whether a policy demands them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::types::ids::is_guid;

/// One grant control (`reference/entra.md` §3.5); those with ids are one control per id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantControl {
    /// `mfa`
    Mfa,
    /// `compliantDevice`
    CompliantDevice,
    /// `domainJoinedDevice`
    DomainJoinedDevice,
    /// `approvedApplication`
    ApprovedApplication,
    /// `compliantApplication`
    CompliantApplication,
    /// `passwordChange`
    PasswordChange,
    /// `riskRemediation`
    RiskRemediation,
    /// The authentication strength of this id.
    AuthenticationStrength(Arc<str>),
    /// The agreement of this id.
    TermsOfUse(Arc<str>),
    /// The custom authentication factor of this name.
    CustomAuthenticationFactor(Arc<str>),
}

impl GrantControl {
    /// The controls without an id, by Graph's names.
    const BUILT_IN: [(&str, Self); 7] = [
        ("mfa", Self::Mfa),
        ("compliantDevice", Self::CompliantDevice),
        ("domainJoinedDevice", Self::DomainJoinedDevice),
        ("approvedApplication", Self::ApprovedApplication),
        ("compliantApplication", Self::CompliantApplication),
        ("passwordChange", Self::PasswordChange),
        ("riskRemediation", Self::RiskRemediation),
    ];

    /// Reads Graph's name of a built-in control other than `block`, or `authenticationStrength:`, `termsOfUse:` or
    /// `customAuthenticationFactor:` and an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut built_in = Self::BUILT_IN.into_iter();
        if let Some((_, control)) = built_in.find(|(name, _)| *name == text) {
            return Some(control);
        }
        let (kind, id) = text.split_once(':')?;
        if id.is_empty() {
            return None;
        }
        let id: Arc<str> = if is_guid(id) {
            id.to_ascii_lowercase().into()
        } else {
            id.into()
        };
        match kind {
            "authenticationStrength" => Some(Self::AuthenticationStrength(id)),
            "termsOfUse" => Some(Self::TermsOfUse(id)),
            "customAuthenticationFactor" => Some(Self::CustomAuthenticationFactor(id)),
            _ => None,
        }
    }
}

/// The grant controls that an issuer vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct VouchedControls {
    /// For every token of a human: the issuer enforces them before it gives one.
    pub enforced: Vec<GrantControl>,
    /// For a token with this value of `acr`, or with this authentication context in Entra's `acrs`.
    pub by_acr: BTreeMap<Arc<str>, Vec<GrantControl>>,
    /// For a token that is bound to its caller's key, of whatever caller.
    pub bound: Vec<GrantControl>,
}

impl VouchedControls {
    /// The controls that hold for a token with these classes, which may be bound to a key.
    pub(super) fn of<'a>(
        &'a self,
        acrs: &'a [Arc<str>],
        is_bound: bool,
    ) -> impl Iterator<Item = &'a GrantControl> {
        let by_class = acrs.iter().filter_map(|acr| self.by_acr.get(acr)).flatten();
        let by_key: &[_] = if is_bound { &self.bound } else { &[] };
        self.enforced.iter().chain(by_class).chain(by_key)
    }

    /// Whether a token without a key would have this control if it were bound to one, and so does not have it.
    pub(super) fn is_told_by_key(&self, is: impl Fn(&GrantControl) -> bool) -> bool {
        self.bound.iter().any(is)
    }

    /// Whether a class would tell of this control, and so its absence does too.
    pub(super) fn is_told_by_acr(&self, is: impl Fn(&GrantControl) -> bool) -> bool {
        self.by_acr.values().flatten().any(is)
    }

    /// The classes of which a token would have all of these controls, each.
    pub fn classes_with(
        &self,
        holds: impl Fn(&[GrantControl]) -> bool,
    ) -> impl Iterator<Item = &Arc<str>> {
        let classes = self.by_acr.iter();
        classes
            .filter(move |(_, controls)| holds(controls))
            .map(|(acr, _)| acr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_read_by_graphs_name() {
        assert_eq!(GrantControl::parse("mfa"), Some(GrantControl::Mfa));
        assert_eq!(
            GrantControl::parse("termsOfUse:CE580154-086A-40FD-91DF-8A60ABAC81A0"),
            Some(GrantControl::TermsOfUse(
                "ce580154-086a-40fd-91df-8a60abac81a0".into()
            ))
        );
        for text in ["block", "MFA", "termsOfUse", "termsOfUse:", "other:1", ""] {
            assert_eq!(GrantControl::parse(text), None, "{text}");
        }
    }
}
