//! [`Entry`]: ties a call to its record, and writes how the call ended when it is dropped, whoever drops it.
//!
//! hyper drops a call's future when its client leaves, so the end of a call is the end of this value.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use super::model;
use super::observed::{Part, Unanswered};
use super::outbox::{LineOf, Outbox};
use crate::call::CallContext;
use crate::types::{CallId, Reason};

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeResult {
    /// The answer was sent to its end.
    Completed,
    /// The client left before that.
    ClientLeft,
    /// The client's body broke off, or was too large, before the upstream answered.
    ClientFailed,
    /// The upstream gave no answer, or broke it off.
    UpstreamFailed,
    /// The call was not forwarded.
    Refused,
    /// The call was forwarded, and cut while it was open: what is known of its caller has changed.
    Cut,
}

/// What the outcome record says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    pub(super) result: OutcomeResult,
    /// Why the upstream's answer is missing, or was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    /// The status that was answered; none if the client left before.
    pub(super) status: Option<u16>,
    /// Bytes of the answer's body.
    pub(super) bytes: u64,
    /// Bytes that the client sent on a connection that became a WebSocket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes_received: Option<u64>,
    /// From forwarding the call to the head of its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upstream_microseconds: Option<u64>,
    /// From the call's head to its end.
    pub(super) duration_microseconds: u64,
}

/// Why a call that was forwarded did not come to its end.
#[derive(Debug, Clone, Copy)]
enum Failure {
    /// There is no answer, or not all of it, for this reason.
    NoAnswer(Reason),
    /// The upstream broke its answer off.
    BrokenOff,
    /// It was cut.
    Cut(Reason),
}

/// A recorded call that has not ended yet.
#[derive(Debug)]
#[must_use = "a call that ends at once is recorded as one whose client left"]
pub struct Entry {
    id: CallId,
    started: Instant,
    /// `None` if the decision went unrecorded (`dangerous_drop`): then its outcome does too.
    outbox: Option<Arc<Outbox>>,
    /// Whom to tell how an agent's call was answered.
    observer: Option<(Arc<Part>, Unanswered)>,
    refused: bool,
    failed: Option<Failure>,
    completed: bool,
    status: Option<StatusCode>,
    bytes: u64,
    received: Option<u64>,
    upstream: Option<Duration>,
}

impl Entry {
    /// The entry of a call; `refused` says that it is not forwarded.
    pub(super) const fn new(context: &CallContext, refused: bool) -> Self {
        Self {
            id: context.id,
            started: context.started,
            outbox: None,
            observer: None,
            refused,
            failed: None,
            completed: false,
            status: None,
            bytes: 0,
            received: None,
            upstream: None,
        }
    }

    /// The call's id.
    pub(super) const fn id(&self) -> CallId {
        self.id
    }

    /// Now that the decision is queued, the outcome will be, behind it.
    pub(super) fn tied_to(mut self, outbox: &Arc<Outbox>) -> Self {
        self.outbox = Some(Arc::clone(outbox));
        self
    }

    /// The observer is told of the answer too.
    pub(super) fn observed_by(mut self, observer: &Arc<Part>, call: Option<Unanswered>) -> Self {
        self.observer = call.map(|call| (Arc::clone(observer), call));
        self
    }

    /// The head of the answer is known; `upstream` is how long the upstream took for it, if it did.
    pub const fn answered(&mut self, status: StatusCode, upstream: Option<Duration>) {
        self.status = Some(status);
        self.upstream = upstream;
    }

    /// There is no answer of the upstream, or not all of it, for this reason.
    pub const fn failed(&mut self, reason: Reason) {
        self.failed = Some(Failure::NoAnswer(reason));
    }

    /// The call was cut while it was open, for this reason.
    pub const fn cut(&mut self, reason: Reason) {
        self.failed = Some(Failure::Cut(reason));
    }

    /// The upstream broke its answer off.
    pub const fn broken_off(&mut self) {
        self.failed = Some(Failure::BrokenOff);
    }

    /// So many more bytes of the answer's body went out.
    pub fn sent(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// So many more bytes of the client's went to the upstream of a connection that became a WebSocket.
    pub fn received(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = self.received.unwrap_or_default();
        self.received = Some(before.saturating_add(bytes));
    }

    /// The answer was sent to its end.
    pub const fn completed(&mut self) {
        self.completed = true;
    }

    fn outcome(&self) -> Outcome {
        Outcome {
            result: match (self.refused, self.failed, self.completed) {
                (true, _, _) => OutcomeResult::Refused,
                (false, Some(Failure::Cut(_)), _) => OutcomeResult::Cut,
                (false, Some(Failure::NoAnswer(reason)), _) if reason.is_of_the_body() => {
                    OutcomeResult::ClientFailed
                }
                (false, Some(Failure::NoAnswer(_) | Failure::BrokenOff), _) => {
                    OutcomeResult::UpstreamFailed
                }
                (false, None, true) => OutcomeResult::Completed,
                (false, None, false) => OutcomeResult::ClientLeft,
            },
            reason: match self.failed {
                Some(Failure::NoAnswer(reason) | Failure::Cut(reason)) => Some(reason),
                Some(Failure::BrokenOff) | None => None,
            },
            status: self.status.map(|status| status.as_u16()),
            bytes: self.bytes,
            bytes_received: self.received,
            upstream_microseconds: self.upstream.map(model::micros),
            duration_microseconds: model::micros(self.started.elapsed()),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let (Some((observer, call)), Some(status)) = (self.observer.take(), self.status) {
            observer.tell(call.answered(status));
        }
        if let Some(outbox) = self.outbox.take() {
            let outcome = self.outcome();
            // After the writer's end there is nobody to tell.
            let _told = outbox.push(LineOf::Outcome(self.id), |line| {
                model::outcome(line, self.id, &outcome)
            });
        }
    }
}
