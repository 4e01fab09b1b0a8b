//! Which endpoint a call takes.
//!
//! Round robin goes round per worker; least requests draws two and takes the one with fewer calls under way over all
//! workers, since one worker's count tells little where many share an endpoint. Never here: IO, and a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::member::{FULL_SHARE, Member};
use super::settings::Balance;

/// One worker's way round the endpoints of one upstream.
#[derive(Debug)]
pub(super) struct Rota {
    cursor: AtomicU64,
}

/// What a choice depends on beside the endpoints.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) balance: Balance,
    pub(super) slow_start: Option<Duration>,
    pub(super) now: Instant,
    /// Endpoints that this call has tried in vain.
    pub(super) tried: &'a [Arc<Member>],
}

impl Default for Rota {
    /// Workers do not go in step: each starts elsewhere.
    fn default() -> Self {
        let (start, _) = uuid::Uuid::new_v4().as_u64_pair();
        Self {
            cursor: AtomicU64::new(start),
        }
    }
}

impl Rota {
    /// The endpoint for a call: one that is available and has room; else one that has room, since an endpoint that
    /// failed lately is better than none; else any that was not tried.
    pub(super) fn choose<'m>(
        &self,
        members: &'m [Arc<Member>],
        choice: Choice<'_>,
    ) -> Option<&'m Arc<Member>> {
        if let ([only], []) = (members, choice.tried) {
            return Some(only);
        }
        let turn = self.cursor.fetch_add(1, Ordering::Relaxed);
        let untried = |member: &Arc<Member>| !was_tried(member, choice.tried);
        let good = |member: &Arc<Member>| {
            untried(member) && member.is_available(choice.now) && member.has_room()
        };
        let by_rule = match choice.balance {
            Balance::RoundRobin => self.round_robin(members, turn, choice, good),
            Balance::LeastRequests => least_requests(members, turn, choice, good),
        };
        by_rule
            .or_else(|| from(members, turn).find(|member| untried(member) && member.has_room()))
            .or_else(|| from(members, turn).find(|member| untried(member)))
    }

    /// The next one. One that starts slowly is passed over as often as its share is short of the whole.
    fn round_robin<'m>(
        &self,
        members: &'m [Arc<Member>],
        turn: u64,
        choice: Choice<'_>,
        good: impl Fn(&Arc<Member>) -> bool,
    ) -> Option<&'m Arc<Member>> {
        let takes_it = |member: &Arc<Member>| {
            let share = member.share(choice.now, choice.slow_start);
            share >= FULL_SHARE || draw(turn) % FULL_SHARE < share
        };
        let mut first = None;
        for (steps, member) in (0_u64..).zip(from(members, turn)) {
            if !good(member) {
                continue;
            }
            if takes_it(member) {
                // What was passed over is not the next one's extra turn.
                if steps > 0 {
                    self.cursor.fetch_add(steps, Ordering::Relaxed);
                }
                return Some(member);
            }
            first.get_or_insert(member);
        }
        first
    }
}

/// Of two that are drawn, the one with fewer calls under way for its share.
fn least_requests<'m>(
    members: &'m [Arc<Member>],
    turn: u64,
    choice: Choice<'_>,
    good: impl Fn(&Arc<Member>) -> bool,
) -> Option<&'m Arc<Member>> {
    let first = from(members, draw(turn)).find(|member| good(member))?;
    let other = |member: &&Arc<Member>| !Arc::ptr_eq(member, first) && good(member);
    let Some(second) = from(members, draw(turn.wrapping_add(1 << 32))).find(other) else {
        return Some(first);
    };
    let load = |member: &Member| {
        let calls = u64::try_from(member.active()).unwrap_or(u64::MAX);
        let share = member.share(choice.now, choice.slow_start).max(1);
        calls.saturating_add(1).saturating_mul(FULL_SHARE) / share
    };
    Some(if load(second) < load(first) {
        second
    } else {
        first
    })
}

/// All of them once, from some place on.
fn from(members: &[Arc<Member>], start: u64) -> impl Iterator<Item = &Arc<Member>> {
    let count = u64::try_from(members.len()).unwrap_or(u64::MAX).max(1);
    let start = usize::try_from(start % count).unwrap_or(0);
    let (before, behind) = members.split_at_checked(start).unwrap_or((members, &[]));
    behind.iter().chain(before)
}

