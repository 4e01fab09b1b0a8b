//! Token hooks: where an issuer asks whether it may give a token.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resources::UnknownClients;
use super::text::{Application, Exact, HeaderName, Name, SecretSource};

/// The hook of one issuer, and how that shows that it is the one: by an API key or by a bearer token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenHook {
    /// The name of the issuer that asks, whose `profile` and `id_prefix` say how its clients are named.
    pub issuer: Name,
    /// How it writes what it asks, and reads the answer.
    pub form: HookForm,
    /// What a client is that asks for a token for itself, and that the directory does not know.
    #[serde(default)]
    pub unknown_clients: UnknownClients,
    /// A secret that the issuer sends in a header.
    pub api_key: Option<ApiKey>,
    /// An access token that the issuer sends.
    pub bearer: Option<HookToken>,
}

/// How the requests and answers of a hook are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookForm {
    /// Entra's custom authentication extension for the event `onTokenIssuanceStart`.
    Entra,
    /// Ory Hydra's token hook.
    Hydra,
    /// JSON for whatever can send it, such as an Action of Auth0.
    Plain,
}

/// A secret that an issuer sends in a header.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The header, whose whole value is the secret.
    #[serde(default = "ApiKey::header")]
    pub header: HeaderName,
    /// The secret: `${NAME}` or `file:PATH`, at least 32 characters.
    #[schemars(extend("writeOnly" = true))]
    pub secret: SecretSource,
}

impl ApiKey {
    fn header() -> HeaderName {
        HeaderName(http::HeaderName::from_static("x-api-key"))
    }
}

/// An access token that an issuer sends.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HookToken {
    /// The name of the issuer that gives it; that of the hook without it.
    pub issuer: Option<Name>,
    /// The client that it is given to, as the directory would name it. `form: entra` without it: that of Entra's
    /// service for authentication events.
    pub client: Option<Application>,
    /// The exact audiences that it may have.
    #[schemars(length(min = 1, max = 16))]
    pub audiences: Vec<Exact>,
}
