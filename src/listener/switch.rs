//! A connection of HTTP/1.1, or a stream of HTTP/2, that becomes a WebSocket behind the head of its answer.
//!
//! Never here: whether it may; that was decided as for every call.

use std::sync::Arc;

use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::activity::{Activity, CallGuard};
use super::cuttable;
use crate::call::websocket::AsksForSocket;
use crate::gateway::{Farewell, Patience, PendingTunnel, Tunnel};

/// Where the tunnel of an HTTP/1.1 connection waits until its last answer is out.
pub(super) type Slot = Mutex<Option<Switch>>;

/// A tunnel, and the caller's side of it once it is there.
#[derive(Debug)]
pub(super) struct Switch {
    tunnel: Tunnel,
    upgrade: OnUpgrade,
    way: Way,
}

/// What the caller's side of a tunnel is, and how it ends at once.
#[derive(Debug)]
enum Way {
    Connection(Arc<Activity>),
    Stream(oneshot::Sender<()>),
}

/// The way to a WebSocket of a request that asks for one. `asks` is what was read of an HTTP/1.1 connection.
pub(super) fn prepare(request: &mut Request<Incoming>, asks: bool) -> Option<OnUpgrade> {
    let http2 = request.version() == http::Version::HTTP_2;
    let is_possible = request.extensions().get::<OnUpgrade>().is_some();
    if !is_possible || !(asks || http2) {
        return None;
    }
    let upgrade = hyper::upgrade::on(&mut *request);
    if !http2 {
        request.extensions_mut().insert(AsksForSocket);
    }
    Some(upgrade)
}

/// The switch that an answer is, if it is one. It is given the form of its version, and holds the call's guard.
pub(super) fn take<B>(
    response: &mut Response<B>,
    upgrade: Option<OnUpgrade>,
    http2: bool,
    (call, activity): (&mut Option<CallGuard>, &Arc<Activity>),
) -> Option<Switch> {
    let pending = response.extensions_mut().remove::<PendingTunnel>()?;
    if let Some(mut call) = call.take() {
        call.end();
        pending.hold(call);
    }
    let (tunnel, upgrade) = (pending.take()?, upgrade?);
    let way = if http2 {
        *response.status_mut() = StatusCode::OK;
        for name in [CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT] {
            response.headers_mut().remove(name);
        }
        Way::Stream(cuttable::hand_tunnel_out())
    } else {
        activity.switch();
        Way::Connection(Arc::clone(activity))
    };
    Some(Switch {
        tunnel,
        upgrade,
        way,
    })
}

/// Ends a connection of HTTP/1.1 behind an answer: what follows the request is none, or no more calls are taken.
pub(super) fn say_last<B>(response: &mut Response<B>) {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
}

impl Switch {
    /// Runs the tunnel to its end, and ends the caller's side at once where it must.
    pub(super) async fn run(self, patience: Patience) {
        // The caller left before it got its answer.
        let Ok(caller) = self.upgrade.await else {
            return;
        };
        let mut caller = TokioIo::new(caller);
        match (self.tunnel.run(&mut caller, patience).await, self.way) {
            (Farewell::Close, _) => {}
            (Farewell::Abort, Way::Connection(activity)) => activity.abort(),
            // Where it has ended there is nobody to tell.
            (Farewell::Abort, Way::Stream(abort)) => drop(abort.send(())),
        }
    }
}
