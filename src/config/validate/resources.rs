//! Resources, and their upstreams.

mod hooks;
mod kinds;
mod upstream;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Checker;
use crate::call::headers::may_be_trailer;
use crate::call::resource::{
    AuthorizationHeader, HostPattern, OperationRule, Resource, TrailerNames, Upgrade,
};
use crate::config::member::MemberPath;
use crate::config::raw::resources as raw;
use crate::config::raw::text::HeaderName;
use crate::types::attributes::fold;
use crate::types::{AttributeValue, Attributes};
use crate::upstream::settings::UpstreamSettings;

use upstream::upstream;

/// Every resource with its upstream. Names are their own, and so is each host with a path.
pub(super) fn resources(
    check: &mut Checker<'_>,
    raw: &[Option<raw::Resource>],
    at: &MemberPath,
) -> Vec<(Resource, Option<UpstreamSettings>)> {
    let mut done: Vec<(Resource, Option<UpstreamSettings>)> = Vec::new();
    for (index, resource) in raw.iter().enumerate() {
        let at = at.item(index);
        let Some(resource) = resource else {
            continue;
        };
        let settings = one(check, resource, &at);
        let others = done.iter().map(|(other, _)| other);
        if others.clone().any(|other| other.name == settings.name) {
            check.refuse(&at.key("name"), "is the name of another resource");
        }
        addressed_twice(check, &settings, others.clone(), &at);
        shared_audiences(check, &settings, others, &at);
        let upstream = resource
            .upstream
            .as_ref()
            .map(|raw| upstream(check, resource, raw, &at.key("upstream")));
        done.push((settings, upstream));
    }
    done
}

