//! What is remembered of one agent: under a kilobyte, whatever it does.
//!
//! Never here: a text, and anything that grows with the number of calls.

use super::hour::{Hour, Usual, hour_of};
use super::sketch::{Latest, Seen};
use super::tokens::Tokens;
use super::trial::{DAY, Trial};
use super::week::Week;
use super::{DetectionSettings, Kind, Mark};
use crate::types::Timestamp;

/// After so long an absence an agent is learned anew: what was usual before says little.
const LONG_ABSENCE: u32 = 30 * DAY;

/// Nothing is compared with habits of fewer calls or days than these, however old they are.
const FEWEST_CALLS: u32 = 100;
const FEWEST_DAYS: u16 = 3;

/// How many resources can be on trial at once.
const TRIALS: usize = 3;

/// One agent.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    /// When it was first seen, and last, in seconds since 1970; 0: never.
    first: u32,
    last: u32,
    calls: u32,
    days: u16,
    pub(super) hour: Hour,
    pub(super) usual: Usual,
    pub(super) week: Week,
    /// Things that it asked for and got.
    pub(super) familiar: Seen<16>,
    pub(super) resources: Latest<24>,
    pub(super) trials: [Trial; TRIALS],
    /// Networks and clients that its tokens were issued to.
    pub(super) places: Latest<8>,
    pub(super) clients: Latest<8>,
    /// How their clients begin TLS.
    pub(super) tls_clients: Latest<4>,
    pub(super) tokens: Tokens,
    /// When a token of its went to and fro between networks last, in seconds.
    roamed: u32,
    /// In which hour each kind was found last.
    found: [u32; Kind::ALL.len()],
}

impl Profile {
    /// A call is made now: begins the hour that it falls into, and learns from the one that has ended.
    pub(super) fn begin_call(&mut self, now: u32, settings: &DetectionSettings) {
        // Calls may come a little out of order.
        let now = now.max(self.last);
        if self.first == 0 || now.saturating_sub(self.last) > LONG_ABSENCE {
            *self = Self {
                tokens: self.tokens,
                found: self.found,
                first: now,
                ..Self::default()
            };
        }
        let hour = hour_of(now);
        if hour != self.hour.number {
            if self.hour.calls > 0 {
                let hours = hour.saturating_sub(self.hour.number);
                let is_learning = !self.is_learned(now, settings);
                self.usual.was_at_work(self.week.works_at(self.hour.number));
                self.week.ended(self.hour.number, self.hour.calls, hour);
                self.usual.learn(&self.hour, hours, is_learning);
            }
            self.hour = Hour::of(hour);
        }
        if self.last == 0 || now / DAY != self.last / DAY {
            self.days = self.days.saturating_add(1);
        }
        self.last = now;
        self.calls = self.calls.saturating_add(1);
        self.hour.calls = self.hour.calls.saturating_add(1);
    }

    /// How long it has been known, in seconds.
    pub(super) const fn age(&self) -> u32 {
        self.last.saturating_sub(self.first)
    }

    /// Whether there are habits to compare with.
    pub(super) fn is_learned(&self, now: u32, settings: &DetectionSettings) -> bool {
        let learning = u32::try_from(settings.learning.as_secs()).unwrap_or(u32::MAX);
        now.saturating_sub(self.first) >= learning
            && self.calls >= FEWEST_CALLS
            && (self.days >= FEWEST_DAYS || learning < u32::from(FEWEST_DAYS) * DAY)
    }

    /// Its clients begin TLS like this, if that is known.
    pub(super) fn learn_tls(&mut self, tls: Mark) {
        if tls != Mark::default() {
            self.tls_clients.put(tls);
        }
    }

    /// A token of its goes to and fro between networks, by one and the same client.
    pub(super) const fn roamed(&mut self, now: u32) {
        self.roamed = now;
    }

    /// Whether its tokens did so of late.
    pub(super) const fn is_roaming(&self, now: u32) -> bool {
        self.roamed > 0 && now.saturating_sub(self.roamed) < LONG_ABSENCE
    }

    /// Whether this kind may be found now: once in an hour.
    pub(super) fn may_find(&mut self, kind: Kind, now: u32) -> bool {
        let hour = hour_of(now);
        let found = Kind::ALL.into_iter().zip(&mut self.found);
        for (_, found) in found.filter(|(known, _)| *known == kind) {
            if *found == hour {
                return false;
            }
            *found = hour;
        }
        true
    }
}

/// A time in whole seconds since 1970; never 0, which says "never".
pub(super) fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_seconds()).unwrap_or(0).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_under_a_kilobyte() {
        assert!(size_of::<Profile>() <= 1_024, "{}", size_of::<Profile>());
    }
}
