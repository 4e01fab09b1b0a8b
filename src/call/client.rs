//! Whose call it is, where proxies stand before the gateway: what the nearest trusted ones say of the address that
//! called them, up to the first address that nobody vouches for.
//!
//! Headers are believed from right to left, each part only because the one who wrote it is trusted; what a client
//! wrote itself stands further left, and is never reached. Never here: addresses out of the PROXY protocol
//! ([`super::proxy`]), and any other header.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::types::{IpRange, Reason};

/// The header in which the trusted proxies say whose call they pass on. They must replace it or append to it; a header
/// that they pass on as it came would be the client's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`: addresses in a list.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239): its `for` parameters.
    Forwarded,
}

/// The proxies that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies {
    /// Where they are. Empty: nobody is believed.
    pub addresses: Vec<IpRange>,
    /// Where they say it.
    pub header: ForwardingHeader,
}

impl TrustedProxies {
    /// Whether the address is one of theirs.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|range| range.contains(address))
    }

    /// The address of the client: the last one that no trusted proxy has, or the first one if all of them are trusted.
    /// `peer` is who is connected, in canonical form.
    ///
    /// # Errors
    /// [`Reason::RequestMalformed`] when a trusted proxy names somebody in a way that is no address: whose call it is
    /// cannot be told then, and to take the proxy's own address for it would let the call in from a better place.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Reason> {
        let mut client = peer;
        if !self.contains(peer) {
            return Ok(client);
        }
        let name = match self.header {
            ForwardingHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ForwardingHeader::Forwarded => http::header::FORWARDED,
        };
        // Several fields are one list (RFC 9110 §5.3).
        for field in headers.get_all(name).iter().rev() {
            let field = field
                .to_str()
                .map_err(|_not_ascii| Reason::RequestMalformed)?;
            for part in Parts::of(field) {
                let address = match self.header {
                    ForwardingHeader::XForwardedFor => node(part),
                    ForwardingHeader::Forwarded => for_parameter(part).and_then(node),
                };
                client = address.ok_or(Reason::RequestMalformed)?;
                if !self.contains(client) {
                    return Ok(client);
                }
            }
        }
        Ok(client)
    }
}

/// The members of a list from its end to its beginning. Commas in quotes part nothing.
struct Parts<'a>(Option<&'a str>);

impl<'a> Parts<'a> {
    const fn of(field: &'a str) -> Self {
        Self(Some(field))
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0?;
        let mut is_quoted = false;
        let comma = rest.bytes().rposition(|byte| {
            is_quoted ^= byte == b'"';
            byte == b',' && !is_quoted
        });
        let (before, part) = match comma.and_then(|at| rest.split_at_checked(at)) {
            Some((before, part)) => (Some(before), part.get(1..).unwrap_or_default()),
            None => (None, rest),
        };
        self.0 = before;
        Some(part.trim_matches([' ', '\t']))
    }
}

/// The value of the one `for` of an element of `Forwarded` (RFC 7239 §4).
fn for_parameter(element: &str) -> Option<&str> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.split_once('=')?;
        if name.trim_matches([' ', '\t']).eq_ignore_ascii_case("for") {
            let unquoted = value.strip_prefix('"').map(|rest| rest.strip_suffix('"'));
            let value = unquoted.unwrap_or(Some(value))?;
            if found.replace(value).is_some() {
                return None;
            }
        }
    }
    found
}

/// An address, with or without a port (RFC 7239 §6); proxies in use write them into `X-Forwarded-For` too. `unknown`
/// and hidden names are no address.
fn node(text: &str) -> Option<IpAddr> {
    let inside = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = match inside {
        Some(address) => IpAddr::V6(address.parse().ok()?),
        None => match text.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_with_a_port) => text.parse::<SocketAddr>().ok()?.ip(),
        },
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(header: ForwardingHeader) -> TrustedProxies {
        TrustedProxies {
            addresses: vec![
                IpRange::parse("10.0.0.0/8").unwrap(),
                IpRange::parse("fd00::/8").unwrap(),
            ],
            header,
        }
    }

    fn client(
        header: ForwardingHeader,
        peer: &str,
        fields: &[(&'static str, &str)],
    ) -> Result<String, Reason> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let found = proxies(header).client(peer.parse().unwrap(), &headers);
        found.map(|address| address.to_string())
    }

    #[test]
    fn the_rightmost_address_that_nobody_vouches_for_is_the_clients() {
        for (peer, fields, expected) in [
            ("192.0.2.9", &["6.6.6.6"][..], "192.0.2.9"),
            ("10.0.0.1", &[][..], "10.0.0.1"),
            ("10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["10.9.9.9, 192.0.2.1,10.0.0.2"], "192.0.2.1"),
            (
                "10.0.0.1",
                &["6.6.6.6", "192.0.2.1", "10.0.0.2"],
                "192.0.2.1",
            ),
            ("10.0.0.1", &["rubbish, 192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
            ("fd00::1", &["2001:db8::1, fd00::2"], "2001:db8::1"),
        ] {
            let fields: Vec<_> = fields
                .iter()
                .map(|value| ("x-forwarded-for", *value))
                .collect();
            let found = client(ForwardingHeader::XForwardedFor, peer, &fields);
            assert_eq!(found.as_deref(), Ok(expected), "{peer} {fields:?}");
        }
    }

    #[test]
    fn forwarded_is_read_as_its_grammar_says() {
        for (value, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("for=6.6.6.6, For=\"192.0.2.1:80\";proto=https", "192.0.2.1"),
            ("for=\"[2001:db8::1]\"", "2001:db8::1"),
            ("for=\"[2001:db8::1]:4711\";by=10.0.0.1", "2001:db8::1"),
            ("for=192.0.2.1;host=\"a,for=6.6.6.6\"", "192.0.2.1"),
            ("for=192.0.2.1, for=10.0.0.2", "192.0.2.1"),
        ] {
            let found = client(
                ForwardingHeader::Forwarded,
                "10.0.0.1",
                &[("forwarded", value)],
            );
            assert_eq!(found.as_deref(), Ok(expected), "{value}");
        }
        let other = [("x-forwarded-for", "6.6.6.6")];
        let found = client(ForwardingHeader::Forwarded, "10.0.0.1", &other);
        assert_eq!(
            found.as_deref(),
            Ok("10.0.0.1"),
            "the other header counts for nothing"
        );
    }

    #[test]
    fn a_trusted_proxy_that_names_nobody_is_not_taken_for_the_client() {
        for value in [
            "",
            "unknown",
            "192.0.2.1,",
            "192.0.2.1, _hidden",
            "192.0.2.256",
            "a.example",
        ] {
            let found = client(
                ForwardingHeader::XForwardedFor,
                "10.0.0.1",
                &[("x-forwarded-for", value)],
            );
            assert_eq!(found, Err(Reason::RequestMalformed), "{value:?}");
        }
        for value in [
            "for=unknown",
            "proto=https",
            "for=_gazonk",
            "for=192.0.2.1;for=192.0.2.2",
            "for=\"192.0.2.1",
            "192.0.2.1",
        ] {
            let found = client(
                ForwardingHeader::Forwarded,
                "10.0.0.1",
                &[("forwarded", value)],
            );
            assert_eq!(found, Err(Reason::RequestMalformed), "{value:?}");
        }
    }
}
