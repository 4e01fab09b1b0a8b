//! A resource's upstream: what no schema can say of it.

use std::sync::Arc;

use http::StatusCode;

use crate::config::member::MemberPath;
use crate::config::raw::listeners::TlsVersion;
use crate::config::raw::resources::{AuthorizationHeader, Resource};
use crate::config::raw::text;
use crate::config::raw::upstreams as raw;
use crate::config::validate::listeners::exact_host;
use crate::config::validate::{Checker, files};
use crate::spiffe::SpiffeId;
use crate::spiffe::settings::OwnCertificate;
use crate::upstream::settings::{
    Balance, Dns, Ejection, HealthCheck, Origin, Retries, UpstreamLimits, UpstreamProtocol,
    UpstreamSettings, UpstreamTls,
};

pub(super) fn upstream(
    check: &mut Checker<'_>,
    resource: &Resource,
    raw: &raw::Upstream,
    at: &MemberPath,
) -> UpstreamSettings {
    let urls = urls(check, raw, at);
    let is_tls = urls.iter().any(|(_, url)| url.tls);
    let tls = tls(check, raw, is_tls, &at.key("tls"));
    for (at, url) in &urls {
        if url.tls != is_tls {
            check.error(at, "is not `https` as others are, expected one scheme");
        }
        if !url.tls
            && !url.is_loopback()
            && resource.authorization_header == AuthorizationHeader::Forward
        {
            let message = "the caller's token can be read on the way; expected `https`, or `authorization_header: strip`";
            check.warn(at, message);
        }
    }
    if raw.protocol == raw::Protocol::Http2 && !resource.upgrades.is_empty() {
        let message = "does not go with the resource's `upgrades`, expected `http1`";
        check.refuse(&at.key("protocol"), message);
    }
    let origins = urls.iter().map(|(_, url)| Origin {
        host: Arc::clone(&url.host),
        port: url.port,
    });
    let dns = raw.dns.as_ref().map(|dns| names(check, dns, at));
    let mut time = |name: &str, value, bounds| check.between(&at.key(name), value, bounds);
    UpstreamSettings {
        origins: origins.collect(),
        tls,
        protocol: match raw.protocol {
            raw::Protocol::Http1 => UpstreamProtocol::Http1,
            raw::Protocol::Http2 => UpstreamProtocol::Http2,
        },
        preserve_host: raw.preserve_host,
        balance: match raw.balance {
            raw::Balance::RoundRobin => Balance::RoundRobin,
            raw::Balance::LeastRequests => Balance::LeastRequests,
        },
        resolve_interval: time("resolve_interval", &raw.resolve_interval, ("100ms", "1d")),
        dns,
        slow_start: raw
            .slow_start
            .as_ref()
            .map(|value| time("slow_start", value, ("100ms", "1h"))),
        connect_timeout: time("connect_timeout", &raw.connect_timeout, ("10ms", "5m")),
        response_timeout: time("response_timeout", &raw.response_timeout, ("10ms", "1d")),
        stream_idle_timeout: time(
            "stream_idle_timeout",
            &raw.stream_idle_timeout,
            ("100ms", "30d"),
        ),
        total_timeout: raw
            .total_timeout
            .as_ref()
            .map(|value| time("total_timeout", value, ("100ms", "30d"))),
        idle_timeout: time("idle_timeout", &raw.idle_timeout, ("100ms", "1d")),
        max_idle: to_usize(raw.max_idle_connections),
        health_check: raw
            .health_check
            .as_ref()
            .map(|raw| health_check(check, raw, &at.key("health_check"))),
        ejection: ejection(check, &raw.ejection, &at.key("ejection")),
        retries: Retries {
            max_per_call: raw.retries.max_per_call,
            budget_percent: raw.retries.budget_percent,
            min_per_second: raw.retries.min_per_second,
            on_unavailable: raw.retries.on_unavailable,
        },
        limits: limits(check, &raw.limits, &at.key("limits")),
    }
}

/// All addresses with their places; that there is one of `url` and `endpoints`, and no address twice.
fn urls<'a>(
    check: &mut Checker<'_>,
    raw: &'a raw::Upstream,
    at: &MemberPath,
) -> Vec<(MemberPath, &'a text::Upstream)> {
    let several_at = at.key("endpoints");
    match (&raw.url, raw.endpoints.is_empty()) {
        (None, true) => check.error(at, "expected `url`, or `endpoints` for several"),
        (Some(_), false) => check.error(&several_at, "stands beside `url`, expected one of them"),
        (Some(_), true) | (None, false) => {}
    }
    let one = raw.url.iter().map(|url| (at.key("url"), &url.0));
    let several = raw.endpoints.iter().enumerate();
    let several = several.map(|(index, url)| (several_at.item(index), &url.0));
    let urls: Vec<_> = one.chain(several).collect();
    for (index, (at, url)) in urls.iter().enumerate() {
        if urls.iter().take(index).any(|(_, other)| other == url) {
            check.error(at, "is there already");
        }
    }
    urls
}

