//! Judges calls that are open again when what they were judged on has changed, and cuts those that are blocked now.
//!
//! The same rooms find out who calls and what is thereof as for a new call. It is done in slices, between which the worker serves
//! others. Never here: a rule of its own, and a call that is let go on because nobody could tell.

use std::any::Any;
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::Shared;
use super::view::Viewer;
use crate::decision::{Case, judge};
use crate::enforcement::open_calls::Cut;
use crate::enforcement::{OpenCall, OpenCalls};
use crate::snapshot::{Change, Snapshot};
use crate::types::{Effect, Reason};

/// How many calls are judged before the worker serves others: some tens of microseconds.
const SLICE: usize = 32;

/// Keeps the judging up for as long as the worker lives. Where it fails, nobody could say of the calls that are open
/// whether they are still allowed: they are cut, it is counted and logged, and the judging begins anew.
pub(super) async fn supervise(
    (shared, viewer): (Shared, Arc<Viewer>),
    calls: Arc<OpenCalls>,
    mut changes: Receiver<Arc<Change>>,
) {
    loop {
        let seen = (shared.clone(), Arc::clone(&viewer));
        let judging = follow(seen, Arc::clone(&calls), changes);
        let Err(failure) = tokio::spawn(judging).await else {
            return;
        };
        // Before the calls are cut: those that come later follow this.
        changes = shared.snapshots.changes();
        // FAIL-CLOSED: the change that was being judged may block any of them.
        let cut = cut_all(&shared, &calls);
        shared.meters.judging_failed();
        tracing::error!(%failure, cut, "judging the open calls again failed; they are cut");
    }
}

/// Cuts every open call. How many they were.
fn cut_all(shared: &Shared, calls: &OpenCalls) -> usize {
    let mut all = Vec::new();
    calls.collect(0, usize::MAX, &mut all);
    for call in &all {
        cut(shared, call, Reason::FactsUnavailable, None);
    }
    all.len()
}

/// Follows the changes for as long as the worker lives.
async fn follow(
    (shared, viewer): (Shared, Arc<Viewer>),
    calls: Arc<OpenCalls>,
    mut changes: Receiver<Arc<Change>>,
) {
    loop {
        let first = match changes.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => return,
        };
        round((&shared, &viewer), &calls, first, &mut changes).await;
    }
}

/// Judges every open call on the newest snapshot. A change that comes meanwhile begins the round anew from where it is,
/// so that it waits for no earlier one.
async fn round(
    (shared, viewer): (&Shared, &Viewer),
    calls: &OpenCalls,
    first: Option<Arc<Change>>,
    changes: &mut Receiver<Arc<Change>>,
) {
    let mut causes: Vec<Arc<Change>> = first.into_iter().collect();
    let mut snapshot = viewer.load();
    // Calls that are registered from now on look for themselves.
    let mut places = calls.places();
    let (mut at, mut left) = (0, places);
    let mut slice = Vec::with_capacity(SLICE);
    while left > 0 {
        let count = SLICE.min(left).min(places.saturating_sub(at));
        calls.collect(at, count, &mut slice);
        for call in slice.drain(..) {
            if let Err(reason) = verdict(shared, &snapshot, &call) {
                cut(shared, &call, reason, causes.first());
            }
        }
        left = left.saturating_sub(count);
        at = at.saturating_add(count);
        if at >= places {
            at = 0;
        }
        tokio::task::yield_now().await;
        let known = causes.len();
        let mut is_news = false;
        loop {
            match changes.try_recv() {
                Ok(change) => causes.push(change),
                Err(TryRecvError::Lagged(_)) => is_news = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        if is_news || causes.len() > known {
            snapshot = viewer.load();
            places = calls.places();
            left = places;
        }
    }
}

/// Judges one call on this snapshot, and cuts it if it is blocked now.
pub(super) fn again(shared: &Shared, snapshot: &Snapshot, call: &OpenCall) {
    if let Err(reason) = verdict(shared, snapshot, call) {
        cut(shared, call, reason, None);
    }
}

fn cut(shared: &Shared, call: &OpenCall, reason: Reason, cause: Option<&Arc<Change>>) {
    let until_gone = cause
        .cloned()
        .map(|cause| -> Arc<dyn Any + Send + Sync> { cause });
    match call.cut(reason, until_gone) {
        Cut::Call => {
            if let Some(cause) = cause {
                cause.cuts();
            }
            shared.meters.cut(reason);
        }
        Cut::Remainder | Cut::Before => {}
    }
}

/// Whether the call would be forwarded if it came now.
fn verdict(shared: &Shared, snapshot: &Snapshot, call: &OpenCall) -> Result<(), Reason> {
    let now = shared.clock.now();
    let resource = call
        .host()
        .and_then(|host| snapshot.resources.find(host, call.path()));
    // FAIL-CLOSED: the way to it may lead to another resource by now, or to none.
    let resource = resource
        .filter(|resource| resource.name == *call.resource())
        .ok_or(Reason::ResourceUnknown)?;
    let (caller, credential) = shared.authenticator.identify_again(
        call.basis(),
        &resource.audiences,
        &snapshot.issuers,
        &snapshot.directory,
        now,
    )?;
    let case = Case {
        caller: &caller,
        credential: &credential,
        resource,
        method: call.method(),
        path: call.path(),
        client_address: call.client_address(),
    };
    let reason = judge(case, &snapshot.knowledge(), now).reason;
    match reason.effect() {
        Effect::Allow => Ok(()),
        Effect::Block => Err(reason),
    }
}
