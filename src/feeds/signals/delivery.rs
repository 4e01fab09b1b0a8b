//! One event, from its token to what is kept of it: the same for events that are pushed and for those that are asked for.
//!
//! Never here: an answer that says "accepted" before the store has it.

use std::time::Duration;

use super::meaning::{self, Meaning};
use super::reporter::LABEL_OTHER;
use super::settings::{Delivery, StreamSettings};
use super::stream::Stream;
use crate::identity::security_event::{self, SecurityEvent, SecurityEventError};
use crate::identity::subject::SubjectId;
use crate::risk::signal::SignalEvent;
use crate::snapshot::{Cause, Snapshot};
use crate::store::Entry;
use crate::telemetry::{ChangeSource, SignalResult};
use crate::types::Secret;

/// The largest event, in bytes.
pub const MAX_EVENT_BYTES: usize = 64 * 1024;

/// How long an event waits for keys that may be new.
const KEY_PATIENCE: Duration = Duration::from_secs(5);

/// SSF's own events (SSF §8.1.4, §8.1.5).
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
const STREAM_UPDATED: &str = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";

/// Labels of what is no risk signal.
const LABEL_VERIFICATION: &str = "verification";
const LABEL_STREAM_UPDATED: &str = "stream-updated";

/// Why an event is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No stream that takes pushed events has this name.
    #[error("there is no such stream")]
    NoStream,
    /// Whoever sends is not the transmitter.
    #[error("the transmitter is not who it should be")]
    Unauthenticated,
    /// It is no event of this stream.
    #[error("{0}")]
    Event(SecurityEventError),
    /// The event lacks what its definition demands.
    #[error("{0}")]
    Payload(&'static str),
    /// It verifies a stream, and not as was asked.
    #[error("`state` is not the one that was asked for")]
    State,
    /// Nothing is wrong with it, and it cannot be kept, or checked, now.
    #[error("the event cannot be taken now; send it again")]
    Unavailable,
}

