//! The lists of Graph that tell of risk, and what a page of them says.
//!
//! An object that cannot be read is never "no risk": its agent's level counts as withheld, and where it is not even known
//! whom it is about, or as of when, what was read is not all. Never here: a half of a list that counts as the whole.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::feeds::signals::detection_id;
use crate::risk::{RiskDetection, RiskEntry, RiskSubject, read};
use crate::store::Entry;
use crate::telemetry::{SignalKind, SignalSource};
use crate::types::{ObjectId, RiskState, Timestamp, percent_encoded};

/// The most objects that Graph puts on a page; unasked it is 20.
pub(super) const PAGE: u16 = 500;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// What Graph holds of every agent that ever was risky.
    RiskyAgents,
    /// Why.
    AgentRiskDetections,
}

impl List {
    pub(super) const ALL: [Self; 2] = [Self::RiskyAgents, Self::AgentRiskDetections];

    /// The name of Graph's set.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RiskyAgents => "riskyAgents",
            Self::AgentRiskDetections => "agentRiskDetections",
        }
    }

    /// The application permission that it takes.
    pub(super) const fn permission(self) -> &'static str {
        match self {
            Self::RiskyAgents => "IdentityRiskyAgent.Read.All",
            Self::AgentRiskDetections => "IdentityRiskEvent.Read.All",
        }
    }

    pub(super) const fn kind(self) -> SignalKind {
        match self {
            Self::RiskyAgents => SignalKind::Level,
            Self::AgentRiskDetections => SignalKind::Detection,
        }
    }

    /// The member that tells when an object last changed.
    const fn changed(self) -> &'static str {
        match self {
            Self::RiskyAgents => "riskLastModifiedDateTime",
            Self::AgentRiskDetections => "lastModifiedDateTime",
        }
    }

    /// Where its first page is: of all that it holds, or of what has changed since.
    pub(super) fn address(self, base_url: &str, since: Option<Timestamp>) -> String {
        let path = format!("{base_url}/beta/identityProtection/{}", self.name());
        match since {
            None => format!("{path}?$top={PAGE}"),
            Some(since) => {
                let since = Timestamp::from_seconds(since.as_seconds());
                let filter = percent_encoded(&format!("{} ge {since}", self.changed()));
                format!("{path}?$top={PAGE}&$filter={filter}")
            }
        }
    }

    /// Reads the objects of a page.
    pub(super) fn read(self, items: &[Value]) -> Read {
        let mut read = Read::default();
        for item in items {
            let Value::Object(members) = item else {
                read.lost("an object was expected".to_owned());
                continue;
            };
            match self {
                Self::RiskyAgents => read.agent(item, members),
                Self::AgentRiskDetections => read.detection(members),
            }
        }
        read
    }
}

/// What was read of a page.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// What it says.
    pub(super) entries: Vec<Entry>,
    /// The latest change in it.
    pub(super) newest: Option<Timestamp>,
    /// What could not be read.
    pub(super) faults: Vec<String>,
    /// Whether something of it is missing from `entries`.
    pub(super) is_lacking: bool,
}

impl Read {
    /// An object that is about nobody.
    fn lost(&mut self, fault: String) {
        self.faults.push(fault);
        self.is_lacking = true;
    }

    fn agent(&mut self, item: &Value, members: &Map<String, Value>) {
        let (entries, faults) = read::read("riskyAgents", item.to_string().as_bytes());
        let source = || Arc::from(SignalSource::Graph.as_str());
        if !faults.has_errors()
            && let [entry] = entries.as_slice()
            && is_an_agents(entry.subject)
        {
            self.newest = self.newest.max(Some(entry.last_modified));
            self.entries.push(Entry::Risk(RiskEntry {
                source: source(),
                ..entry.clone()
            }));
            return;
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let id = text("id").and_then(|id| ObjectId::parse(id).ok());
        let at = text(List::RiskyAgents.changed()).and_then(Timestamp::parse);
        let first = faults.iter().next();
        let why = first.map_or_else(
            || "not an agent".to_owned(),
            |fault| format!("{}: {}", fault.member, fault.message),
        );
        let (Some(id), Some(at)) = (id, at) else {
            return self.lost(why);
        };
        self.faults.push(format!("agent `{}`: {why}", id.as_str()));
        self.newest = self.newest.max(Some(at));
        let kind = text("identityType").and_then(RiskSubject::parse);
        // FAIL-CLOSED: whatever was said, nobody may take the agent for harmless.
        self.entries.push(Entry::Risk(RiskEntry {
            id: id.to_shared(),
            subject: kind
                .filter(|kind| is_an_agents(*kind))
                .unwrap_or(RiskSubject::AgentIdentity),
            level: None,
            state: RiskState::AtRisk,
            detail: "unknownFutureValue".into(),
            last_modified: at,
            source: source(),
        }));
    }

    fn detection(&mut self, members: &Map<String, Value>) {
        let source = Arc::from(SignalSource::Graph.as_str());
        match RiskDetection::read(members, &source) {
            Ok(graphs) => {
                self.newest = self.newest.max(Some(graphs.last_modified));
                let id = detection_id(&source, &graphs.id, &graphs.identity_id, graphs.detected_at);
                let shown = graphs
                    .evidence
                    .iter()
                    .map(|evidence| format!("{evidence}; "));
                let shown: String = shown.collect();
                self.entries.push(Entry::Detection(RiskDetection {
                    evidence: Some(format!("{shown}in Graph: {}", graphs.id).into()),
                    id,
                    ..graphs
                }));
            }
            Err(why) => self.lost(why),
        }
    }
}

/// Whether a subject is one that `riskyAgents` tells of.
const fn is_an_agents(kind: RiskSubject) -> bool {
    match kind {
        RiskSubject::AgentIdentity
        | RiskSubject::AgentUser
        | RiskSubject::AgentIdentityBlueprintPrincipal => true,
        RiskSubject::User
        | RiskSubject::ServicePrincipal
        | RiskSubject::SignIn
        | RiskSubject::Insider => false,
    }
}
