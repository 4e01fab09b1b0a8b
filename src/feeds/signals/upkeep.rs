//! Keeps a stream up: its keys, its place at the transmitter, and, where events are asked for, the asking.
//!
//! A round reads the transmitter's metadata and keys, finds or makes the stream, and has it verified, so that a stream that
//! has gone silent shows. Rounds come regularly, after failures with longer and longer pauses, and when somebody wakes
//! them. Never here: a stream that is taken for well because nothing was heard of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::delivery::{Refusal, new_state};
use super::error::TransmitterError;
use super::settings::Delivery;
use super::stream::Stream;
use super::transmitter::Transmitter;
use crate::feeds::jitter::{jitter, pause_after};
use crate::types::fault::chain;

/// The first pause after a failure; the next ones double.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The least time between two rounds, however often somebody wakes them.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// How long a transmitter may hold a question for events.
const POLL_PATIENCE: Duration = Duration::from_secs(30);

/// The least time between two questions that brought nothing: some transmitters do not hold them.
const POLL_PAUSE: Duration = Duration::from_secs(1);

/// The most events that are asked for at once.
const MAX_EVENTS: u32 = 100;

/// What an operator wants with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Have it verified.
    Verify,
    /// Have the transmitter hold its events back.
    Pause,
    /// Have it go on; make it anew if it was deleted.
    Resume,
    /// Have it deleted.
    Delete,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Verify, Self::Pause, Self::Resume, Self::Delete];

    /// Its name, in an address and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Delete => "delete",
        }
    }
}

impl Stream {
    /// Keeps the stream up for as long as it is let.
    pub(super) async fn keep_up(self: Arc<Self>) {
        let mut failures: u32 = 0;
        loop {
            let began = Instant::now();
            let pause = match self.round().await {
                Ok(()) => {
                    failures = 0;
                    LEAST_PAUSE
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    self.reporter.fails(chain(&error));
                    pause_after(failures, FIRST_PAUSE, LONGEST_PAUSE)
                }
            };
            let due = began + pause;
            if failures > 0 {
                tokio::select! {
                    () = sleep_until(due) => {}
                    () = self.wake.notified() => sleep_until(due.min(began + LEAST_PAUSE)).await,
                }
            } else {
                sleep_until(due).await;
            }
        }
    }

    /// One round, until the next one is due or somebody wakes it.
    async fn round(&self) -> Result<(), TransmitterError> {
        let next = Instant::now() + self.settings.interval - jitter(self.settings.interval / 10);
        let mut transmitter = Transmitter::meet(&self.settings).await?;
        let keys = transmitter.keys().await?;
        self.keys.send_replace(Some(Arc::new(keys)));
        self.critical
            .lock()
            .clone_from(&transmitter.metadata.critical);
        let mut endpoint = match &self.settings.delivery {
            Delivery::Poll { endpoint } => endpoint.as_deref().map(ToOwned::to_owned),
            Delivery::Push { .. } => None,
        };
        if self.settings.management.is_some() && !*self.is_deleted.lock() {
            let stream = transmitter.stream().await?;
            *self.id.lock() = Some(stream.id.clone());
            match transmitter.status(&stream.id).await?.as_deref() {
                None | Some("enabled") => {
                    let now = self.reporter.context.clock.now();
                    self.reporter
                        .context
                        .status
                        .succeeded(self.reporter.source(), now);
                    let state = new_state(&self.settings);
                    transmitter.verify(&stream.id, &state).await?;
                }
                Some(status) => self
                    .reporter
                    .fails(format!("the stream is {status} at the transmitter")),
            }
            endpoint = endpoint.or(stream.endpoint);
        } else if self.settings.management.is_none() {
            let now = self.reporter.context.clock.now();
            self.reporter
                .context
                .status
                .succeeded(self.reporter.source(), now);
        }
        match (&self.settings.delivery, endpoint) {
            (Delivery::Poll { .. }, Some(endpoint)) if !*self.is_deleted.lock() => {
                self.poll_until(next, &endpoint, &mut transmitter).await
            }
            _ => {
                tokio::select! {
                    () = sleep_until(next) => {}
                    () = self.wake.notified() => {}
                }
                Ok(())
            }
        }
    }

