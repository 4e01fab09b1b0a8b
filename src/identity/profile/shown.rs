//! What the claims of every issuer show alike: lists of ids, authentication methods and classes.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::identity::claims::Claims;
use crate::identity::controls::{GrantControl, VouchedControls};
use crate::identity::evidence::{ControlEvidence, List};
use crate::types::ids::is_guid;
use crate::types::{AttributeValue, Attributes, Reason, attributes};

const REFUSED: Reason = Reason::TokenClaimsRefused;

/// The id of Entra's built-in authentication strength "multifactor authentication".
const MFA_STRENGTH: &str = "00000000-0000-0000-0000-000000000002";

/// The method that says that there were several (RFC 8176 §2).
const SEVERAL_METHODS: &str = "mfa";

/// A claim that lists ids, if it is there. Ids are put behind the issuer's prefix, and GUIDs folded, as policies name them.
pub(super) fn ids(claims: &Claims, path: &str, prefix: &str) -> Result<Option<List>, Reason> {
    let Some(list) = listed(claims, path)? else {
        return Ok(None);
    };
    let id = |text: &Arc<str>| -> Arc<str> {
        if !prefix.is_empty() {
            format!("{prefix}{text}").into()
        } else if is_guid(text) {
            text.to_ascii_lowercase().into()
        } else {
            Arc::clone(text)
        }
    };
    Ok(Some(list.iter().map(id).collect()))
}

/// A claim that lists names, if it is there.
pub(super) fn listed(claims: &Claims, path: &str) -> Result<Option<List>, Reason> {
    match claims.at(path) {
        None => Ok(None),
        Some(_) => claims.names(path).map(Some),
    }
}

/// What an issuer vouches for by one token of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vouching<'a> {
    vouched: &'a VouchedControls,
    classes: Option<&'a [Arc<str>]>,
    is_bound: bool,
}

impl<'a> Vouching<'a> {
    /// `is_bound`: its caller has to show that it holds the token's key.
    pub(super) const fn new(vouched: &'a VouchedControls, is_bound: bool) -> Self {
        Self {
            vouched,
            classes: None,
            is_bound,
        }
    }

    /// The same of a token with these classes of authentication, if it says them.
    pub(super) fn with(self, classes: Option<&'a [Arc<str>]>) -> Self {
        Self { classes, ..self }
    }

    fn held(self) -> impl Iterator<Item = &'a GrantControl> {
        let classes = self.classes.unwrap_or_default();
        self.vouched.of(classes, self.is_bound)
    }

    /// Whether the token would show the control if it had it.
    fn tells(self, is: impl Fn(&GrantControl) -> bool) -> bool {
        (self.classes.is_some() && self.vouched.is_told_by_acr(&is))
            || self.vouched.is_told_by_key(is)
    }
}

/// What methods and classes of authentication show, with what the issuer vouches for. A control that neither tells of is
/// not known; where one tells of it, its absence is the word that it was not shown.
pub(super) fn controls(vouching: Vouching<'_>, methods: Option<&[Arc<str>]>) -> ControlEvidence {
    let held: BTreeSet<&GrantControl> = vouching.held().collect();
    let flag = |control: &GrantControl| {
        if held.contains(control) {
            Some(true)
        } else {
            vouching.tells(|one| one == control).then_some(false)
        }
    };
    let list = |pick: fn(&GrantControl) -> Option<&Arc<str>>| -> Option<List> {
        let items: List = held
            .iter()
            .filter_map(|one| pick(one))
            .map(Arc::clone)
            .collect();
        let is_told = vouching.tells(|control| pick(control).is_some());
        (!items.is_empty() || is_told).then_some(items)
    };
    let by_methods = methods.map(|all| all.iter().any(|method| &**method == SEVERAL_METHODS));
    let mfa = match (flag(&GrantControl::Mfa), by_methods) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), _) | (_, Some(false)) => Some(false),
        (None, None) => None,
    };
    let strengths = list(|control| match control {
        GrantControl::AuthenticationStrength(id) => Some(id),
        _ => None,
    });
    ControlEvidence {
        mfa,
        approved_application: flag(&GrantControl::ApprovedApplication),
        compliant_application: flag(&GrantControl::CompliantApplication),
        password_change: flag(&GrantControl::PasswordChange),
        risk_remediation: flag(&GrantControl::RiskRemediation),
        authentication_strengths: with_mfa_strength(strengths, mfa),
        terms_of_use: list(|control| match control {
            GrantControl::TermsOfUse(id) => Some(id),
            _ => None,
        }),
        custom_factors: list(|control| match control {
            GrantControl::CustomAuthenticationFactor(name) => Some(name),
            _ => None,
        }),
    }
}

/// Whoever was asked for several factors meets the strength that asks for no more than that.
fn with_mfa_strength(strengths: Option<List>, mfa: Option<bool>) -> Option<List> {
    match (strengths, mfa) {
        (Some(strengths), Some(true)) => {
            let others = strengths.iter().filter(|id| &***id != MFA_STRENGTH);
            let all = std::iter::once(MFA_STRENGTH.into()).chain(others.map(Arc::clone));
            Some(all.collect())
        }
        (None, Some(true)) => Some([MFA_STRENGTH.into()].into()),
        (None, Some(false)) => Some(List::default()),
        (strengths, _) => strengths,
    }
}

/// The properties of a device that claims hold, by Graph's names of them; `None` if the token has none of the claims.
pub(super) fn device<'a>(
    claims: &Claims,
    properties: impl Iterator<Item = (&'a Arc<str>, &'a Arc<str>)>,
) -> Result<Option<Attributes>, Reason> {
    let mut found = Vec::new();
    for (property, path) in properties {
        if let Some(value) = claims.at(path).filter(|value| !value.is_null()) {
            found.push((Arc::clone(property), property_value(value).ok_or(REFUSED)?));
        }
    }
    Ok((!found.is_empty()).then(|| Attributes::from_pairs(found)))
}

/// What the issuer vouches for of the device, where no claim tells of it.
pub(super) fn vouched_device(vouching: Vouching<'_>) -> Option<Attributes> {
    let properties: Vec<(Arc<str>, AttributeValue)> = vouching
        .held()
        .filter_map(|control| {
            let (name, value) = match control {
                GrantControl::CompliantDevice => ("isCompliant", "true"),
                GrantControl::DomainJoinedDevice => ("trustType", "serverad"),
                _ => return None,
            };
            Some((name.into(), AttributeValue::One(value.into())))
        })
        .collect();
    (!properties.is_empty()).then(|| Attributes::from_pairs(properties))
}

fn property_value(value: &Value) -> Option<AttributeValue> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(attributes::fold(text)),
        Value::Bool(flag) => Some(flag.to_string().into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match value {
        Value::Array(items) => {
            let items: Option<Box<[_]>> = items.iter().map(one).collect();
            items.map(AttributeValue::Many)
        }
        value => one(value).map(AttributeValue::One),
    }
}
