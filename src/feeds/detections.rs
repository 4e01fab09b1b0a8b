//! Detections while calls are made: what the path tells is looked at beside it, and what is found raises risk.
//!
//! A thread of its own runs the detector; what it finds is recorded, kept and put in force by the control side, and taken
//! back when it expires. Never here: a rule of what is unusual, and a call that waits.

mod expiry;
mod word;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::mpsc;

use super::StateFeed;
use crate::clock::Clock;
use crate::detection::{DetectionSettings, Detector, Finding, Kind, Mode, Rule};
use crate::record::{Looker, Observations, Observed, Observer, Recorder};
use crate::snapshot::{Cause, Snapshots};
use crate::telemetry::{
    ChangeSource, DetectionCounters, Metrics, SignalKind, SignalResult, SignalSource,
};
use expiry::Open;

pub use expiry::ends;
pub use word::kind_of;

/// How the traffic is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedSettings {
    /// How many observations may wait.
    pub queue: usize,
    /// What is looked for; `None`: nothing.
    pub rules: Option<DetectionSettings>,
}

/// How long observations wait for others, so that they are looked at together.
const GATHER: Duration = Duration::from_millis(5);

/// How many findings wait to be put in force; then the detector waits, and the path passes over what finds no place.
const FINDINGS: usize = 1_024;

/// The time between two looks at what expires, and at what could not be kept.
const TICK: Duration = Duration::from_secs(1);

/// After so many ticks all that is kept is looked through, for what other replicas said.
const TICKS_PER_ROUND: u32 = 60;

/// How many findings that could not be kept are tried again.
const MAX_PENDING: usize = 10_000;

/// The settings in force; none: nothing is looked for.
pub type InForce = Arc<ArcSwapOption<DetectionSettings>>;

/// What a [`DetectionFeed`] works with.
#[derive(Debug, Clone)]
pub struct DetectionFeedContext {
    /// Keeps what was found, and puts it in force.
    pub state: Arc<StateFeed>,
    /// What is in force.
    pub snapshots: Arc<Snapshots>,
    /// Where a change is recorded.
    pub recorder: Recorder,
    /// Where it is counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Looks at the traffic. One for the whole process.
#[derive(Debug)]
pub struct DetectionFeed {
    context: DetectionFeedContext,
    settings: InForce,
    found: mpsc::Receiver<Finding>,
}

impl DetectionFeed {
    /// Starts the detector's thread, and has the recorder tell it what agents do. It ends with the recorder.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        context: DetectionFeedContext,
        queue: usize,
        settings: InForce,
    ) -> std::io::Result<Self> {
        let (tell, found) = mpsc::channel(FINDINGS);
        let metrics = context.metrics.detections();
        for kind in Kind::ALL {
            let rule = settings.load().as_deref().map(|of| of.rule(kind));
            metrics.show(kind.as_str(), rule.unwrap_or(Rule::default_of(kind)).level);
        }
        let counters = metrics.counters();
        let observations = Observations::new(queue.max(1), &counters.taken, &counters.dropped);
        let observed = observations.clone();
        let look = Look {
            settings: Arc::clone(&settings),
            counters,
            tell,
        };
        std::thread::Builder::new()
            .name("detections".to_owned())
            .spawn(move || look.at_all(observed.look()))?;
        context.recorder.observe_by(Observer {
            looks_for: Arc::clone(&settings),
            observations,
        });
        Ok(Self {
            context,
            settings,
            found,
        })
    }

    /// Puts what is found in force, and takes back what expires, for as long as the gateway runs.
    pub async fn follow(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ticks = 0_u32;
        let mut open = Open::default();
        let mut pending = VecDeque::new();
        let now = || Cause::now(ChangeSource::Detection);
        loop {
            tokio::select! {
                finding = self.found.recv() => match finding {
                    Some(finding) => self.take((finding, now()), &mut open, &mut pending).await,
                    None => return,
                },
                _ = tick.tick() => {
                    for finding in std::mem::take(&mut pending) {
                        self.take(finding, &mut open, &mut pending).await;
                    }
                    if ticks.is_multiple_of(TICKS_PER_ROUND) {
                        open = self.all_open().await;
                    }
                    ticks = ticks.wrapping_add(1);
                    self.expire(&mut open).await;
                }
            }
        }
    }

