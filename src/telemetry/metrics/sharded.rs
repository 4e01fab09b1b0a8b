//! Series that each thread counts for itself, and that are added up when they are read.
//!
//! Every call counts some twenty times: were those the same places in memory for all workers, a core would wait for the
//! others each time. Never here: a gauge that is set, for of what is set there is no sum.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, Metric, MetricFamily, MetricType};
use prometheus::{IntCounter, IntCounterVec, Registry};

use super::declare::Declared;
use crate::types::PerThread;

/// A metric of which each thread has its own.
#[derive(Debug)]
pub(in crate::telemetry) struct Sharded<M>(Arc<PerThread<M>>);

impl<M> Clone for Sharded<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Collector + 'static> Sharded<M> {
    /// Registers what `make` makes for each thread.
    pub(super) fn declare(registry: &Registry, make: impl Fn() -> Declared<M>) -> Declared<Self> {
        let sharded = Self(Arc::new(PerThread::try_new(make)?));
        registry.register(Box::new(sharded.clone()))?;
        Ok(sharded)
    }

    /// That of the thread that asks.
    pub(in crate::telemetry) fn mine(&self) -> &M {
        self.0.mine()
    }
}

impl Sharded<IntCounterVec> {
    /// One counter, bound beforehand.
    pub(super) fn bind(&self, labels: &[&str]) -> ShardedCounter {
        let counters = self.0.map(|shard| shard.with_label_values(labels));
        ShardedCounter(Arc::new(counters))
    }
}

/// A counter of which each thread has its own.
#[derive(Debug, Clone)]
pub struct ShardedCounter(Arc<PerThread<IntCounter>>);

impl ShardedCounter {
    /// One more.
    pub fn inc(&self) {
        self.0.mine().inc();
    }
}

impl<M: Collector> Collector for Sharded<M> {
    fn desc(&self) -> Vec<&Desc> {
        self.0.mine().desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut families = self.0.iter().flat_map(Collector::collect);
        let Some(mut family) = families.next() else {
            return Vec::new();
        };
        let own = family.take_metric();
        let others = families.flat_map(|mut other| other.take_metric());
        let mut sums = BTreeMap::new();
        for metric in own.into_iter().chain(others) {
            match sums.entry(labels_of(&metric)) {
                Entry::Vacant(place) => {
                    place.insert(metric);
                }
                Entry::Occupied(mut sum) => {
                    add_metric(family.get_field_type(), sum.get_mut(), &metric);
                }
            }
        }
        family.set_metric(sums.into_values().collect());
        vec![family]
    }
}

/// Which series a metric is of.
fn labels_of(metric: &Metric) -> Vec<(String, String)> {
    let labels = metric.get_label().iter();
    labels
        .map(|label| (label.name().to_owned(), label.value().to_owned()))
        .collect()
}

/// Adds a metric to another one of the same series.
fn add_metric(kind: MetricType, sum: &mut Metric, metric: &Metric) {
    match kind {
        MetricType::COUNTER => {
            let mut counter = Counter::default();
            counter.set_value(sum.get_counter().get_value() + metric.get_counter().get_value());
            sum.set_counter(counter);
        }
        MetricType::GAUGE => {
            let mut gauge = Gauge::default();
            gauge.set_value(sum.get_gauge().get_value() + metric.get_gauge().get_value());
            sum.set_gauge(gauge);
        }
        MetricType::HISTOGRAM => {
            let added = add_histogram(sum.get_histogram(), metric.get_histogram());
            sum.set_histogram(added);
        }
        // None is declared.
        MetricType::SUMMARY | MetricType::UNTYPED => {}
    }
}

/// Both have the same buckets.
fn add_histogram(one: &Histogram, other: &Histogram) -> Histogram {
    let mut histogram = Histogram::default();
    let count = one
        .get_sample_count()
        .saturating_add(other.get_sample_count());
    histogram.set_sample_count(count);
    histogram.set_sample_sum(one.get_sample_sum() + other.get_sample_sum());
    let buckets = one.get_bucket().iter().zip(other.get_bucket());
    let buckets = buckets.map(|(one, other)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(one.upper_bound());
        let count = one
            .cumulative_count()
            .saturating_add(other.cumulative_count());
        bucket.set_cumulative_count(count);
        bucket
    });
    histogram.set_bucket(buckets.collect());
    histogram
}

#[cfg(test)]
mod tests;
