//! What an event means here: who is meant, and what is kept of it.
//!
//! All of it follows from the event, the directory and the operator's table, and nothing from when it arrived: an event
//! that comes again, or at another replica, says the same once more. Never here: a subject that is guessed.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::settings::StreamSettings;
use crate::identity::security_event::SecurityEvent;
use crate::identity::subject::SubjectId;
use crate::risk::signal::SignalEvent;
use crate::risk::{
    AccountState, DetectionTiming, Revocation, RiskDetection, RiskEntry, RiskSubject,
};
use crate::snapshot::Snapshot;
use crate::store::Entry;
use crate::types::{RiskLevel, RiskState, Timestamp};

/// The members of a complex subject that are understood, the one that counts first. The others narrow it, and are
/// passed over: that hits more than was meant, and never less.
const MEMBERS: [&str; 2] = ["user", "application"];

/// The longest text of an event that is kept.
const MAX_EVIDENCE: usize = 500;

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
    if effect == crate::risk::signal::Effect::default() {
        return Meaning::Nothing;
    }
    let Some(subject) = &event.subject else {
        return Meaning::UnknownSubject;
    };
    let principal = event.payload.get("principal").and_then(|of| of.as_str());
    let Some(subject) = one_of(subject, principal, critical) else {
        return Meaning::UnknownSubject;
    };
    if let SubjectId::Token { issuer, id } = subject {
        let issuer = snapshot.issuers.of(issuer).filter(|_| effect.revoke_tokens);
        let revoked = issuer.map(|issuer| {
            Entry::Revocation(Revocation {
                id: Revocation::id_of_token(&issuer.settings.name, id),
                issued_until: event.at,
                source: Arc::clone(&settings.name),
            })
        });
        return revoked.map_or(Meaning::UnknownSubject, |one| Meaning::Said(vec![one]));
    }
    let subjects = subjects(subject, snapshot);
    if subjects.is_empty() {
        return Meaning::UnknownSubject;
    }
    let word = Word {
        event,
        signal,
        settings,
    };
    let mut said = Vec::new();
    for (id, kind) in &subjects {
        if let Some(level) = effect.risk {
            said.push(Entry::Risk(word.risk(id, *kind, level)));
            if level > RiskLevel::None && word.is_an_agents(*kind) {
                said.push(Entry::Detection(word.detection(id, *kind, level)));
            }
        }
    }
    let ids: BTreeSet<_> = subjects.iter().map(|(id, _)| id).collect();
    for id in ids {
        if effect.revoke_tokens {
            said.push(Entry::Revocation(Revocation {
                id: Arc::clone(id),
                issued_until: event.at,
                source: Arc::clone(&settings.name),
            }));
        }
        if let Some(enabled) = effect.enabled {
            said.push(Entry::Account(AccountState {
                id: Arc::clone(id),
                enabled,
                at: event.at,
                source: Arc::clone(&settings.name),
            }));
        }
    }
    Meaning::Said(said)
}

/// The one subject of a complex one: whom the event's `principal` names, else the first that is understood. None if there
/// is none, or a member must be understood and is not (SSF §3.3.1).
fn one_of<'a>(
    subject: &'a SubjectId,
    principal: Option<&str>,
    critical: &BTreeSet<String>,
) -> Option<&'a SubjectId> {
    let SubjectId::Complex(members) = subject else {
        return Some(subject);
    };
    let is_understood = |name: &str| MEMBERS.contains(&name);
    let mut names = members.keys();
    if names.any(|name| critical.contains(name) && !is_understood(name)) {
        return None;
    }
    let principal = principal.map(str::to_ascii_lowercase);
    let named = principal.filter(|name| members.contains_key(name));
    match named {
        Some(name) if is_understood(&name) => members.get(&name)?.as_ref(),
        // A session, a device, a tenant: nobody whom a token names.
        Some(_) => None,
        None => MEMBERS.iter().find_map(|name| members.get(*name))?.as_ref(),
    }
}

