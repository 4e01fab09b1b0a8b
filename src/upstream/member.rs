//! One endpoint of an upstream: an address, what calls have told of it, and how many are under way there.
//!
//! Shared by all workers, so everything is an atomic; what is written on every call is the count of calls under way.
//! Never here: a decision which endpoint a call takes (`balance`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::settings::{Ejection, HealthCheck};
use crate::telemetry::EndpointState;
use crate::types::Apart;

/// One endpoint.
#[derive(Debug)]
pub(super) struct Member {
    /// The place of its origin among those of the settings.
    pub(super) origin: usize,
    pub(super) address: SocketAddr,
    /// What the times below count from.
    born: Instant,
    active: Apart<AtomicUsize>,
    /// Places for calls, where there is a limit.
    places: Option<Arc<Semaphore>>,
    /// Failures of calls in a row.
    failures: AtomicU32,
    /// How often it was taken out lately.
    ejections: AtomicU32,
    /// Until when it is out, in milliseconds of its life.
    out_until: AtomicU64,
    /// Since when it has been in, in milliseconds of its life.
    in_since: AtomicU64,
    /// What the checks say.
    is_well: AtomicBool,
    /// Answers of checks in a row that say the opposite.
    contrary: AtomicU32,
}

/// A call's place on an endpoint, which `M` keeps, until its answer was read.
#[derive(Debug)]
pub(super) struct Place<M: AsRef<Member>> {
    at: M,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<M: AsRef<Member>> Place<M> {
    /// A place, if there is one; else what keeps the endpoint.
    pub(super) fn take(at: M) -> Result<Self, M> {
        let permit = match &at.as_ref().places {
            Some(places) => match Arc::clone(places).try_acquire_owned() {
                Ok(permit) => Some(permit),
                Err(_full) => return Err(at),
            },
            None => None,
        };
        Ok(Self::of(at, permit))
    }

    /// A place, once there is one.
    pub(super) async fn wait(at: M) -> Option<Self> {
        let permit = match &at.as_ref().places {
            Some(places) => Some(Arc::clone(places).acquire_owned().await.ok()?),
            None => None,
        };
        Some(Self::of(at, permit))
    }

    /// What keeps the endpoint.
    pub(super) const fn at(&self) -> &M {
        &self.at
    }

    fn of(at: M, permit: Option<OwnedSemaphorePermit>) -> Self {
        at.as_ref().active.0.fetch_add(1, Ordering::Relaxed);
        Self {
            at,
            _permit: permit,
        }
    }
}

impl<M: AsRef<Member>> Drop for Place<M> {
    fn drop(&mut self) {
        self.at.as_ref().active.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Member {
    pub(super) fn new(origin: usize, address: SocketAddr, max_requests: Option<usize>) -> Self {
        Self {
            origin,
            address,
            born: Instant::now(),
            active: Apart::default(),
            places: max_requests
                .map(|most| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))),
            failures: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            out_until: AtomicU64::new(0),
            in_since: AtomicU64::new(0),
            is_well: AtomicBool::new(true),
            contrary: AtomicU32::new(0),
        }
    }

    /// Calls under way.
    pub(super) fn active(&self) -> usize {
        self.active.0.load(Ordering::Relaxed)
    }

    /// Whether another call finds a place.
    pub(super) fn has_room(&self) -> bool {
        self.places
            .as_ref()
            .is_none_or(|places| places.available_permits() > 0)
    }

    /// Whether calls should go there.
    pub(super) fn is_available(&self, now: Instant) -> bool {
        self.is_well.load(Ordering::Relaxed) && !self.is_ejected(now)
    }

    fn is_ejected(&self, now: Instant) -> bool {
        let until = self.out_until.load(Ordering::Relaxed);
        until != 0 && self.age(now) < until
    }

    pub(super) fn state(&self, now: Instant, slow_start: Option<Duration>) -> EndpointState {
        if !self.is_well.load(Ordering::Relaxed) {
            EndpointState::Unhealthy
        } else if self.is_ejected(now) {
            EndpointState::Ejected
        } else if self.share(now, slow_start) < FULL_SHARE {
            EndpointState::SlowStart
        } else {
            EndpointState::Available
        }
    }

    /// How much of its part it gets while it starts slowly: from a tenth to [`FULL_SHARE`].
    pub(super) fn share(&self, now: Instant, slow_start: Option<Duration>) -> u64 {
        let Some(over) = slow_start.map(millis).filter(|over| *over > 0) else {
            return FULL_SHARE;
        };
        // An endpoint that was out comes back by itself: it has been in since then.
        let back = self.out_until.load(Ordering::Relaxed);
        let since = self.in_since.load(Ordering::Relaxed).max(back);
        let share = self
            .age(now)
            .saturating_sub(since)
            .saturating_mul(FULL_SHARE)
            / over;
        share.clamp(FULL_SHARE / 10, FULL_SHARE)
    }

