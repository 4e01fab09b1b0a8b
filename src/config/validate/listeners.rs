//! Listeners of calls, and the management listener.

use std::sync::Arc;

use super::secrets::credential;
use super::{Checker, files};
use crate::call::resource::HostPattern;
use crate::call::{ForwardingHeader, TrustedProxies};
use crate::config::member::MemberPath;
use crate::config::raw::listeners as raw;
use crate::config::raw::text::{Host, IpRange, Size};
use crate::listener::settings::{ClientCertificates, Limits, ListenerSettings, ServerTls};
use crate::management::settings::{ManagementSettings, RoleTokens};
use crate::types;

/// Every listener. Names and addresses are their own.
pub(super) fn listeners(
    check: &mut Checker<'_>,
    raw: &[Option<raw::Listener>],
    at: &MemberPath,
) -> Vec<ListenerSettings> {
    let mut done: Vec<ListenerSettings> = Vec::new();
    for (index, listener) in raw.iter().enumerate() {
        let at = at.item(index);
        let Some(listener) = listener else {
            continue;
        };
        if done.iter().any(|other| other.name == listener.name.0) {
            check.refuse(&at.key("name"), "is the name of another listener");
        }
        // Port 0 is any free port, so two of them are no clash.
        let address = listener.address.0;
        if address.port() != 0 && done.iter().any(|other| other.address == address) {
            check.refuse(&at.key("address"), "is the address of another listener");
        }
        let tls_at = at.key("tls");
        let tls = listener
            .tls
            .as_ref()
            .map(|tls| server_tls(check, tls, &tls_at));
        match (&tls, listener.dangerous_plaintext) {
            (None, false) => {
                let message = "is missing, expected a certificate and key (or, where tokens may be read on the way, `dangerous_plaintext: true`)";
                check.error(&tls_at, message);
            }
            (Some(_), true) => {
                let message = "set beside `tls`, expected one of the two";
                check.error(&at.key("dangerous_plaintext"), message);
            }
            (None, true) => {
                let message = "tokens can be read on the way to this listener";
                check.warn(&at.key("dangerous_plaintext"), message);
            }
            (Some(_), false) => {}
        }
        let limits = limits(check, &listener.limits, &at.key("limits"));
        done.push(ListenerSettings {
            name: Arc::clone(&listener.name.0),
            address,
            reuse_port: listener.reuse_port,
            tls,
            proxy_protocol_from: ranges(&listener.proxy_protocol.from),
            trusted_proxies: trusted_proxies(check, &listener.trusted_proxies, &at),
            limits,
        });
    }
    done
}

fn ranges(raw: &[IpRange]) -> Vec<types::IpRange> {
    raw.iter().map(|range| range.0).collect()
}

/// The proxies that are believed. A range of every address would believe the clients themselves.
fn trusted_proxies(
    check: &mut Checker<'_>,
    raw: &raw::TrustedProxies,
    at: &MemberPath,
) -> TrustedProxies {
    let at = at.key("trusted_proxies").key("addresses");
    for (index, range) in raw.addresses.iter().enumerate() {
        if range.0.holds_all() {
            let message = "would let every client say that it is somebody else, expected the addresses of the proxies";
            check.refuse(&at.item(index), message);
        }
    }
    TrustedProxies {
        addresses: ranges(&raw.addresses),
        header: match raw.header {
            raw::ForwardingHeader::XForwardedFor => ForwardingHeader::XForwardedFor,
            raw::ForwardingHeader::Forwarded => ForwardingHeader::Forwarded,
        },
    }
}

fn server_tls(check: &mut Checker<'_>, raw: &raw::ServerTls, at: &MemberPath) -> ServerTls {
    let written = files::Written {
        certificate_file: raw.certificate_file.as_ref(),
        key_file: raw.key_file.as_ref(),
        spiffe: raw.spiffe,
    };
    let certificate = files::own_certificate(check, at, written);
    let client_certificates = client_certificates(
        check,
        &raw.client_certificates,
        &at.key("client_certificates"),
    );
    ServerTls {
        certificate,
        client_certificates,
        allow_tls12: match raw.min_version {
            raw::TlsVersion::V12 => true,
            raw::TlsVersion::V13 => false,
        },
    }
}

