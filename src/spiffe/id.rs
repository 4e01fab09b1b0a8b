//! SPIFFE ids: `spiffe://trust.domain/path`, in the one spelling that the standard allows.
//!
//! Never here: an id that has to be brought into shape first. Two spellings of one workload would be two workloads.

use std::fmt;
use std::sync::Arc;

/// The longest id, in bytes: what every implementation has to take.
const MAX_BYTES: usize = 2048;
/// The longest name of a trust domain, in bytes.
const MAX_DOMAIN_BYTES: usize = 255;

/// A trust domain's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustDomain(Arc<str>);

/// A workload's id: it has a path, so that it is not the trust domain itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpiffeId {
    text: Arc<str>,
    domain: TrustDomain,
}

impl TrustDomain {
    /// The name, or `spiffe://` and the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("spiffe://").unwrap_or(text);
        let is_of_it = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_')
        };
        let is_name = (1..=MAX_DOMAIN_BYTES).contains(&name.len()) && name.bytes().all(is_of_it);
        is_name.then(|| Self(name.into()))
    }
}

impl SpiffeId {
    /// The id, if the text is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text
            .strip_prefix("spiffe://")
            .filter(|_| text.len() <= MAX_BYTES)?;
        let (domain, path) = rest.split_once('/')?;
        let is_of_it =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_of_it);
        if !path.split('/').all(is_segment) {
            return None;
        }
        Some(Self {
            domain: TrustDomain::parse(domain)?,
            text: text.into(),
        })
    }

    /// The trust domain that it is of.
    #[must_use]
    pub const fn domain(&self) -> &TrustDomain {
        &self.domain
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = SpiffeId::parse("spiffe://example.org/ns/hr/sa/api_1.A").unwrap();
        assert_eq!(id.domain().to_string(), "example.org");
        assert_eq!(id.to_string(), "spiffe://example.org/ns/hr/sa/api_1.A");
        let long = format!("spiffe://example.org/{}", "a".repeat(2048));
        for refused in [
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe:///a",
            "SPIFFE://example.org/a",
            "spiffe://Example.org/a",
            "spiffe://example.org/a/",
            "spiffe://example.org//a",
            "spiffe://example.org/./a",
            "spiffe://example.org/../a",
            "spiffe://example.org/%61",
            "spiffe://example.org/a?b",
            "spiffe://example.org/a#b",
            "spiffe://example.org:8443/a",
            "spiffe://user@example.org/a",
            "spiffe://example.org/ä",
            "https://example.org/a",
            long.as_str(),
        ] {
            assert_eq!(SpiffeId::parse(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_trust_domain_may_be_written_as_its_id() {
        let domain = TrustDomain::parse("example.org");
        assert!(domain.is_some());
        assert_eq!(TrustDomain::parse("spiffe://example.org"), domain);
        for refused in ["", "spiffe://", "Example.org", "example.org/a", "a:1", "ä"] {
            assert_eq!(TrustDomain::parse(refused), None, "{refused}");
        }
    }
}
