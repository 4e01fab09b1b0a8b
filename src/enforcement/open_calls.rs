//! The calls that were forwarded and are still open: what is needed to judge each again, and the way to cut it.
//!
//! One [`OpenCalls`] per worker, so that no call waits for another worker's. Whoever holds a call open (its answer's
//! body, its upload, its connection) holds its [`OpenCall`]; with the last of them it is gone. Never here: the verdict.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use parking_lot::Mutex;

use super::{Permit, respond};
use crate::identity::Basis;
use crate::types::{Reason, ResourceName};

/// The open calls of one worker.
#[derive(Debug, Default)]
pub struct OpenCalls(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    calls: Vec<Weak<OpenCall>>,
    /// Places of calls that have ended.
    free: Vec<usize>,
}

/// One open call. It lets nothing through; it can only be cut.
pub struct OpenCall {
    among: Arc<OpenCalls>,
    place: usize,
    basis: Basis,
    resource: ResourceName,
    method: Method,
    host: Option<Arc<str>>,
    /// INVARIANT: in normal form (`call::target`).
    path: Arc<str>,
    client_address: IpAddr,
    http2: bool,
    /// Tells most of those who look that nothing has happened, without a lock.
    is_cut: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    phase: Phase,
    /// Whether the answer can still say, behind its body, how the call ended.
    says_its_end: bool,
    /// Who is to be woken when the call is cut, by [`Side`].
    watchers: [Option<Waker>; 2],
    /// Lives until the call that was cut is gone.
    until_gone: Option<Arc<dyn Any + Send + Sync>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// Its answer went out to its end.
    Answered,
    /// It was cut before that.
    Cut(Reason),
    /// It was over, and its caller is not let in any more.
    Refused,
}

/// Who waits for a call to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Whoever answers the caller: one task.
    Caller,
    /// Whoever takes the caller's body to the upstream.
    Upload,
}

/// What cutting a call came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The call is cut.
    Call,
    /// Its answer was out already: what is left of it, a connection that waits for the next call say, is closed.
    Remainder,
    /// It was cut before.
    Before,
}

impl OpenCalls {
    /// Registers the call of a permit. It stays registered until nobody holds it any more.
    pub fn register(self: &Arc<Self>, permit: &Permit) -> Arc<OpenCall> {
        let received = permit.received();
        let context = received.context();
        let mut places = self.0.lock();
        let free = places.free.pop();
        let place = free.unwrap_or(places.calls.len());
        let call = Arc::new(OpenCall {
            among: Arc::clone(self),
            place,
            basis: permit.basis().clone(),
            resource: received.resource().name.clone(),
            method: received.method().clone(),
            host: context.host.clone(),
            path: received.shared_path(),
            client_address: context.client_address,
            http2: context.version == Version::HTTP_2,
            is_cut: AtomicBool::new(false),
            state: Mutex::default(),
        });
        match places.calls.get_mut(place) {
            Some(slot) => *slot = Arc::downgrade(&call),
            None => places.calls.push(Arc::downgrade(&call)),
        }
        call
    }

    /// How many places there are, those of calls that have ended included.
    #[must_use]
    pub fn places(&self) -> usize {
        self.0.lock().calls.len()
    }

    /// Adds the calls of so many places to `calls`.
    pub fn collect(&self, from: usize, count: usize, calls: &mut Vec<Arc<OpenCall>>) {
        let places = self.0.lock();
        let slice = places.calls.iter().skip(from).take(count);
        calls.extend(slice.filter_map(Weak::upgrade));
    }

    fn remove(&self, place: usize) {
        let mut places = self.0.lock();
        if let Some(slot) = places.calls.get_mut(place) {
            *slot = Weak::new();
        }
        places.free.push(place);
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.among.remove(self.place);
    }
}

impl OpenCall {
    /// What its caller was found out by.
    #[must_use]
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The name of the resource that it was forwarded to.
    #[must_use]
    pub const fn resource(&self) -> &ResourceName {
        &self.resource
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The host that it was called by.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The path in normal form.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The client's address.
    #[must_use]
    pub const fn client_address(&self) -> IpAddr {
        self.client_address
    }

    /// Whether it came by HTTP/2.
    #[must_use]
    pub const fn is_http2(&self) -> bool {
        self.http2
    }

    /// Cuts the call, and wakes whoever holds it open. `until_gone` is dropped when nobody does any more.
    pub fn cut(&self, reason: Reason, until_gone: Option<Arc<dyn Any + Send + Sync>>) -> Cut {
        let mut state = self.state.lock();
        let (phase, cut) = match state.phase {
            Phase::Open => (Phase::Cut(reason), Cut::Call),
            Phase::Answered => (Phase::Refused, Cut::Remainder),
            Phase::Cut(_) | Phase::Refused => return Cut::Before,
        };
        state.phase = phase;
        state.until_gone = until_gone;
        self.is_cut.store(true, Ordering::Release);
        let watchers = std::mem::take(&mut state.watchers);
        drop(state);
        watchers.into_iter().flatten().for_each(Waker::wake);
        cut
    }

    /// Waits for the call to be cut, as the one task of this side.
    pub fn poll_cut(&self, side: Side, context: &Context<'_>) -> Poll<()> {
        if self.is_cut() {
            return Poll::Ready(());
        }
        let mut state = self.state.lock();
        // Under the lock: it may have been cut since.
        if self.is_cut() {
            return Poll::Ready(());
        }
        let [caller, upload] = &mut state.watchers;
        let watcher = match side {
            Side::Caller => caller,
            Side::Upload => upload,
        };
        match watcher {
            Some(known) if known.will_wake(context.waker()) => {}
            Some(_) | None => *watcher = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Whether it was cut, or what is left of it.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// Why it was cut before its answer went out to its end.
    #[must_use]
    pub fn cut_reason(&self) -> Option<Reason> {
        if !self.is_cut() {
            return None;
        }
        match self.state.lock().phase {
            Phase::Cut(reason) => Some(reason),
            Phase::Open | Phase::Answered | Phase::Refused => None,
        }
    }

    /// Its answer is out to its end, unless it was cut before.
    ///
    /// # Errors
    /// The [`Reason`] that it was cut for: then nothing more goes out.
    pub fn answered(&self) -> Result<(), Reason> {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Open => {
                state.phase = Phase::Answered;
                Ok(())
            }
            Phase::Answered | Phase::Refused => Ok(()),
            Phase::Cut(reason) => Err(reason),
        }
    }

    /// From now on its answer can say behind its body how it ended: whoever cuts it gives it the occasion.
    pub fn says_its_end(&self) {
        self.state.lock().says_its_end = true;
    }

    /// Whether its answer may say how it ended.
    #[must_use]
    pub fn may_say_its_end(&self) -> bool {
        self.state.lock().says_its_end
    }
}

/// How gRPC says that a call was cut: a status behind the messages that are out
/// (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, "Trailers").
#[must_use]
pub fn trailers(reason: Reason) -> HeaderMap {
    const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");
    const UNAUTHENTICATED: HeaderValue = HeaderValue::from_static("16");
    const PERMISSION_DENIED: HeaderValue = HeaderValue::from_static("7");
    let status = match respond::status(reason) {
        StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
        StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
        _ => PERMISSION_DENIED,
    };
    let mut trailers = HeaderMap::with_capacity(2);
    trailers.insert("grpc-status", status);
    trailers.insert("grpc-message", HeaderValue::from_static(reason.as_str()));
    trailers
}

impl fmt::Debug for OpenCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenCall")
            .field("resource", &self.resource)
            .field("phase", &self.state.lock().phase)
            .finish_non_exhaustive()
    }
}
