//! Ranges of addresses. Never here: what lies in them, and why anybody asks.

use std::fmt;
use std::net::IpAddr;

/// A range of addresses in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpRange(ipnet::IpNet);

impl IpRange {
    /// Reads `198.51.100.0/24`, `2001:db8::/48`, or one address. Bits behind the prefix do not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let range = match text.parse::<IpAddr>() {
            Ok(address) => ipnet::IpNet::from(address),
            Err(_not_one_address) => text.parse().ok()?,
        };
        Some(Self(range.trunc()))
    }

    /// Whether it holds the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether it holds every address of its version.
    #[must_use]
    pub fn holds_all(&self) -> bool {
        self.0.prefix_len() == 0
    }

    /// Its first and its last address; both are of one version.
    #[must_use]
    pub fn bounds(&self) -> (IpAddr, IpAddr) {
        (self.0.network(), self.0.broadcast())
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
