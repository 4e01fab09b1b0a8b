//! The end of the path: every answer gets its decision's id, is counted, and is tied to its record.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, Version};

use super::tunnel::{PendingTunnel, Tunnel};
use super::{Gateway, metadata};
use crate::call::{Body, CallContext, Refused};
use crate::enforcement::respond::DECISION_ID;
use crate::enforcement::{Denial, OpenCall, respond};
use crate::record::{Entry, RecordedBody};
use crate::snapshot::Snapshot;
use crate::telemetry;
use crate::types::Reason;

impl Gateway {
    /// Whether there is a resource now whose calls may become WebSockets.
    #[must_use]
    pub fn has_websockets(&self) -> bool {
        self.viewer.load().resources.has_websockets()
    }

    /// Answers a call on which no decision was made.
    pub(super) async fn refuse(
        &self,
        refused: Refused,
        snapshot: &Snapshot,
    ) -> Response<RecordedBody> {
        if let Some(answer) = metadata::answer(&refused.context, snapshot) {
            return self.finish(&refused.context, answer, RecordedBody::unrecorded);
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
    pub(super) fn deny(
        &self,
        denial: &Denial,
        mut entry: Option<Entry>,
        snapshot: &Snapshot,
    ) -> Response<RecordedBody> {
        let response = respond(denial, &snapshot.responses);
        if let Some(entry) = &mut entry {
            entry.answered(response.status(), None);
        }
        self.finish(denial.context(), response, |body| match entry {
            Some(entry) => RecordedBody::new(body, entry),
            None => RecordedBody::unrecorded(body),
        })
    }

    /// Answers a call that asks for leave and for nothing else.
    pub(super) fn granted(
        &self,
        context: &CallContext,
        response: Response<Body>,
        mut entry: Entry,
    ) -> Response<RecordedBody> {
        entry.answered(response.status(), None);
        self.finish(context, response, |body| RecordedBody::new(body, entry))
    }

    /// Passes an upstream's answer on. Its call is open as long as its body, or as the tunnel that it opens.
    pub(super) fn pass_on(
        &self,
        context: &CallContext,
        response: Response<Body>,
        entry: Entry,
        (call, gauge): (Arc<OpenCall>, telemetry::OpenCall),
    ) -> Response<RecordedBody> {
        if can_say_its_end(context, &response) {
            call.says_its_end();
        }
        let mut tunnel = None;
        let mut response = self.finish(context, response, |body| match body {
            Body::Switched(upstream) => {
                tunnel = Some(Tunnel::new(upstream, call, entry, gauge));
                RecordedBody::unrecorded(Body::Empty)
            }
            body @ (Body::Empty | Body::Full(_) | Body::Streamed(_)) => {
                RecordedBody::forwarded(body, entry, call, gauge)
            }
        });
        if let Some(tunnel) = tunnel.map(PendingTunnel::new) {
            response.extensions_mut().insert(tunnel);
        }
        response
    }

    /// Names the decision on the answer, counts it, and ties its body to the record.
    pub(super) fn finish(
        &self,
        context: &CallContext,
        mut response: Response<Body>,
        tie: impl FnOnce(Body) -> RecordedBody,
    ) -> Response<RecordedBody> {
        let mut id = [0; 36];
        if let Ok(id) = HeaderValue::from_str(context.id.encode(&mut id)) {
            response.headers_mut().insert(DECISION_ID, id);
        }
        self.shared.meters.answered(context, response.status());
        response.map(tie)
    }
}

/// Whether trailers can say how the call of an answer ended: gRPC over HTTP/2.
fn can_say_its_end(context: &CallContext, response: &Response<Body>) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let content_type = response.headers().get(CONTENT_TYPE);
    let rest = content_type.and_then(|value| value.as_bytes().strip_prefix(GRPC));
    // Not gRPC-Web, which has its trailers in the body.
    context.version == Version::HTTP_2 && rest.is_some_and(|rest| !rest.starts_with(b"-"))
}
