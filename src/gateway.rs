//! Room 7: the path of one call, from the head of its request to the head of its answer.
//!
//! Receive, identify, decide, record, enforce, forward, in the order in which it is read below. Each state owns
//! the one before: a call that was not decided cannot be forwarded, and one that was not recorded is not.
//! Never here: a rule, a parser, a default.

mod metadata;
mod meters;

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use uuid::Uuid;

use crate::call::receive::{Moment, receive};
use crate::call::{Body, CallContext, ConnectionFacts, Received, Refused};
use crate::clock::Clock;
use crate::decision::decide;
use crate::enforcement::respond::DECISION_ID;
use crate::enforcement::{Denial, Permit, enforce, respond};
use crate::feeds::{Discovered, KeyFeed};
use crate::identity::{Authenticator, Identified};
use crate::record::{Entry, RecordedBody, Recorder};
use crate::snapshot::{Snapshot, Snapshots};
use crate::types::{CallId, Reason};
use crate::upstream::{Forwarded, Upstreams};

pub use meters::Meters;

/// What the gateways of all workers share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// All that decisions read.
    pub snapshots: Arc<Snapshots>,
    /// Wall time.
    pub clock: Arc<dyn Clock>,
    /// Finds out who calls.
    pub authenticator: Arc<Authenticator>,
    /// Asks for an issuer's keys when a token names one that is not known.
    pub keys: Arc<KeyFeed>,
    /// Agents that no directory knows.
    pub discovered: Arc<Discovered>,
    /// Where decisions are recorded.
    pub recorder: Recorder,
    /// Where they are counted.
    pub meters: Arc<Meters>,
}

/// One worker's gateway: the shared parts, and upstream connections of its own.
#[derive(Debug)]
pub struct Gateway {
    shared: Shared,
    upstreams: Upstreams,
}

