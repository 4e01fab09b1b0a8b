//! What an operator says of a source of signals: a stream of security events here, a webhook beside it. Built by `config`, already checked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::webhook::settings::WebhookSettings;
use crate::identity::security_event::EventIssuer;
use crate::risk::signal::Effects;
use crate::store::settings::Freshness;
use crate::types::Secret;

/// One source of signals.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceSettings {
    /// A stream of security events.
    Stream(StreamSettings),
    /// Signed JSON.
    Webhook(WebhookSettings),
}

impl SourceSettings {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        match self {
            Self::Stream(settings) => &settings.name,
            Self::Webhook(settings) => &settings.name,
        }
    }
}

/// One stream of a transmitter (OpenID Shared Signals Framework 1.0).
#[derive(Debug, Clone)]
pub struct StreamSettings {
    /// Its name: part of its path, a label, and the source of what it reports.
    pub name: Arc<str>,
    /// Whose events it brings.
    pub events: EventIssuer,
    /// Where the issuer's keys are; what its metadata says without it.
    pub jwks_uri: Option<Arc<str>>,
    /// PEM: the roots of the transmitter; those of the operating system without it.
    pub ca_file: Option<PathBuf>,
    /// How events come.
    pub delivery: Delivery,
    /// How the stream is set up and kept alive; `None`: somebody else does that.
    pub management: Option<StreamManagement>,
    /// What events do.
    pub effects: Arc<Effects>,
    /// How old it may be.
    pub freshness: Freshness,
    /// The time for an answer of the transmitter.
    pub timeout: Duration,
    /// The time between two rounds: keys are loaded anew, and the stream is looked after.
    pub interval: Duration,
}

/// How events come.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// The transmitter sends them (RFC 8935).
    Push {
        /// The whole value of its `Authorization` header.
        authorization: Option<Secret>,
        /// The address that it sends them to, as it sees it.
        endpoint: Option<Arc<str>>,
    },
    /// They are asked for (RFC 8936).
    Poll {
        /// Where; what the stream's configuration says without it.
        endpoint: Option<Arc<str>>,
    },
}

/// How a stream is set up and kept alive.
#[derive(Debug, Clone)]
pub struct StreamManagement {
    /// How the transmitter knows us.
    pub access: Access,
}

/// How the transmitter knows us.
#[derive(Debug, Clone)]
pub enum Access {
    /// A bearer token.
    Token(Secret),
    /// A client of an authorization server (RFC 6749 §4.4).
    Client {
        /// Its token endpoint.
        token_endpoint: Arc<str>,
        /// The client's id.
        id: Arc<str>,
        /// Its secret.
        secret: Secret,
        /// The scopes that are asked for.
        scope: Arc<str>,
    },
}

impl StreamSettings {
    /// What only those who hold this configuration know; with it a replica recognises what another one has asked for.
    pub(super) fn secret(&self) -> Option<&Secret> {
        self.management
            .as_ref()
            .map(|management| match &management.access {
                Access::Token(secret) | Access::Client { secret, .. } => secret,
            })
    }
}

impl PartialEq for StreamSettings {
    /// With secrets, so that one that was changed counts at once.
    fn eq(&self, other: &Self) -> bool {
        let secrets = |settings: &Self| {
            let authorization = match &settings.delivery {
                Delivery::Push { authorization, .. } => authorization.clone(),
                Delivery::Poll { .. } => None,
            };
            (authorization, settings.secret().cloned())
        };
        let in_words = |settings: &Self| format!("{settings:?}");
        in_words(self) == in_words(other) && secrets(self) == secrets(other)
    }
}
