//! What a detector is told of a call: who, what and from where, as marks that compare and name nothing.
//!
//! Never here: a token, a path or a header.

use std::net::IpAddr;
use std::sync::Arc;

use crate::risk::RiskSubject;
use crate::types::{CallId, Timestamp};

/// A text as a number: equal texts have equal marks, and a text cannot be had from its mark.
///
/// FNV-1a, mixed and cut to 32 bits. Two texts that share a mark make a detector see less, never more: what is counted is
/// how many are different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mark(u32);

impl Mark {
    /// The mark of a text that has several parts.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        // The byte that ends a part is in no UTF-8 text, so that two parts are not one.
        let bytes = parts.iter().flat_map(|part| part.iter().chain(&[0xFF]));
        let hash = bytes.fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
        });
        // FNV's low bits hardly mix: the last step of MurmurHash3 makes each bit depend on all.
        let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        Self(u32::try_from(mixed >> 32).unwrap_or(0))
    }

    /// The network of an address: what changes when a client moves, and not when it gets another address of one pool.
    /// The first 24 bits of IPv4, the first 48 of IPv6 (what a site is given, RFC 6177 §2).
    #[must_use]
    pub fn of_network(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::of(&[&[4, a, b, c]])
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                let [a, b, c] = [a, b, c].map(u16::to_be_bytes);
                Self::of(&[&[6], &a, &b, &c])
            }
        }
    }

    /// The number.
    pub(super) const fn number(self) -> u32 {
        self.0
    }
}

/// Whose act a call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doer {
    /// The agent user's id where it is one's, else the agent identity's.
    pub agent: Arc<str>,
    /// Which of the two.
    pub subject: RiskSubject,
    /// Whether it acts for a human. What is asked for then is the human's wish, and says nothing of the agent's habits.
    pub on_behalf: bool,
}

/// A call that was decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whose.
    pub doer: Doer,
    /// When.
    pub at: Timestamp,
    /// The agent's blueprint.
    pub blueprint: Option<Arc<str>>,
    /// The resource's name.
    pub resource: Arc<str>,
    /// Method and path, as the record shows them, within the resource.
    pub target: Mark,
    /// The token, by its own id. Tokens without one cannot be told apart.
    pub token: Option<Mark>,
    /// Where it comes from.
    pub address: IpAddr,
    /// By what client: its `User-Agent`.
    pub client: Mark,
    /// How the client begins TLS, where that is known.
    pub tls: Option<Mark>,
    /// What became of it.
    pub fate: Fate,
    /// Its id.
    pub id: Option<CallId>,
}

/// What was decided on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It went on to its upstream.
    Forwarded,
    /// The agent may not do this.
    Refused,
    /// It was refused for what is known of the agent already, or because something could not be told: to count that
    /// again would keep a risk alive by its own effect.
    Withheld,
}

/// The answer to a call that was forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whose call it was.
    pub doer: Doer,
    /// When the call was made.
    pub at: Timestamp,
    /// What it was for: as in [`Call`].
    pub target: Mark,
    /// The status of the answer.
    pub status: u16,
    /// The call's id.
    pub id: Option<CallId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_what_one_site_has() {
        let of = |text: &str| Mark::of_network(text.parse().unwrap());
        assert_eq!(of("198.51.100.7"), of("198.51.100.200"));
        assert_eq!(of("198.51.100.7"), of("::ffff:198.51.100.9"));
        assert_ne!(of("198.51.100.7"), of("198.51.101.7"));
        assert_eq!(of("2001:db8:1:2::3"), of("2001:db8:1:ffff::9"));
        assert_ne!(of("2001:db8:1::3"), of("2001:db8:2::3"));
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(Mark::of(&[b"ab", b"c"]), Mark::of(&[b"a", b"bc"]));
        assert_eq!(Mark::of(&[b"GET", b"/hr"]), Mark::of(&[b"GET", b"/hr"]));
    }

    #[test]
    fn marks_of_like_texts_spread() {
        let marks: std::collections::BTreeSet<_> = (0..10_000)
            .map(|n| Mark::of(&[format!("/a/{n}").as_bytes()]).number() % 256)
            .collect();
        assert_eq!(marks.len(), 256);
    }
}
