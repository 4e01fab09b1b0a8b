//! One worker's way to one upstream: which endpoint a call takes, and the connections to each.
//!
//! Never here: what is sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::balance::{Choice, Rota};
use super::connect::ConnectError;
use super::member::{Member, Place};
use super::pool::Pool;
use super::resolve::resolve_for_call;
use super::table::Upstream;
use crate::types::ResourceName;

/// One worker's way to one upstream.
#[derive(Debug)]
pub(super) struct Lane {
    resource: ResourceName,
    pub(super) upstream: Arc<Upstream>,
    rota: Rota,
    pools: Mutex<Pools>,
}

/// The connections to each endpoint that the worker has called.
#[derive(Debug, Default)]
struct Pools {
    pools: Vec<Arc<Pool>>,
    /// The endpoints when the pools were last looked through for those that are gone.
    of: Option<Arc<Vec<Arc<Member>>>>,
}

/// An endpoint, by this worker's connections to it: references to these are counted by no other worker.
#[derive(Debug)]
pub(super) struct Endpoint(Arc<Pool>);

impl AsRef<Member> for Endpoint {
    fn as_ref(&self) -> &Member {
        &self.0.member
    }
}

/// A place on an endpoint, for one attempt of a call.
pub(super) type Seat = Place<Endpoint>;

impl Seat {
    /// The connections to the endpoint.
    pub(super) const fn pool(&self) -> &Arc<Pool> {
        &self.at().0
    }
}

impl Lane {
    pub(super) fn new(resource: ResourceName, upstream: Arc<Upstream>) -> Arc<Self> {
        Arc::new(Self {
            resource,
            upstream,
            rota: Rota::default(),
            pools: Mutex::default(),
        })
    }

    /// A place on an endpoint that this call has not tried, within the connect timeout.
    pub(super) async fn seat(
        &self,
        tried: &[Arc<Member>],
        now: Instant,
    ) -> Result<Seat, ConnectError> {
        let pool = match self.choose(tried, now) {
            Some(pool) => pool,
            // Boxed, as what follows: these are the rare ways, and all calls would carry the room for them.
            None if tried.is_empty() => Box::pin(self.choose_once_resolved()).await?,
            None => return Err(ConnectError::NoEndpoint),
        };
        match Place::take(Endpoint(pool)) {
            Ok(seat) => Ok(seat),
            Err(endpoint) => Box::pin(self.wait_for_place(endpoint)).await,
        }
    }

    /// Whether there is an endpoint that this call has not tried.
    pub(super) fn has_other(&self, tried: &[Arc<Member>]) -> bool {
        let members = self.upstream.live.members();
        let is_other = |member: &Arc<Member>| !tried.iter().any(|t| Arc::ptr_eq(t, member));
        members.iter().any(is_other)
    }

    fn choose(&self, tried: &[Arc<Member>], now: Instant) -> Option<Arc<Pool>> {
        let settings = &self.upstream.settings;
        let members = self.upstream.live.members();
        let choice = Choice {
            balance: settings.balance,
            slow_start: settings.slow_start,
            now,
            tried,
        };
        let chosen = self.rota.choose(&members, choice);
        chosen.map(|member| self.pool(member, &members))
    }

    async fn choose_once_resolved(&self) -> Result<Arc<Pool>, ConnectError> {
        let resolving = resolve_for_call(&self.resource, &self.upstream);
        self.within_timeout(resolving).await?;
        self.choose(&[], Instant::now())
            .ok_or(ConnectError::NoEndpoint)
    }

    async fn wait_for_place(&self, endpoint: Endpoint) -> Result<Seat, ConnectError> {
        let max_pending = self.upstream.settings.limits.max_pending;
        let waiting = self.upstream.live.may_wait(max_pending);
        let _waiting = waiting.ok_or(ConnectError::Full)?;
        let place = self.within_timeout(Place::wait(endpoint)).await;
        place.ok().flatten().ok_or(ConnectError::Full)
    }

    async fn within_timeout<T>(&self, what: impl Future<Output = T>) -> Result<T, ConnectError> {
        let timeout: Duration = self.upstream.settings.connect_timeout;
        let done = tokio::time::timeout(timeout, what).await;
        done.map_err(|_elapsed| ConnectError::Elapsed)
    }

    /// The connections to an endpoint. Those to endpoints that are gone are let go when the list has changed.
    fn pool(&self, member: &Arc<Member>, members: &Arc<Vec<Arc<Member>>>) -> Arc<Pool> {
        let mut kept = self.pools.lock();
        if !kept.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, members)) {
            kept.pools
                .retain(|pool| members.iter().any(|m| Arc::ptr_eq(m, &pool.member)));
            kept.of = Some(Arc::clone(members));
        }
        let known = kept.pools.iter().find(|p| Arc::ptr_eq(&p.member, member));
        if let Some(pool) = known {
            return Arc::clone(pool);
        }
        let pool = Pool::new(&self.upstream, member);
        kept.pools.push(Arc::clone(&pool));
        pool
    }
}
