//! The parsers of the forms in [`super`].
//!
//! An error is a predicate that follows the text as it was written (`is not a duration, expected …`); it never
//! repeats the text.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use http::uri::Scheme;

use super::{Template, Upstream};
use crate::call::target::normalise;
use crate::client::parse_address;
use crate::types::ids::is_guid;
use crate::types::{AppId, TenantId};

pub(super) const DURATION_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

pub(super) const SIZE_UNITS: [(&str, u64); 4] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Splits `5s` into its number and its unit's worth, and multiplies.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, worth) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*worth)
}

/// The largest unit of which `amount` is a whole number.
pub(super) fn to_unit(amount: u64, units: &[(&str, u64)]) -> String {
    let largest = units
        .iter()
        .rev()
        .find(|(_, worth)| amount >= *worth && amount.is_multiple_of(*worth));
    let (unit, worth) = largest
        .or_else(|| units.first())
        .copied()
        .unwrap_or(("", 1));
    format!("{}{unit}", amount.checked_div(worth).unwrap_or_default())
}

pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let millis = with_unit(text, &DURATION_UNITS).ok_or_else(|| {
        "is not a duration, expected a whole number and `ms`, `s`, `m`, `h` or `d`, such as `5s`"
            .to_owned()
    })?;
    // Far below what a clock can add without overflow.
    if millis > 3_650 * 86_400_000 {
        return Err("is too long, expected at most `3650d`".to_owned());
    }
    Ok(std::time::Duration::from_millis(millis))
}

pub(super) fn size(text: &str) -> Result<u64, String> {
    with_unit(text, &SIZE_UNITS).ok_or_else(|| {
        "is not a size, expected a whole number and `B`, `KiB`, `MiB` or `GiB`, such as `16KiB`"
            .to_owned()
    })
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_not_an_address| {
        "is not an address, expected an IP address and a port, such as `127.0.0.1:8443` or `[::1]:8443`"
            .to_owned()
    })
}

pub(super) fn name(text: &str) -> Result<Arc<str>, String> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let well_formed = (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if well_formed {
        Ok(text.into())
    } else {
        Err(
            "is not a name, expected 1 to 63 of `a`-`z`, `0`-`9` and `-`, such as `hr-api`"
                .to_owned(),
        )
    }
}

pub(super) fn label(text: &str) -> Result<Arc<str>, String> {
    let length = text.chars().count();
    if (1..=256).contains(&length) && !text.chars().any(char::is_control) {
        Ok(text.into())
    } else {
        Err("is not a label, expected 1 to 256 characters on one line".to_owned())
    }
}

pub(super) fn exact(text: &str) -> Result<Arc<str>, String> {
    // The rules of an id, without its folding of case.
    AppId::parse(text)
        .map(|_| text.into())
        .map_err(|error| format!("is not accepted: {error}").replace("an id", "it"))
}

pub(super) fn authentication_context(text: &str) -> Result<Arc<str>, String> {
    let number = text.strip_prefix('c').filter(|n| !n.starts_with('0'));
    match number.and_then(|number| number.parse::<u8>().ok()) {
        Some(1..=99) if text.bytes().skip(1).all(|b| b.is_ascii_digit()) => Ok(text.into()),
        _ => Err("is not an authentication context, expected `c1` to `c99`".to_owned()),
    }
}

pub(super) fn id_prefix(text: &str) -> Result<Arc<str>, String> {
    // A GUID has neither sign, so an id with a prefix is never one.
    let well_formed = (2..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic())
        && text.ends_with([':', '/']);
    if well_formed {
        Ok(text.into())
    } else {
        Err(
            "is not an id prefix, expected 2 to 64 visible ASCII characters, the last one `:` or `/`, such as `workforce:`"
                .to_owned(),
        )
    }
}

pub(super) fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text)
        .ok()
        .filter(|_| is_guid(text))
        .ok_or_else(|| {
            "is not a tenant's id, expected a GUID, not a domain, `common` or `organizations`"
                .to_owned()
        })
}

pub(super) fn file(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        Err("is not a path, expected the path of a file or folder".to_owned())
    } else {
        Ok(PathBuf::from(text))
    }
}

/// The SPIFFE Workload Endpoint §4, by a Unix socket alone: over TCP anybody who gets at the port gets the key.
pub(super) fn workload_endpoint(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("unix:").map(|rest| {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        PathBuf::from(path)
    });
    path.filter(|path| path.is_absolute() && !text.contains('\0'))
        .ok_or_else(|| {
            "is not the address of a Unix socket, expected `unix://` and an absolute path, such as `unix:///run/spire/agent.sock`"
                .to_owned()
        })
}

