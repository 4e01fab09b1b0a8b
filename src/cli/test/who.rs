//! Whom a test means: a name of the directory, or somebody made up, becomes the caller that a token would make.
//!
//! Never here: a name that means two, and an agent that a slip made up.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::file::{OneOrMany, Who, WhoOrName};
use crate::decision::supposed::SupposedError;
use crate::decision::supposed::who::{self, is_called};
use crate::identity::{Account, Agent, AgentIdentity, Caller, Directory, Human, NonAgent};
use crate::types::attributes::fold;
use crate::types::{AttributeValue, Attributes, ObjectId};

/// The caller.
///
/// # Errors
/// When the directory has nobody of that name, or several.
pub(super) fn caller(who: &WhoOrName, directory: &Directory) -> Result<Caller, SupposedError> {
    let named;
    let who = match who {
        WhoOrName::Who(who) => &**who,
        WhoOrName::Name(name) => {
            named = by_name(name, directory)?;
            &named
        }
    };
    let given = [
        &who.agent,
        &who.blueprint,
        &who.agent_user,
        &who.human,
        &who.workload,
    ];
    if given.into_iter().flatten().count() != 1 {
        return Err(SupposedError(
            "`who` needs one of `agent`, `blueprint`, `agent_user`, `human` and `workload`"
                .to_owned(),
        ));
    }
    let mut caller = if let Some(given) = &who.human {
        human(given, directory)?
    } else if let Some(given) = &who.workload {
        workload(given, directory)?
    } else {
        agent(who, directory)?
    };
    if let Some(attributes) = &who.attributes {
        with_attributes(&mut caller, &attributes_of(attributes))?;
    }
    Ok(caller)
}

/// The only one in the directory of this name or id, whatever it is.
fn by_name(name: &str, directory: &Directory) -> Result<Who, SupposedError> {
    let some = || Some(name.to_owned());
    let mut found = Vec::new();
    let is_it = |id: &str, display_name: &str| id == name || is_called(name, display_name);
    if directory
        .agents()
        .any(|agent| is_it(agent.id.as_str(), &agent.display_name))
    {
        found.push(Who {
            agent: some(),
            ..Who::default()
        });
    }
    if directory
        .agent_users()
        .any(|user| is_it(user.id.as_str(), &user.display_name))
    {
        found.push(Who {
            agent_user: some(),
            ..Who::default()
        });
    }
    if directory
        .users()
        .any(|user| is_it(user.id.as_str(), &user.display_name))
    {
        found.push(Who {
            human: some(),
            ..Who::default()
        });
    }
    if directory
        .service_principals()
        .any(|principal| is_it(principal.id.as_str(), &principal.display_name))
    {
        found.push(Who {
            workload: some(),
            ..Who::default()
        });
    }
    match found.len() {
        1 => found.pop().ok_or_else(|| nobody(name)),
        0 => Err(nobody(name)),
        _ => Err(SupposedError(format!(
            "`{name}` is the name of several: say which, as in `who: {{agent: {name}}}`"
        ))),
    }
}

fn nobody(name: &str) -> SupposedError {
    SupposedError(format!(
        "the directory has nobody of the name or id `{name}`; one whom it does not know is given as `who: {{agent: ID, blueprint: …}}`"
    ))
}

fn agent(who: &Who, directory: &Directory) -> Result<Caller, SupposedError> {
    let known_human = who
        .on_behalf_of
        .as_ref()
        .map(|name| human_id(name, directory))
        .transpose()?;
    let is_unknown_agent = who.agent.as_ref().is_some_and(|given| {
        !directory.agents().any(|agent| {
            agent.id.as_str() == given.to_lowercase() || is_called(given, &agent.display_name)
        })
    });
    let supposed = who::Who {
        agent: who.agent.clone(),
        blueprint: who.blueprint.clone(),
        agent_user: who.agent_user.clone(),
        on_behalf_of: known_human.map(|id| id.to_string()),
        // A test may speak of an agent that nobody knows; a name that is no id is still refused.
        discovered: is_unknown_agent || who.blueprint.is_some(),
        ..who::Who::default()
    };
    supposed.find(directory)
}

/// A human by name, else by id, known or not.
fn human_id(given: &str, directory: &Directory) -> Result<ObjectId, SupposedError> {
    let named: Vec<_> = directory
        .users()
        .filter(|user| is_called(given, &user.display_name))
        .collect();
    match named.as_slice() {
        [user] => Ok(user.id.clone()),
        [] => ObjectId::parse(given).map_err(|fault| {
            SupposedError(format!("`{given}` is nobody's name, and no id: {fault}"))
        }),
        several => Err(SupposedError(format!(
            "`{given}` is the name of {} humans: give an id",
            several.len()
        ))),
    }
}

