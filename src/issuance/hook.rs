//! A request for a token that an issuer tells of: the JSON of its hook becomes a [`TokenRequest`].
//!
//! The issuer has checked who the client and the subject are, and is believed once it has shown that it is the one. What
//! it leaves out stays unknown. Never here: a credential, and a guess at the form.

mod entra;
mod hydra;
mod plain;

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use serde::de::DeserializeOwned;

use super::{Malformed, plain_media_type};
use crate::call::{HookCaller, HookForm, Received, Resources, TokenHook};
use crate::identity::settings::Profile;
use crate::identity::targets::{scopes, targets};
use crate::identity::{
    Authenticator, ClientCredential, Grant, Issuers, Observation, Teller, TokenRequest,
};
use crate::types::{Reason, Timestamp};

/// What an issuer tells, whatever its form. Ids are the issuer's own.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    grant: Grant,
    client: String,
    subject: Option<String>,
    scopes: Vec<String>,
    /// The resources that the token is for, as the issuer names them.
    resources: Vec<String>,
    /// Where the client is.
    address: Option<IpAddr>,
}

/// Whether the body is JSON, by what the headers say of it.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    plain_media_type(headers)
        .is_some_and(|(media_type, _)| media_type.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads a request.
pub(super) fn parse(
    body: &[u8],
    hook: &TokenHook,
    profile: &Profile,
    resources: &Resources,
) -> Result<TokenRequest, Malformed> {
    let told = match hook.form {
        HookForm::Entra => entra::read(body, profile),
        HookForm::Hydra => hydra::read(body),
        HookForm::Plain => plain::read(body),
    }?;
    // A prefix would make an id of nothing.
    let is_nothing = |id: &String| id.is_empty();
    if is_nothing(&told.client) || told.subject.as_ref().is_some_and(is_nothing) {
        return Err(Malformed);
    }
    let scopes = scopes(Some(&told.scopes.join(" "))).ok_or(Malformed)?;
    let named: Vec<&str> = told.resources.iter().map(String::as_str).collect();
    let subject = told.subject.filter(|subject| *subject != told.client);
    Ok(TokenRequest {
        issuer: Arc::clone(&hook.source.issuer),
        unknown_clients: hook.source.unknown_clients,
        teller: Teller::Issuer {
            address: told.address.map(|address| address.to_canonical()),
        },
        grant: told.grant,
        client: Some(told.client.into()),
        credential: ClientCredential::Checked,
        acts_as: None,
        subject: subject.map(Into::into),
        subject_token: None,
        actor_token: None,
        user: None,
        user_credential: None,
        targets: targets(profile, &scopes, &named, resources).ok_or(Malformed)?,
        scopes,
    })
}

/// Reads one JSON value. A member that is read and comes twice is a fault.
fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Malformed> {
    serde_json::from_slice(body).map_err(|_fault| Malformed)
}

/// Checks that it is the issuer that asks. What was seen of its token, if it shows one, comes along.
///
/// # Errors
/// The [`Reason`] that the call is refused with.
pub fn check_caller(
    received: &Received,
    hook: &TokenHook,
    authenticator: &Authenticator,
    issuers: &Issuers,
    now: Timestamp,
) -> (Result<(), Reason>, Option<Observation>) {
    match &hook.caller {
        HookCaller::ApiKey { header, key } => {
            let mut values = received.headers().get_all(header).iter();
            let result = match (values.next(), values.next()) {
                (None, _) => Err(Reason::CredentialMissing),
                (Some(_), Some(_)) => Err(Reason::CredentialMalformed),
                (Some(value), None) => match value.to_str() {
                    Ok(text) if key.is(text) => Ok(()),
                    Ok(_) | Err(_) => Err(Reason::HookCallerRefused),
                },
            };
            (result, None)
        }
        HookCaller::Token {
            issuer,
            client,
            audiences,
        } => {
            let headers = received.headers();
            let (verified, seen) = authenticator.verify_bearer(headers, audiences, issuers, now);
            let result = verified.and_then(|verified| {
                let is_one = verified.facts().issuer == *issuer
                    && verified.client().as_deref() == Some(client.as_str());
                is_one.then_some(()).ok_or(Reason::HookCallerRefused)
            });
            (result, Some(seen))
        }
    }
}

#[cfg(test)]
mod tests;
