//! What a policy demands of a call to which it applies, and whether that is satisfied (`grantControls`).
//!
//! Never here: the demand of another policy, and a control that counts as satisfied because nobody knows.

use std::sync::Arc;

use super::model::{GrantControls, Operator};
use super::{Control, Controls, Facts, Principal};
use crate::types::{AttributeValue, Attributes, Fact};

/// What became of each control of a policy that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ControlResults {
    /// Satisfied.
    pub satisfied: Controls,
    /// Not satisfied, or nobody can tell.
    pub unsatisfied: Controls,
    /// Not for this kind of principal to satisfy.
    pub not_applicable: Controls,
    /// Of the unsatisfied: those of which a required source did not tell.
    pub unknown: Controls,
    /// Whether the policy's demand is not met.
    pub fails: bool,
    /// Whether it might be met, if required sources did tell.
    pub fails_on_unknown: bool,
    /// The controls which a human could satisfy by signing in anew, so that the demand is met; else none.
    pub could_be_met_by: Controls,
}

impl GrantControls {
    /// Judges every control for one principal of a call.
    #[must_use]
    pub(super) fn judge(&self, facts: &Facts<'_>, principal: Principal) -> ControlResults {
        let mut results = ControlResults::default();
        for control in self.controls.iter() {
            if !control.scope(principal).applies(facts.entra_parity) {
                // Entra does not ask it of this principal at all.
                if !facts.entra_parity {
                    results.not_applicable = results.not_applicable.with(control);
                }
                continue;
            }
            match self.satisfied(control, facts) {
                Fact::Known(true) => results.satisfied = results.satisfied.with(control),
                Fact::Known(false) | Fact::Unknown => {
                    results.unsatisfied = results.unsatisfied.with(control);
                }
                Fact::RequiredUnknown => {
                    results.unsatisfied = results.unsatisfied.with(control);
                    results.unknown = results.unknown.with(control);
                }
            }
        }
        self.conclude(&mut results, principal);
        results
    }

    /// Combines the controls by the operator.
    fn conclude(&self, results: &mut ControlResults, principal: Principal) {
        let missing = results.unsatisfied.and(results.not_applicable);
        let blocks = missing.contains(Control::Block);
        let of_human = principal == Principal::Human && !blocks;
        let interactive: Controls = results
            .unsatisfied
            .iter()
            .filter(|control| control.is_interactive())
            .collect();
        match self.operator {
            Operator::And => {
                results.fails = !missing.is_empty();
                results.fails_on_unknown =
                    results.fails && missing.less(results.unknown).is_empty();
                if of_human && missing.less(interactive).is_empty() {
                    results.could_be_met_by = interactive;
                }
            }
            Operator::Or => {
                // `block` refuses whatever else is satisfied.
                results.fails = blocks || (!missing.is_empty() && results.satisfied.is_empty());
                results.fails_on_unknown = results.fails && !blocks && !results.unknown.is_empty();
                if of_human && results.fails {
                    results.could_be_met_by = interactive;
                }
            }
        }
    }

    fn satisfied(&self, control: Control, facts: &Facts<'_>) -> Fact<bool> {
        let session = &facts.session;
        let shown = &session.controls;
        match control {
            Control::Block => Fact::Known(false),
            Control::Mfa => shown.mfa,
            Control::CompliantDevice => device_says(session.device, "isCompliant", "true"),
            Control::DomainJoinedDevice => device_says(session.device, "trustType", "serverad"),
            Control::ApprovedApplication => shown.approved_application,
            Control::CompliantApplication => shown.compliant_application,
            Control::PasswordChange => shown.password_change,
            Control::RiskRemediation => shown.risk_remediation,
            Control::AuthenticationStrength => {
                let wanted = self.authentication_strength.as_ref();
                shown
                    .authentication_strengths
                    .map(|met| wanted.is_some_and(|wanted| is_among(wanted.as_str(), met)))
            }
            Control::TermsOfUse => self.of_list(&self.terms_of_use, shown.terms_of_use),
            Control::CustomAuthenticationFactors => {
                self.of_list(&self.custom_factors, shown.custom_factors)
            }
        }
    }

    /// Each of a list is a control of its own, and the operator joins them too.
    fn of_list<T: AsRef<str>>(&self, wanted: &[T], had: Fact<&[Arc<str>]>) -> Fact<bool> {
        had.map(|had| {
            let mut wanted = wanted.iter();
            match self.operator {
                Operator::And => wanted.all(|one| is_among(one.as_ref(), had)),
                Operator::Or => wanted.any(|one| is_among(one.as_ref(), had)),
            }
        })
    }
}

fn is_among(one: &str, had: &[Arc<str>]) -> bool {
    had.iter().any(|known| known.as_ref() == one)
}

/// Whether a property of the device has this value, folded. A device that is not registered has none.
fn device_says(device: Fact<&Attributes>, property: &str, value: &str) -> Fact<bool> {
    device.map(|device| {
        matches!(device.get(property), Some(AttributeValue::One(one)) if one.as_ref() == value)
    })
}
