//! Which of the four kinds a caller is: the token's own word, joined with the directory (`reference/entra.md` §2.6).
//!
//! - A token with markers is an agent's, whether or not the directory knows the agent.
//! - Missing markers prove nothing, so the directory is asked: for the client, then for the subject.
//! - Who is no agent is a human or a classic workload: by the token's word, else the directory's, else by the looks.
//! - A blueprint that calls itself is not an agent; what the directory knows of it comes along.
//! - `azp == oid` without either is a hint for the record, and nothing is decided on it.
//! - An agent user belongs to one agent identity for good. A token that pairs it with another one contradicts
//!   the directory, and is refused; so is one by which an id is of another kind than the directory says, for it
//!   would get round what the directory knows of that id.
//!
//! Never here: what policy makes of the kind.

use std::sync::Arc;

use super::caller::{Account, Agent, Caller, Human, NonAgent, Recognition};
use super::directory::{AgentUser, Directory};
use super::profile::{AccountKind, Claimed, Subject};
use crate::types::{AgentId, AppId, BlueprintId, ObjectId, Reason};

const REFUSED: Reason = Reason::TokenClaimsRefused;

/// Finds out who calls.
pub(super) fn classify(
    claimed: &Claimed,
    directory: &Directory,
) -> Result<(Caller, Recognition), Reason> {
    match claimed {
        Claimed::Agent {
            id,
            blueprint,
            subject,
        } => {
            if directory.agent_user(id.as_str()).is_some() {
                return Err(REFUSED);
            }
            let agent = Agent::of(id.clone(), blueprint.clone(), directory);
            let caller = match subject {
                Subject::Agent => Caller::Autonomous(agent),
                Subject::AgentUser(user) => Caller::AgentUser {
                    id: user.clone(),
                    entry: entry_of_pair(user.as_str(), id.as_str(), directory)?.cloned(),
                    agent,
                },
                Subject::Unmarked(subject) => Caller::acting_for(subject, agent, directory)?,
            };
            Ok((caller, Recognition::Markers))
        }
        Claimed::Unmarked {
            subject,
            client,
            says,
            looks_like,
        } => unmarked(subject, client.as_ref(), (*says, *looks_like), directory),
    }
}

/// A token that says nothing of agents: the directory's word counts.
fn unmarked(
    subject: &ObjectId,
    client: Option<&AppId>,
    (says, looks_like): (Option<AccountKind>, AccountKind),
    directory: &Directory,
) -> Result<(Caller, Recognition), Reason> {
    let is_itself = client.is_some_and(|client| client.as_str() == subject.as_str());
    let known_client = client.and_then(|client| directory.agent_of_client(client));
    let caller = if let Some(entry) = known_client {
        let agent = Agent::of(entry.id.clone(), None, directory);
        if is_itself {
            Caller::Autonomous(agent)
        } else if says == Some(AccountKind::Workload) {
            // An agent identity that calls on its own is its own subject.
            return Err(REFUSED);
        } else {
            Caller::acting_for(subject, agent, directory)?
        }
    } else if let Some(user) = directory.agent_user(subject.as_str()) {
        let parent = &user.identity_parent;
        if client.is_some_and(|client| client.as_str() != parent.as_str()) {
            return Err(REFUSED);
        }
        Caller::agent_user(user, Agent::of(parent.clone(), None, directory))
    } else if let Some(entry) = directory.agent(subject.as_str()) {
        Caller::Autonomous(Agent::of(entry.id.clone(), None, directory))
    } else {
        let blueprint = client
            .and_then(|client| directory.blueprint(client.as_str()))
            .or_else(|| directory.blueprint_of_principal(subject.as_str()));
        let nobody = NonAgent {
            id: subject.clone(),
            client: client.cloned(),
            account: account(subject, client, (says, looks_like), directory)?,
            blueprint_entry: blueprint.cloned(),
            may_be_agent: is_itself,
        };
        return Ok((Caller::NotAgent(nobody), Recognition::Nothing));
    };
    Ok((caller, Recognition::Directory))
}

/// What a subject is that is no agent: the directory's word comes before what the token only looks like, and what the
/// token says must not contradict it.
pub(super) fn account(
    subject: &ObjectId,
    client: Option<&AppId>,
    (says, looks_like): (Option<AccountKind>, AccountKind),
    directory: &Directory,
) -> Result<Account, Reason> {
    let user = directory.user(subject.as_str());
    let principal = directory.service_principal(subject.as_str());
    let known = match (user, principal) {
        (Some(_), _) => Some(AccountKind::Human),
        (None, Some(_)) => Some(AccountKind::Workload),
        (None, None) => None,
    };
    if let (Some(said), Some(known)) = (says, known)
        && said != known
    {
        return Err(REFUSED);
    }
    Ok(match says.or(known).unwrap_or(looks_like) {
        AccountKind::Human => Account::Human(user.cloned()),
        AccountKind::Workload => {
            let of_client = || directory.service_principal_of(client?.as_str());
            Account::Workload(principal.or_else(of_client).cloned())
        }
    })
}

impl Caller {
    /// An agent that acts for a subject without the mark of an agent user: a human, unless the directory knows better.
    ///
    /// # Errors
    /// [`Reason::TokenClaimsRefused`] when the directory says that the subject is another agent, or its user.
    pub fn acting_for(
        subject: &ObjectId,
        agent: Agent,
        directory: &Directory,
    ) -> Result<Self, Reason> {
        Ok(
            match entry_of_pair(subject.as_str(), agent.id.as_str(), directory)? {
                Some(user) => Self::agent_user(user, agent),
                None => Self::OnBehalfOf {
                    human: Human {
                        id: Some(subject.clone()),
                        entry: directory.user(subject.as_str()).cloned(),
                    },
                    agent,
                },
            },
        )
    }

    /// An agent user that the directory knows, with its agent identity.
    #[must_use]
    pub fn agent_user(entry: &Arc<AgentUser>, agent: Agent) -> Self {
        Self::AgentUser {
            id: entry.id.clone(),
            entry: Some(Arc::clone(entry)),
            agent,
        }
    }
}

impl Agent {
    /// An agent identity, with what the directory knows of it. Of its blueprint, the directory's word comes before
    /// the token's.
    #[must_use]
    pub fn of(id: AgentId, by_token: Option<BlueprintId>, directory: &Directory) -> Self {
        let entry = directory.agent(id.as_str()).cloned();
        let by_directory = entry.as_ref().and_then(|entry| entry.blueprint.as_ref());
        let blueprint = match by_directory {
            Some(known) if by_token.as_ref() != Some(known) => Some(known.clone()),
            Some(_) | None => by_token,
        };
        let blueprint_entry = blueprint
            .as_ref()
            .and_then(|id| directory.blueprint(id.as_str()))
            .cloned();
        Self {
            id,
            blueprint,
            entry,
            blueprint_entry,
        }
    }
}

/// The entry of an agent user, which must belong to this agent identity. An agent identity is nobody's user: what
/// acts for another agent is not judged as if it acted for a human.
fn entry_of_pair<'a>(
    user: &str,
    agent: &str,
    directory: &'a Directory,
) -> Result<Option<&'a Arc<AgentUser>>, Reason> {
    match directory.agent_user(user) {
        None if directory.agent(user).is_some() || directory.service_principal(user).is_some() => {
            Err(REFUSED)
        }
        Some(entry) if entry.identity_parent.as_str() != agent => Err(REFUSED),
        entry => Ok(entry),
    }
}

#[cfg(test)]
pub(super) mod tests;