fn was_tried(member: &Arc<Member>, tried: &[Arc<Member>]) -> bool {
    tried.iter().any(|other| Arc::ptr_eq(other, member))
}

/// Numbers without a pattern from numbers in a row (SplitMix64). They spread load; nothing secret depends on them.
const fn draw(turn: u64) -> u64 {
    let mut z = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::member::Place;
    use crate::upstream::settings::{Ejection, HealthCheck};

    fn members(count: u16) -> Vec<Arc<Member>> {
        (1..=count)
            .map(|port| {
                let address = ([127, 0, 0, 1], port).into();
                Arc::new(Member::new(0, address, None))
            })
            .collect()
    }

    fn choice(balance: Balance) -> Choice<'static> {
        Choice {
            balance,
            slow_start: None,
            now: Instant::now(),
            tried: &[],
        }
    }

    /// How many of so many calls each got, none of which ends.
    fn spread(members: &[Arc<Member>], choice: Choice<'_>, calls: usize) -> Vec<usize> {
        let rota = Rota::default();
        let chosen = (0..calls).map(|_| rota.choose(members, choice).unwrap());
        let _places: Vec<_> = chosen.map(|of| Place::take(Arc::clone(of))).collect();
        members.iter().map(|member| member.active()).collect()
    }

    #[test]
    fn round_robin_gives_each_the_same() {
        let spread = spread(&members(3), choice(Balance::RoundRobin), 300);
        assert_eq!(spread, [100, 100, 100]);
    }

    #[test]
    fn least_requests_keeps_away_from_the_one_that_is_slow() {
        let members = members(3);
        let slow = || Place::take(Arc::clone(&members[0]));
        let _slow: Vec<_> = (0..1000).map(|_| slow()).collect();
        let spread = spread(&members, choice(Balance::LeastRequests), 300);
        assert_eq!(spread[0], 1000);
        assert!(spread[1].abs_diff(spread[2]) < 10, "{spread:?}");
    }

    #[test]
    fn one_that_is_out_gets_nothing_unless_all_are() {
        let members = members(3);
        members[1].eject(Instant::now(), &Ejection::default());
        for balance in [Balance::RoundRobin, Balance::LeastRequests] {
            let spread = spread(&members, choice(balance), 100);
            assert_eq!((spread[0] + spread[2], spread[1]), (100, 0));
        }
        members[0].eject(Instant::now(), &Ejection::default());
        members[2].eject(Instant::now(), &Ejection::default());
        let rota = Rota::default();
        assert!(rota.choose(&members, choice(Balance::RoundRobin)).is_some());
    }

    #[test]
    fn what_was_tried_is_not_chosen_again() {
        let members = members(2);
        let rota = Rota::default();
        let tried = [Arc::clone(&members[0])];
        for _ in 0..10 {
            let choice = Choice {
                tried: &tried,
                ..choice(Balance::RoundRobin)
            };
            let chosen = rota.choose(&members, choice).unwrap();
            assert!(Arc::ptr_eq(chosen, &members[1]));
        }
        let choice = Choice {
            tried: &members,
            ..choice(Balance::RoundRobin)
        };
        assert!(rota.choose(&members, choice).is_none());
    }

    #[test]
    fn one_that_is_back_gets_a_part_of_what_the_others_get() {
        let members = members(2);
        let check = HealthCheck {
            path: "/".into(),
            status: http::StatusCode::OK,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            unhealthy_after: 1,
            healthy_after: 1,
        };
        let now = Instant::now() + Duration::from_secs(60);
        assert!(members[1].checked(false, now, &check));
        members[1].checked(true, now, &check);
        for balance in [Balance::RoundRobin, Balance::LeastRequests] {
            let choice = Choice {
                slow_start: Some(Duration::from_secs(30)),
                now,
                ..choice(balance)
            };
            let spread = spread(&members, choice, 1000);
            assert!(
                spread[1] > 10 && spread[1] < spread[0] / 4,
                "{balance:?} {spread:?}"
            );
        }
    }
}
