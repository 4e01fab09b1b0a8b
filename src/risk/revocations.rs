//! Which tokens are refused although they are valid: those of a subject that were issued before its cut-off.
//!
//! Never here: IO, a clock, and a token without a time of issue that passes a cut-off.

use std::sync::Arc;

use super::rank::{self, Rank};
use crate::identity::{Agent, Caller, TokenFacts};
use crate::types::Timestamp;

/// The tokens of one subject that were issued up to a moment are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The subject's id: an agent identity, an agent user, a blueprint, a human, or another client.
    pub id: Arc<str>,
    /// The moment.
    pub issued_until: Timestamp,
    /// Who said so.
    pub source: Arc<str>,
}

impl Revocation {
    /// The id under which one token is revoked: the configured name of its issuer, and its own id.
    #[must_use]
    pub fn id_of_token(issuer: &str, token: &str) -> Arc<str> {
        format!("token:{issuer}:{token}").into()
    }

    /// The id under which one session is revoked: the configured name of its issuer, and the session's own id.
    #[must_use]
    pub fn id_of_session(issuer: &str, session: &str) -> Arc<str> {
        format!("session:{issuer}:{session}").into()
    }

    /// Whether it is one of a session, which may outlive every token.
    #[must_use]
    pub fn is_of_session(&self) -> bool {
        self.id.starts_with("session:")
    }

    /// The later cut-off stands: it refuses all that the earlier one does.
    #[must_use]
    pub fn rank(&self) -> Rank {
        Rank {
            at: self.issued_until,
            weight: 0,
            tie: rank::tie(&[&self.source]),
        }
    }
}

impl rank::Word for Revocation {
    fn id(&self) -> &str {
        &self.id
    }

    fn rank(&self) -> Rank {
        self.rank()
    }
}

/// Every cut-off that is known. Copies share their entries.
#[derive(Debug, Clone, Default)]
pub struct Revocations(imbl::OrdMap<Arc<str>, Arc<Revocation>>);

impl Revocations {
    /// With one more, unless a later one is known of that subject.
    #[must_use]
    pub fn with(&self, revocation: Revocation) -> Self {
        let mut all = self.clone();
        all.insert(Arc::new(revocation));
        all
    }

    /// With all of the other ones too.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for revocation in other.iter() {
            all.insert(Arc::clone(revocation));
        }
        all
    }

    /// Whether this was said before, or a later cut-off of the subject.
    #[must_use]
    pub fn holds(&self, revocation: &Revocation) -> bool {
        let known = self.0.get(&revocation.id);
        known.is_some_and(|known| known.rank() >= revocation.rank())
    }

    /// Without these, unless a later cut-off is known by now.
    #[must_use]
    pub fn without(&self, over: &[Arc<Revocation>]) -> Self {
        Self(rank::without(&self.0, over))
    }

    fn insert(&mut self, revocation: Arc<Revocation>) {
        if !self.holds(&revocation) {
            self.0.insert(Arc::clone(&revocation.id), revocation);
        }
    }

    /// The cut-off of one subject.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Revocation>> {
        self.0.get(id)
    }

    /// Every cut-off, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Revocation>> {
        self.0.values()
    }

    /// Whether this very token, or its session, is refused.
    #[must_use]
    pub fn refuse_token(&self, token: &TokenFacts) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let is_known = |id: Arc<str>| self.0.contains_key(&*id);
        let (token_id, session) = (&token.token_id, &token.evidence.session_id);
        let of_token = token_id.as_deref();
        let of_session = session.as_deref();
        of_token.is_some_and(|id| is_known(Revocation::id_of_token(&token.issuer, id)))
            || of_session.is_some_and(|id| is_known(Revocation::id_of_session(&token.issuer, id)))
    }

    /// Whether the caller's token, issued at this time, is refused: by a cut-off of the caller itself, of whom it
    /// acts for or as, or of its blueprint.
    #[must_use]
    pub fn refuse(&self, caller: &Caller, issued_at: Option<Timestamp>) -> bool {
        // On every call: most gateways know of none.
        if self.0.is_empty() {
            return false;
        }
        let is_cut = |id: &str| {
            self.0.get(id).is_some_and(|revocation| {
                // FAIL-CLOSED: a token that does not say when it was issued may have been issued before.
                issued_at.is_none_or(|issued_at| issued_at <= revocation.issued_until)
            })
        };
        let agent_is_cut = |agent: &Agent| {
            let blueprint = agent.blueprint.as_ref();
            let principal = agent.blueprint_principal();
            is_cut(agent.id.as_str())
                || blueprint.is_some_and(|id| is_cut(id.as_str()))
                || principal.is_some_and(|id| is_cut(id.as_str()))
        };
        match caller {
            Caller::Autonomous(agent) => agent_is_cut(agent),
            Caller::AgentUser { id, agent, .. } => is_cut(id.as_str()) || agent_is_cut(agent),
            Caller::OnBehalfOf { human, agent } => {
                let human = human.id.as_ref();
                human.is_some_and(|id| is_cut(id.as_str())) || agent_is_cut(agent)
            }
            Caller::NotAgent(other) => {
                let client = other.client.as_ref();
                is_cut(other.id.as_str()) || client.is_some_and(|id| is_cut(id.as_str()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Human;
    use crate::types::{AgentId, AgentUserId, BlueprintId, ObjectId};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn cut(id: &str, seconds: i64) -> Revocation {
        Revocation {
            id: id.into(),
            issued_until: at(seconds),
            source: "management".into(),
        }
    }

    fn agent() -> Agent {
        Agent {
            id: AgentId::parse("agent").unwrap(),
            blueprint: Some(BlueprintId::parse("blueprint").unwrap()),
            entry: None,
            blueprint_entry: None,
        }
    }

    #[test]
    fn tokens_issued_up_to_the_cut_off_are_refused_and_later_ones_are_not() {
        let none = Revocations::default();
        let caller = Caller::Autonomous(agent());
        assert!(!none.refuse(&caller, None));
        let revocations = none.with(cut("agent", 5)).with(cut("agent", 3));
        assert!(revocations.refuse(&caller, Some(at(4))));
        assert!(revocations.refuse(&caller, Some(at(5))));
        assert!(!revocations.refuse(&caller, Some(at(6))));
        assert!(revocations.refuse(&caller, None));
    }

    #[test]
    fn a_cut_off_of_anybody_behind_a_call_refuses_its_token() {
        let user = Caller::AgentUser {
            id: AgentUserId::parse("user").unwrap(),
            entry: None,
            agent: agent(),
        };
        let human = Caller::OnBehalfOf {
            human: Human {
                id: Some(ObjectId::parse("human").unwrap()),
                entry: None,
            },
            agent: agent(),
        };
        let refused = |id: &str, caller| {
            let revocations = Revocations::default().with(cut(id, 5));
            revocations.refuse(caller, Some(at(5)))
        };
        for caller in [&user, &human] {
            assert!(refused("agent", caller));
            assert!(refused("blueprint", caller));
            assert!(!refused("other", caller));
        }
        assert!(refused("user", &user) && !refused("human", &user));
        assert!(refused("human", &human) && !refused("user", &human));
    }
}
