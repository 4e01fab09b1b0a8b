//! `grantControls` and `sessionControls`. Never here: whether a call satisfies a control.

use std::sync::Arc;

use serde_json::Value;

use super::lists::{Read, id, list};
use super::reading::{Reading, member, steps, text};
use crate::policy::model::{GrantControls, Operator};
use crate::policy::{Control, Controls};
use crate::types::ObjectId;

/// Reads what a policy demands.
pub(super) fn read(reading: &mut Reading<'_>, policy: &Value) -> GrantControls {
    let built_in = built_in(reading, policy);
    let terms_of_use = list(
        reading,
        policy,
        "grantControls.termsOfUse",
        "the id of an agreement",
        |reading, at, text| id(reading, at, text, ObjectId::parse),
    );
    let custom_factors = list(
        reading,
        policy,
        "grantControls.customAuthenticationFactors",
        "the name of a custom factor",
        |_, _, text| {
            if text.trim().is_empty() {
                Read::NotExpected
            } else {
                Read::As(Arc::<str>::from(text))
            }
        },
    );
    let authentication_strength = authentication_strength(reading, policy);
    let controls = built_in
        .with_if(
            authentication_strength.is_some(),
            Control::AuthenticationStrength,
        )
        .with_if(!terms_of_use.is_empty(), Control::TermsOfUse)
        .with_if(
            !custom_factors.is_empty(),
            Control::CustomAuthenticationFactors,
        );
    let count = controls.iter().count();
    let several = count > 1 || terms_of_use.len() > 1 || custom_factors.len() > 1;
    GrantControls {
        operator: operator(reading, policy, several),
        controls,
        authentication_strength,
        terms_of_use,
        custom_factors,
    }
}

fn built_in(reading: &mut Reading<'_>, policy: &Value) -> Controls {
    let known = Control::ALL.iter().filter(|control| control.is_built_in());
    let names: Vec<_> = known.map(|control| control.as_str()).collect();
    let expected = format!("`{}`", names.join("`, `"));
    let path = "grantControls.builtInControls";
    let controls = list(reading, policy, path, &expected, |_, _, text| {
        Control::parse_built_in(text).map_or(Read::NotExpected, Read::As)
    });
    controls.into_iter().collect()
}

/// The object as exports have it expanded, or with no more than its id.
fn authentication_strength(reading: &mut Reading<'_>, policy: &Value) -> Option<ObjectId> {
    let path = "grantControls.authenticationStrength";
    match member(policy, path)? {
        Value::Object(members) if members.is_empty() => return None,
        Value::Object(_) => {}
        // Not an object: the audit says so.
        _ => return None,
    }
    let id_path = "grantControls.authenticationStrength.id";
    let Some(text) = text(reading, policy, id_path) else {
        reading.unsupported(
            &steps(path),
            "expected the `id` of an authentication strength",
        );
        return None;
    };
    match ObjectId::parse(text) {
        Ok(id) => Some(id),
        Err(fault) => {
            reading.unsupported(&steps(id_path), &fault.to_string());
            None
        }
    }
}

fn operator(reading: &mut Reading<'_>, policy: &Value, several: bool) -> Operator {
    let path = "grantControls.operator";
    match text(reading, policy, path) {
        Some(text) if text.eq_ignore_ascii_case("OR") => Operator::Or,
        Some(text) if text.eq_ignore_ascii_case("AND") => Operator::And,
        Some(text) => {
            let message = format!("expected `AND` or `OR`, found `{text}`");
            reading.unsupported(&steps(path), &message);
            Operator::And
        }
        None => {
            if several && member(policy, path).is_none() {
                let message = "expected `AND` or `OR` where more than one control is demanded";
                reading.unsupported(&steps(path), message);
            }
            Operator::And
        }
    }
}
