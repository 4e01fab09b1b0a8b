//! Declares one metric of each kind. Names, help texts and labels are [`super`]'s; never here.

use prometheus::{
    Counter, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

use super::sharded::Sharded;

/// Registers a metric and gives it back.
fn register<M>(registry: &Registry, metric: M) -> prometheus::Result<M>
where
    M: prometheus::core::Collector + Clone + 'static,
{
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

pub(super) type Declared<M> = prometheus::Result<M>;

pub(super) fn counter(registry: &Registry, name: &str, help: &str) -> Declared<Counter> {
    register(registry, Counter::new(name, help)?)
}

pub(super) fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Declared<IntCounterVec> {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

pub(super) fn gauge(registry: &Registry, name: &str, help: &str) -> Declared<IntGauge> {
    register(registry, IntGauge::new(name, help)?)
}

pub(super) fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Declared<IntGaugeVec> {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

pub(super) fn real_gauge(registry: &Registry, name: &str, help: &str) -> Declared<Gauge> {
    register(registry, Gauge::new(name, help)?)
}

pub(super) fn real_gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Declared<GaugeVec> {
    register(registry, GaugeVec::new(Opts::new(name, help), labels)?)
}

pub(super) fn histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
    labels: &[&str],
) -> Declared<HistogramVec> {
    register(
        registry,
        HistogramVec::new(bucketed(name, help, buckets), labels)?,
    )
}

fn bucketed(name: &str, help: &str, buckets: &[f64]) -> HistogramOpts {
    HistogramOpts::new(name, help).buckets(buckets.to_vec())
}

pub(super) fn sharded_counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Declared<Sharded<IntCounterVec>> {
    Sharded::declare(registry, || {
        IntCounterVec::new(Opts::new(name, help), labels)
    })
}

pub(super) fn sharded_gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Declared<Sharded<IntGaugeVec>> {
    Sharded::declare(registry, || IntGaugeVec::new(Opts::new(name, help), labels))
}

pub(super) fn sharded_histogram(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
) -> Declared<Sharded<Histogram>> {
    Sharded::declare(registry, || {
        Histogram::with_opts(bucketed(name, help, buckets))
    })
}

pub(super) fn sharded_histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    buckets: &[f64],
    labels: &[&str],
) -> Declared<Sharded<HistogramVec>> {
    Sharded::declare(registry, || {
        HistogramVec::new(bucketed(name, help, buckets), labels)
    })
}
