//! What a resource needs and what would be without effect, by its kind; and the defaults that follow from the kind.

use std::sync::Arc;

use super::{Checker, hooks};
use crate::call::resource::{NonAgents, ResourceKind, TokenSource};
use crate::config::member::MemberPath;
use crate::config::raw::resources as raw;
use crate::config::raw::resources::Kind;
use crate::config::raw::text::Size;
use crate::types::AppId;

/// The largest body of an API's request, unless the operator says otherwise.
const API_BODY: Size = Size::kib(10 * 1024);
/// The same of a request for a token, which is held in memory.
const FORM_BODY: Size = Size::kib(64);

/// What a kind makes of a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Must,
    May,
    Not,
}
use Need::{May, Must, Not};

/// By member: what an API, a token endpoint, a hook and an external API make of it.
const MEMBERS: [(&str, [Need; 4]); 16] = [
    ("app_id", [Must, May, May, Must]),
    ("attributes", [May, Not, Not, May]),
    ("is_agent", [May, Not, Not, May]),
    ("hosts", [Must, Must, Must, Not]),
    ("path_prefixes", [May, Must, Must, Not]),
    ("audiences", [Must, Not, Not, May]),
    ("upstream", [Must, Must, Not, Not]),
    ("token_endpoint", [Not, Must, Not, Not]),
    ("token_hook", [Not, Not, Must, Not]),
    ("non_agents", [May, May, May, Not]),
    ("authorization_header", [May, May, Not, Not]),
    ("assertion_audience", [May, Not, Not, Not]),
    ("dpop_bound_access_tokens_required", [May, Not, Not, Not]),
    ("operations", [May, Not, Not, Not]),
    ("trailers", [May, May, Not, Not]),
    ("upgrades", [May, Not, Not, Not]),
];

/// Checks which members there are.
pub(super) fn members(check: &mut Checker<'_>, raw: &raw::Resource, at: &MemberPath) {
    let (name, place) = match raw.kind {
        Kind::Api => ("api", 0),
        Kind::TokenEndpoint => ("token_endpoint", 1),
        Kind::TokenHook => ("token_hook", 2),
        Kind::External => ("external", 3),
    };
    for (member, needs) in MEMBERS {
        let at = at.key(member);
        match (needs.get(place), check.is_given(&at)) {
            (Some(Must), false) => {
                check.error(
                    &at,
                    format!("is missing, a resource of kind `{name}` needs it"),
                );
            }
            (Some(Not), true) => {
                check.error(
                    &at,
                    format!("without effect for a resource of kind `{name}`"),
                );
            }
            _ => {}
        }
    }
}

/// What it is. One that is at fault is taken for an API, which is never served.
pub(super) fn kind(check: &mut Checker<'_>, raw: &raw::Resource, at: &MemberPath) -> ResourceKind {
    match (raw.kind, &raw.token_endpoint, &raw.token_hook) {
        (Kind::TokenEndpoint, Some(endpoint), _) => ResourceKind::TokenEndpoint(TokenSource {
            issuer: Arc::clone(&endpoint.issuer.0),
            unknown_clients: hooks::unknown_clients(endpoint.unknown_clients),
        }),
        (Kind::TokenHook, _, Some(hook)) => hooks::hook(check, hook, &at.key("token_hook"))
            .map_or(ResourceKind::Api, |hook| {
                ResourceKind::TokenHook(Arc::new(hook))
            }),
        (Kind::External, _, _) => ResourceKind::External,
        (Kind::TokenEndpoint, None, _) | (Kind::TokenHook, _, None) | (Kind::Api, _, _) => {
            ResourceKind::Api
        }
    }
}

/// The appId. A token endpoint or a hook that has none is named by its name in records; no policy judges it.
pub(super) fn app_id(raw: &raw::Resource) -> AppId {
    let given = raw.app_id.as_ref().map(|id| id.0.clone());
    given.unwrap_or_else(|| AppId::from(&raw.name.0))
}

pub(super) fn non_agents(raw: &raw::Resource) -> NonAgents {
    match (raw.non_agents, raw.kind) {
        (Some(raw::NonAgents::Block), _) | (None, Kind::Api | Kind::External) => NonAgents::Block,
        (Some(raw::NonAgents::Forward), _) | (None, Kind::TokenEndpoint | Kind::TokenHook) => {
            NonAgents::Forward
        }
    }
}

pub(super) fn max_body_bytes(check: &mut Checker<'_>, raw: &raw::Resource, at: &MemberPath) -> u64 {
    let size = raw.max_body_size.as_ref();
    match raw.kind {
        Kind::Api | Kind::External => size.unwrap_or(&API_BODY).0,
        Kind::TokenEndpoint | Kind::TokenHook => {
            let size = size.unwrap_or(&FORM_BODY);
            check.size_between(&at.key("max_body_size"), size, ("1KiB", "1MiB"));
            size.0
        }
    }
}
