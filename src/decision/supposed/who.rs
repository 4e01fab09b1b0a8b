//! Who is supposed to call: the directory's word on a name or an id becomes the caller that a token would make.
//!
//! Never here: an agent that a mistyped name made up.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SupposedError;
use crate::identity::{Account, Agent, Blueprint, Caller, Directory, NonAgent};
use crate::types::{AgentId, BlueprintId, IdError, ObjectId};

/// The id of one that does not exist yet: no directory and no policy names it.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Who is supposed to call: exactly one of six, each by id or, where only one has it, by display name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Who {
    /// This agent identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// An agent identity of this blueprint that does not exist yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blueprint: Option<String>,
    /// This agent user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_user: Option<String>,
    /// This human, by id, without an agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub human: Option<String>,
    /// This classic workload, by the id of its service principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// A human of whom nothing is known, without an agent.
    #[serde(skip_serializing_if = "is_false")]
    pub not_an_agent: bool,
    /// The human, by id, for whom the agent acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// The agent or blueprint may be one that the directory does not know.
    #[serde(skip_serializing_if = "is_false")]
    pub discovered: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Who {
    /// The caller.
    ///
    /// # Errors
    /// When not exactly one is named, or the directory has none of that name, or several.
    pub fn find(&self, directory: &Directory) -> Result<Caller, SupposedError> {
        self.check()?;
        let agent = if let Some(user) = &self.agent_user {
            return agent_user(user, directory);
        } else if let Some(blueprint) = &self.blueprint {
            let blueprint = self.find_blueprint(blueprint, directory)?;
            Agent::of(id(NOBODY, AgentId::parse)?, Some(blueprint), directory)
        } else if let Some(agent) = &self.agent {
            self.find_agent(agent, directory)?
        } else {
            return self.non_agent(directory);
        };
        let Some(human) = &self.on_behalf_of else {
            return Ok(Caller::Autonomous(agent));
        };
        let subject = id(human, ObjectId::parse)?;
        Caller::acting_for(&subject, agent, directory).map_err(|_refused| {
            let message =
                format!("`{human}` is another agent, or its user: such a token is refused");
            SupposedError(message)
        })
    }

    /// What a command line says of itself, other askers may get wrong.
    fn check(&self) -> Result<(), SupposedError> {
        let kinds = [
            self.agent.is_some(),
            self.blueprint.is_some(),
            self.agent_user.is_some(),
            self.human.is_some(),
            self.workload.is_some(),
            self.not_an_agent,
        ];
        let is_agent = self.agent.is_some() || self.blueprint.is_some();
        let message = if kinds.into_iter().filter(|is_given| *is_given).count() != 1 {
            "the caller is exactly one of `agent`, `blueprint`, `agentUser`, `human`, `workload` and `notAnAgent`"
        } else if !is_agent && (self.on_behalf_of.is_some() || self.discovered) {
            "`onBehalfOf` and `discovered` are said of an `agent` or a `blueprint`"
        } else {
            return Ok(());
        };
        Err(SupposedError(message.to_owned()))
    }

    /// A human or a classic workload, whether or not the directory knows it.
    fn non_agent(&self, directory: &Directory) -> Result<Caller, SupposedError> {
        let given = self.human.as_ref().or(self.workload.as_ref());
        let id = id(given.map_or(NOBODY, |given| given), ObjectId::parse)?;
        if directory.agent(id.as_str()).is_some() || directory.agent_user(id.as_str()).is_some() {
            let message = format!("`{id}` is an agent: ask with `--agent` or `--agent-user`");
            return Err(SupposedError(message));
        }
        let account = if self.workload.is_some() {
            Account::Workload(directory.service_principal(id.as_str()).cloned())
        } else {
            Account::Human(directory.user(id.as_str()).cloned())
        };
        Ok(Caller::NotAgent(NonAgent {
            id,
            client: None,
            account,
            blueprint_entry: None,
            may_be_agent: false,
        }))
    }

    fn find_agent(&self, given: &str, directory: &Directory) -> Result<Agent, SupposedError> {
        if let Ok(parsed) = AgentId::parse(given) {
            if directory.agent_user(parsed.as_str()).is_some() {
                let message = format!("`{given}` is an agent user: ask with `--agent-user`");
                return Err(SupposedError(message));
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
    ) -> Result<BlueprintId, SupposedError> {
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

const DISCOVERED: &str = "; one that only its token names is asked about by id as one that was discovered (`--discovered`)";

fn agent_user(given: &str, directory: &Directory) -> Result<Caller, SupposedError> {
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
pub(crate) fn is_called(given: &str, name: &str) -> bool {
    given.to_lowercase() == name.to_lowercase()
}

/// Whom a caller is, in words.
pub(super) fn in_words(caller: &Caller) -> String {
    match caller {
        Caller::Autonomous(agent) => agent_in_words(agent),
        Caller::AgentUser { id, entry, agent } => {
            let name = entry.as_ref().map_or("", |user| &user.display_name);
            format!("agent user {name} ({id}) of {}", agent_in_words(agent))
        }
        Caller::OnBehalfOf { human, agent } => {
            let human = human.id.as_ref().map_or("nobody knows", |id| id.as_str());
            format!("{} for the human {human}", agent_in_words(agent))
        }
        Caller::NotAgent(caller) => match &caller.account {
            Account::Human(_) if caller.id.as_str() == NOBODY => "not an agent".to_owned(),
            Account::Unnamed => "a human whom nobody names".to_owned(),
            Account::Human(_) => format!("the human {}", caller.id),
            Account::Workload(_) => format!("the workload {}", caller.id),
        },
    }
}

fn agent_in_words(agent: &Agent) -> String {
    let own = match &agent.entry {
        Some(entry) => format!("agent identity {} ({})", entry.display_name, agent.id),
        None if agent.id.as_str() == NOBODY => {
            "an agent identity that does not exist yet".to_owned()
        }
        None => format!(
            "agent identity {}, which the directory does not know",
            agent.id
        ),
    };
    match (&agent.blueprint, &agent.blueprint_entry) {
        (Some(id), Some(entry)) => format!("{own}, blueprint {} ({id})", entry.display_name),
        (Some(id), None) => format!("{own}, blueprint {id}"),
        (None, _) => own,
    }
}

/// The only one of those that have the given name, if there is one.
pub(super) fn one<'a>(
    kind: &str,
    given: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Option<&'a str>, SupposedError> {
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
            Err(SupposedError(message))
        }
    }
}

fn unknown(kind: &str, given: &str, advice: &str) -> SupposedError {
    SupposedError(format!(
        "the directory has no {kind} `{given}`, neither as id nor as name{advice}"
    ))
}

fn id<T>(text: &str, parse: impl Fn(&str) -> Result<T, IdError>) -> Result<T, SupposedError> {
    parse(text).map_err(|fault| SupposedError(format!("`{text}`: {fault}")))
}
