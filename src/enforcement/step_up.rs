//! How a caller whose token is not strong enough is told to get a better one: a claims challenge for clients that say
//! that they understand it (`reference/entra.md` §8.1), else the challenge of RFC 9470.
//!
//! Never here: whether a stronger token would help, which policies say.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::decision::Decision;
use crate::identity::{GrantControl, TokenFacts};
use crate::policy::{Control, Controls};

/// What a better token would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepUp {
    /// The authentication contexts or classes of which each stands for all that is lacking; if there is none, those that
    /// stand for some of it. The first is the best.
    classes: Vec<Arc<str>>,
    /// Where the issuer's users sign in, for a client that understands claims challenges.
    authorization_uri: Option<Arc<str>>,
}

impl StepUp {
    pub(super) fn of(decision: &Decision, token: &TokenFacts) -> Self {
        let lacking = decision.lacking_controls();
        let marked = decision.operation.authentication_contexts();
        let stands_for = |controls: &[GrantControl]| -> Controls {
            let of_class = controls.iter().map(control);
            of_class.filter(|one| lacking.contains(*one)).collect()
        };
        let with = |is_enough: fn(Controls, Controls) -> bool| -> Vec<Arc<str>> {
            let holds = |controls: &[GrantControl]| is_enough(stands_for(controls), lacking);
            token.vouched.classes_with(holds).map(Arc::clone).collect()
        };
        let mut classes = with(|stands_for, lacking| stands_for == lacking);
        if classes.is_empty() {
            classes = with(|stands_for, _| !stands_for.is_empty());
        }
        // What the operator marked the operation with is what its callers are used to.
        classes.sort_by_key(|class| !marked.contains(class));
        let uri = token.authorization_uri.as_ref();
        Self {
            classes,
            authorization_uri: uri
                .filter(|_| token.claims_challenge_capable)
                .map(Arc::clone),
        }
    }

    /// The parameters of the challenge, by name.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        match (&self.authorization_uri, self.classes.first()) {
            (Some(uri), Some(class)) => {
                let claims = json!({"access_token": {"acrs": {"essential": true, "value": class}}});
                vec![
                    ("authorization_uri", uri.to_string()),
                    ("error", "insufficient_claims".to_owned()),
                    ("claims", STANDARD.encode(claims.to_string())),
                ]
            }
            (_, first) => {
                let error = ("error", "insufficient_user_authentication".to_owned());
                let classes = first.map(|_| ("acr_values", self.classes.join(" ")));
                std::iter::once(error).chain(classes).collect()
            }
        }
    }
}

/// The control of policies that an issuer vouches for.
const fn control(vouched: &GrantControl) -> Control {
    match vouched {
        GrantControl::Mfa => Control::Mfa,
        GrantControl::CompliantDevice => Control::CompliantDevice,
        GrantControl::DomainJoinedDevice => Control::DomainJoinedDevice,
        GrantControl::ApprovedApplication => Control::ApprovedApplication,
        GrantControl::CompliantApplication => Control::CompliantApplication,
        GrantControl::PasswordChange => Control::PasswordChange,
        GrantControl::RiskRemediation => Control::RiskRemediation,
        GrantControl::AuthenticationStrength(_) => Control::AuthenticationStrength,
        GrantControl::TermsOfUse(_) => Control::TermsOfUse,
        GrantControl::CustomAuthenticationFactor(_) => Control::CustomAuthenticationFactors,
    }
}
