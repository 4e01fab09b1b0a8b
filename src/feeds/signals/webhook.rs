//! Reports as JSON, signed with a secret (HMAC-SHA256): for tools that do not speak Shared Signals.
//!
//! What the members of such a report mean, the operator says. Never here: a report that is read before its signature was
//! checked, an answer that says "accepted" before the store has it, and a meaning that the operator did not give.

mod report;
pub mod settings;
mod signature;

use std::sync::Arc;

use http::HeaderMap;

use super::reporter::{LABEL_OTHER, Reporter};
use super::word::Word;
use super::{Report, SignalContext};
use crate::risk::signal::Effect;
use crate::snapshot::Cause;
use crate::store::Entry;
use crate::telemetry::{ChangeSource, SignalResult};
use crate::types::{Timestamp, json};

pub use report::{ReportError, Told};
pub use signature::SignatureError;

use settings::WebhookSettings;

/// Why a report is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// Nobody who has the secret sent it just now.
    #[error("{0}")]
    Signature(SignatureError),
    /// It is no JSON.
    #[error("the body is not JSON without repeated members")]
    Json,
    /// It lacks what the operator's mapping asks for.
    #[error("{0}")]
    Report(ReportError),
    /// Nothing is wrong with it, and it cannot be kept now.
    #[error("the report cannot be taken now; send it again")]
    Unavailable,
}

/// Checks the signature of a report that arrives now, and reads what it says.
///
/// # Errors
/// [`Unacceptable`]; nothing of the report may be believed then.
pub fn read(
    settings: &WebhookSettings,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Told, Unacceptable> {
    signature::check(&settings.signature, headers, body, now).map_err(Unacceptable::Signature)?;
    let value = json::parse(body).map_err(|_error| Unacceptable::Json)?;
    report::read(&settings.mapping, &value, now).map_err(Unacceptable::Report)
}

/// One webhook.
#[derive(Debug)]
pub(super) struct Webhook {
    settings: WebhookSettings,
    reporter: Reporter,
    /// Held by the report that is being taken, so that one that comes twice at once is taken once.
    turn: tokio::sync::Mutex<()>,
}

impl Webhook {
    pub(super) fn new(settings: WebhookSettings, context: SignalContext) -> Self {
        let name = Arc::clone(&settings.name);
        Self {
            reporter: Reporter::new(name, settings.freshness, context),
            settings,
            turn: tokio::sync::Mutex::default(),
        }
    }

    pub(super) const fn settings(&self) -> &WebhookSettings {
        &self.settings
    }

    pub(super) const fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    /// The most bytes of a report.
    pub(super) const fn limit(&self) -> usize {
        self.settings.max_size
    }

    pub(super) fn report(&self) -> Report {
        self.reporter.report("webhook")
    }

    /// Takes a report.
    pub(super) async fn receive(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Unacceptable> {
        let cause = Cause::now(ChangeSource::Signal);
        let told = self.read(headers, body).inspect_err(|error| {
            self.reporter.count(LABEL_OTHER, SignalResult::Refused);
            tracing::warn!(webhook = %self.settings.name, %error, "a report was not accepted");
        })?;
        let effect = self.settings.mapping.effects.get(&*told.value).copied();
        // A configured value is a label; what else stands there is not.
        let label = effect.map_or(LABEL_OTHER, |_| &told.value);
        let effect = effect.or(self.settings.mapping.otherwise);
        let _turn = self.turn.lock().await;
        let (entries, result) = self.meaning(&told, effect);
        self.reporter.keep(entries, cause).await.map_err(|_error| {
            self.reporter.count(label, SignalResult::Failed);
            Unacceptable::Unavailable
        })?;
        self.reporter.count(label, result);
        match result {
            SignalResult::Applied => {
                tracing::info!(webhook = %self.settings.name, value = label, report = %told.id, "a report is in force");
            }
            SignalResult::Unmapped => {
                let (webhook, pointer) = (&self.settings.name, &self.settings.mapping.value);
                tracing::warn!(%webhook, %pointer, value = %told.value, "`effects` does not say what this value means");
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks a report, and reads what it says.
    fn read(&self, headers: &HeaderMap, body: &[u8]) -> Result<Told, Unacceptable> {
        read(
            &self.settings,
            headers,
            body,
            self.reporter.context.clock.now(),
        )
    }

    /// What is to be kept, and how it is counted.
    fn meaning(&self, told: &Told, effect: Option<Effect>) -> (Vec<Entry>, SignalResult) {
        let name = &self.settings.name;
        let snapshot = self.reporter.context.snapshots.load();
        let Some(effect) = effect else {
            return (Vec::new(), SignalResult::Unmapped);
        };
        if snapshot.reported.seen.holds(name, &told.key) {
            return (Vec::new(), SignalResult::Duplicate);
        }
        if effect == Effect::default() {
            return (Vec::new(), SignalResult::Ignored);
        }
        let word = Word {
            name,
            source: Arc::clone(name),
            id: &told.id,
            kind: &told.value,
            at: told.at,
            evidence: told.evidence.clone(),
            effect,
        };
        let mut said = word.about(&told.subject, &snapshot);
        if said.is_empty() {
            // Not remembered: once the directory knows whom it is about, it may be sent again.
            return (Vec::new(), SignalResult::UnknownSubject);
        }
        said.push(Entry::Seen {
            source: Arc::clone(name),
            id: Arc::clone(&told.key),
            at: self.reporter.context.clock.now(),
        });
        (said, SignalResult::Applied)
    }
}
