//! Counts what happens on the path. Every resource's handles are bound once, not once a call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::StatusCode;

use crate::call::{CallContext, Resources};
use crate::decision::Decided;
use crate::enforcement::Denial;
use crate::identity::{CacheResult, Observation};
use crate::telemetry::{Metrics, OpenCall, ResourceMetrics, TokenLookups};
use crate::types::{Reason, ResourceName};

/// The metrics of the path.
#[derive(Debug)]
pub struct Meters {
    metrics: Arc<Metrics>,
    /// By resource. Replaced when the resources change.
    bound: ArcSwap<BTreeMap<ResourceName, ResourceMetrics>>,
    lookups: TokenLookups,
    /// For calls that no resource was found for.
    none: ResourceMetrics,
}

impl Meters {
    /// Counts into `metrics`, for these resources.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, resources: &Resources) -> Self {
        let meters = Self {
            none: metrics.resource(None),
            lookups: metrics.token_lookups(),
            bound: ArcSwap::default(),
            metrics,
        };
        meters.bind(resources);
        meters
    }

    /// Binds the handles of these resources, in place of those before.
    pub fn bind(&self, resources: &Resources) {
        let bound = resources.iter().map(|resource| {
            (
                resource.name.clone(),
                self.metrics.resource(Some(&resource.name)),
            )
        });
        self.bound.store(Arc::new(bound.collect()));
    }

    /// A decision was made, and `overruled` by this reason if it does not stand.
    pub(super) fn decided(&self, decided: &Decided, overruled: Option<Reason>, took: Duration) {
        let decision = decided.decision();
        let reason = overruled.unwrap_or(decision.reason);
        let kind = decided.identified().caller().kind();
        self.of(Some(&decided.received().resource().name), |m| {
            m.decided(reason, kind, took);
        });
        for result in &decision.evaluation.applied {
            if let Some(policy) = decision.policies.policy(result.policy) {
                self.metrics
                    .policy_result(&policy.id, result.outcome.as_str());
            }
        }
    }

    /// A call ended before a decision.
    pub(super) fn refused(&self, denial: &Denial, took: Duration) {
        let resource = denial.context().resource.as_ref();
        self.of(resource.map(|resource| &resource.name), |metrics| {
            metrics.decided(denial.reason(), "unknown", took);
        });
    }

    /// A token was looked at. One that is remembered is not verified again.
    pub(super) fn identified(&self, seen: &Observation, refused: Option<Reason>) {
        if let Some(cache) = seen.cache {
            self.lookups.count(cache == CacheResult::Hit);
        }
        let no_token = matches!(
            refused,
            Some(Reason::CredentialMissing | Reason::CredentialMalformed)
        );
        if seen.cache != Some(CacheResult::Hit) && !no_token {
            self.metrics
                .token_verified(seen.issuer.as_deref(), refused.map_or(Ok(()), Err));
        }
    }

    /// An upstream answered, or did not.
    pub(super) fn upstream(&self, resource: &ResourceName, result: Result<Duration, Reason>) {
        self.of(Some(resource), |metrics| {
            metrics.upstream_request(result.map(drop));
            if let Ok(took) = result {
                metrics.upstream_done(took);
            }
        });
    }

    /// A call was cut while it was open.
    pub(super) fn cut(&self, reason: Reason) {
        self.metrics.call_cut(reason);
    }

    /// Open calls could not be judged again.
    pub(super) fn judging_failed(&self) {
        self.metrics.judging_failed();
    }

    /// A call is open until the guard is dropped.
    pub(super) fn open_call(&self, resource: &ResourceName) -> OpenCall {
        self.of(Some(resource), ResourceMetrics::open_call)
    }

    /// The head of an answer is on its way.
    pub(super) fn answered(&self, context: &CallContext, status: StatusCode) {
        let resource = context.resource.as_ref().map(|resource| &resource.name);
        self.of(resource, |metrics| {
            metrics.request_done(status.as_u16(), context.started.elapsed());
        });
    }

    /// Runs `count` on a resource's handles.
    fn of<T>(
        &self,
        resource: Option<&ResourceName>,
        count: impl FnOnce(&ResourceMetrics) -> T,
    ) -> T {
        let bound = self.bound.load();
        count(
            resource
                .and_then(|name| bound.get(name))
                .unwrap_or(&self.none),
        )
    }
}
