//! Resources: the APIs behind the gateway, and which of them a host and path address.
//!
//! A resource is what policy calls an application: it has an appId and attributes. Longest path wins;
//! an exact host beats a wildcard. Nothing here knows an upstream address.

mod routes;

use std::sync::Arc;

use http::HeaderName;

use self::routes::Routes;
use super::hook::TokenHook;
use super::received::{OWN_PATH, RESOURCE_METADATA_PATH};
use crate::types::{AppId, Attributes, ObjectId, ResourceName};

/// What happens to callers that are not agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NonAgents {
    /// They are refused.
    #[default]
    Block,
    /// They are forwarded; agent policies do not concern them.
    Forward,
}

/// What a resource is to the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ResourceKind {
    /// An API behind the gateway: its calls carry their callers' tokens.
    #[default]
    Api,
    /// An issuer's token endpoint behind the gateway: its calls ask for tokens for other resources.
    TokenEndpoint(TokenSource),
    /// Where an issuer asks whether it may give a token: its calls are answered here.
    TokenHook(Arc<TokenHook>),
    /// An API that is not behind the gateway: tokens for it are asked for, and policies name it.
    External,
}

/// Whose tokens are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSource {
    /// The issuer's configured name.
    pub issuer: Arc<str>,
    /// What a client is that asks for itself, and that the directory does not know.
    pub unknown_clients: UnknownClients,
}

/// What a client is that asks for a token for itself, and that the directory does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownClients {
    /// An agent that nobody registered.
    #[default]
    Agents,
    /// Not an agent.
    NotAgents,
}

/// What the upstream gets of the `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthorizationHeader {
    /// The caller's header, unchanged.
    #[default]
    Forward,
    /// Nothing.
    Strip,
}

/// The fields that may stand behind bodies, by the way that they go. Each has passed [`super::headers::may_be_trailer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailerNames {
    /// Behind the bodies of calls; default none.
    pub requests: Arc<[HeaderName]>,
    /// Behind the bodies of answers; default those by which gRPC says how a call ended.
    pub responses: Arc<[HeaderName]>,
}

impl Default for TrailerNames {
    fn default() -> Self {
        let of_grpc = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
        Self {
            requests: Arc::default(),
            responses: of_grpc.map(HeaderName::from_static).into(),
        }
    }
}

/// What the connection of a call may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    /// A WebSocket (RFC 6455).
    WebSocket,
}

/// Which hosts a resource answers to: an exact name, or every name one label below a suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// `hr.example.com`, lower case, without port and trailing dot.
    Exact(Arc<str>),
    /// `*.example.com`, kept as `.example.com`: one more label in front.
    Wildcard(Arc<str>),
    /// `*`: every host.
    Any,
}

impl HostPattern {
    /// Reads `name`, `*.suffix` or `*`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        if lower == "*" {
            return Some(Self::Any);
        }
        let (name, wildcard) = match lower.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (lower.as_str(), false),
        };
        let well_formed = !name.is_empty()
            && name.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            });
        match (well_formed, wildcard) {
            (false, _) => None,
            (true, true) => Some(Self::Wildcard(format!(".{name}").into())),
            (true, false) => Some(Self::Exact(name.into())),
        }
    }
}

/// One operation of a resource, told by method and path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRule {
    /// Its name in records: the template, or a name that the operator chose.
    pub name: Arc<str>,
    /// Methods; empty means all.
    pub methods: Vec<http::Method>,
    /// Path segments; `None` is a `{parameter}`, which matches one segment whatever it is.
    pub segments: Vec<Option<Arc<str>>>,
    /// Whether more segments may follow (the template ended in `/**`).
    pub open_ended: bool,
    /// At least one of these delegated scopes (`scp`) or …
    pub scopes: Vec<Arc<str>>,
    /// … one of these app roles (`roles`) is needed; both empty: none is.
    pub roles: Vec<Arc<str>>,
    /// The authentication contexts (`c1` … `c99`) that policies name it by, sorted.
    pub authentication_contexts: Vec<Arc<str>>,
}

impl OperationRule {
    /// One that matches every call and asks for nothing.
    #[must_use]
    pub fn unnamed() -> Self {
        Self {
            name: "none that is configured".into(),
            methods: Vec::new(),
            segments: Vec::new(),
            open_ended: true,
            scopes: Vec::new(),
            roles: Vec::new(),
            authentication_contexts: Vec::new(),
        }
    }
}

