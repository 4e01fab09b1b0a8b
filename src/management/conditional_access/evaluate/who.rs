//! Who signs in, as far as the directory knows: the facts of that kind of caller.

use std::sync::Arc;

use http::StatusCode;

use super::question::{Conditions, Identity, Question, told};
use crate::decision::agent_facts;
use crate::identity::{Agent, AgentUser};
use crate::management::graph::GraphError;
use crate::policy::{AgentUserFacts, GuestFacts, HumanFacts, Subject, WorkloadFacts};
use crate::snapshot::Snapshot;
use crate::types::{AgentId, Fact};

/// Who signs in.
#[derive(Debug)]
pub(super) enum Who {
    Agent(Agent),
    AgentUser(Arc<AgentUser>, Agent),
    Other,
}

impl Who {
    /// Whom the question names. A user that is an agent's, and a service principal that is an agent, are what they are.
    ///
    /// # Errors
    /// 400 for an agent of which neither the directory nor a token has told: an id with a slip in it would get an answer.
    pub(super) fn find(
        question: &Question,
        snapshot: &Snapshot,
        was_seen: impl Fn(&str) -> bool,
    ) -> Result<Self, GraphError> {
        let directory = &snapshot.directory;
        let agent = |id: AgentId| Agent::of(id, None, directory);
        let (id, must_be_agent) = match &question.identity {
            Identity::Agent(id) => (id.as_str(), true),
            Identity::User { id, .. } | Identity::ServicePrincipal(id) => (id.as_str(), false),
        };
        if let Some(user) = directory.agent_user(id) {
            let parent = agent(user.identity_parent.clone());
            return Ok(Self::AgentUser(Arc::clone(user), parent));
        }
        match AgentId::parse(id) {
            Ok(known) if directory.agent(id).is_some() => Ok(Self::Agent(agent(known))),
            Ok(seen) if must_be_agent && was_seen(id) => Ok(Self::Agent(agent(seen))),
            Ok(_) | Err(_) if must_be_agent => {
                let message = format!(
                    "signInIdentity.agentServicePrincipalId: no agent identity `{id}` is known"
                );
                Err(GraphError::new(StatusCode::BAD_REQUEST, message))
            }
            Ok(_) | Err(_) => Ok(Self::Other),
        }
    }

    /// The facts of whoever it is.
    pub(super) fn facts<'a>(&'a self, question: &'a Question) -> Subject<'a> {
        let Conditions {
            agent_risk,
            user_risk,
            sign_in_risk,
            service_principal_risk,
            insider_risk,
            ..
        } = question.conditions;
        match (self, &question.identity) {
            (Self::Agent(agent), _) => Subject::AgentIdentity(agent_facts(agent, told(agent_risk))),
            (Self::AgentUser(user, agent), _) => Subject::AgentUser {
                user: AgentUserFacts {
                    id: user.id.as_str(),
                    attributes: &user.attributes,
                    risk: told(agent_risk),
                },
                agent: agent_facts(agent, told(agent_risk)),
            },
            (
                Self::Other,
                Identity::User {
                    id,
                    guest,
                    home_tenant,
                },
            ) => Subject::Human(HumanFacts {
                id: Fact::Known(id.as_str()),
                groups: Fact::Unknown,
                roles: Fact::Unknown,
                guest: Fact::Known(guest.map(|kind| GuestFacts {
                    kind,
                    home_tenant: home_tenant.as_deref(),
                })),
                user_risk: told(user_risk),
                sign_in_risk: told(sign_in_risk),
                insider_risk: told(insider_risk),
            }),
            (Self::Other, Identity::ServicePrincipal(id) | Identity::Agent(id)) => {
                Subject::Workload(WorkloadFacts {
                    id: id.as_str(),
                    in_tenant: Fact::Unknown,
                    attributes: Fact::Unknown,
                    risk: told(service_principal_risk),
                })
            }
        }
    }
}