/// Our ids of a subject, and what kind each is of. Whom the directory does not know may still call: a subject of an
/// issuer's tokens is taken for an agent and for a human, whichever it turns out to be.
fn subjects(subject: &SubjectId, snapshot: &Snapshot) -> BTreeSet<(Arc<str>, RiskSubject)> {
    let directory = &snapshot.directory;
    let ids = subject.ids(&snapshot.issuers, directory);
    let mut subjects = BTreeSet::new();
    for id in ids {
        let text = id.as_str();
        let known = if directory.agent(text).is_some() {
            Some(RiskSubject::AgentIdentity)
        } else if directory.agent_user(text).is_some() {
            Some(RiskSubject::AgentUser)
        } else if directory.blueprint(text).is_some()
            || directory.blueprint_of_principal(text).is_some()
        {
            Some(RiskSubject::AgentIdentityBlueprintPrincipal)
        } else if directory.user(text).is_some() {
            Some(RiskSubject::User)
        } else if directory.service_principal(text).is_some() {
            Some(RiskSubject::ServicePrincipal)
        } else {
            None
        };
        match known {
            Some(kind) => drop(subjects.insert((id.to_shared(), kind))),
            None if is_of_tokens(subject) => {
                subjects.insert((id.to_shared(), RiskSubject::AgentIdentity));
                subjects.insert((id.to_shared(), RiskSubject::User));
            }
            None => {}
        }
    }
    subjects
}

/// Whether a name is one that tokens carry, whatever the directory knows.
fn is_of_tokens(subject: &SubjectId) -> bool {
    match subject {
        SubjectId::IssuerSubject { .. } => true,
        SubjectId::Aliases(aliases) => aliases.iter().any(is_of_tokens),
        SubjectId::Opaque(_)
        | SubjectId::Uri(_)
        | SubjectId::Email(_)
        | SubjectId::Token { .. }
        | SubjectId::Complex(_) => false,
    }
}

/// What one event says.
struct Word<'a> {
    event: &'a SecurityEvent,
    signal: SignalEvent,
    settings: &'a StreamSettings,
}

impl Word<'_> {
    /// The source of a level: one per stream and family of events, so that "the device complies" takes back that it did
    /// not, and nothing else.
    fn source(&self) -> Arc<str> {
        format!("{}:{}", self.settings.name, self.signal.family()).into()
    }

    const fn is_an_agents(&self, kind: RiskSubject) -> bool {
        matches!(
            kind,
            RiskSubject::AgentIdentity
                | RiskSubject::AgentUser
                | RiskSubject::AgentIdentityBlueprintPrincipal
        )
    }

    fn risk(&self, id: &Arc<str>, subject: RiskSubject, level: RiskLevel) -> RiskEntry {
        RiskEntry {
            id: Arc::clone(id),
            subject,
            level: Some(level),
            state: state_of(level),
            detail: "none".into(),
            last_modified: self.event.at,
            source: self.source(),
        }
    }

    fn detection(&self, id: &Arc<str>, subject: RiskSubject, level: RiskLevel) -> RiskDetection {
        RiskDetection {
            id: detection_id(&self.settings.name, &self.event.id, id, self.event.at),
            identity_id: Arc::clone(id),
            subject,
            event_type: self.signal.as_str().into(),
            level: Some(level),
            state: state_of(level),
            detail: "none".into(),
            activity_at: self.event.at,
            detected_at: self.event.at,
            last_modified: self.event.at,
            timing: DetectionTiming::Offline,
            evidence: self.evidence(),
            correlation_id: None,
            request_id: None,
            source: Arc::clone(&self.settings.name),
        }
    }

    /// What the event gives as its reason.
    fn evidence(&self) -> Option<Arc<str>> {
        let reason = self.event.payload.get("risk_reason");
        let reason = reason.or_else(|| self.event.payload.get("reason_admin"));
        let text = match reason? {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let text: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_EVIDENCE)
            .collect();
        Some(text.into())
    }
}

const fn state_of(level: RiskLevel) -> RiskState {
    match level {
        RiskLevel::None => RiskState::Remediated,
        RiskLevel::Low | RiskLevel::Medium | RiskLevel::High => RiskState::AtRisk,
    }
}

/// The id of the detection that an event is: in the order of time, and the same whenever and wherever it arrives.
pub(in crate::feeds) fn detection_id(
    stream: &str,
    event: &str,
    subject: &str,
    at: Timestamp,
) -> Arc<str> {
    let hash = digest(&SHA256, format!("{stream}\n{event}\n{subject}").as_bytes());
    let mut bytes = [0; 10];
    for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid();
    id.simple().to_string().into()
}