    /// Asks for events until the next round is due or somebody wakes it.
    async fn poll_until(
        &self,
        next: Instant,
        endpoint: &str,
        transmitter: &mut Transmitter<'_>,
    ) -> Result<(), TransmitterError> {
        let mut answers = Answers::default();
        loop {
            let began = Instant::now();
            let patience = self.settings.timeout.saturating_add(POLL_PATIENCE);
            let question = answers.question(false);
            let asking = transmitter.poll(endpoint, &question, patience);
            let answer = tokio::select! {
                answer = timeout_at(next, asking) => match answer {
                    Ok(answer) => answer?,
                    // Whatever was on its way comes again.
                    Err(_due) => break,
                },
                () = self.wake.notified() => break,
            };
            answers = Answers::default();
            self.reporter.note_heard();
            let sets = answer.get("sets").and_then(Value::as_object);
            let sets = sets.ok_or_else(|| {
                TransmitterError::Document(endpoint.to_owned(), "no object `sets`")
            })?;
            for (id, set) in sets {
                let took = self.take(set.as_str().unwrap_or_default(), Some(id)).await;
                answers.note(id, took);
            }
            if sets.is_empty() && Instant::now() < next {
                sleep_until((began + POLL_PAUSE).min(next)).await;
            } else if answers.is_empty() {
                // Nothing of it could be kept: it comes again.
                sleep(POLL_PAUSE).await;
            }
            if Instant::now() >= next {
                break;
            }
        }
        if !answers.is_empty() {
            let question = answers.question(true);
            transmitter
                .poll(endpoint, &question, self.settings.timeout)
                .await?;
        }
        Ok(())
    }

    /// Does what an operator wants.
    pub(super) async fn act(&self, action: Action) -> Result<(), TransmitterError> {
        if self.settings.management.is_none() {
            return Err(TransmitterError::Absent("management of streams"));
        }
        let mut transmitter = Transmitter::meet(&self.settings).await?;
        if action == Action::Resume {
            *self.is_deleted.lock() = false;
        }
        let stream = transmitter.stream().await?;
        match action {
            Action::Verify => {
                let state = new_state(&self.settings);
                transmitter.verify(&stream.id, &state).await?;
            }
            Action::Pause => transmitter.set_status(&stream.id, "paused").await?,
            Action::Resume => transmitter.set_status(&stream.id, "enabled").await?,
            Action::Delete => {
                transmitter.delete(&stream.id).await?;
                *self.is_deleted.lock() = true;
                *self.id.lock() = None;
                self.reporter
                    .fails("the stream was deleted; `resume` makes it anew".to_owned());
            }
        }
        self.wake.notify_one();
        Ok(())
    }
}

/// What is to be said of the events that came with the last answer.
#[derive(Debug, Default)]
struct Answers {
    kept: Vec<String>,
    refused: BTreeMap<String, Refusal>,
}

impl Answers {
    fn note(&mut self, id: &str, took: Result<(), Refusal>) {
        match took {
            Ok(()) => self.kept.push(id.to_owned()),
            // Neither: it comes again.
            Err(Refusal::Unavailable) => {}
            Err(refusal) => drop(self.refused.insert(id.to_owned(), refusal)),
        }
    }

    fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.refused.is_empty()
    }

    /// The next question, with what is said of the last answer.
    fn question(&self, at_once: bool) -> Value {
        let refused = self.refused.iter().map(|(id, refusal)| {
            let said = json!({"err": refusal.code(), "description": refusal.to_string()});
            (id.clone(), said)
        });
        let refused: serde_json::Map<_, _> = refused.collect();
        let mut question = json!({
            "maxEvents": if at_once { 0 } else { MAX_EVENTS },
            "returnImmediately": at_once,
            "ack": self.kept,
        });
        if !refused.is_empty()
            && let Some(members) = question.as_object_mut()
        {
            members.insert("setErrs".to_owned(), refused.into());
        }
        question
    }
}
