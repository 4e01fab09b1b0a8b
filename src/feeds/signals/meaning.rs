//! What an event means here: who is meant, and what is kept of it.
//!
//! Never here: a subject that is guessed.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::settings::StreamSettings;
use super::word::{self, Word};
use crate::identity::security_event::SecurityEvent;
use crate::identity::subject::SubjectId;
use crate::risk::Revocation;
use crate::risk::signal::{Effect, SignalEvent};
use crate::snapshot::Snapshot;
use crate::store::Entry;

/// The members of a complex subject that are understood, the one that counts first. The others narrow it, and are
/// passed over: that hits more than was meant, and never less.
const MEMBERS: [&str; 2] = ["user", "application"];

/// The member that counts where none of those is there, or the event's `principal` names it.
const SESSION: &str = "session";

/// What an event means.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// This is to be kept.
    Said(Vec<Entry>),
    /// By the operator's table, nothing follows.
    Nothing,
    /// Nobody whom we know is meant.
    UnknownSubject,
}

/// Reads what an event means.
pub(super) fn of(
    event: &SecurityEvent,
    signal: SignalEvent,
    settings: &StreamSettings,
    critical: &BTreeSet<String>,
    snapshot: &Snapshot,
) -> Meaning {
    let effect = settings.effects.of(signal);
    if effect == Effect::default() {
        return Meaning::Nothing;
    }
    let Some(subject) = &event.subject else {
        return Meaning::UnknownSubject;
    };
    let principal = event.payload.get("principal").and_then(Value::as_str);
    let Some(named) = one_of(subject, principal, critical) else {
        return Meaning::UnknownSubject;
    };
    let word = Word {
        name: &settings.name,
        // One per family of events, so that "the device complies" takes back that it did not, and nothing else.
        source: format!("{}:{}", settings.name, signal.family()).into(),
        id: &event.id,
        kind: signal.as_str(),
        at: event.at,
        evidence: evidence(event),
        effect,
    };
    let configured = |issuer: &str| snapshot.issuers.of(issuer).map(|of| &of.settings.name);
    let revoked = match named {
        Named::Subject(SubjectId::Token { issuer, id }) => {
            configured(issuer).map(|issuer| Revocation::id_of_token(issuer, id))
        }
        Named::Session { issuer, id } => {
            configured(issuer).map(|issuer| Revocation::id_of_session(issuer, id))
        }
        Named::Subject(subject) => {
            let said = word.about(subject, snapshot);
            return if said.is_empty() {
                Meaning::UnknownSubject
            } else {
                Meaning::Said(said)
            };
        }
    };
    // Of a token or a session nothing else can be said.
    match revoked.filter(|_| effect.revoke_tokens) {
        Some(id) => Meaning::Said(vec![word.revokes(id)]),
        None => Meaning::UnknownSubject,
    }
}

/// Who is meant.
#[derive(Debug)]
enum Named<'a> {
    /// This one.
    Subject(&'a SubjectId),
    /// One session (`sid`) of an issuer's tokens.
    Session { issuer: &'a str, id: &'a str },
}

/// The one subject of a complex one: whom the event's `principal` names, else the first that is understood. None if there
/// is none, or a member must be understood and is not (SSF §3.3.1).
fn one_of<'a>(
    subject: &'a SubjectId,
    principal: Option<&str>,
    critical: &BTreeSet<String>,
) -> Option<Named<'a>> {
    let SubjectId::Complex(members) = subject else {
        return Some(Named::Subject(subject));
    };
    let member = |name: &str| members.get(name).and_then(Option::as_ref);
    let session = || {
        session(
            member(SESSION)?,
            MEMBERS.iter().filter_map(|name| member(name)),
        )
    };
    let principal = principal.map(str::to_ascii_lowercase);
    let named = principal.filter(|name| members.contains_key(name));
    let first = || MEMBERS.into_iter().find(|name| members.contains_key(*name));
    let counts = named.as_deref().or_else(first).unwrap_or(SESSION);
    let is_understood = |name: &str| MEMBERS.contains(&name) || name == counts;
    let mut names = members.keys();
    if names.any(|name| critical.contains(name) && !is_understood(name)) {
        return None;
    }
    match counts {
        SESSION => session(),
        name if MEMBERS.contains(&name) => member(name).map(Named::Subject),
        // A device, a tenant: nobody whom a token names.
        _ => None,
    }
}

/// The session that is named: with its issuer, or by an id of the issuer that names one of `others`.
fn session<'a>(
    named: &'a SubjectId,
    mut others: impl Iterator<Item = &'a SubjectId>,
) -> Option<Named<'a>> {
    match named {
        SubjectId::Token { .. } => Some(Named::Subject(named)),
        SubjectId::IssuerSubject { issuer, subject } => Some(Named::Session {
            issuer,
            id: subject,
        }),
        SubjectId::Opaque(id) => others.find_map(|other| match other {
            SubjectId::IssuerSubject { issuer, .. } => Some(Named::Session { issuer, id }),
            _ => None,
        }),
        SubjectId::Uri(_) | SubjectId::Email(_) | SubjectId::Aliases(_) | SubjectId::Complex(_) => {
            None
        }
    }
}

/// What the event gives as its reason.
fn evidence(event: &SecurityEvent) -> Option<Arc<str>> {
    let reason = event.payload.get("risk_reason");
    let reason = reason.or_else(|| event.payload.get("reason_admin"));
    Some(match reason? {
        Value::String(text) => word::evidence(text),
        other => word::evidence(&other.to_string()),
    })
}
