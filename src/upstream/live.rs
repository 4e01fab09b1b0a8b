//! The endpoints that an upstream has now, and what all workers know of them together.
//!
//! The list is replaced as a whole; a call reads it without a lock. Never here: a list that became empty because a
//! name could not be looked up.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::member::Member;
use super::settings::{Ejection, Retries, UpstreamSettings};
use super::table::bare_host;
use crate::telemetry::{EndpointState, UpstreamEvent, UpstreamEvents};
use crate::types::Apart;

/// An upstream's endpoints.
#[derive(Debug)]
pub(super) struct Live {
    members: ArcSwap<Vec<Arc<Member>>>,
    /// Held while names are looked up for calls that wait for it; since when that was last begun.
    pub(super) resolving: tokio::sync::Mutex<Option<Instant>>,
    followed: AtomicBool,
    max_requests: Option<usize>,
    events: UpstreamEvents,
    born: Instant,
    /// Calls under way, and those among them that were sent again.
    active: Apart<AtomicUsize>,
    repeating: AtomicUsize,
    /// The second of its life in the upper half, and how many were sent again in it in the lower.
    second: AtomicU64,
    /// Calls that wait for a place.
    pending: AtomicUsize,
}

/// One more of something, as long as it lives.
#[derive(Debug)]
pub(super) struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Live {
    /// Addresses are endpoints at once; names when they are looked up.
    pub(super) fn new(settings: &UpstreamSettings, events: UpstreamEvents) -> Self {
        let max_requests = settings.limits.max_requests;
        let literal = |(place, origin): (usize, &super::settings::Origin)| {
            let address: IpAddr = bare_host(&origin.host).parse().ok()?;
            let address = SocketAddr::new(address, origin.port);
            Some(Arc::new(Member::new(place, address, max_requests)))
        };
        let members = settings.origins.iter().enumerate().filter_map(literal);
        Self {
            members: ArcSwap::from_pointee(members.collect()),
            resolving: tokio::sync::Mutex::new(None),
            followed: AtomicBool::new(false),
            max_requests,
            events,
            born: Instant::now(),
            active: Apart::default(),
            repeating: AtomicUsize::new(0),
            second: AtomicU64::new(0),
            pending: AtomicUsize::new(0),
        }
    }

    /// Whether nobody has followed it yet; from now on somebody does.
    pub(super) fn begin(&self) -> bool {
        !self.followed.swap(true, Ordering::Relaxed)
    }

    /// The endpoints of the moment.
    pub(super) fn members(&self) -> arc_swap::Guard<Arc<Vec<Arc<Member>>>> {
        self.members.load()
    }

    pub(super) fn count(&self, event: UpstreamEvent) {
        self.events.count(event);
    }

    /// A name was looked up. What stays keeps all that is known of it; what cannot be looked up keeps its last addresses.
    pub(super) fn resolved(&self, origin: usize, addresses: &[SocketAddr]) {
        if addresses.is_empty() {
            return self.count(UpstreamEvent::ResolutionFailed);
        }
        self.members.rcu(|members| {
            let is_kept = |member: &&Arc<Member>| {
                member.origin != origin || addresses.contains(&member.address)
            };
            let mut next: Vec<_> = members.iter().filter(is_kept).cloned().collect();
            for address in addresses {
                let is_known = next
                    .iter()
                    .any(|member| member.origin == origin && member.address == *address);
                if !is_known {
                    next.push(Arc::new(Member::new(origin, *address, self.max_requests)));
                }
            }
            next.sort_by_key(|member| (member.origin, member.address));
            next
        });
    }

    /// A call failed on an endpoint: one too many in a row takes it out, unless too many are out already.
    pub(super) fn failed(&self, member: &Member, rule: &Ejection) {
        if !member.failed(rule) {
            return;
        }
        let now = Instant::now();
        if !member.is_available(now) {
            return;
        }
        let members = self.members.load();
        let out = members.iter().filter(|m| !m.is_available(now)).count();
        let percent = usize::try_from(rule.max_percent).unwrap_or(100);
        let allowed = members.len().saturating_mul(percent) / 100;
        if out < allowed {
            member.eject(now, rule);
            self.count(UpstreamEvent::Ejected);
            tracing::warn!(address = %member.address, "an upstream's endpoint is taken out for a while");
        }
    }

    /// A call is under way until the guard is dropped.
    pub(super) fn call(&self) -> Counted<'_> {
        self.active.0.fetch_add(1, Ordering::Relaxed);
        Counted(&self.active.0)
    }

    /// Whether a call may be sent again now; it counts as repeating until the guard is dropped.
    pub(super) fn may_repeat(&self, rule: &Retries) -> Option<Counted<'_>> {
        let active = self.active.0.load(Ordering::Relaxed);
        let repeating = self.repeating.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(&self.repeating);
        let percent = usize::try_from(rule.budget_percent).unwrap_or(100);
        let within =
            repeating.saturating_add(1).saturating_mul(100) <= active.saturating_mul(percent);
        // Counted in any case: those within the percentage use up what is free.
        let is_free = self.repeated_this_second() <= u64::from(rule.min_per_second);
        if within || is_free {
            self.count(UpstreamEvent::Retried);
            return Some(counted);
        }
        self.count(UpstreamEvent::RetryRefused);
        None
    }

    fn repeated_this_second(&self) -> u64 {
        let second = self.born.elapsed().as_secs() << 32;
        let count = |kept: u64| {
            let earlier = if kept >= second { kept } else { second };
            earlier.saturating_add(1)
        };
        let before = self
            .second
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |kept| {
                Some(count(kept))
            });
        count(before.unwrap_or_default()) & u64::from(u32::MAX)
    }

    /// Whether one more call may wait for a place; it waits until the guard is dropped.
    pub(super) fn may_wait(&self, max_pending: usize) -> Option<Counted<'_>> {
        let waiting = self.pending.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(&self.pending);
        (waiting < max_pending).then_some(counted)
    }

    /// How many endpoints are in which state.
    pub(super) fn census(
        &self,
        now: Instant,
        slow_start: Option<Duration>,
    ) -> impl Iterator<Item = (EndpointState, u64)> + use<> {
        let members = self.members.load_full();
        EndpointState::ALL.iter().map(move |state| {
            let in_it = members
                .iter()
                .filter(|m| m.state(now, slow_start) == *state);
            (*state, u64::try_from(in_it.count()).unwrap_or(u64::MAX))
        })
    }
}
