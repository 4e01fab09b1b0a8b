//! Who asks, as a command line names it. Never here: the directory's word on it.

use crate::decision::supposed::who::Who;

/// Who calls: exactly one of six kinds.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// This agent identity
    #[arg(
        long,
        value_name = "AGENT",
        required_unless_present_any = ["blueprint", "agent_user", "human", "workload", "not_an_agent"],
        conflicts_with_all = ["blueprint", "agent_user", "human", "workload", "not_an_agent"]
    )]
    pub agent: Option<String>,
    /// An agent identity of this blueprint that does not exist yet: it is in no directory and has no attributes
    #[arg(long, value_name = "BLUEPRINT", conflicts_with_all = ["agent_user", "human", "workload", "not_an_agent"])]
    pub blueprint: Option<String>,
    /// This agent user
    #[arg(long, value_name = "USER", conflicts_with_all = ["human", "workload", "not_an_agent"])]
    pub agent_user: Option<String>,
    /// This human, by id, without an agent
    #[arg(long, value_name = "USER", conflicts_with_all = ["workload", "not_an_agent"])]
    pub human: Option<String>,
    /// This classic workload, by the id of its service principal
    #[arg(long, value_name = "ID", conflicts_with = "not_an_agent")]
    pub workload: Option<String>,
    /// A human of whom nothing is known, without an agent
    #[arg(long)]
    pub not_an_agent: bool,
    /// The human, by id, for whom the agent acts
    #[arg(long, value_name = "HUMAN", conflicts_with_all = ["agent_user", "human", "workload", "not_an_agent"])]
    pub on_behalf_of: Option<String>,
    /// The agent or blueprint is not in the directory, only in its token; without this, an unknown one is an error
    #[arg(long, conflicts_with_all = ["agent_user", "human", "workload", "not_an_agent"])]
    pub discovered: bool,
}

impl Arguments {
    /// Who is supposed to call.
    pub(super) fn who(&self) -> Who {
        Who {
            agent: self.agent.clone(),
            blueprint: self.blueprint.clone(),
            agent_user: self.agent_user.clone(),
            human: self.human.clone(),
            workload: self.workload.clone(),
            not_an_agent: self.not_an_agent,
            on_behalf_of: self.on_behalf_of.clone(),
            discovered: self.discovered,
        }
    }
}