fn one(check: &mut Checker<'_>, raw: &raw::Resource, at: &MemberPath) -> Resource {
    let name = raw.name.0.clone();
    let display_name = raw.display_name.as_ref();
    kinds::members(check, raw, at);
    let hosts = raw.hosts.iter().map(|host| host.0.clone()).collect();
    let resource = Resource {
        display_name: display_name.map_or_else(|| name.to_shared(), |label| Arc::clone(&label.0)),
        kind: kinds::kind(check, raw, at),
        app_id: kinds::app_id(raw),
        name,
        service_principal_id: raw.service_principal_id.as_ref().map(|id| id.0.clone()),
        attributes: attributes(check, &raw.attributes, &at.key("attributes")),
        is_agent: raw.is_agent,
        hosts,
        path_prefixes: raw.path_prefixes.iter().map(|p| Arc::clone(&p.0)).collect(),
        audiences: raw.audiences.iter().map(|aud| Arc::clone(&aud.0)).collect(),
        non_agents: kinds::non_agents(raw),
        authorization: match raw.authorization_header {
            raw::AuthorizationHeader::Forward => AuthorizationHeader::Forward,
            raw::AuthorizationHeader::Strip => AuthorizationHeader::Strip,
        },
        assertion_audience: raw
            .assertion_audience
            .as_ref()
            .map(|aud| Arc::clone(&aud.0)),
        requires_bound_tokens: raw.dpop_bound_access_tokens_required,
        operations: raw.operations.iter().map(operation).collect(),
        max_body_bytes: kinds::max_body_bytes(check, raw, at),
        trailers: trailers(check, &raw.trailers, &at.key("trailers")),
        upgrades: raw.upgrades.iter().copied().map(upgrade).collect(),
    };
    for (index, operation) in raw.operations.iter().enumerate() {
        let path = operation.path.0.text.as_ref();
        let reachable = resource.path_prefixes.iter().any(|prefix| {
            path.strip_prefix(prefix.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if !reachable {
            let at = at.key("operations").item(index).key("path");
            check.refuse(&at, "is not below any of the resource's `path_prefixes`");
        }
    }
    open_beside_operations(check, &resource, &at.key("operations"));
    resource
}

/// Operations that ask for scopes or roles look as if the rest were closed; it is not.
fn open_beside_operations(check: &mut Checker<'_>, resource: &Resource, at: &MemberPath) {
    let operations = &resource.operations;
    let asks = |rule: &Arc<OperationRule>| !rule.scopes.is_empty() || !rule.roles.is_empty();
    if !operations.iter().any(asks) {
        return;
    }
    for prefix in &resource.path_prefixes {
        let segments = segments(prefix);
        if !operations.iter().any(|rule| covers_all(rule, &segments)) {
            let below = format!("{}/**", prefix.trim_end_matches('/'));
            let message = format!(
                "calls of `{}` that match no operation need no scope and no role; a last operation `path: {below}` with some closes it",
                resource.name
            );
            check.warn(at, message);
        }
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .collect()
}

/// Whether every call below a prefix matches: whatever the method, and whatever follows.
fn covers_all(rule: &OperationRule, prefix: &[&str]) -> bool {
    let is_same = |(wanted, segment): (&Option<Arc<str>>, &&str)| {
        wanted.as_ref().is_none_or(|wanted| **wanted == **segment)
    };
    rule.methods.is_empty()
        && rule.open_ended
        && rule.segments.len() <= prefix.len()
        && rule.segments.iter().zip(prefix).all(is_same)
}

fn attributes(
    check: &mut Checker<'_>,
    raw: &BTreeMap<String, raw::AttributeValue>,
    at: &MemberPath,
) -> Attributes {
    let well_formed = |name: &str| {
        name.split_once('_')
            .is_some_and(|(set, attribute)| !set.is_empty() && !attribute.is_empty())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    for name in raw.keys().filter(|name| !well_formed(name)) {
        let message = format!(
            "`{name}` is not an attribute's name, expected `<AttributeSet>_<AttributeName>`"
        );
        check.error(&at.key(name), message);
    }
    Attributes::from_pairs(raw.iter().map(|(name, value)| {
        let value = match value {
            raw::AttributeValue::One(value) => AttributeValue::One(fold(&value.0)),
            raw::AttributeValue::Many(values) => {
                AttributeValue::Many(values.iter().map(|value| fold(&value.0)).collect())
            }
        };
        (name.as_str().into(), value)
    }))
}

fn operation(raw: &raw::Operation) -> Arc<OperationRule> {
    let template = &raw.path.0;
    let contexts: BTreeSet<_> = raw.authentication_contexts.iter().map(|c| &c.0).collect();
    let label = raw.name.as_ref().map(|name| &name.0);
    Arc::new(OperationRule {
        name: Arc::clone(label.unwrap_or(&template.text)),
        methods: raw.methods.iter().copied().map(method).collect(),
        segments: template.segments.clone(),
        open_ended: template.open_ended,
        scopes: raw
            .scopes
            .iter()
            .map(|scope| Arc::clone(&scope.0))
            .collect(),
        roles: raw.roles.iter().map(|role| Arc::clone(&role.0)).collect(),
        authentication_contexts: contexts.into_iter().map(Arc::clone).collect(),
    })
}

fn trailers(check: &mut Checker<'_>, raw: &raw::Trailers, at: &MemberPath) -> TrailerNames {
    let mut names = |names: &[HeaderName], at: &MemberPath| {
        for (index, name) in names.iter().enumerate() {
            if !may_be_trailer(&name.0) {
                let predicate =
                    "frames, routes or names an identity, and is never forwarded behind a body";
                check.refuse(&at.item(index), predicate);
            }
        }
        names.iter().map(|name| name.0.clone()).collect()
    };
    TrailerNames {
        requests: names(&raw.requests, &at.key("requests")),
        responses: names(&raw.responses, &at.key("responses")),
    }
}

const fn upgrade(raw: raw::Upgrade) -> Upgrade {
    match raw {
        raw::Upgrade::WebSocket => Upgrade::WebSocket,
    }
}

const fn method(raw: raw::Method) -> http::Method {
    match raw {
        raw::Method::Get => http::Method::GET,
        raw::Method::Head => http::Method::HEAD,
        raw::Method::Post => http::Method::POST,
        raw::Method::Put => http::Method::PUT,
        raw::Method::Patch => http::Method::PATCH,
        raw::Method::Delete => http::Method::DELETE,
        raw::Method::Options => http::Method::OPTIONS,
    }
}

/// No host with a path may lead to two resources.
fn addressed_twice<'a>(
    check: &mut Checker<'_>,
    resource: &Resource,
    others: impl Iterator<Item = &'a Resource>,
    at: &MemberPath,
) {
    for other in others {
        for (index, host) in resource.hosts.iter().enumerate() {
            let prefix = resource
                .path_prefixes
                .iter()
                .find(|prefix| other.path_prefixes.contains(prefix));
            if let Some(prefix) = prefix.filter(|_| other.hosts.contains(host)) {
                let message = format!(
                    "host `{}` with path `{prefix}` leads to resource `{}` already",
                    shown(host),
                    other.name
                );
                check.error(&at.key("hosts").item(index), message);
            }
        }
    }
}

fn shown(host: &HostPattern) -> String {
    match host {
        HostPattern::Exact(name) => name.as_ref().to_owned(),
        HostPattern::Wildcard(suffix) => format!("*{suffix}"),
        HostPattern::Any => "*".to_owned(),
    }
}

/// A token for one resource that is good for another one is worth knowing of.
fn shared_audiences<'a>(
    check: &mut Checker<'_>,
    resource: &Resource,
    others: impl Iterator<Item = &'a Resource>,
    at: &MemberPath,
) {
    for other in others.filter(|other| other.app_id != resource.app_id) {
        for (index, audience) in resource.audiences.iter().enumerate() {
            if other.audiences.contains(audience) {
                let message = format!(
                    "a token for it is good for resource `{}` too, which has another `app_id`",
                    other.name
                );
                check.warn(&at.key("audiences").item(index), message);
            }
        }
    }
}
