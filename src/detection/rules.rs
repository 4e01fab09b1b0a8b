//! What fires. Each rule looks at one call and the profile that it has become part of.
//!
//! `docs/detections.md` has the reasons of every number here. Never here: a rule that tells a policy what to do.

use super::call::{Answer, Call, Fate, Mark};
use super::kin::Kin;
use super::profile::{Profile, seconds};
use super::tokens::{Origin, Told};
use super::trial::{DAY, Trial, trial_of};
use super::{DetectionSettings, Doer, Finding, Kind, Mode};
use crate::types::{CallId, Timestamp};

/// Fewer calls in an hour than these are no spike, whatever is usual.
const FEWEST_SPIKE_CALLS: u32 = 200;
/// A call to a new resource weighs so much if it comes from a new network, or at an unusual hour.
const WEIGHT_OF_NEW_PLACE: u32 = 8;
const WEIGHT_OF_ODD_HOUR: u32 = 2;
/// One call of so many tells the agents of a blueprint what it is used to.
const CALLS_PER_LESSON: u32 = 64;
/// For how long an agent is in its early life.
const EARLY_LIFE: u32 = DAY;
/// What a pattern of early life takes.
const EARLY_MISSING: u32 = 8;
const EARLY_REFUSED: u32 = 4;
const EARLY_RESOURCES: usize = 5;
const EARLY_CALLS: u32 = 1_000;
/// Things that were never asked for before count for a fifth of things that are not there.
const UNFAMILIAR_PER_MISSING: u32 = 5;
/// An agent that works in more hours of the week than these has no hours off.
const MOST_WORKING_HOURS: usize = 60;

/// One look at one profile.
struct Look<'a> {
    profile: &'a mut Profile,
    settings: &'a DetectionSettings,
    doer: &'a Doer,
    at: Timestamp,
    now: u32,
    id: Option<CallId>,
    findings: Vec<Finding>,
}

/// Looks at a call that was decided on.
pub(super) fn called(
    profile: &mut Profile,
    kin: &mut Kin,
    settings: &DetectionSettings,
    call: &Call,
) -> Vec<Finding> {
    let now = seconds(call.at);
    if !call.doer.on_behalf {
        profile.begin_call(now, settings);
    }
    let mut look = Look {
        profile,
        settings,
        doer: &call.doer,
        at: call.at,
        now,
        id: call.id,
        findings: Vec::new(),
    };
    let origin = Origin {
        place: Mark::of_network(call.address),
        client: call.client,
        tls: call.tls.unwrap_or_default(),
    };
    let is_replayed = look.token(call, origin);
    if !call.doer.on_behalf {
        look.off_hours();
        look.spike();
        match call.fate {
            Fate::Forwarded => {
                look.resource(call, origin, kin);
                look.unfamiliar_target(call.target);
            }
            Fate::Refused => look.refused(call.target),
            Fate::Withheld => {}
        }
        look.early_life(is_replayed);
    }
    look.findings
}

/// Looks at the answer to a call.
pub(super) fn answered(
    profile: &mut Profile,
    settings: &DetectionSettings,
    answer: &Answer,
) -> Vec<Finding> {
    if answer.doer.on_behalf {
        return Vec::new();
    }
    let mut look = Look {
        profile,
        settings,
        doer: &answer.doer,
        at: answer.at,
        now: seconds(answer.at),
        id: answer.id,
        findings: Vec::new(),
    };
    match answer.status {
        // An upstream's own word that the agent may not.
        401 | 403 => look.refused(answer.target),
        404 | 405 | 410 => look.missing(answer.target),
        200..=399 => look.profile.familiar.put(answer.target),
        _ => {}
    }
    look.early_life(false);
    look.findings
}

