//! Who asks, as a command line names it: the directory's word becomes the caller that a token would make.
//!
//! Never here: an agent that a mistyped name made up.

use std::sync::Arc;

use super::InputError;
use crate::identity::{Account, Agent, Blueprint, Caller, Directory, NonAgent};
use crate::types::{AgentId, BlueprintId, IdError, ObjectId};

/// The id of one that does not exist yet: no directory and no policy names it.
pub(super) const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Who calls: exactly one of four kinds.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// This agent identity
    #[arg(
        long,
        value_name = "AGENT",
        required_unless_present_any = ["blueprint", "agent_user", "not_an_agent"],
        conflicts_with_all = ["blueprint", "agent_user", "not_an_agent"]
    )]
    pub agent: Option<String>,
    /// An agent identity of this blueprint that does not exist yet: it is in no directory and has no attributes
    #[arg(long, value_name = "BLUEPRINT", conflicts_with_all = ["agent_user", "not_an_agent"])]
    pub blueprint: Option<String>,
    /// This agent user
    #[arg(long, value_name = "USER", conflicts_with = "not_an_agent")]
    pub agent_user: Option<String>,
    /// A caller that is not an agent
    #[arg(long)]
    pub not_an_agent: bool,
    /// The human, by id, for whom the agent acts
    #[arg(long, value_name = "HUMAN", conflicts_with_all = ["agent_user", "not_an_agent"])]
    pub on_behalf_of: Option<String>,
    /// The agent or blueprint is not in the directory, only in its token; without this, an unknown one is an error
    #[arg(long, conflicts_with_all = ["agent_user", "not_an_agent"])]
    pub discovered: bool,
}

impl Arguments {
    /// The caller.
    ///
    /// # Errors
    /// When the directory has none of that name, or several.
    pub(super) fn find(&self, directory: &Directory) -> Result<Caller, InputError> {
        let agent = if let Some(user) = &self.agent_user {
            return agent_user(user, directory);
        } else if let Some(blueprint) = &self.blueprint {
            let blueprint = self.find_blueprint(blueprint, directory)?;
            Agent::of(id(NOBODY, AgentId::parse)?, Some(blueprint), directory)
        } else if let Some(agent) = &self.agent {
            self.find_agent(agent, directory)?
        } else {
            return Ok(Caller::NotAgent(NonAgent {
                id: id(NOBODY, ObjectId::parse)?,
                client: None,
                account: Account::Human(None),
                blueprint_entry: None,
                may_be_agent: false,
            }));
        };
        let Some(human) = &self.on_behalf_of else {
            return Ok(Caller::Autonomous(agent));
        };
        let subject = id(human, ObjectId::parse)?;
        Caller::acting_for(&subject, agent, directory).map_err(|_refused| {
            let message =
                format!("`{human}` is another agent, or its user: such a token is refused");
            InputError(message)
        })
    }

    fn find_agent(&self, given: &str, directory: &Directory) -> Result<Agent, InputError> {
        if let Ok(parsed) = AgentId::parse(given) {
            if directory.agent_user(parsed.as_str()).is_some() {
                let message = format!("`{given}` is an agent user: ask with `--agent-user`");
                return Err(InputError(message));
            }
            if self.discovered || directory.agent(parsed.as_str()).is_some() {
                return Ok(Agent::of(parsed, None, directory));
            }
        }
        let named = directory
            .agents()
            .filter(|a| is_called(given, &a.display_name));
        match one("agent identities", given, named.map(|a| a.id.as_str()))? {
            Some(found) => Ok(Agent::of(id(found, AgentId::parse)?, None, directory)),
            None => Err(unknown("agent identity", given, DISCOVERED)),
        }
    }

    fn find_blueprint(
        &self,
        given: &str,
        directory: &Directory,
    ) -> Result<BlueprintId, InputError> {
        if let Ok(parsed) = BlueprintId::parse(given) {
            let by_principal = directory.blueprint_of_principal(parsed.as_str());
            if let Some(blueprint) = directory.blueprint(parsed.as_str()).or(by_principal) {
                return Ok(blueprint.app_id.clone());
            }
            if self.discovered {
                return Ok(parsed);
            }
        }
        let named = |b: &&Arc<Blueprint>| is_called(given, &b.display_name);
        let ids = directory
            .blueprints()
            .filter(named)
            .map(|b| b.app_id.as_str());
        match one("blueprints", given, ids)? {
            Some(found) => id(found, BlueprintId::parse),
            None => Err(unknown("blueprint", given, DISCOVERED)),
        }
    }
}

const DISCOVERED: &str = "; one that only its token names is asked about by id and `--discovered`";

fn agent_user(given: &str, directory: &Directory) -> Result<Caller, InputError> {
    let by_id = id(given, ObjectId::parse)
        .ok()
        .and_then(|id| directory.agent_user(id.as_str()));
    let found = match by_id {
        Some(user) => user,
        None => {
            let named = directory.agent_users().filter(|user| {
                let principal_name = user.user_principal_name.as_deref();
                is_called(given, &user.display_name)
                    || principal_name.is_some_and(|name| is_called(given, name))
            });
            let found = one("agent users", given, named.map(|user| user.id.as_str()))?;
            found
                .and_then(|id| directory.agent_user(id))
                .ok_or_else(|| unknown("agent user", given, ""))?
        }
    };
    let agent = Agent::of(found.identity_parent.clone(), None, directory);
    Ok(Caller::agent_user(found, agent))
}

/// Whether a name is the one that was given.
pub(super) fn is_called(given: &str, name: &str) -> bool {
    given.to_lowercase() == name.to_lowercase()
}

/// The only one of those that have the given name, if there is one.
pub(super) fn one<'a>(
    kind: &str,
    given: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Option<&'a str>, InputError> {
    let ids: Vec<_> = ids.collect();
    match ids.as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(id)),
        several => {
            let message = format!(
                "`{given}` is the name of {} {kind}: give one of the ids {}",
                several.len(),
                several.join(", ")
            );
            Err(InputError(message))
        }
    }
}

fn unknown(kind: &str, given: &str, advice: &str) -> InputError {
    InputError(format!(
        "the directory has no {kind} `{given}`, neither as id nor as name{advice}"
    ))
}

fn id<T>(text: &str, parse: impl Fn(&str) -> Result<T, IdError>) -> Result<T, InputError> {
    parse(text).map_err(|fault| InputError(format!("`{text}`: {fault}")))
}
