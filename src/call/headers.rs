//! Which headers of a caller are refused, and which are taken away before anybody reads them.
//!
//! Taken away: what belongs to the connection (RFC 9110 §7.6.1), what only a gateway may say (`Boomgate-*`,
//! forwarding and identity names), and what would make the upstream see another method, path or host.
//! Refused: what could be read in two ways. Never here: the meaning of `Authorization`; its values stay, all of them.

use std::time::Duration;

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, COOKIE, EXPECT, FORWARDED, HOST, LOCATION, SET_COOKIE, TE, TRAILER,
    TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::trace::TraceParent;
use crate::types::Reason;

const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");

/// The longest head of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// The longest target, in bytes.
    pub max_uri_bytes: usize,
    /// All header names and values together, in bytes.
    pub max_header_bytes: usize,
    /// Header fields.
    pub max_headers: usize,
    /// How long its body may stand still while its upstream waits for it.
    pub body_timeout: Duration,
}

impl RequestLimits {
    /// What HTTP servers commonly take.
    pub const COMMON: Self = Self {
        max_uri_bytes: 8 * 1024,
        max_header_bytes: 32 * 1024,
        max_headers: 100,
        body_timeout: Duration::from_secs(30),
    };

    /// The longest head that is read, with what stands between the fields.
    #[must_use]
    pub const fn head_bytes(&self) -> usize {
        self.max_uri_bytes
            .saturating_add(self.max_header_bytes)
            .saturating_add(self.max_headers.saturating_mul(4))
            .saturating_add(1024)
    }
}

/// Names that only the gateway sets, and names that bend the method, the path, the host or the client that an
/// upstream sees. A caller's are taken away.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    const PREFIXES: [&str; 6] = [
        "boomgate-",
        "x-boomgate-",
        "x-forwarded-",
        "x-original-",
        "x-envoy-",
        "proxy-",
    ];
    // A pattern, which the compiler sorts by length; a list would be compared with name by name.
    let is_named = matches!(
        name,
        "cf-connecting-ip"
            | "client-ip"
            | "fastly-client-ip"
            | "forwarded"
            | "front-end-https"
            | "remote-user"
            | "true-client-ip"
            | "x-client-cert"
            | "x-client-ip"
            | "x-cluster-client-ip"
            | "x-forwarded"
            | "x-host"
            | "x-http-host-override"
            | "x-http-method"
            | "x-http-method-override"
            | "x-http-path-override"
            | "x-method-override"
            | "x-real-ip"
            | "x-remote-user"
            | "x-rewrite-url"
            | "x-scheme"
            | "x-url-scheme"
    );
    is_named || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Names that the gateway itself reads or frames by. None of them may be aliased, or named by `Connection`.
fn is_read_here(name: &str) -> bool {
    const NAMES: &[HeaderName] = &[
        AUTHORIZATION,
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        CONTENT_TYPE,
        COOKIE,
        EXPECT,
        FORWARDED,
        HOST,
        TRANSFER_ENCODING,
    ];
    NAMES.iter().any(|known| known == name)
        || matches!(name, TraceParent::NAME | "tracestate" | "dpop")
}

/// Checks a caller's headers.
///
/// # Errors
/// [`Reason::HeadersTooLarge`] over a limit; [`Reason::RequestMalformed`] for a value, a name or a framing that could
/// be read in two ways.
pub fn check(headers: &HeaderMap, limits: &RequestLimits) -> Result<(), Reason> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len().saturating_add(value.len()))
        .sum();
    if headers.len() > limits.max_headers || bytes > limits.max_header_bytes {
        return Err(Reason::HeadersTooLarge);
    }
    let sound = headers
        .iter()
        .all(|(name, value)| is_plain_value(value) && !aliases_ours(name.as_str()));
    if sound && is_framed_once(headers) && connection_is_sound(headers) {
        Ok(())
    } else {
        Err(Reason::RequestMalformed)
    }
}

/// Takes away what no upstream may get of a caller. Call [`check`] first.
pub fn strip(headers: &mut HeaderMap) {
    let trailers_wanted = lists(headers, &TE, "trailers");
    remove_listed(headers);
    remove_where(headers, |name| {
        is_hop_by_hop(name)
            || matches!(name, "expect" | "trailer" | "content-length")
            || is_reserved(name)
    });
    if TraceParent::of(headers).is_none() {
        headers.remove(TraceParent::HEADER);
        headers.remove(TRACE_STATE);
    }
    if trailers_wanted {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    join_cookies(headers);
}

/// Removes what belongs to one connection, the names that `Connection` lists included (RFC 9110 §7.6.1), and those that
/// are `unwanted` beside.
pub fn strip_hop_by_hop(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    remove_listed(headers);
    remove_where(headers, |name| is_hop_by_hop(name) || unwanted(name));
}

/// Names that belong to one connection.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "http2-settings"
    )
}

