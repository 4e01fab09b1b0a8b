//! [`LastKnown`]: who the directory said that a token is, kept beside the token by the thread that asked.
//!
//! What the directory says hangs on the token's own word and on the directory, so it is asked again as soon as there is
//! another. References are counted: workers that took them from one entry for each call would wait for each other.
//! Never here: a refusal, and whatever may change while the directory stays the same.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::caller::{Agent, Caller, Recognition};
use super::classify::classify;
use super::directory::Directory;
use super::profile::Claimed;
use crate::types::Reason;

/// Who a token is, by the directory that was asked last.
#[derive(Debug, Default)]
pub(super) struct LastKnown(Mutex<Option<Answer>>);

#[derive(Debug)]
struct Answer {
    /// The directory that said so. It is not kept for this, and no other can take its place in memory.
    by: Weak<Directory>,
    caller: Arc<Caller>,
    recognition: Recognition,
}

impl LastKnown {
    /// Who this is: what [`classify`] says of it.
    ///
    /// # Errors
    /// As [`classify`] does; nothing is kept then.
    pub(super) fn caller(
        &self,
        claimed: &Claimed,
        directory: &Arc<Directory>,
    ) -> Result<(Arc<Caller>, Recognition), Reason> {
        let mut last = self.0.lock();
        if let Some(last) = last.as_ref().filter(|last| last.is_by(directory)) {
            return Ok((Arc::clone(&last.caller), last.recognition));
        }
        let (caller, recognition) = classify(claimed, directory)?;
        let caller = Arc::new(match recognition {
            Recognition::Directory => caller.apart(),
            // The ids are the token's, as a rule.
            Recognition::Markers | Recognition::Nothing => caller,
        });
        *last = Some(Answer {
            by: Arc::downgrade(directory),
            caller: Arc::clone(&caller),
            recognition,
        });
        Ok((caller, recognition))
    }
}

impl Answer {
    fn is_by(&self, directory: &Arc<Directory>) -> bool {
        std::ptr::eq(self.by.as_ptr(), Arc::as_ptr(directory))
    }
}

impl Caller {
    /// The same, with the ids of agents in memory of their own: those are what a call takes references to.
    fn apart(self) -> Self {
        match self {
            Self::Autonomous(agent) => Self::Autonomous(agent.apart()),
            Self::AgentUser { id, entry, agent } => Self::AgentUser {
                id: id.apart(),
                entry,
                agent: agent.apart(),
            },
            Self::OnBehalfOf { human, agent } => Self::OnBehalfOf {
                human,
                agent: agent.apart(),
            },
            Self::NotAgent(caller) => Self::NotAgent(caller),
        }
    }
}

impl Agent {
    fn apart(self) -> Self {
        Self {
            id: self.id.apart(),
            blueprint: self.blueprint.map(|blueprint| blueprint.apart()),
            entry: self.entry,
            blueprint_entry: self.blueprint_entry,
        }
    }
}

#[cfg(test)]
mod tests;
