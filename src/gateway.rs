//! Room 9: the path of one call, from the head of its request to the head of its answer.
//!
//! Receive, identify, decide, record, enforce, forward, in the order in which it is read below. Each state owns
//! the one before: a call that was not decided cannot be forwarded, and one that was not recorded is not.
//! Never here: a rule, a parser, a default.

mod answer;
mod identify;
mod metadata;
mod meters;
mod rejudge;
mod tunnel;
mod view;

use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response};
use hyper::body::Incoming;
use uuid::Uuid;

use crate::call::receive::{Moment, receive};
use crate::call::{CallContext, ConnectionFacts, Refused};
use crate::clock::Clock;
use crate::decision::decide;
use crate::enforcement::{Denial, OpenCalls, Permit, enforce, grant};
use crate::feeds::{Discovered, KeyFeed};
use crate::identity::Authenticator;
use crate::record::{Entry, RecordedBody, Recorder};
use crate::snapshot::Snapshots;
use crate::store::Names;
use crate::types::{CallId, Reason};
use crate::upstream::{Forwarded, Upstreams};

use view::{View, Viewer};

pub use meters::Meters;
pub use tunnel::{Farewell, Patience, PendingTunnel, Tunnel};

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
    /// The proofs that were seen.
    pub names: Arc<Names>,
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
    viewer: Arc<Viewer>,
    upstreams: Upstreams,
    open_calls: Arc<OpenCalls>,
}

impl Gateway {
    /// A worker's gateway. In the worker's runtime it judges the calls that are open again whenever something changes.
    ///
    /// # Panics
    /// Outside a runtime, as everything of tokio's does.
    #[must_use]
    pub fn start(shared: Shared) -> Self {
        let open_calls = Arc::default();
        let changes = shared.snapshots.changes();
        let viewer = Arc::new(Viewer::new(&shared.snapshots));
        let seen = (shared.clone(), Arc::clone(&viewer));
        tokio::spawn(rejudge::supervise(seen, Arc::clone(&open_calls), changes));
        Self {
            shared,
            viewer,
            upstreams: Upstreams::default(),
            open_calls,
        }
    }

    /// Answers one call.
    pub async fn handle(
        &self,
        request: Request<Incoming>,
        connection: Arc<ConnectionFacts>,
    ) -> Response<RecordedBody> {
        let mut at = self.moment();
        // Once: no call sees half of a change.
        let mut snapshot = self.viewer.load();

        let (resources, limits) = (&snapshot.resources, &connection.limits);
        let received = match receive(request, &connection, resources, limits, at) {
            Ok(received) => received,
            Err(refused) => return Box::pin(self.refuse(refused, &snapshot)).await,
        };
        let identified = match self.identify(received, &mut snapshot, &mut at).await {
            Ok(identified) => identified,
            Err(refused) => return Box::pin(self.refuse(refused, &snapshot)).await,
        };
        let decided = decide(identified, &snapshot.knowledge(), at.now);
        let took = at.started.elapsed();
        // Before anything is forwarded: hyper drops this future when the client leaves.
        let recorded = self.shared.recorder.decision(&decided).await;
        let unrecorded = recorded.as_ref().err().map(|_| Reason::RecordUnavailable);
        self.shared.meters.decided(&decided, unrecorded, took);
        match (enforce(decided), recorded) {
            (Ok(permit), Ok(entry)) => self.forward(permit, entry, &snapshot).await,
            (Err(denial), Ok(entry)) => self.deny(&denial, Some(entry), &snapshot),
            // FAIL-CLOSED: nothing is forwarded without a record.
            (Ok(permit), Err(_)) => {
                let denial = permit.revoke(Reason::RecordUnavailable);
                self.deny(&denial, None, &snapshot)
            }
            (Err(denial), Err(_)) => {
                let denial = denial.because(Reason::RecordUnavailable);
                self.deny(&denial, None, &snapshot)
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
        let refused = Refused::new(context, Reason::Overloaded);
        self.refuse(refused, &self.viewer.load()).await
    }

    /// When the call arrived, and the names that it gets.
    fn moment(&self) -> Moment {
        let mut trace_id = [0; 32];
        Uuid::new_v4().simple().encode_lower(&mut trace_id);
        Moment {
            now: self.shared.clock.now(),
            started: Instant::now(),
            id: CallId::from_uuid(Uuid::now_v7()),
            trace_id,
        }
    }

    /// Forwards a permitted call, and answers with what its upstream says. A hook has no upstream: the leave is its answer.
    async fn forward(
        &self,
        permit: Permit,
        mut entry: Entry,
        snapshot: &View,
    ) -> Response<RecordedBody> {
        let permit = match grant(permit) {
            Ok((context, response)) => return self.granted(&context, response, entry),
            Err(permit) => permit,
        };
        let resource = permit.received().resource().name.clone();
        let gauge = self.shared.meters.open_call(&resource);
        let call = self.open_calls.register(&permit);
        // Of what has changed since the verdict, nobody told a call that was not registered.
        if !self.viewer.is_current(snapshot) {
            rejudge::again(&self.shared, &self.viewer.load(), &call);
        }
        let sent = Instant::now();
        let (upstreams, signer) = (&snapshot.upstreams, snapshot.assertions.as_deref());
        let forwarding = self.upstreams.forward(permit, &call, upstreams, signer);
        let Forwarded { context, result } = forwarding.await;
        let took = sent.elapsed();
        match result {
            Ok(response) => {
                self.shared.meters.upstream(&resource, Ok(took));
                entry.answered(response.status(), Some(took));
                self.pass_on(&context, response, entry, (call, gauge))
            }
            Err(reason) => {
                self.shared.meters.upstream(&resource, Err(reason));
                match call.cut_reason() {
                    Some(reason) => entry.cut(reason),
                    None => entry.failed(reason),
                }
                self.deny(
                    &Denial::after_permit(context, reason),
                    Some(entry),
                    snapshot,
                )
            }
        }
    }
}
