//! What many threads counted is shown as one thread would have counted it.

use std::thread;

use prometheus::{HistogramOpts, HistogramVec, IntGaugeVec, Opts, TextEncoder};

use super::*;

/// Metrics of each kind, sharded and not, under the same names.
struct Both {
    registries: [Registry; 2],
    counters: (Sharded<IntCounterVec>, IntCounterVec),
    gauges: (Sharded<IntGaugeVec>, IntGaugeVec),
    histograms: (Sharded<HistogramVec>, HistogramVec),
}

impl Both {
    fn new() -> Self {
        let registries = [Registry::new(), Registry::new()];
        let [sharded, plain] = &registries;
        let counters = || IntCounterVec::new(Opts::new("counted", "help"), &["a", "b"]);
        let gauges = || IntGaugeVec::new(Opts::new("open", "help"), &["a"]);
        let histograms = || {
            let opts = HistogramOpts::new("took", "help").buckets(vec![1.0, 2.0, 4.0]);
            HistogramVec::new(opts, &["a"])
        };
        let both = Self {
            counters: (
                Sharded::declare(sharded, counters).unwrap(),
                counters().unwrap(),
            ),
            gauges: (
                Sharded::declare(sharded, gauges).unwrap(),
                gauges().unwrap(),
            ),
            histograms: (
                Sharded::declare(sharded, histograms).unwrap(),
                histograms().unwrap(),
            ),
            registries: registries.clone(),
        };
        plain.register(Box::new(both.counters.1.clone())).unwrap();
        plain.register(Box::new(both.gauges.1.clone())).unwrap();
        plain.register(Box::new(both.histograms.1.clone())).unwrap();
        both
    }

    /// Each thread counts series of its own and such as others have too.
    fn count(&self, thread: u32) {
        let (own, of_two) = (thread.to_string(), (thread % 2).to_string());
        for labels in [[&*own, "x"], [&*of_two, "y"]] {
            self.counters.0.mine().with_label_values(&labels).inc();
            self.counters.1.with_label_values(&labels).inc();
        }
        self.gauges.0.mine().with_label_values(&[&of_two]).inc();
        self.gauges.1.with_label_values(&[&of_two]).inc();
        let took = f64::from(thread % 6);
        let histogram = self.histograms.0.mine().with_label_values(&[&of_two]);
        histogram.observe(took);
        self.histograms
            .1
            .with_label_values(&[&of_two])
            .observe(took);
    }

    fn shown(&self) -> [String; 2] {
        let text = |registry: &Registry| {
            TextEncoder::new()
                .encode_to_string(&registry.gather())
                .unwrap()
        };
        self.registries.each_ref().map(text)
    }
}

#[test]
fn what_many_threads_count_is_shown_as_one_would_have_counted_it() {
    let both = Both::new();
    let [sharded, plain] = both.shown();
    assert_eq!(sharded, plain, "nothing is shown before its first event");
    for round in 0..3 {
        thread::scope(|scope| {
            for thread in 0..40 {
                let both = &both;
                scope.spawn(move || both.count(thread + round));
            }
        });
        let [sharded, plain] = both.shown();
        assert!(plain.contains(r#"took_count{a="1"} "#), "{plain}");
        assert_eq!(sharded, plain, "a scrape takes nothing away");
    }
}

#[test]
fn a_gauge_may_fall_in_another_thread_than_it_rose_in() {
    let both = Both::new();
    let gauge = &both.gauges.0;
    gauge.mine().with_label_values(&["x"]).inc();
    thread::scope(|scope| {
        scope.spawn(|| gauge.mine().with_label_values(&["x"]).dec());
    });
    let [sharded, _] = both.shown();
    assert!(sharded.contains("open{a=\"x\"} 0"), "{sharded}");
}

#[test]
fn a_bound_counter_is_shown_from_zero_on_and_counts_in_every_thread() {
    let both = Both::new();
    let counter = both.counters.0.bind(&["1", "2"]);
    let line = |count: u32| format!("counted{{a=\"1\",b=\"2\"}} {count}\n");
    assert!(both.shown()[0].contains(&line(0)));
    thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| counter.inc());
        }
    });
    assert!(both.shown()[0].contains(&line(30)));
}

#[test]
fn a_name_is_declared_once() {
    let registry = Registry::new();
    let counters = || IntCounterVec::new(Opts::new("counted", "help"), &["a"]);
    Sharded::declare(&registry, counters).unwrap();
    assert!(Sharded::declare(&registry, counters).is_err());
}