/// One API behind the gateway.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Configured name; also the metrics' `resource` label.
    pub name: ResourceName,
    /// What it is to the gateway.
    pub kind: ResourceKind,
    /// What policies name it by.
    pub app_id: AppId,
    /// Object id of its service principal in the tenant, for the record.
    pub service_principal_id: Option<ObjectId>,
    /// For people.
    pub display_name: Arc<str>,
    /// Custom security attributes, read by `applicationFilter`.
    pub attributes: Attributes,
    /// Whether it is itself an agent (`AllAgentIdResources`).
    pub is_agent: bool,
    /// The hosts it answers to.
    pub hosts: Vec<HostPattern>,
    /// Path prefixes, as whole segments: `/hr` covers `/hr` and `/hr/x`, not `/hrx`.
    pub path_prefixes: Vec<Arc<str>>,
    /// The exact audiences that a token for it may have.
    pub audiences: Arc<[Arc<str>]>,
    /// What happens to callers that are not agents.
    pub non_agents: NonAgents,
    /// What the upstream gets of the `Authorization` header.
    pub authorization: AuthorizationHeader,
    /// The audience of the assertion that its upstream gets, where it gets one.
    pub assertion_audience: Option<Arc<str>>,
    /// Whether it takes tokens alone that are bound to their callers' keys (RFC 9728 §2,
    /// `dpop_bound_access_tokens_required`).
    pub requires_bound_tokens: bool,
    /// Its operations, in the order of the file; the first that matches counts.
    pub operations: Vec<Arc<OperationRule>>,
    /// The largest request body in bytes.
    pub max_body_bytes: u64,
    /// The fields that may stand behind bodies.
    pub trailers: TrailerNames,
    /// What the connections of its calls may become.
    pub upgrades: Vec<Upgrade>,
}

impl Resource {
    /// The same, with a name, operations and trailers of its own.
    fn apart(&self) -> Self {
        let operations = self.operations.iter();
        Self {
            name: self.name.apart(),
            operations: operations
                .map(|of| Arc::new(OperationRule::clone(of)))
                .collect(),
            trailers: TrailerNames {
                requests: Arc::from(&*self.trailers.requests),
                responses: Arc::from(&*self.trailers.responses),
            },
            ..self.clone()
        }
    }

    /// The hook, if it is one.
    #[must_use]
    pub const fn token_hook(&self) -> Option<&Arc<TokenHook>> {
        match &self.kind {
            ResourceKind::TokenHook(hook) => Some(hook),
            ResourceKind::Api | ResourceKind::TokenEndpoint(_) | ResourceKind::External => None,
        }
    }
}

/// All resources of one configuration.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    resources: Vec<Arc<Resource>>,
    routes: Routes,
    has_websockets: bool,
}

impl Resources {
    /// Takes the resources of one configuration. That no two answer to one host and path was checked by its reader.
    #[must_use]
    pub fn new(resources: Vec<Arc<Resource>>) -> Self {
        let of_sockets = |resource: &Arc<Resource>| resource.upgrades.contains(&Upgrade::WebSocket);
        Self {
            routes: Routes::new(&resources),
            has_websockets: resources.iter().any(of_sockets),
            resources,
        }
    }

    /// The resource that `host` (lower case, without port) and `path` (normalised) address.
    /// The gateway's own metadata is no resource's, not even that of one at `/`.
    #[must_use]
    pub fn find(&self, host: &str, path: &str) -> Option<&Arc<Resource>> {
        if covers(RESOURCE_METADATA_PATH, path) || covers(OWN_PATH, path) {
            return None;
        }
        let place = self.routes.find(host, path)?;
        self.resources.get(place)
    }

    /// The resource that a token is asked for by this name: its appId, one of its audiences, or the URI that Entra
    /// makes of an appId. Token endpoints and hooks are none: nobody asks for a token for them.
    #[must_use]
    pub fn identified_by(&self, name: &str) -> Option<&Arc<Resource>> {
        let bare = |name| str::strip_suffix(name, '/').unwrap_or(name);
        let name = bare(name);
        let ids =
            [name, name.strip_prefix("api://").unwrap_or(name)].map(|id| AppId::parse(id).ok());
        self.resources.iter().find(|resource| match resource.kind {
            ResourceKind::TokenEndpoint(_) | ResourceKind::TokenHook(_) => false,
            ResourceKind::Api | ResourceKind::External => {
                let is_app_id = ids.iter().flatten().any(|id| *id == resource.app_id);
                is_app_id || resource.audiences.iter().any(|known| bare(known) == name)
            }
        })
    }

    /// The same, with parts of its own in place of those that every call takes references to.
    #[must_use]
    pub fn apart(&self) -> Self {
        let apart = |resource: &Arc<Resource>| Arc::new(resource.apart());
        Self {
            resources: self.resources.iter().map(apart).collect(),
            ..self.clone()
        }
    }

    /// Whether there is a resource whose calls may become WebSockets.
    #[must_use]
    pub const fn has_websockets(&self) -> bool {
        self.has_websockets
    }

    /// The resources in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.iter()
    }
}

/// Whether `path` is `prefix` or lies below it, by whole segments.
fn covers(prefix: &str, path: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_covers_whole_segments_only() {
        assert!(covers("/hr", "/hr"));
        assert!(covers("/hr", "/hr/people"));
        assert!(covers("/", "/anything"));
        assert!(!covers("/hr", "/hrx"));
    }

    #[test]
    fn a_pattern_is_read_in_lower_case() {
        let pattern = HostPattern::parse("*.Example.com").unwrap();
        assert_eq!(pattern, HostPattern::Wildcard(".example.com".into()));
        assert_eq!(HostPattern::parse("a..b"), None);
    }
}
