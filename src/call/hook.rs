//! A token hook: an issuer asks here before it gives a token, and gives none where the answer is a refusal.
//!
//! Never here: the reading of what it asks, and the check of who asks.

use std::sync::Arc;

use http::HeaderName;

use super::resource::TokenSource;
use crate::types::{AppId, Secret};

/// The hook of one issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHook {
    /// Whose tokens are asked for.
    pub source: TokenSource,
    /// How requests and answers are written.
    pub form: HookForm,
    /// How the issuer shows that it is the one that asks.
    pub caller: HookCaller,
}

/// How the requests and answers of a hook are written. It is configured and never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookForm {
    /// Entra's custom authentication extension for the event `onTokenIssuanceStart`.
    Entra,
    /// Ory Hydra's token hook.
    Hydra,
    /// A form of our own, for whatever can send JSON.
    Plain,
}

/// How an issuer shows that it is the one that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookCaller {
    /// By a secret in a header.
    ApiKey {
        /// The header, whose whole value is the secret.
        header: HeaderName,
        /// The secret.
        key: Secret,
    },
    /// By an access token, as callers of an API do.
    Token {
        /// The configured name of the issuer that gave it.
        issuer: Arc<str>,
        /// The client that it was given to.
        client: AppId,
        /// The exact audiences that it may have.
        audiences: Arc<[Arc<str>]>,
    },
}