/// Removes the names that `Connection` lists.
fn remove_listed(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = connection_options(headers)
        .filter_map(|option| HeaderName::from_bytes(option.as_bytes()).ok())
        .collect();
    for name in listed {
        headers.remove(name);
    }
}

/// Removes names in one pass over those that are there, which are fewer than those that could be.
fn remove_where(headers: &mut HeaderMap, is_unwanted: impl Fn(&str) -> bool) {
    let unwanted: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_unwanted(name.as_str()))
        .cloned()
        .collect();
    for name in unwanted {
        headers.remove(name);
    }
}

/// Leaves of the fields behind a body those that may go on.
pub fn keep_trailers(trailers: &mut HeaderMap, allowed: &[HeaderName]) {
    let others: Vec<HeaderName> = trailers
        .keys()
        .filter(|name| !allowed.contains(name))
        .cloned()
        .collect();
    for name in others {
        trailers.remove(name);
    }
}

/// Whether a field of this name may ever stand behind a body. Not what only the gateway may say, and not what frames,
/// routes, names an identity or changes how the body before it is read (RFC 9110 §6.5.1): many programs merge trailers
/// into the headers.
#[must_use]
pub fn may_be_trailer(name: &HeaderName) -> bool {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(name, HeaderValue::from_static(""));
    clean_trailers(&mut trailers);
    !trailers.is_empty() && !is_read_here(name.as_str()) && !aliases_ours(name.as_str())
}

fn clean_trailers(trailers: &mut HeaderMap) {
    strip_hop_by_hop(trailers, is_reserved);
    for name in [
        AUTHORIZATION,
        CACHE_CONTROL,
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        CONTENT_RANGE,
        CONTENT_TYPE,
        COOKIE,
        EXPECT,
        HOST,
        LOCATION,
        SET_COOKIE,
        TRAILER,
        WWW_AUTHENTICATE,
    ] {
        trailers.remove(name);
    }
}

/// Visible ASCII, blanks and tabs inside (RFC 9110 §5.5 without `obs-text`, which programs decode in different ways).
fn is_plain_value(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // Without stopping at the first that is not, so that many are looked at in one instruction.
    let is_plain = bytes
        .iter()
        .fold(true, |all, b| all & matches!(b, b'\t' | b' '..=b'~'));
    is_plain && !blank(bytes.first()) && !blank(bytes.last())
}

/// Letters, digits and `-`: no program reads it as another name.
fn is_plain_name(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether a program that folds `_`, `.` and the like into `-` (CGI, WSGI, PHP) reads it as a name that counts.
fn aliases_ours(name: &str) -> bool {
    if is_plain_name(name) {
        return false;
    }
    let folded: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    is_reserved(&folded) || is_read_here(&folded) || is_hop_by_hop(&folded)
}

/// One `Content-Length` at most, `Transfer-Encoding: chunked` once and nothing else, and never both (RFC 9112 §6).
fn is_framed_once(headers: &HeaderMap) -> bool {
    let encodings: Vec<&HeaderValue> = headers.get_all(TRANSFER_ENCODING).iter().collect();
    let lengths = headers.get_all(CONTENT_LENGTH).iter().count();
    match encodings.as_slice() {
        [] => lengths <= 1,
        [one] => lengths == 0 && one.as_bytes().eq_ignore_ascii_case(b"chunked"),
        [_, ..] => false,
    }
}

/// Whether every `Connection` option is a token, and none names a header that is for the upstream.
fn connection_is_sound(headers: &HeaderMap) -> bool {
    connection_options(headers).all(|option| {
        let name = option.to_ascii_lowercase();
        let known_hop = matches!(
            name.as_str(),
            "proxy-connection" | "proxy-authenticate" | "proxy-authorization"
        );
        let is_ours = is_reserved(&name) || is_read_here(&name) || name == CONNECTION.as_str();
        HeaderName::from_bytes(name.as_bytes()).is_ok()
            && (known_hop || !(is_ours || aliases_ours(&name)))
    })
}

/// The members of all `Connection` fields, without empty ones.
fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    members(headers, &CONNECTION)
}

/// The members of a list header over all its fields, without empty ones.
fn members<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|member| !member.is_empty())
}

/// Whether a list header has this member, whatever its case and weight.
#[must_use]
pub fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    members(headers, name).any(|member| {
        let bare = member.split(';').next().unwrap_or(member).trim();
        bare.eq_ignore_ascii_case(wanted)
    })
}

/// HTTP/2 may split cookies over fields; HTTP/1.1 has one (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&str> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    if crumbs.len() > 1
        && let Ok(joined) = HeaderValue::from_str(&crumbs.join("; "))
    {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests;