impl Look<'_> {
    fn threshold(&self, kind: Kind) -> u32 {
        self.settings.rule(kind).threshold
    }

    fn is_learned(&self) -> bool {
        self.profile.is_learned(self.now, self.settings)
    }

    /// Something was found, unless it was a moment ago or is not looked for.
    fn found(&mut self, kind: Kind, evidence: impl FnOnce() -> String) {
        if self.settings.rule(kind).mode == Mode::Off || !self.profile.may_find(kind, self.now) {
            return;
        }
        self.findings.push(Finding {
            kind,
            agent: std::sync::Arc::clone(&self.doer.agent),
            subject: self.doer.subject,
            at: self.at,
            evidence: evidence(),
            call: self.id,
        });
    }

    /// Token replay. Gives whether the token was plainly copied.
    fn token(&mut self, call: &Call, origin: Origin) -> bool {
        let Some(token) = call.token else {
            return false;
        };
        let told = self.profile.tokens.used(token, origin, self.now);
        let (home, moves, tls_moves, since) = match told {
            Told::New => {
                // Whoever gets a new token is the agent: whoever copied one cannot.
                self.profile.places.put(origin.place);
                self.profile.clients.put(origin.client);
                self.profile.learn_tls(origin.tls);
                return false;
            }
            Told::AtHome => return false,
            Told::Away {
                home,
                moves,
                tls_moves,
                since,
            } => (home, moves, tls_moves, since),
        };
        let is_new_place = home.place != origin.place && !self.profile.places.has(origin.place);
        let is_new_client =
            home.client != origin.client && !self.profile.clients.has(origin.client);
        let tls_threshold = self.settings.tls_threshold;
        let is_new_tls = tls_threshold > 0
            && home.begins_unlike(origin)
            && !self.profile.tls_clients.has(origin.tls);
        let minutes = self.now.saturating_sub(since) / 60;
        let is_copied = match (is_new_place, is_new_client, is_new_tls) {
            (true, true, _) | (true, false, true) => true,
            // The same machine, another program: once it may have been restarted with a new version.
            (false, true, _) => self.is_learned() && moves >= 2,
            // A program of the same name with another library: while a new version is rolled out, both may be there.
            (false, false, true) => self.is_learned() && u32::from(tls_moves) >= tls_threshold,
            // The same program elsewhere: a laptop moves, and replicas may share their tokens.
            (true, false, false) => {
                let threshold = self.threshold(Kind::TokenReplay);
                self.is_learned()
                    && u32::from(moves) >= threshold
                    && !self.profile.is_roaming(self.now)
            }
            (false, false, false) => false,
        };
        if !is_copied && !self.is_learned() {
            // What an agent has several of while it is learned is its own.
            self.profile.learn_tls(origin.tls);
        }
        // What is usual while it is learned, or among places of its own, stays usual.
        let is_its_way = !is_new_place || !self.is_learned() || self.profile.is_roaming(self.now);
        if !is_copied && is_its_way && home.place != origin.place && moves > 1 {
            self.profile.roamed(self.now);
        }
        if is_copied {
            let by = match (is_new_client, is_new_tls) {
                (true, _) => "another client",
                (false, true) => "a client that has the same name and begins TLS otherwise",
                (false, false) => "the same client",
            };
            let moves = moves.saturating_add(tls_moves);
            let from = if is_new_place {
                "another network"
            } else {
                "the same network"
            };
            let address = call.address.to_canonical();
            self.found(Kind::TokenReplay, || {
                format!(
                    "one token is used by {by} from {from} ({address}), {minutes} min after its first use; \
                     it changed hands {moves} times"
                )
            });
        }
        is_copied && is_new_place && (is_new_client || is_new_tls)
    }

    fn off_hours(&mut self) {
        let calls = self.profile.hour.calls;
        if calls != self.threshold(Kind::OffHoursActivity) || !self.is_learned() {
            return;
        }
        let (hour, week) = (self.profile.hour.number, &self.profile.week);
        let working = week.working_hours();
        let age = u64::from(self.profile.age());
        // A second week shows which hours return.
        let is_regular = age >= self.settings.learning.as_secs().saturating_mul(2)
            && (1..=MOST_WORKING_HOURS).contains(&working)
            && self.profile.usual.is_regular();
        if is_regular && !week.works_at(hour) {
            self.found(Kind::OffHoursActivity, || {
                format!(
                    "{calls} calls in an hour of the week in which it makes none; it works in {working} of 168 hours"
                )
            });
        }
    }

    fn spike(&mut self) {
        let calls = self.profile.hour.calls;
        if calls < FEWEST_SPIKE_CALLS || !self.is_learned() {
            return;
        }
        let usual = self.profile.week.usual(self.profile.hour.number);
        let busiest = self.profile.usual.busiest();
        let factor = self.threshold(Kind::SignInSpike);
        // A burst at an hour of its own is compared with other bursts, so that a batch that comes late is none.
        if calls > usual.saturating_mul(factor) && calls > busiest.saturating_mul(2) {
            self.found(Kind::SignInSpike, || {
                format!(
                    "{calls} calls within the hour; at this hour {usual} are usual, and its busiest hour of late had {busiest}"
                )
            });
        }
    }

    /// Unfamiliar resource access.
    fn resource(&mut self, call: &Call, origin: Origin, kin: &mut Kin) {
        let resource = Mark::of(&[call.resource.as_bytes()]);
        let blueprint = call.blueprint.as_ref();
        if self.profile.resources.has(resource) {
            if self.profile.hour.calls % CALLS_PER_LESSON == 1 && self.is_learned() {
                kin.learn(blueprint, resource);
            }
            return;
        }
        // Whoever reaches everything has no unfamiliar resource.
        let is_wide = self.profile.resources.is_full();
        if is_wide || !self.is_learned() || kin.knows(blueprint, resource) {
            self.profile.resources.put(resource);
            if self.is_learned() {
                kin.learn(blueprint, resource);
            }
            return;
        }
        let weight = self.weight(origin);
        let threshold = self.threshold(Kind::UnfamiliarResourceAccess);
        let now = self.now;
        let Some(trial) = trial_of(&mut self.profile.trials, resource, now) else {
            return;
        };
        if now.saturating_sub(trial.since) > DAY {
            // It was used for a day, a little at a time, or somebody was told.
            *trial = Trial::default();
            self.profile.resources.put(resource);
            return;
        }
        if let Some(weight) = trial.weigh(weight, now, threshold) {
            let known = self.profile.resources.len();
            let name = &call.resource;
            self.found(Kind::UnfamiliarResourceAccess, || {
                format!(
                    "resource `{name}` is new to it and to its kin, and is used in earnest: calls of weight {weight} \
                     within the hour; it is used to {known} others"
                )
            });
        }
    }

    /// How much a call to a new resource weighs.
    fn weight(&self, origin: Origin) -> u32 {
        let profile = &self.profile;
        if profile.places.len() > 0 && !profile.places.has(origin.place) {
            WEIGHT_OF_NEW_PLACE
        } else if profile.week.works_at(profile.hour.number) {
            1
        } else {
            WEIGHT_OF_ODD_HOUR
        }
    }

    /// A thing that it never got before.
    fn unfamiliar_target(&mut self, target: Mark) {
        if self.profile.familiar.has(target) {
            return;
        }
        let threshold = self.threshold(Kind::Reconnaissance);
        let threshold = threshold.saturating_mul(UNFAMILIAR_PER_MISSING);
        if let Some(count) = self.profile.hour.unfamiliar.put(target)
            && count >= threshold
            && self.is_learned()
            && self.profile.usual.is_many_unfamiliar(count)
        {
            self.found(Kind::Reconnaissance, || {
                format!(
                    "about {count} different things within the hour that it never asked for before"
                )
            });
        }
    }

    /// A thing that is not there.
    fn missing(&mut self, target: Mark) {
        let threshold = self.threshold(Kind::Reconnaissance);
        // Of thousands of calls some miss.
        let one_in_hundred = self.profile.hour.calls / 100;
        if let Some(count) = self.profile.hour.missing.put(target)
            && count >= threshold.max(one_in_hundred)
            && self.is_learned()
            && self.profile.usual.is_many_missing(count)
        {
            self.found(Kind::Reconnaissance, || {
                format!("about {count} different things within the hour that are not there")
            });
        }
    }

    /// A thing that it may not reach.
    fn refused(&mut self, target: Mark) {
        // What it had before was taken away: that is a change of rights, and no attempt.
        if self.profile.familiar.has(target) {
            return;
        }
        let hour = &mut self.profile.hour;
        hour.refused = hour.refused.saturating_add(1);
        let calls = hour.refused;
        if let Some(targets) = hour.refused_targets.put(target)
            && targets >= self.threshold(Kind::FailedAccessAttempt)
            && self.is_learned()
            && self.profile.usual.is_many_refused(targets)
        {
            self.found(Kind::FailedAccessAttempt, || {
                format!("{calls} calls within the hour for about {targets} different things that it may not reach and never could")
            });
        }
    }

    /// Several patterns at once in the life of an agent that is too young to have habits.
    fn early_life(&mut self, is_replayed: bool) {
        let profile = &*self.profile;
        if profile.age() > EARLY_LIFE || self.is_learned() {
            return;
        }
        let hour = &profile.hour;
        let patterns = [
            (
                hour.missing.is_at_least(EARLY_MISSING),
                "asks for things that are not there",
            ),
            (
                hour.refused_targets.is_at_least(EARLY_REFUSED),
                "asks for things that it may not reach",
            ),
            (
                profile.resources.len() >= EARLY_RESOURCES,
                "reaches many resources",
            ),
            (hour.calls >= EARLY_CALLS, "makes many calls"),
            (is_replayed, "uses a token that was copied"),
        ];
        let shown = patterns.iter().filter(|(shows, _)| *shows);
        let shown: Vec<&str> = shown.map(|(_, what)| *what).collect();
        let threshold = usize::try_from(self.threshold(Kind::EarlyLifeMaliciousActivity));
        if threshold.is_ok_and(|threshold| shown.len() >= threshold) {
            let minutes = profile.age() / 60;
            self.found(Kind::EarlyLifeMaliciousActivity, || {
                format!("known for {minutes} min, it {}", shown.join(", "))
            });
        }
    }
}
