//! `boomgate risk`: which agents are risky, and an administrator's word on them, at a running gateway.
//!
//! It speaks the Graph subset of the management listener, as any Graph client may. What is printed after a change is
//! what the gateway says of it then. Never here: a level that this command worked out for itself.

mod print;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use http::Uri;
use serde_json::{Value, json};

use super::EXIT_FINE;
use super::management::{Common, Management};
use crate::types::{AgentId, percent_encoded};

/// Graph's collection.
const RISKY_AGENTS: &str = "/beta/identityProtection/riskyAgents";

/// The endpoint of the Global Token Revocation draft.
const GLOBAL_TOKEN_REVOCATION: &str = "/global-token-revocation";

/// What to do.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List every agent of which risk was reported, the risky ones first
    List(Common),
    /// Show one agent
    Show {
        /// The agent's id
        #[arg(value_parser = AgentId::parse)]
        id: AgentId,
        #[command(flatten)]
        common: Common,
    },
    /// Hold agents to be compromised: their own risk is high from now on
    ConfirmCompromised(Agents),
    /// Hold agents to be safe: their own risk is none
    ConfirmSafe(Agents),
    /// Dismiss what was reported of agents: their own risk is none
    Dismiss(Agents),
    /// Refuse every token of agents, humans or clients that was issued before now
    RevokeTokens(Agents),
}

/// Whom a change is about.
#[derive(Debug, clap::Args)]
struct Agents {
    /// The ids of agent identities, agent users or blueprints
    #[arg(value_name = "ID", required = true, value_parser = AgentId::parse)]
    ids: Vec<AgentId>,
    #[command(flatten)]
    common: Common,
}

/// Asks the gateway, and prints what it says.
///
/// # Errors
/// When a file cannot be used (exit code 65), or the gateway cannot be asked or refuses.
pub(super) fn risk(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::List(common) => {
            let agents = common.access.ask(async |gateway| list(&gateway).await)?;
            print::list(&agents, common.output)?;
        }
        Command::Show { id, common } => {
            let agent = common
                .access
                .ask(async |gateway| show(&gateway, &id).await)?;
            print::one(&agent, common.output)?;
        }
        Command::ConfirmCompromised(agents) => change(agents, "confirmCompromised")?,
        Command::ConfirmSafe(agents) => change(agents, "confirmSafe")?,
        Command::Dismiss(agents) => change(agents, "dismiss")?,
        Command::RevokeTokens(subjects) => revoke_tokens(subjects)?,
    }
    Ok(ExitCode::from(EXIT_FINE))
}

fn change(Agents { ids, common }: Agents, action: &str) -> anyhow::Result<()> {
    let agents = common.access.ask(async |gateway| {
        let body = json!({"agentIds": ids});
        let path = format!("{RISKY_AGENTS}/{action}");
        gateway.post(&path, &body).await?;
        let mut changed = Vec::new();
        for id in &ids {
            let agent = show(&gateway, id).await;
            changed.push(agent.context("the change is in force, but cannot be read back")?);
        }
        Ok(changed)
    })?;
    print::list(&agents, common.output)?;
    Ok(())
}

fn revoke_tokens(Agents { ids, common }: Agents) -> anyhow::Result<()> {
    common.access.ask(async |gateway| {
        for id in &ids {
            let subject = json!({"sub_id": {"format": "opaque", "id": id}});
            let revoked = gateway.post(GLOBAL_TOKEN_REVOCATION, &subject).await;
            revoked.with_context(|| format!("the tokens of `{id}` are not revoked"))?;
        }
        Ok(())
    })?;
    print::revoked(&ids, common.output)?;
    Ok(())
}

async fn show(gateway: &Management, id: &AgentId) -> anyhow::Result<Value> {
    let path = format!("{RISKY_AGENTS}/{}", percent_encoded(id.as_str()));
    let agent = gateway.get(&path).await;
    agent.with_context(|| format!("agent `{id}`"))
}

/// Every page of the list.
async fn list(gateway: &Management) -> anyhow::Result<Vec<Value>> {
    let mut agents = Vec::new();
    let mut next = Some(RISKY_AGENTS.to_owned());
    while let Some(path) = next {
        let mut page = gateway.get(&path).await?;
        let Some(Value::Array(items)) = page.get_mut("value").map(Value::take) else {
            bail!("the answer is not a list, expected `value`");
        };
        agents.extend(items);
        next = match page.get("@odata.nextLink") {
            None => None,
            Some(link) => Some(next_page(link, &path)?),
        };
    }
    Ok(agents)
}

/// The path of the page that a link leads to. Only that is taken from it: the token goes to the address that the
/// operator named, whatever host the link names. Half a list is an error.
fn next_page(link: &Value, current: &str) -> anyhow::Result<String> {
    let address = link.as_str().and_then(|link| link.parse::<Uri>().ok());
    let path = address.as_ref().and_then(Uri::path_and_query);
    match path {
        Some(path) if path.path() == RISKY_AGENTS && path.as_str() != current => {
            Ok(path.as_str().to_owned())
        }
        Some(_) | None => bail!("the list goes on, but `@odata.nextLink` leads to no other page"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_another_page_of_the_same_list() {
        let next = |link: &str| next_page(&json!(link), RISKY_AGENTS).ok();
        let page = format!("{RISKY_AGENTS}?$top=500&$skiptoken=a%2Fb");
        for host in ["https://127.0.0.1:9443", "https://elsewhere.example.com"] {
            assert_eq!(next(&format!("{host}{page}")), Some(page.clone()));
        }
        for refused in ["", "https://h", "https://h/beta/users?$top=1", RISKY_AGENTS] {
            assert_eq!(next(refused), None, "{refused}");
        }
        assert!(next_page(&Value::Null, RISKY_AGENTS).is_err());
    }
}