impl Gateway {
    /// A worker's gateway.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self {
            shared,
            upstreams: Upstreams::default(),
        }
    }

    /// Answers one call.
    pub async fn handle(
        &self,
        request: Request<Incoming>,
        connection: &Arc<ConnectionFacts>,
    ) -> Response<RecordedBody> {
        let at = self.moment();
        let snapshot = self.shared.snapshots.load();

        let received = match receive(
            request,
            connection,
            &snapshot.resources,
            &connection.limits,
            at,
        ) {
            Ok(received) => received,
            Err(refused) => return self.refuse(refused, &snapshot).await,
        };
        let identified = match self.identify(received, &snapshot, at) {
            Ok(identified) => identified,
            Err(refused) => return self.refuse(refused, &snapshot).await,
        };
        let decided = decide(identified, &snapshot.knowledge(), at.now);
        let took = at.started.elapsed();
        // Recorded before it is forwarded: hyper drops this future when the client leaves.
        let recorded = self.shared.recorder.decision(&decided).await;
        let unrecorded = recorded.as_ref().err().map(|_| Reason::RecordUnavailable);
        self.shared.meters.decided(&decided, unrecorded, took);
        match (enforce(decided), recorded) {
            (Ok(permit), Ok(entry)) => self.forward(permit, entry, &snapshot).await,
            (Err(denial), Ok(entry)) => self.deny(&denial, Some(entry), &snapshot),
            // FAIL-CLOSED: nothing is forwarded without a record.
            (Ok(permit), Err(_)) => {
                self.deny(&permit.revoke(Reason::RecordUnavailable), None, &snapshot)
            }
            (Err(denial), Err(_)) => {
                self.deny(&denial.because(Reason::RecordUnavailable), None, &snapshot)
            }
        }
    }

    /// Answers a call that the rim turned away unread.
    pub async fn shed(
        &self,
        request: Request<Incoming>,
        connection: &Arc<ConnectionFacts>,
    ) -> Response<RecordedBody> {
        let (head, _unread) = request.into_parts();
        let context = CallContext::begin(&head, connection, self.moment());
        let snapshot = self.shared.snapshots.load();
        self.refuse(
            Refused {
                context,
                reason: Reason::Overloaded,
            },
            &snapshot,
        )
        .await
    }

    /// When the call arrived, and the names that it gets.
    fn moment(&self) -> Moment {
        let id = Uuid::now_v7();
        let mut trace_id = [0; 32];
        Uuid::new_v4().simple().encode_lower(&mut trace_id);
        Moment {
            now: self.shared.clock.now(),
            started: Instant::now(),
            id: CallId::from_uuid(id),
            trace_id,
        }
    }

    /// Finds out who calls; counts what was seen on the way.
    #[expect(
        clippy::result_large_err,
        reason = "a refusal is a value of the path, moved once"
    )]
    fn identify(
        &self,
        received: Received,
        snapshot: &Snapshot,
        at: Moment,
    ) -> Result<Identified, Refused> {
        let (issuers, directory) = (&snapshot.issuers, &snapshot.directory);
        let (result, seen) = self
            .shared
            .authenticator
            .identify(received, issuers, directory, at.now);
        self.shared
            .meters
            .identified(&seen, result.as_ref().err().map(|refused| refused.reason));
        if let Some(issuer) = &seen.unknown_key_of {
            self.shared.keys.request(issuer);
        }
        if let Ok(identified) = &result {
            self.shared.discovered.seen(identified.caller(), at.now);
        }
        result
    }

    /// Forwards a permitted call, and answers with what its upstream says.
    async fn forward(
        &self,
        permit: Permit,
        mut entry: Entry,
        snapshot: &Snapshot,
    ) -> Response<RecordedBody> {
        let resource = Arc::clone(permit.received().resource());
        let open = self.shared.meters.open_call(&resource.name);
        let sent = Instant::now();
        let Forwarded { context, result } =
            self.upstreams.forward(permit, &snapshot.upstreams).await;
        let took = sent.elapsed();
        self.shared.meters.upstream(
            &resource.name,
            result.as_ref().map(|_| took).map_err(|r| *r),
        );
        match result {
            Ok(response) => {
                entry.answered(response.status(), Some(took));
                self.finish(
                    &context,
                    response.map(|body| body.holding(open)),
                    Some(entry),
                )
            }
            Err(reason) => {
                entry.failed(reason);
                self.deny(
                    &Denial::after_permit(context, reason),
                    Some(entry),
                    snapshot,
                )
            }
        }
    }

    /// Answers a call on which no decision was made.
    async fn refuse(&self, refused: Refused, snapshot: &Snapshot) -> Response<RecordedBody> {
        if let Some(answer) = metadata::answer(&refused.context, snapshot) {
            return self.finish(&refused.context, answer, None);
        }
        let took = refused.context.started.elapsed();
        let recorded = self.shared.recorder.refusal(&refused).await;
        let mut denial = Denial::of(refused);
        if recorded.is_err() {
            denial = denial.because(Reason::RecordUnavailable);
        }
        self.shared.meters.refused(&denial, took);
        self.deny(&denial, recorded.ok(), snapshot)
    }

    /// Answers a denied call.
    fn deny(
        &self,
        denial: &Denial,
        entry: Option<Entry>,
        snapshot: &Snapshot,
    ) -> Response<RecordedBody> {
        let response = respond(denial, &snapshot.responses);
        let entry = entry.map(|mut entry| {
            entry.answered(response.status(), None);
            entry
        });
        self.finish(denial.context(), response, entry)
    }

    /// Names the decision on the answer, counts it, and ties its body to the record.
    fn finish(
        &self,
        context: &CallContext,
        response: Response<Body>,
        entry: Option<Entry>,
    ) -> Response<RecordedBody> {
        let (mut head, body) = response.into_parts();
        let mut id = [0; 36];
        if let Ok(id) = HeaderValue::from_str(context.id.encode(&mut id)) {
            head.headers.insert(DECISION_ID, id);
        }
        self.shared.meters.answered(context, head.status);
        let body = match entry {
            Some(entry) => RecordedBody::new(body, entry),
            None => RecordedBody::unrecorded(body),
        };
        Response::from_parts(head, body)
    }
}
