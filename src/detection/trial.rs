//! A resource that is new to an agent, on its first day: whether it is tried out, or used in earnest.
//!
//! Never here: a resource that the agent is used to.

use super::Mark;
use super::hour::hour_of;

/// Seconds of a day.
pub(super) const DAY: u32 = 86_400;

/// A trial under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Trial {
    resource: Mark,
    /// When it began, in seconds; 0: there is none.
    pub(super) since: u32,
    /// The hour of the last call.
    hour: u32,
    /// Calls of that hour, by weight.
    weight: u32,
    is_told: bool,
}

impl Trial {
    /// Adds a call. Gives the weight of the hour's calls when it reaches the threshold, once.
    pub(super) fn weigh(&mut self, weight: u32, now: u32, threshold: u32) -> Option<u32> {
        if self.hour != hour_of(now) {
            self.hour = hour_of(now);
            self.weight = 0;
        }
        self.weight = self.weight.saturating_add(weight);
        if self.is_told || self.weight < threshold {
            return None;
        }
        self.is_told = true;
        Some(self.weight)
    }
}

/// The trial of a resource, which begins now if there is none. Where all places are taken none begins: three new
/// resources at once are enough to be found by.
pub(super) fn trial_of(trials: &mut [Trial], resource: Mark, now: u32) -> Option<&mut Trial> {
    let is_of = |trial: &Trial| trial.since > 0 && trial.resource == resource;
    let is_free = |trial: &Trial| trial.since == 0 || now.saturating_sub(trial.since) > 7 * DAY;
    let at = trials.iter().position(is_of);
    let at = at.or_else(|| {
        let free = trials.iter().position(is_free)?;
        let trial = trials.get_mut(free)?;
        *trial = Trial {
            resource,
            since: now,
            ..Trial::default()
        };
        Some(free)
    })?;
    trials.get_mut(at)
}