fn tls(
    check: &mut Checker<'_>,
    raw: &raw::Upstream,
    is_tls: bool,
    at: &MemberPath,
) -> Option<UpstreamTls> {
    if raw.tls.is_some() && !is_tls {
        check.error(at, "without effect, since `url` is not `https`");
    }
    is_tls.then(|| {
        let raw = raw.tls.as_ref();
        let ca_file = raw.and_then(|tls| tls.ca_file.as_ref());
        let server_name = raw.and_then(|tls| tls.server_name.as_ref());
        UpstreamTls {
            ca_file: ca_file.map(|file| files::ca_bundle(check, &at.key("ca_file"), file)),
            server_name: server_name
                .and_then(|name| exact_host(check, name, &at.key("server_name"))),
            pins: raw
                .iter()
                .flat_map(|tls| &tls.pins)
                .map(|pin| pin.0)
                .collect(),
            spiffe_ids: raw.map_or_else(Vec::new, |raw| spiffe_ids(check, raw, at)),
            client_certificate: raw
                .and_then(|tls| tls.client_certificate.as_ref())
                .map(|own| client_certificate(check, own, &at.key("client_certificate"))),
            refuse_tls12: raw.is_some_and(|tls| tls.min_version == TlsVersion::V13),
        }
    })
}

fn client_certificate(
    check: &mut Checker<'_>,
    raw: &raw::ClientCertificate,
    at: &MemberPath,
) -> OwnCertificate {
    let written = files::Written {
        certificate_file: raw.certificate_file.as_ref(),
        key_file: raw.key_file.as_ref(),
        spiffe: raw.spiffe,
    };
    files::own_certificate(check, at, written)
}

/// The ids of servers. With a bundle of their own they are of one trust domain, whose bundle it is.
fn spiffe_ids(check: &mut Checker<'_>, raw: &raw::UpstreamTls, at: &MemberPath) -> Vec<SpiffeId> {
    let ids: Vec<_> = raw.spiffe_ids.iter().map(|id| id.0.clone()).collect();
    let first = ids.first().map(SpiffeId::domain);
    if raw.ca_file.is_some()
        && let Some(index) = ids.iter().position(|id| Some(id.domain()) != first)
    {
        let message = "is of another trust domain than the first, expected ids of the one whose bundle `ca_file` is";
        check.refuse(&at.key("spiffe_ids").item(index), message);
    }
    ids
}

/// Looking names up by their time to live. An interval beside it would mean nothing.
fn names(check: &mut Checker<'_>, raw: &raw::Dns, upstream: &MemberPath) -> Dns {
    let at = upstream.key("dns");
    let interval_at = upstream.key("resolve_interval");
    if check.is_given(&interval_at) {
        check.error(
            &interval_at,
            "without effect, since `dns` says when names are looked up",
        );
    }
    let min_ttl = check.between(&at.key("min_ttl"), &raw.min_ttl, ("1s", "1h"));
    let max_at = at.key("max_ttl");
    let max_ttl = check.between(&max_at, &raw.max_ttl, ("1s", "1d"));
    if max_ttl < min_ttl {
        check.refuse(&max_at, "is less than `min_ttl`");
    }
    Dns {
        servers: raw.servers.iter().map(|server| server.0).collect(),
        min_ttl,
        max_ttl,
    }
}

fn health_check(check: &mut Checker<'_>, raw: &raw::HealthCheck, at: &MemberPath) -> HealthCheck {
    let interval = check.between(&at.key("interval"), &raw.interval, ("100ms", "1h"));
    let timeout_at = at.key("timeout");
    let timeout = check.between(&timeout_at, &raw.timeout, ("10ms", "1m"));
    HealthCheck {
        path: Arc::clone(&raw.path.0),
        status: StatusCode::from_u16(raw.status).unwrap_or(StatusCode::OK),
        interval,
        timeout,
        unhealthy_after: raw.unhealthy_after,
        healthy_after: raw.healthy_after,
    }
}

fn ejection(check: &mut Checker<'_>, raw: &raw::Ejection, at: &MemberPath) -> Ejection {
    let time = check.between(&at.key("time"), &raw.time, ("100ms", "1h"));
    let max_at = at.key("max_time");
    let max_time = check.between(&max_at, &raw.max_time, ("100ms", "1d"));
    if max_time < time {
        check.refuse(&max_at, "is less than `time`");
    }
    Ejection {
        consecutive_failures: raw.consecutive_failures,
        time,
        max_time,
        max_percent: raw.max_percent,
    }
}

fn limits(check: &mut Checker<'_>, raw: &raw::UpstreamLimits, at: &MemberPath) -> UpstreamLimits {
    if raw.max_pending > 0 && raw.max_requests.is_none() {
        check.error(
            &at.key("max_pending"),
            "without effect, since there is no `max_requests`",
        );
    }
    UpstreamLimits {
        max_requests: raw.max_requests.map(to_usize),
        max_pending: to_usize(raw.max_pending),
    }
}

fn to_usize(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