    /// A call went well. Written only where it changes something: every call comes here.
    pub(super) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// A call failed. Returns whether that was one too many.
    pub(super) fn failed(&self, rule: &Ejection) -> bool {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        before.saturating_add(1) >= rule.consecutive_failures
    }

    /// Takes it out for a while, longer each time.
    pub(super) fn eject(&self, now: Instant, rule: &Ejection) {
        let age = self.age(now);
        let last = self.out_until.load(Ordering::Relaxed);
        // What was long ago is forgiven.
        let forgiven = age.saturating_sub(last) > millis(rule.max_time);
        let times = if forgiven {
            0
        } else {
            self.ejections.load(Ordering::Relaxed)
        };
        let times = times.saturating_add(1);
        self.ejections.store(times, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        let time = rule.time.saturating_mul(times).min(rule.max_time);
        let until = age.saturating_add(millis(time)).max(1);
        self.out_until.store(until, Ordering::Relaxed);
    }

    /// A check was answered, well or not. Returns whether that took the endpoint out.
    pub(super) fn checked(&self, well: bool, now: Instant, rule: &HealthCheck) -> bool {
        if well == self.is_well.load(Ordering::Relaxed) {
            self.contrary.store(0, Ordering::Relaxed);
            return false;
        }
        let needed = if well {
            rule.healthy_after
        } else {
            rule.unhealthy_after
        };
        let contrary = self.contrary.fetch_add(1, Ordering::Relaxed);
        if contrary.saturating_add(1) < needed {
            return false;
        }
        self.contrary.store(0, Ordering::Relaxed);
        self.in_since.store(self.age(now), Ordering::Relaxed);
        self.is_well.store(well, Ordering::Relaxed);
        !well
    }

    fn age(&self, now: Instant) -> u64 {
        millis(now.saturating_duration_since(self.born))
    }
}

/// The share of an endpoint that does not start slowly.
pub(super) const FULL_SHARE: u64 = 1000;

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Ejection = Ejection {
        consecutive_failures: 3,
        time: Duration::from_secs(10),
        max_time: Duration::from_secs(25),
        max_percent: 50,
    };

    fn member() -> Member {
        Member::new(0, "127.0.0.1:1".parse().unwrap(), None)
    }

    #[test]
    fn failures_in_a_row_are_one_too_many_and_a_success_between_them_begins_anew() {
        let member = member();
        assert!(!member.failed(&RULE) && !member.failed(&RULE));
        member.succeeded();
        assert!(!member.failed(&RULE) && !member.failed(&RULE));
        assert!(member.failed(&RULE));
    }

    #[test]
    fn an_endpoint_is_out_for_longer_each_time_up_to_the_most_and_is_forgiven_after_that() {
        let member = member();
        let mut now = Instant::now();
        for seconds in [10, 20, 25, 25] {
            member.eject(now, &RULE);
            let until = now + Duration::from_secs(seconds);
            assert!(!member.is_available(until - Duration::from_millis(2)));
            assert!(member.is_available(until), "after {seconds} s");
            now = until;
        }
        now += Duration::from_secs(26);
        member.eject(now, &RULE);
        assert!(member.is_available(now + Duration::from_secs(10)));
    }

    #[test]
    fn checks_take_out_and_bring_back_by_their_thresholds_and_what_is_back_starts_slowly() {
        let rule = HealthCheck {
            path: "/".into(),
            status: http::StatusCode::OK,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            unhealthy_after: 3,
            healthy_after: 2,
        };
        let member = member();
        let slow = Some(Duration::from_secs(10));
        let now = Instant::now() + Duration::from_secs(60);
        for (well, out) in [(false, false), (false, false), (true, false)] {
            assert_eq!(member.checked(well, now, &rule), out);
        }
        for out in [false, false, true] {
            assert_eq!(member.checked(false, now, &rule), out);
        }
        assert_eq!(member.state(now, slow), EndpointState::Unhealthy);
        assert!(!member.checked(true, now, &rule));
        assert_eq!(member.state(now, slow), EndpointState::Unhealthy);
        assert!(!member.checked(true, now, &rule));
        assert_eq!(member.state(now, slow), EndpointState::SlowStart);
        assert_eq!(member.share(now, slow), FULL_SHARE / 10);
        let half = now + Duration::from_secs(5);
        assert!((499..=501).contains(&member.share(half, slow)));
        let whole = now + Duration::from_secs(10);
        assert_eq!(member.state(whole, slow), EndpointState::Available);
    }

    #[test]
    fn a_place_is_free_again_when_its_call_is_over() {
        let member = Arc::new(Member::new(0, "127.0.0.1:1".parse().unwrap(), Some(1)));
        let place = Place::take(Arc::clone(&member)).unwrap();
        assert!(Place::take(Arc::clone(&member)).is_err());
        assert!(!member.has_room());
        assert_eq!(member.active(), 1);
        drop(place);
        assert_eq!(member.active(), 0);
        assert!(Place::take(member).is_ok());
    }
}