    /// Records and keeps one finding. What cannot be kept is tried again with the next tick.
    async fn take(
        &self,
        (finding, cause): (Finding, Cause),
        open: &mut Open,
        pending: &mut VecDeque<(Finding, Cause)>,
    ) {
        let Some(settings) = self.settings.load_full() else {
            return;
        };
        let rule = settings.rule(finding.kind);
        if rule.mode == Mode::Off {
            return;
        }
        let metrics = &self.context.metrics;
        tracing::warn!(
            agent.id = %finding.agent,
            detection = %finding.kind,
            level = rule.level.as_str(),
            is_enforced = rule.mode == Mode::Enforce,
            evidence = finding.evidence,
            "a detection"
        );
        let snapshot = self.context.snapshots.load();
        let change = word::change(&finding, rule, &snapshot, self.context.clock.now());
        // An agent that is found risky must not go on because the disk is full. The log says what was found.
        let begun = self.context.recorder.change(change).await.ok();
        let said = word::said(finding.clone(), rule, self.context.clock.now());
        let kept = self.context.state.say(cause, move |_| said.clone()).await;
        let signal =
            |result| metrics.risk_signal(SignalSource::Boomgate, SignalKind::Detection, result);
        match kept {
            Ok(_) => {
                metrics
                    .detections()
                    .found(finding.kind.as_str(), rule.level);
                signal(SignalResult::Applied);
                if rule.mode == Mode::Enforce {
                    open.insert(&finding.agent, finding.kind);
                }
                if let Some(begun) = begun {
                    begun.ended(Ok(()));
                }
            }
            Err(error) => {
                tracing::error!(%error, agent.id = %finding.agent, detection = %finding.kind,
                    "a detection could not be kept; it is tried again");
                signal(SignalResult::Failed);
                if let Some(begun) = begun {
                    begun.ended(Err("it could not be stored; it is tried again"));
                }
                pending.push_back((finding, cause));
                while pending.len() > MAX_PENDING {
                    pending.pop_front();
                }
            }
        }
    }
}

/// The detector's thread.
struct Look {
    settings: InForce,
    counters: DetectionCounters,
    tell: mpsc::Sender<Finding>,
}

impl Look {
    /// Looks at all that is observed, until no more will come, or nobody is left to tell of what was found.
    fn at_all(self, mut observed: Looker) {
        let mut in_use = self.settings.load_full();
        let mut detector = Detector::new(in_use.as_deref().copied().unwrap_or_default());
        loop {
            // Whoever tells of the next need not wake this thread, which would cost a call more than all of it here.
            let goes_on = observed.wait(GATHER);
            let looked = observed.each(|one| self.at_one(one, &mut in_use, &mut detector));
            if looked.is_none() || !goes_on {
                return;
            }
            let holdings = detector.holdings();
            self.counters.hold(holdings.agents, holdings.evicted);
        }
    }

    /// Looks at one observation. `None`: nobody is left to tell, the gateway ends.
    fn at_one(
        &self,
        observed: &Observed,
        in_use: &mut Option<Arc<DetectionSettings>>,
        detector: &mut Detector,
    ) -> Option<()> {
        let now = self.settings.load();
        if now.as_deref() != in_use.as_deref() {
            *in_use = now.as_ref().map(Arc::clone);
            if let Some(settings) = in_use.as_deref() {
                detector.use_settings(*settings);
            }
        }
        if in_use.is_none() {
            return Some(());
        }
        let findings = match observed {
            Observed::Call(call) => detector.called(call),
            Observed::Answer(answer) => detector.answered(answer),
        };
        for finding in findings {
            self.tell.blocking_send(finding).ok()?;
        }
        Some(())
    }
}
