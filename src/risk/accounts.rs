//! Accounts that a source disabled or enabled, beside what the directory says of them.
//!
//! Of one source the later word stands; one source that disables is enough. An administrator's word overrules what any
//! source said before it. Never here: an account that is enabled against the directory.

use std::sync::Arc;

use super::rank::{self, Rank};
use crate::identity::{Agent, Caller};
use crate::types::{Reason, Timestamp};

/// The source whose word overrules the others': the management API.
pub const ADMINISTRATOR: &str = "management";

/// What one source last said of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// The account: an agent identity, an agent user, a blueprint, a human, or another client.
    pub id: Arc<str>,
    /// Whether it may be used.
    pub enabled: bool,
    /// When it was said.
    pub at: Timestamp,
    /// Who said so.
    pub source: Arc<str>,
}

impl AccountState {
    /// The later word stands; of two of one moment, the one that disables.
    #[must_use]
    pub fn rank(&self) -> Rank {
        Rank {
            at: self.at,
            weight: u8::from(!self.enabled),
            tie: rank::tie(&[]),
        }
    }
}

/// What sources said of accounts. Copies share their entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts(imbl::OrdMap<Arc<str>, imbl::OrdMap<Arc<str>, Arc<AccountState>>>);

impl Accounts {
    /// Takes what a source says, in place of what it said before.
    pub fn insert(&mut self, state: Arc<AccountState>) {
        let sources = self.0.entry(Arc::clone(&state.id)).or_default();
        let known = sources.get(&state.source);
        if known.is_none_or(|known| known.rank() < state.rank()) {
            sources.insert(Arc::clone(&state.source), state);
        }
    }

    /// With all of the other ones too.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for state in other.iter() {
            all.insert(Arc::clone(state));
        }
        all
    }

    /// What every source said of every account.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<AccountState>> {
        self.0.values().flat_map(imbl::OrdMap::values)
    }

    /// Whether the source of this one said this before, or something later.
    #[must_use]
    pub fn holds(&self, state: &AccountState) -> bool {
        let known = self
            .0
            .get(&state.id)
            .and_then(|sources| sources.get(&state.source));
        known.is_some_and(|known| known.rank() >= state.rank())
    }

    /// Of how many accounts something was said.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was said of any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something was said of this one.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// What every source said of this one.
    pub fn of(&self, id: &str) -> impl Iterator<Item = &Arc<AccountState>> {
        self.0.get(id).into_iter().flat_map(imbl::OrdMap::values)
    }

    /// Whether this account is disabled.
    #[must_use]
    pub fn is_disabled(&self, id: &str) -> bool {
        let Some(sources) = self.0.get(id) else {
            return false;
        };
        let word = sources.get(ADMINISTRATOR).map(|state| state.rank());
        let mut states = sources.values();
        states.any(|state| !state.enabled && word.is_none_or(|word| state.rank() >= word))
    }

    /// The reason to refuse a caller of whose accounts one is disabled: its own, whom it acts for or as, its blueprint.
    #[must_use]
    pub fn refuse(&self, caller: &Caller) -> Option<Reason> {
        // On every call: most gateways know of none.
        if self.0.is_empty() {
            return None;
        }
        let agent_is_disabled = |agent: &Agent| {
            let blueprint = agent.blueprint.as_ref();
            let principal = agent.blueprint_entry.as_ref();
            let principal = principal.and_then(|entry| entry.principal_id.as_ref());
            self.is_disabled(agent.id.as_str())
                || blueprint.is_some_and(|id| self.is_disabled(id.as_str()))
                || principal.is_some_and(|id| self.is_disabled(id.as_str()))
        };
        let (agent, account) = match caller {
            Caller::Autonomous(agent) => (agent_is_disabled(agent), false),
            Caller::AgentUser { id, agent, .. } => (
                agent_is_disabled(agent) || self.is_disabled(id.as_str()),
                false,
            ),
            Caller::OnBehalfOf { human, agent } => {
                let human = human.id.as_ref();
                let human = human.is_some_and(|id| self.is_disabled(id.as_str()));
                (agent_is_disabled(agent), human)
            }
            Caller::NotAgent(other) => {
                let client = other.client.as_ref();
                let client = client.is_some_and(|id| self.is_disabled(id.as_str()));
                (false, client || self.is_disabled(other.id.as_str()))
            }
        };
        if agent {
            Some(Reason::AgentDisabled)
        } else {
            account.then_some(Reason::AccountDisabled)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, proptest};

    use super::*;

    fn said(source: &str, enabled: bool, at: i64) -> Arc<AccountState> {
        Arc::new(AccountState {
            id: "a".into(),
            enabled,
            at: Timestamp::from_seconds(at),
            source: source.into(),
        })
    }

    fn accounts(all: &[Arc<AccountState>]) -> Accounts {
        let mut accounts = Accounts::default();
        for one in all {
            accounts.insert(Arc::clone(one));
        }
        accounts
    }

    #[test]
    fn one_source_that_disables_is_enough_until_it_enables_or_an_administrator_does() {
        let disabled = said("idp", false, 1);
        let is_disabled = |more: &[Arc<AccountState>]| {
            let all: Vec<_> = std::iter::once(&disabled).chain(more).cloned().collect();
            accounts(&all).is_disabled("a")
        };
        assert!(is_disabled(&[]));
        assert!(is_disabled(&[said("other", true, 2)]));
        assert!(!is_disabled(&[said("idp", true, 2)]));
        assert!(is_disabled(&[said("idp", true, 1)]));
        assert!(!is_disabled(&[said("management", true, 2)]));
        assert!(is_disabled(&[
            said("management", true, 2),
            said("other", false, 3)
        ]));
        assert!(!accounts(std::slice::from_ref(&disabled)).is_disabled("b"));
    }

    proptest! {
        #[test]
        fn whatever_the_order_those_that_saw_the_same_agree(
            (one, other) in prop::collection::vec(
                (prop::sample::select(vec!["idp", "management"]), any::<bool>(), 0..3i64),
                0..8,
            ).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            let of = |all: &[(&str, bool, i64)]| {
                let all: Vec<_> = all.iter().map(|(source, enabled, at)| said(source, *enabled, *at)).collect();
                accounts(&all)
            };
            prop_assert_eq!(of(&one), of(&other));
        }
    }
}
