//! Token hooks: who may ask, and by what that is known. One of two ways must be there, so nobody asks who is not known.

use std::sync::Arc;

use super::Checker;
use crate::call::resource::{TokenSource, UnknownClients};
use crate::call::{HookCaller, HookForm, TokenHook};
use crate::config::member::MemberPath;
use crate::config::raw::hooks as raw;
use crate::config::raw::resources;
use crate::config::validate::secrets::credential;
use crate::types::AppId;

/// Entra's service for authentication events, which calls custom authentication extensions.
const AUTHENTICATION_EVENTS: &str = "99045fe1-7639-4a75-9d4a-577b6ca3810f";

/// The hook; `None` if it cannot be told who may ask.
pub(super) fn hook(
    check: &mut Checker<'_>,
    raw: &raw::TokenHook,
    at: &MemberPath,
) -> Option<TokenHook> {
    let caller = match (&raw.api_key, &raw.bearer) {
        (Some(api_key), None) => HookCaller::ApiKey {
            header: api_key.header.0.clone(),
            key: credential(check, &at.key("api_key").key("secret"), "key")?,
        },
        (None, Some(token)) => bearer(check, raw, token, &at.key("bearer"))?,
        (None, None) | (Some(_), Some(_)) => {
            let message = "expected one of `api_key` and `bearer`: who asks must be known";
            check.error(at, message);
            return None;
        }
    };
    Some(TokenHook {
        source: TokenSource {
            issuer: Arc::clone(&raw.issuer.0),
            unknown_clients: unknown_clients(raw.unknown_clients),
        },
        form: match raw.form {
            raw::HookForm::Entra => HookForm::Entra,
            raw::HookForm::Hydra => HookForm::Hydra,
            raw::HookForm::Plain => HookForm::Plain,
        },
        caller,
    })
}

pub(super) const fn unknown_clients(raw: resources::UnknownClients) -> UnknownClients {
    match raw {
        resources::UnknownClients::Agents => UnknownClients::Agents,
        resources::UnknownClients::NotAgents => UnknownClients::NotAgents,
    }
}

fn bearer(
    check: &mut Checker<'_>,
    hook: &raw::TokenHook,
    raw: &raw::HookToken,
    at: &MemberPath,
) -> Option<HookCaller> {
    let given = raw.client.as_ref().map(|client| client.0.clone());
    let is_entra = hook.form == raw::HookForm::Entra;
    let events = || {
        AppId::parse(AUTHENTICATION_EVENTS)
            .ok()
            .filter(|_| is_entra)
    };
    let Some(client) = given.or_else(events) else {
        let message = "is missing, expected the client that the token is given to";
        check.error(&at.key("client"), message);
        return None;
    };
    let issuer = raw.issuer.as_ref().unwrap_or(&hook.issuer);
    Some(HookCaller::Token {
        issuer: Arc::clone(&issuer.0),
        client,
        audiences: raw.audiences.iter().map(|one| Arc::clone(&one.0)).collect(),
    })
}