pub(super) fn path_prefix(text: &str) -> Result<Arc<str>, String> {
    let normal = (!text.contains(['*', '{', '}'])).then(|| normalise(text).ok());
    let Some(normal) = normal.flatten() else {
        return Err(
            "is not a path prefix, expected `/` or a path such as `/hr`, without wildcards, `//`, `.` and `..`"
                .to_owned(),
        );
    };
    let trimmed = normal.strip_suffix('/').unwrap_or(&normal);
    Ok(if trimmed.is_empty() { "/" } else { trimmed }.into())
}

pub(super) fn path_template(text: &str) -> Result<Template, String> {
    let refuse = || {
        "is not a path template, expected a path such as `/people/{id}` or `/people/**`, a parameter being a whole segment"
            .to_owned()
    };
    let (path, open_ended) = match text.strip_suffix("/**") {
        Some(path) => (path, true),
        None => (text.strip_suffix('/').unwrap_or(text), false),
    };
    let below_root = match path.strip_prefix('/') {
        Some(below_root) => below_root.split('/').map(template_segment).collect(),
        None if path.is_empty() && !text.is_empty() => Some(Vec::new()),
        None => None,
    };
    Ok(Template {
        text: text.into(),
        segments: below_root.ok_or_else(refuse)?,
        open_ended,
    })
}

/// A segment of a template, in the normal form that calls are brought into, so that it can match at all.
#[expect(
    clippy::option_option,
    reason = "a parameter and a fault are two things"
)]
fn template_segment(segment: &str) -> Option<Option<Arc<str>>> {
    if let Some(parameter) = segment.strip_prefix('{') {
        let name = parameter.strip_suffix('}')?;
        return (!name.is_empty() && !name.contains(['{', '}', '*'])).then_some(None);
    }
    if segment.is_empty() || segment.contains(['{', '}', '*']) {
        return None;
    }
    let normal = normalise(&format!("/{segment}")).ok()?;
    normal.strip_prefix('/').map(|segment| Some(segment.into()))
}

/// Scheme, host without brackets, and port of an absolute `http` or `https` address without user information.
fn web_address(text: &str) -> Option<(Uri, bool, Arc<str>, u16)> {
    let uri: Uri = text.parse().ok()?;
    let tls = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => false,
        _ => return None,
    };
    let authority = uri.authority()?;
    if authority.as_str().contains('@') || text.contains('#') {
        return None;
    }
    let host = authority.host();
    let host = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if host.is_empty() {
        return None;
    }
    let has_port = !authority.as_str().ends_with(authority.host());
    let port = match authority.port() {
        Some(port) => port.as_u16(),
        None if has_port => return None,
        None if tls => 443,
        None => 80,
    };
    let host = host.to_ascii_lowercase().into();
    (port > 0).then_some((uri, tls, host, port))
}

pub(super) fn upstream_url(text: &str) -> Result<Upstream, String> {
    let Some((uri, tls, host, port)) = web_address(text) else {
        return Err(
            "is not an upstream's address, expected `http://` or `https://`, a host and a port, such as `https://hr.internal:8443`"
                .to_owned(),
        );
    };
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        let message =
            "has a path or a query, expected none: calls are forwarded with their own path";
        return Err(message.to_owned());
    }
    Ok(Upstream { host, port, tls })
}

pub(super) fn request_target(text: &str) -> Result<Arc<str>, String> {
    let is_target = text.starts_with('/') && !text.contains('#');
    if is_target && text.parse::<http::uri::PathAndQuery>().is_ok() {
        Ok(text.into())
    } else {
        Err("is not a path with or without a query, expected one such as `/healthz`".to_owned())
    }
}

pub(super) fn json_pointer(text: &str) -> Result<Arc<str>, String> {
    let mut escapes = text.split('~').skip(1);
    if text.starts_with('/') && escapes.all(|rest| rest.starts_with(['0', '1'])) {
        Ok(text.into())
    } else {
        Err("is not a JSON pointer, expected one such as `/agent/id`".to_owned())
    }
}

/// What the fetch itself takes, so that no address passes here and fails there.
pub(super) fn document_url(text: &str) -> Result<Arc<str>, String> {
    match parse_address(text) {
        Ok(_) => Ok(text.into()),
        Err(_) => Err(
            "is not an address, expected `https://`, a host and a path, without user information and fragment"
                .to_owned(),
        ),
    }
}

/// `sha256/` and the base64 of a SHA-256.
pub(super) fn key_pin(text: &str) -> Option<[u8; 32]> {
    let digest = STANDARD.decode(text.strip_prefix("sha256/")?).ok()?;
    digest.try_into().ok()
}