impl Refusal {
    /// The code of RFC 8935 §2.4 and SSF §9.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoStream => "access_denied",
            Self::Unauthenticated => "authentication_failed",
            Self::Event(error) => error.code(),
            Self::Payload(_) => "invalid_request",
            Self::State => "invalid_state",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Stream {
    /// Takes a pushed event.
    pub(super) async fn receive_pushed(
        &self,
        authorization: Option<&[u8]>,
        token: &str,
    ) -> Result<(), Refusal> {
        let Delivery::Push {
            authorization: expected,
            ..
        } = &self.settings.delivery
        else {
            return Err(Refusal::NoStream);
        };
        if let Some(expected) = expected
            && !expected.is(authorization.unwrap_or_default())
        {
            self.reporter.count(LABEL_OTHER, SignalResult::Refused);
            return Err(Refusal::Unauthenticated);
        }
        self.take(token, None).await
    }

    /// Takes an event; with the id that it was delivered under, if it was.
    pub(super) async fn take(&self, token: &str, id: Option<&str>) -> Result<(), Refusal> {
        let cause = Cause::now(ChangeSource::Signal);
        let refused = |refusal: Refusal| {
            let result = match refusal {
                Refusal::Unavailable => SignalResult::Failed,
                _ => SignalResult::Refused,
            };
            self.reporter.count(LABEL_OTHER, result);
            tracing::warn!(stream = %self.settings.name, %refusal, "an event was not accepted");
            refusal
        };
        let event = self.verify(token).await.map_err(refused)?;
        if id.is_some_and(|id| *id != *event.id) {
            let error = SecurityEventError::Malformed("`jti` is not the id that it came with");
            return Err(refused(Refusal::Event(error)));
        }
        self.heed(&event, cause).await
    }

    /// Checks an event. If its key is not known, the keys are asked for anew, and one event at a time waits for them.
    async fn verify(&self, token: &str) -> Result<SecurityEvent, Refusal> {
        let check = || {
            let keys = self.keys.borrow().clone();
            let (issuer, now) = (&self.settings.events, self.reporter.context.clock.now());
            security_event::verify(token, MAX_EVENT_BYTES, issuer, keys.as_deref(), now)
        };
        let refused = match check() {
            Ok(event) => return Ok(event),
            Err(error @ (SecurityEventError::KeyUnknown | SecurityEventError::NoKeys)) => error,
            Err(error) => return Err(Refusal::Event(error)),
        };
        if let Ok(_alone) = self.waiting.try_lock() {
            let mut keys = self.keys.subscribe();
            self.wake.notify_one();
            let came = tokio::time::timeout(KEY_PATIENCE, keys.changed()).await;
            if came.is_ok() {
                return check().map_err(Refusal::Event);
            }
        }
        // The transmitter may send it again once the keys are known.
        Err(match refused {
            SecurityEventError::NoKeys => Refusal::Unavailable,
            other => Refusal::Event(other),
        })
    }

    /// Does what an event says.
    async fn heed(&self, event: &SecurityEvent, cause: Cause) -> Result<(), Refusal> {
        match &*event.kind {
            VERIFICATION => {
                self.check_state(event)?;
                self.keep(Vec::new(), cause).await?;
                self.reporter
                    .count(LABEL_VERIFICATION, SignalResult::Applied);
                return Ok(());
            }
            STREAM_UPDATED => {
                self.note_update(event);
                self.keep(Vec::new(), cause).await?;
                self.reporter
                    .count(LABEL_STREAM_UPDATED, SignalResult::Applied);
                return Ok(());
            }
            _ => {}
        }
        let signal = SignalEvent::read(&event.kind, &event.payload).map_err(|why| {
            self.reporter.count(LABEL_OTHER, SignalResult::Refused);
            Refusal::Payload(why)
        })?;
        let Some(signal) = signal else {
            self.keep(Vec::new(), cause).await?;
            self.reporter.count(LABEL_OTHER, SignalResult::Ignored);
            return Ok(());
        };
        let snapshot = self.reporter.context.snapshots.load();
        let critical = self.critical.lock().clone();
        let (entries, result) =
            match meaning::of(event, signal, &self.settings, &critical, &snapshot) {
                Meaning::Nothing => (Vec::new(), SignalResult::Ignored),
                Meaning::UnknownSubject => (Vec::new(), SignalResult::UnknownSubject),
                Meaning::Said(entries) if holds_all(&snapshot, &entries) => {
                    (Vec::new(), SignalResult::Duplicate)
                }
                Meaning::Said(entries) => (entries, SignalResult::Applied),
            };
        let says = !entries.is_empty();
        self.keep(entries, cause)
            .await
            .inspect_err(|_| self.reporter.count(signal.as_str(), SignalResult::Failed))?;
        self.reporter.count(signal.as_str(), result);
        if says {
            tracing::info!(
                stream = %self.settings.name,
                event = signal.as_str(),
                jti = %event.id,
                "a security event is in force"
            );
        }
        Ok(())
    }

    /// Keeps what is said, and that the transmitter was heard of.
    async fn keep(&self, entries: Vec<Entry>, cause: Cause) -> Result<(), Refusal> {
        let kept = self.reporter.keep(entries, cause).await;
        kept.map_err(|_error| Refusal::Unavailable)
    }

    /// A stream that was paused or disabled is at fault until it is enabled again.
    fn note_update(&self, event: &SecurityEvent) {
        let status = event.payload.get("status").and_then(|of| of.as_str());
        let now = self.reporter.context.clock.now();
        match status {
            Some("enabled") => self
                .reporter
                .context
                .status
                .succeeded(self.reporter.source(), now),
            Some("paused") => self
                .reporter
                .fails("the transmitter has paused the stream".to_owned()),
            _ => self
                .reporter
                .fails("the transmitter has disabled the stream".to_owned()),
        }
    }

    /// Whether a verification is of this stream, and one that was asked for, here or by another replica.
    fn check_state(&self, event: &SecurityEvent) -> Result<(), Refusal> {
        let Some(SubjectId::Opaque(stream)) = &event.subject else {
            return Err(self.no_verification());
        };
        let is_ours = self.id.lock().as_ref().is_none_or(|ours| ours == stream);
        let state = event.payload.get("state").and_then(|of| of.as_str());
        let is_asked = state.is_none_or(|state| is_state(&self.settings, state));
        if is_ours && is_asked {
            Ok(())
        } else {
            Err(self.no_verification())
        }
    }

    fn no_verification(&self) -> Refusal {
        self.reporter
            .count(LABEL_VERIFICATION, SignalResult::Refused);
        Refusal::State
    }
}

/// Whether all of this was said before, or something later.
fn holds_all(snapshot: &Snapshot, entries: &[Entry]) -> bool {
    entries.iter().all(|entry| match entry {
        Entry::Risk(entry) => snapshot.risk.holds(entry),
        Entry::Revocation(entry) => {
            let known = snapshot.reported.revocations.get(&entry.id);
            known.is_some_and(|known| known.rank() >= entry.rank())
        }
        Entry::Account(entry) => snapshot.reported.accounts.holds(entry),
        // There is room for the newest ones only.
        Entry::Detection(_) | Entry::Heard { .. } | Entry::Seen { .. } => true,
    })
}

/// A `state` for a verification: one that every replica recognises. Without a secret nobody does.
pub(super) fn new_state(settings: &StreamSettings) -> String {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let secret = settings.secret();
    let tag = secret.map_or_else(String::new, |secret| tag(secret, settings, &nonce));
    format!("{nonce}.{tag}")
}

fn is_state(settings: &StreamSettings, state: &str) -> bool {
    let Some((nonce, given)) = state.split_once('.') else {
        return false;
    };
    let secret = settings.secret();
    secret.is_some_and(|secret| Secret::new(tag(secret, settings, nonce)).is(given))
}

fn tag(secret: &Secret, settings: &StreamSettings, nonce: &str) -> String {
    let tag = secret.sign(format!("{}\n{nonce}", settings.name).as_bytes());
    let bytes = tag.as_ref().iter().take(16);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
