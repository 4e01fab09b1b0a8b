//! What is kept of a report about somebody: the same for security events and for webhooks.
//!
//! All of it follows from the report, the directory and the operator's table, and nothing from when it arrived: a report
//! that comes again, or at another replica, says the same once more. Never here: a subject that is guessed.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use crate::identity::subject::SubjectId;
use crate::risk::signal::Effect;
use crate::risk::{
    AccountState, DetectionTiming, Revocation, RiskDetection, RiskEntry, RiskSubject,
};
use crate::snapshot::Snapshot;
use crate::store::Entry;
use crate::types::{RiskLevel, RiskState, Timestamp};

/// The longest text of a report that is kept.
const MAX_EVIDENCE: usize = 500;

/// What one report says.
#[derive(Debug)]
pub(super) struct Word<'a> {
    /// Who reports.
    pub(super) name: &'a Arc<str>,
    /// The source of a level: what is said under it replaces what was said under it before.
    pub(super) source: Arc<str>,
    /// The report's own id.
    pub(super) id: &'a str,
    /// What a detection is called.
    pub(super) kind: &'a str,
    /// When what it reports happened.
    pub(super) at: Timestamp,
    /// What it gives as its reason.
    pub(super) evidence: Option<Arc<str>>,
    /// What it does.
    pub(super) effect: Effect,
}

impl Word<'_> {
    /// What is kept of it; nothing if nobody whom we know is meant.
    pub(super) fn about(&self, subject: &SubjectId, snapshot: &Snapshot) -> Vec<Entry> {
        let subjects = subjects(subject, snapshot);
        let mut said = Vec::new();
        for (id, kind) in &subjects {
            if let Some(level) = self.effect.risk {
                said.push(Entry::Risk(self.risk(id, *kind, level)));
                if level > RiskLevel::None && is_an_agents(*kind) {
                    said.push(Entry::Detection(self.detection(id, *kind, level)));
                }
            }
        }
        let ids: BTreeSet<_> = subjects.into_iter().map(|(id, _)| id).collect();
        for id in ids {
            if self.effect.revoke_tokens {
                said.push(self.revokes(Arc::clone(&id)));
            }
            if let Some(enabled) = self.effect.enabled {
                said.push(Entry::Account(AccountState {
                    id,
                    enabled,
                    at: self.at,
                    source: Arc::clone(self.name),
                }));
            }
        }
        said
    }

    /// That what this id stands for is revoked.
    pub(super) fn revokes(&self, id: Arc<str>) -> Entry {
        Entry::Revocation(Revocation {
            id,
            issued_until: self.at,
            source: Arc::clone(self.name),
        })
    }

    fn risk(&self, id: &Arc<str>, subject: RiskSubject, level: RiskLevel) -> RiskEntry {
        RiskEntry {
            id: Arc::clone(id),
            subject,
            level: Some(level),
            state: state_of(level),
            detail: "none".into(),
            last_modified: self.at,
            source: Arc::clone(&self.source),
        }
    }

    fn detection(&self, id: &Arc<str>, subject: RiskSubject, level: RiskLevel) -> RiskDetection {
        RiskDetection {
            id: detection_id(self.name, self.id, id, self.at),
            identity_id: Arc::clone(id),
            subject,
            event_type: self.kind.into(),
            level: Some(level),
            state: state_of(level),
            detail: "none".into(),
            activity_at: self.at,
            detected_at: self.at,
            last_modified: self.at,
            timing: DetectionTiming::Offline,
            evidence: self.evidence.clone(),
            correlation_id: None,
            request_id: None,
            source: Arc::clone(self.name),
        }
    }
}

/// A reason as it is kept: without what would break a line, and not too long.
pub(super) fn evidence(text: &str) -> Arc<str> {
    let printable = text.chars().filter(|c| !c.is_control());
    printable.take(MAX_EVIDENCE).collect::<String>().into()
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

const fn is_an_agents(kind: RiskSubject) -> bool {
    matches!(
        kind,
        RiskSubject::AgentIdentity
            | RiskSubject::AgentUser
            | RiskSubject::AgentIdentityBlueprintPrincipal
    )
}

const fn state_of(level: RiskLevel) -> RiskState {
    match level {
        RiskLevel::None => RiskState::Remediated,
        RiskLevel::Low | RiskLevel::Medium | RiskLevel::High => RiskState::AtRisk,
    }
}

/// The id of the detection that a report is: in the order of time, and the same whenever and wherever it arrives.
pub(in crate::feeds) fn detection_id(
    source: &str,
    report: &str,
    subject: &str,
    at: Timestamp,
) -> Arc<str> {
    let hash = digest(&SHA256, format!("{source}\n{report}\n{subject}").as_bytes());
    let mut bytes = [0; 10];
    for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid();
    id.simple().to_string().into()
}