fn client_certificates(
    check: &mut Checker<'_>,
    raw: &raw::ClientCertificates,
    at: &MemberPath,
) -> ClientCertificates {
    let ca_at = at.key("ca_file");
    match (raw.mode, &raw.ca_file) {
        (raw::ClientCertificateMode::None, None) => ClientCertificates::Off,
        (raw::ClientCertificateMode::None, Some(_)) => {
            let message =
                "without effect while `mode` is `none`, expected `optional` or `required`";
            check.error(&ca_at, message);
            ClientCertificates::Off
        }
        (raw::ClientCertificateMode::Optional, Some(file)) => {
            ClientCertificates::Optional(files::ca_bundle(check, &ca_at, file))
        }
        (raw::ClientCertificateMode::Required, Some(file)) => {
            ClientCertificates::Required(files::ca_bundle(check, &ca_at, file))
        }
        (raw::ClientCertificateMode::Optional | raw::ClientCertificateMode::Required, None) => {
            check.error(
                &ca_at,
                "is missing, expected the roots of client certificates",
            );
            ClientCertificates::Off
        }
    }
}

fn limits(check: &mut Checker<'_>, raw: &raw::Limits, at: &MemberPath) -> Limits {
    let narrow = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let mut size = |name: &str, value: &Size, bounds| {
        check.size_between(&at.key(name), value, bounds);
        value.to_usize()
    };
    let max_uri_bytes = size("max_uri_size", &raw.max_uri_size, ("256B", "64KiB"));
    let max_header_bytes = size("max_header_size", &raw.max_header_size, ("1KiB", "1MiB"));
    let mut time = |name: &str, value, bounds| check.between(&at.key(name), value, bounds);
    Limits {
        max_connections: narrow(raw.max_connections),
        max_connections_per_client: narrow(raw.max_connections_per_client),
        max_concurrent_handshakes: narrow(raw.max_concurrent_handshakes),
        max_concurrent_calls: narrow(raw.max_concurrent_calls),
        handshake_timeout: time("handshake_timeout", &raw.handshake_timeout, ("100ms", "5m")),
        header_timeout: time("header_timeout", &raw.header_timeout, ("100ms", "5m")),
        body_timeout: time("body_timeout", &raw.body_timeout, ("100ms", "1h")),
        write_timeout: time("write_timeout", &raw.write_timeout, ("100ms", "1h")),
        idle_timeout: time("idle_timeout", &raw.idle_timeout, ("100ms", "1d")),
        max_uri_bytes,
        max_header_bytes,
        max_headers: narrow(raw.max_headers),
        max_concurrent_streams: raw.max_concurrent_streams,
        max_resets: narrow(raw.max_resets),
    }
}

/// The management listener; `None` without a usable admin token.
pub(super) fn management(
    check: &mut Checker<'_>,
    raw: &raw::Management,
    at: &MemberPath,
) -> Option<ManagementSettings> {
    if !raw.address.0.ip().is_loopback() {
        let message = "not a loopback address: the control plane is open to the network";
        check.warn(&at.key("address"), message);
    }
    let tls = &raw.tls;
    let written = files::Written {
        certificate_file: tls.certificate_file.as_ref(),
        key_file: tls.key_file.as_ref(),
        spiffe: tls.spiffe,
    };
    let certificate = files::own_certificate(check, &at.key("tls"), written);
    let client_ca = tls.client_ca_file.as_ref();
    let client_ca_at = at.key("tls").key("client_ca_file");
    let client_ca_file = client_ca.map(|file| files::ca_bundle(check, &client_ca_at, file));
    let hosts_at = at.key("allowed_hosts");
    let allowed_hosts = raw
        .allowed_hosts
        .iter()
        .enumerate()
        .filter_map(|(index, host)| exact_host(check, host, &hosts_at.item(index)))
        .map(|host| host.as_ref().to_owned())
        .collect();
    Some(ManagementSettings {
        address: raw.address.0,
        certificate,
        client_ca_file,
        admin_token: credential(check, &at.key("admin_token"), "token")?,
        oidc: raw.oidc.as_ref().map(|oidc| RoleTokens {
            issuer: Arc::clone(&oidc.issuer.0),
            audiences: [Arc::clone(&oidc.audience.0)].into(),
        }),
        allowed_hosts,
        open_probes: raw.unauthenticated_probes,
    })
}

/// A host where no wildcard may stand.
pub(super) fn exact_host(
    check: &mut Checker<'_>,
    host: &Host,
    at: &MemberPath,
) -> Option<Arc<str>> {
    match &host.0 {
        HostPattern::Exact(name) => Some(Arc::clone(name)),
        HostPattern::Wildcard(_) | HostPattern::Any => {
            check.refuse(at, "is a wildcard, expected one host");
            None
        }
    }
}
