//! The authority of a call (RFC 9110 §7.2): which host it names, however HTTP carries it.
//!
//! HTTP/1.1 has `Host`, and a target in absolute form may repeat it; HTTP/2 has `:authority`, and `host` may
//! repeat it. All that is given must say the same. Never here: which resource answers to the host.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use http::header::HOST;
use http::{HeaderMap, Uri, Version};

use super::connection::ConnectionFacts;
use crate::types::Reason;

/// Where a call is addressed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Lower case, without port and trailing dot; an IPv6 address in brackets.
    pub host: Arc<str>,
    /// The port, where one is named. It takes no part in finding the resource.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads `host[:port]` (RFC 3986 §3.2.2): a name of letters, digits, `-` and `_`, or an address.
    /// No user information, no path, no list, no percent-encoding.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = split_port(text)?;
        let host = match host.strip_prefix('[') {
            Some(rest) => {
                let address: Ipv6Addr = rest.strip_suffix(']')?.parse().ok()?;
                format!("[{address}]")
            }
            None => name(host)?,
        };
        Some(Self {
            host: host.into(),
            port,
        })
    }

    /// The authority of a request that came on `connection`.
    ///
    /// # Errors
    /// [`Reason::RequestMalformed`] when it is missing, given twice, not an authority, or when two of its
    /// carriers differ; [`Reason::Misdirected`] when the TLS handshake named another host (RFC 9110 §7.4).
    pub fn of(
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
        connection: &ConnectionFacts,
    ) -> Result<Self, Reason> {
        let mut hosts = headers.get_all(HOST).iter();
        let header = hosts.next();
        if hosts.next().is_some() {
            return Err(Reason::RequestMalformed);
        }
        let header = header
            .map(|value| {
                let text = value.to_str().ok();
                text.and_then(Self::parse).ok_or(Reason::RequestMalformed)
            })
            .transpose()?;
        let target = uri
            .authority()
            .map(|text| Self::parse(text.as_str()).ok_or(Reason::RequestMalformed))
            .transpose()?;
        // A scheme without an authority cannot be; an authority without a scheme is authority-form (CONNECT only).
        if uri.scheme_str().is_some_and(|s| s != connection.scheme())
            || (target.is_some() && uri.scheme().is_none())
        {
            return Err(Reason::RequestMalformed);
        }
        let authority = match (target, header) {
            (Some(target), Some(header)) if target != header => {
                return Err(Reason::RequestMalformed);
            }
            // HTTP/1.1 asks for Host whatever the target says (RFC 9112 §3.2).
            (Some(_), None) if version < Version::HTTP_2 => return Err(Reason::RequestMalformed),
            (Some(authority), _) | (None, Some(authority)) => authority,
            (None, None) => return Err(Reason::RequestMalformed),
        };
        match connection.server_name.as_deref() {
            Some(name) if !same_name(name, &authority.host) => Err(Reason::Misdirected),
            Some(_) | None => Ok(authority),
        }
    }

    /// `host[:port]`.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self.port {
            Some(port) => {
                let mut digits = itoa::Buffer::new();
                [&self.host, ":", digits.format(port)].concat().into()
            }
            None => Cow::Borrowed(&self.host),
        }
    }
}

impl std::fmt::Display for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

/// Splits a port off. A colon without digits behind it is refused: `host:` could be two texts for one host.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let at = match text.rfind(':') {
        Some(at) if !text.ends_with(']') => at,
        Some(_) | None => return Some((text, None)),
    };
    let (host, port) = text.split_at_checked(at)?;
    let digits = port.strip_prefix(':')?;
    if digits.len() > 5 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().map(|port| (host, Some(port)))
}

/// A registered name or an IPv4 address, folded. What looks like an address and is none is refused, because
/// `127.1`, `0x7f.1` and `2130706433` are one address for some resolvers.
fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let well_formed = text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        });
    if !well_formed {
        return None;
    }
    let last = text.rsplit('.').next()?;
    if last.bytes().next()?.is_ascii_digit() && text.parse::<Ipv4Addr>().is_err() {
        return None;
    }
    Some(text.to_ascii_lowercase())
}

/// Whether two host names are one: case and a trailing dot do not count (RFC 6066 §3).
fn same_name(one: &str, other: &str) -> bool {
    one.strip_suffix('.')
        .unwrap_or(one)
        .eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_case_and_the_trailing_dot() {
        for text in ["localhost", "LOCALHOST", "localhost.", "LocalHost."] {
            assert_eq!(
                Authority::parse(text).unwrap().host.as_ref(),
                "localhost",
                "{text}"
            );
        }
        let with_port = Authority::parse("hr.example.com:8443").unwrap();
        assert_eq!(
            (with_port.host.as_ref(), with_port.port),
            ("hr.example.com", Some(8443))
        );
        assert_eq!(
            Authority::parse("[::1]:443").unwrap().to_string(),
            "[::1]:443"
        );
        assert_eq!(Authority::parse("[0:0::1]").unwrap().host.as_ref(), "[::1]");
        assert_eq!(
            Authority::parse("127.0.0.1").unwrap().host.as_ref(),
            "127.0.0.1"
        );
    }

    #[test]
    fn refuses_what_is_no_single_host() {
        for text in [
            "",
            ".",
            "a..b",
            "a@localhost",
            "localhost/../x",
            "a, b",
            "a,b",
            "a b",
            "localhost:",
            "localhost:80:80",
            "localhost:+80",
            "localhost:99999",
            "localhost:port",
            "local%68ost",
            "::1",
            "[::1",
            "[::1]x",
            "[127.0.0.1]",
            "127.1",
            "2130706433",
            "1.2.3.4.5",
            "localhost..",
            "localhost#x",
            "localhost\\x",
            "*.example.com",
            "hr.ex\u{e4}mple.com",
        ] {
            assert_eq!(Authority::parse(text), None, "{text}");
        }
        assert_eq!(Authority::parse(&"a".repeat(64)), None);
        assert_eq!(Authority::parse(&vec!["a"; 128].join(".")), None);
    }
}
