//! Addresses at a transmitter, and the documents behind them. Never here: a redirect that is followed.

use serde_json::Value;

use super::error::TransmitterError;
use crate::types::{json as strict, percent_encoded};

pub(super) fn document(address: &str, body: &[u8]) -> Result<Value, TransmitterError> {
    let parsed = strict::parse(body);
    parsed.map_err(|_fault| TransmitterError::Document(address.to_owned(), "no strict JSON"))
}

/// The well-known address goes between the host and the path of the issuer (SSF §7.2.1).
pub(super) fn metadata_address(issuer: &str) -> String {
    const WELL_KNOWN: &str = "/.well-known/ssf-configuration";
    let rest = issuer.strip_prefix("https://").unwrap_or(issuer);
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!("https://{host}{WELL_KNOWN}{}", path.trim_end_matches('/'))
}

pub(super) fn with_stream(address: &str, stream: &str) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}stream_id={}", percent_encoded(stream))
}

#[cfg(test)]
mod tests {
    use super::{metadata_address, with_stream};

    #[test]
    fn the_address_of_the_metadata_is_made_of_the_issuers() {
        for (issuer, address) in [
            (
                "https://tr.example.com",
                "https://tr.example.com/.well-known/ssf-configuration",
            ),
            (
                "https://tr.example.com/",
                "https://tr.example.com/.well-known/ssf-configuration",
            ),
            (
                "https://tr.example.com:8443/issuer1/",
                "https://tr.example.com:8443/.well-known/ssf-configuration/issuer1",
            ),
        ] {
            assert_eq!(metadata_address(issuer), address);
        }
        assert_eq!(
            with_stream("https://a/s?x=1", "a b"),
            "https://a/s?x=1&stream_id=a%20b"
        );
    }
}
