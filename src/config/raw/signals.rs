//! Who else reports what is known of agents: streams of security events, and webhooks beside them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::issuers::Algorithm;
use super::text::{DocumentUrl, Duration, Exact, File, Label, Name, SecretSource};
use super::webhooks::Webhook;

/// Who else reports what is known of agents.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Signals {
    /// Streams of security events (OpenID Shared Signals Framework 1.0: CAEP and RISC).
    #[schemars(length(max = 16))]
    pub shared_signals: Vec<Stream>,
    /// Tools that report as signed JSON.
    #[schemars(length(max = 16))]
    pub webhooks: Vec<Webhook>,
}

/// One stream of a transmitter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Its name: a label, the source of what it reports, and the end of its path `/signals/NAME`.
    pub name: Name,
    /// The issuer: the `iss` of its events, and of its metadata.
    pub issuer: DocumentUrl,
    /// The values of `aud` that mean this gateway.
    #[schemars(length(min = 1, max = 8))]
    pub audiences: Vec<Exact>,
    /// How its events may be signed: `RS256`, `PS256`, `ES256`, `EdDSA`.
    #[serde(default = "Stream::algorithms")]
    #[schemars(length(min = 1))]
    pub algorithms: Vec<Algorithm>,
    /// How far its clock may be ahead; at most `300s`.
    #[serde(default = "Stream::leeway")]
    pub leeway: Duration,
    /// Where its keys are; what its metadata says without it.
    pub jwks_uri: Option<DocumentUrl>,
    /// PEM: the roots that its certificate must lead to; those of the operating system without it.
    pub ca_file: Option<File>,
    /// Events are pushed to `/signals/NAME` on the management listener (RFC 8935).
    pub push: Option<Push>,
    /// Events are asked for (RFC 8936).
    pub poll: Option<Poll>,
    /// How the stream is found or made at the transmitter, verified and kept alive; without it somebody else does that.
    pub manage: Option<Manage>,
    /// What events do, in place of the defaults, by the event's name.
    #[serde(default)]
    pub effects: BTreeMap<String, Effect>,
    /// For so long calls are decided although nothing was heard of the transmitter …
    #[serde(default = "Stream::max_age")]
    pub max_age: Duration,
    /// … and refused after that, and before it was heard of for the first time.
    #[serde(default)]
    pub required: bool,
    /// The time for an answer of the transmitter.
    #[serde(default = "Stream::timeout")]
    pub timeout: Duration,
    /// The time between two looks at the transmitter: its keys are loaded anew, and the stream is verified.
    #[serde(default = "Stream::interval")]
    pub interval: Duration,
}

impl Stream {
    fn algorithms() -> Vec<Algorithm> {
        vec![Algorithm::Rs256]
    }

    const fn leeway() -> Duration {
        Duration::seconds(60)
    }

    const fn max_age() -> Duration {
        Duration::seconds(3_600)
    }

    const fn timeout() -> Duration {
        Duration::seconds(10)
    }

    const fn interval() -> Duration {
        Duration::seconds(600)
    }
}

/// How events are pushed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Push {
    /// The address that the transmitter sends events to, as it sees it. Needed with `manage`.
    pub endpoint_url: Option<DocumentUrl>,
    /// The whole value of the transmitter's `Authorization` header (`${NAME}` or `file:PATH`).
    #[schemars(extend("writeOnly" = true))]
    pub authorization: Option<SecretSource>,
}

/// How events are asked for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Poll {
    /// Where; what the transmitter says of the stream without it.
    pub endpoint_url: Option<DocumentUrl>,
}

/// How the transmitter knows this gateway (one of `token`, `client`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Manage {
    /// A bearer token (`${NAME}` or `file:PATH`).
    #[schemars(extend("writeOnly" = true))]
    pub token: Option<SecretSource>,
    /// A client of an authorization server, which gives it tokens.
    pub client: Option<Client>,
}

/// A client of an authorization server (RFC 6749 §4.4).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The token endpoint.
    pub token_endpoint: DocumentUrl,
    /// The client's id.
    pub id: Exact,
    /// Its secret (`${NAME}` or `file:PATH`).
    #[schemars(extend("writeOnly" = true))]
    pub secret: SecretSource,
    /// The scopes that are asked for, with blanks between them.
    #[serde(default = "Client::scope")]
    pub scope: Label,
}

impl Client {
    fn scope() -> Label {
        Label("ssf.read ssf.manage".into())
    }
}

/// What an event does to whom it is about.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Effect {
    /// The level of risk that the stream reports from then on.
    pub risk: Option<Level>,
    /// Refuse tokens that were issued before.
    pub revoke_tokens: bool,
    /// What becomes of the account.
    pub account: Option<AccountEffect>,
}

/// A level of risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// What the event's family reported before is over.
    None,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// What becomes of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountEffect {
    /// It is not let in any more, until the stream or an administrator says otherwise.
    Disable,
    /// What the stream said before is over.
    Enable,
}
