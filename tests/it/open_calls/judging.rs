//! Where judging the open calls again fails, they are cut, it is seen, and the judging goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use boomgate::clock::{Clock, SystemClock};
use boomgate::types::Timestamp;

use super::support::{Caller, Holder, end, until};
use super::{confirm_compromised, outcome_of, setup};
use crate::reload::faults::until_looked;
use crate::support::site::{AGENT, OTHER_AGENT, Setup, Site};

/// A clock that fails for the workers while it is told to: the first thing that judging asks for is the time.
#[derive(Debug, Default)]
struct Failing(AtomicBool);

impl Clock for Failing {
    fn now(&self) -> Timestamp {
        let thread = std::thread::current();
        let is_worker = thread
            .name()
            .is_some_and(|name| name.starts_with("worker-"));
        assert!(
            !(is_worker && self.0.load(Ordering::SeqCst)),
            "the clock fails, as the test wants it"
        );
        SystemClock.now()
    }
}

#[tokio::test]
async fn open_calls_that_cannot_be_judged_again_are_cut_and_later_ones_are_judged() {
    let holder = Holder::start(false).await;
    let clock = Arc::new(Failing::default());
    let setup = Setup {
        upstream: vec![format!("url: http://{}", holder.address)],
        ..setup()
    };
    let site = Site::start_at(&setup, Arc::<Failing>::clone(&clock)).await;
    // The reload that follows a start would be a change more that cannot be judged.
    until_looked(&site).await;
    let mut caller = Caller::connect(&site, true).await;
    let token = site.agent_token(OTHER_AGENT);
    let open = caller.get("/hr/events", &token).await.unwrap();

    clock.0.store(true, Ordering::SeqCst);
    // Not the one that is open: its call would have gone on.
    confirm_compromised(&site, AGENT).await;
    assert!(
        end(open).await.is_err(),
        "nobody could say that it is allowed"
    );
    clock.0.store(false, Ordering::SeqCst);
    let outcome = outcome_of(&site, OTHER_AGENT).await;
    assert_eq!(outcome["result"], "cut", "{outcome}");
    assert_eq!(outcome["reason"], "facts_unavailable");
    site.until("it is counted", async |site| {
        site.count("boomgate_judging_failures_total", &[]).await == 1
    })
    .await;

    let held = holder.call_of(OTHER_AGENT).await;
    until("the upstream's side is closed", || held.answer.is_gone()).await;
    // A caller whose last call was cut is told to come again on another connection.
    let mut caller = Caller::connect(&site, true).await;
    let again = caller.get("/hr/events", &token).await.unwrap();
    confirm_compromised(&site, OTHER_AGENT).await;
    assert!(end(again).await.is_err());
    let labels = [("reason", "blocked_by_policy")];
    site.until("the next change is enforced", async |site| {
        site.count("boomgate_calls_cut_total", &labels).await == 1
    })
    .await;
}
