//! Resources: the APIs and token endpoints behind the gateway, the hooks of issuers, and the APIs that tokens are asked for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hooks::TokenHook;
use super::text::{
    self, Application, AuthenticationContext, Exact, HeaderName, Host, Label, Name, Object,
    PathPrefix, PathTemplate, Size,
};
use super::upstreams::Upstream;
use crate::call::TrailerNames;

// Which members a kind needs is no matter of the schema: the check says it by the kind's name.
/// An API, a token endpoint, or a hook.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Its name, which is also a metric label.
    pub name: text::Resource,
    /// What it is.
    #[serde(default)]
    pub kind: Kind,
    /// A name for people; `name` without it.
    pub display_name: Option<Label>,
    /// The appId by which policies name it. A token endpoint and a hook need none.
    pub app_id: Option<Application>,
    /// The object id of its service principal, for the record.
    pub service_principal_id: Option<Object>,
    /// Custom security attributes, read by `applicationFilter`: `<AttributeSet>_<AttributeName>` and a text or a list.
    #[serde(default)]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Whether it is itself an agent (`AllAgentIdResources`).
    #[serde(default)]
    pub is_agent: bool,
    /// The hosts that it answers to. An exact name beats `*.name`, which stands for one label and beats `*`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub hosts: Vec<Host>,
    /// The paths that it answers to, each with all that is below. The longest wins.
    #[serde(default = "Resource::path_prefixes")]
    #[schemars(length(min = 1, max = 100))]
    pub path_prefixes: Vec<PathPrefix>,
    /// The exact audiences that a token for it may have, which are the names that tokens for it are asked for by, too.
    #[serde(default)]
    #[schemars(length(min = 1, max = 16))]
    pub audiences: Vec<Exact>,
    /// Where its calls are forwarded to.
    pub upstream: Option<Upstream>,
    /// Whose token endpoint it is.
    pub token_endpoint: Option<TokenEndpoint>,
    /// Which issuer asks here, and how.
    pub token_hook: Option<TokenHook>,
    /// What happens to callers that are not agents. Without it they are refused by an API, and let through by a token
    /// endpoint and a hook, for people sign in too.
    pub non_agents: Option<NonAgents>,
    /// What the upstream gets of the caller's `Authorization` header.
    #[serde(default)]
    pub authorization_header: AuthorizationHeader,
    /// The audience (`aud`) of the `Boomgate-Assertion` that its upstream gets with every call: a JWT of the decision,
    /// signed as `assertions` says. Without it the upstream gets none.
    pub assertion_audience: Option<Exact>,
    /// Whether it takes tokens alone that are bound to their callers' keys (RFC 9449). Without it they are taken beside
    /// bearer tokens; a token that is bound is never taken without a proof.
    #[serde(default)]
    pub dpop_bound_access_tokens_required: bool,
    /// The largest request body; `10MiB` without it, and `64KiB` of a token endpoint and of a hook.
    pub max_body_size: Option<Size>,
    /// The fields that may stand behind bodies.
    #[serde(default)]
    pub trailers: Trailers,
    /// What the connection of a call may become; nothing without it. A call that asks for it is judged as every call is.
    #[serde(default)]
    #[schemars(length(max = 1))]
    pub upgrades: Vec<Upgrade>,
    /// Its operations; of those that match a call, the first counts.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub operations: Vec<Operation>,
}

impl Resource {
    fn path_prefixes() -> Vec<PathPrefix> {
        vec![PathPrefix("/".into())]
    }
}

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An API behind the gateway.
    #[default]
    Api,
    /// An issuer's token endpoint behind the gateway: who asks for a token is judged by what it is asked for.
    TokenEndpoint,
    /// Where an issuer asks whether it may give a token: who asks it for one is judged by what it is asked for.
    TokenHook,
    /// An API that is not behind the gateway: policies name it, and tokens for it are asked for at a token endpoint.
    External,
}

/// Whose token endpoint it is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenEndpoint {
    /// The name of the issuer, whose `profile` and `id_prefix` say how its clients are named.
    pub issuer: Name,
    /// What a client is that asks for a token for itself, and that the directory does not know. Under
    /// `profile: entra` the request tells, for Entra's agents show a token of their blueprint.
    #[serde(default)]
    pub unknown_clients: UnknownClients,
}

/// What a client is that asks for a token for itself, and that the directory does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownClients {
    /// An agent that nobody registered: `directory.unknown_agents` holds for it.
    #[default]
    Agents,
    /// Not an agent: `non_agents` holds for it.
    NotAgents,
}

/// The value of an attribute.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AttributeValue {
    /// A single value.
    One(Label),
    /// A collection.
    Many(Vec<Label>),
}

/// What happens to callers that are not agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NonAgents {
    /// They are refused.
    #[default]
    Block,
    /// They are forwarded; policies for agents do not concern them.
    Forward,
}

/// The fields that may stand behind bodies. No name that frames, routes, or names an identity.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Trailers {
    /// Behind the bodies of calls.
    #[schemars(length(max = 100))]
    pub requests: Vec<HeaderName>,
    /// Behind the bodies of answers. Without the three of gRPC no gRPC client knows how its call ended.
    #[schemars(length(max = 100))]
    pub responses: Vec<HeaderName>,
}

impl Default for Trailers {
    fn default() -> Self {
        let TrailerNames {
            requests,
            responses,
        } = TrailerNames::default();
        let names = |names: &[http::HeaderName]| names.iter().cloned().map(HeaderName).collect();
        Self {
            requests: names(&requests),
            responses: names(&responses),
        }
    }
}

/// What the connection of a call may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Upgrade {
    /// A WebSocket, asked for by HTTP/1.1 (RFC 6455) or HTTP/2 (RFC 8441). The upstream is asked by HTTP/1.1.
    WebSocket,
}

/// What the upstream gets of the caller's `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationHeader {
    /// The header, unchanged.
    #[default]
    Forward,
    /// Nothing.
    Strip,
}

/// One operation of a resource, told by method and path.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Its name in records; `path` without it.
    pub name: Option<Label>,
    /// Its methods; all without it.
    #[serde(default)]
    pub methods: Vec<Method>,
    /// The whole path of the call, the resource's prefix included.
    pub path: PathTemplate,
    /// At least one of these scopes, …
    #[serde(default)]
    pub scopes: Vec<Exact>,
    /// … or one of these roles, must be in the token. None is needed where both are empty.
    #[serde(default)]
    pub roles: Vec<Exact>,
    /// The authentication contexts, `c1` to `c99`, by which policies name it (`includeAuthenticationContextClassReferences`).
    #[serde(default)]
    #[schemars(length(max = 99))]
    pub authentication_contexts: Vec<AuthenticationContext>,
}

/// A method that the gateway forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "HTTP's own names")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}