fn human(given: &str, directory: &Directory) -> Result<Caller, SupposedError> {
    let id = human_id(given, directory)?;
    let entry = directory.user(id.as_str()).map(Arc::clone);
    Ok(not_agent(id, Account::Human(entry)))
}

fn workload(given: &str, directory: &Directory) -> Result<Caller, SupposedError> {
    let mut all = directory.service_principals();
    let known = all.find(|one| is_called(given, &one.display_name) || one.id.as_str() == given);
    if let Some(entry) = known {
        let account = Account::Workload(Some(Arc::clone(entry)));
        return Ok(not_agent(entry.id.clone(), account));
    }
    let id =
        ObjectId::parse(given).map_err(|fault| SupposedError(format!("`{given}`: {fault}")))?;
    Ok(not_agent(id, Account::Workload(None)))
}

const fn not_agent(id: ObjectId, account: Account) -> Caller {
    Caller::NotAgent(NonAgent {
        id,
        client: None,
        account,
        blueprint_entry: None,
        may_be_agent: false,
    })
}

/// Gives whom the test means these attributes. Who has attributes is somebody whom the directory knows.
fn with_attributes(caller: &mut Caller, attributes: &Attributes) -> Result<(), SupposedError> {
    match caller {
        Caller::Autonomous(agent) | Caller::OnBehalfOf { agent, .. } => {
            let known = agent.entry.as_deref().cloned();
            let entry = known.unwrap_or_else(|| made_up(agent));
            agent.entry = Some(Arc::new(AgentIdentity {
                attributes: attributes.clone(),
                ..entry
            }));
            Ok(())
        }
        Caller::AgentUser {
            entry: Some(entry), ..
        } => {
            Arc::make_mut(entry).attributes = attributes.clone();
            Ok(())
        }
        Caller::NotAgent(NonAgent {
            account: Account::Workload(Some(entry)),
            ..
        }) => {
            Arc::make_mut(entry).attributes = Some(attributes.clone());
            Ok(())
        }
        Caller::AgentUser { .. } | Caller::NotAgent(_) => Err(SupposedError(
            "`attributes` are those of an agent, of an agent user or of a workload that the directory knows".to_owned(),
        )),
    }
}

fn made_up(agent: &Agent) -> AgentIdentity {
    AgentIdentity {
        id: agent.id.clone(),
        blueprint: agent.blueprint.clone(),
        display_name: agent.id.to_shared(),
        enabled: true,
        attributes: Attributes::none(),
        sponsors: Vec::new(),
        created_at: None,
    }
}

/// Attributes by their names, folded as the directory's are.
pub(super) fn attributes_of(given: &BTreeMap<String, OneOrMany>) -> Attributes {
    Attributes::from_pairs(given.iter().map(|(name, value)| {
        let value = match value {
            OneOrMany::One(text) => AttributeValue::One(fold(text)),
            OneOrMany::Flag(flag) => AttributeValue::One(fold(&flag.to_string())),
            OneOrMany::Many(texts) => {
                AttributeValue::Many(texts.iter().map(|text| fold(text)).collect())
            }
        };
        (Arc::from(name.as_str()), value)
    }))
}

/// Whom a caller is, in one line.
pub(super) fn in_words(caller: &Caller) -> String {
    let of_agent = |agent: &Agent| match &agent.entry {
        Some(entry) => format!("agent identity {} ({})", entry.display_name, agent.id),
        None => format!(
            "agent identity {}, which the directory does not know",
            agent.id
        ),
    };
    match caller {
        Caller::Autonomous(agent) => of_agent(agent),
        Caller::AgentUser { id, entry, agent } => {
            let name = entry
                .as_ref()
                .map_or(id.as_str(), |entry| &entry.display_name);
            format!("agent user {name} of {}", of_agent(agent))
        }
        Caller::OnBehalfOf { human, agent } => {
            format!("{} for {}", of_agent(agent), human_in_words(human))
        }
        Caller::NotAgent(caller) => match &caller.account {
            Account::Human(Some(entry)) => format!("human {} ({})", entry.display_name, caller.id),
            Account::Human(None) | Account::Unnamed => format!("human {}", caller.id),
            Account::Workload(Some(entry)) => {
                format!("workload {} ({})", entry.display_name, caller.id)
            }
            Account::Workload(None) => format!("workload {}", caller.id),
        },
    }
}

fn human_in_words(human: &Human) -> String {
    let id = human.id.as_ref().map_or("-", |id| id.as_str());
    match &human.entry {
        Some(entry) => format!("{} ({id})", entry.display_name),
        None => id.to_owned(),
    }
}
