//! Who a request for a token is from, and for whom: the client, the agent that acts, the subject.
//!
//! The issuer that is asked has the last word on every credential. What is found here is what it will find if it accepts
//! them; where that cannot be told, the caller is one that more policies concern, never fewer:
//!
//! - A client that the directory knows as an agent is one, and so is whoever shows a T1.
//! - Any other client that asks for itself is an agent that nobody registered, unless the operator says otherwise, or
//!   the issuer is Entra, whose agents always show a T1.
//! - A subject that cannot be read is a human whom nobody knows. Where an issuer tells of the request, it names the subject.
//! - A request that contradicts itself, or the directory, is refused.
//!
//! Never here: what policy makes of it, and the network.

mod client;

use std::sync::Arc;

use super::authenticate::{Observation, Seen};
use super::caller::{Account, Agent, Caller, Human, NonAgent, Recognition, TokenFacts};
use super::classify::{account, classify};
use super::directory::Directory;
use super::evidence::Evidence;
use super::issuers::Issuers;
use super::presented::{Presented, Proof};
use super::profile::{AccountKind, Claimed, Subject, entra};
use super::request::{Grant, KnownTarget, RequestFacts, Target, Teller, TokenRequest, UserName};
use super::settings::Profile;
use crate::types::{AgentId, AgentUserId, AppId, BlueprintId, ObjectId, Reason, Secret, Timestamp};

use client::Client;

const MALFORMED: Reason = Reason::TokenRequestMalformed;
const CONTRADICTION: Reason = Reason::TokenRequestContradictory;

/// Who asks, and what is kept of the request.
pub type Requester = (Caller, Recognition, RequestFacts);

/// Finds out who asks.
pub(super) struct Search<'a> {
    pub(super) request: &'a TokenRequest,
    pub(super) issuers: &'a Issuers,
    pub(super) directory: &'a Directory,
    pub(super) max_token_bytes: usize,
    pub(super) now: Timestamp,
    /// What was seen of each token that was looked at.
    pub(super) seen: Vec<Seen>,
}

impl Search<'_> {
    /// Who asks.
    ///
    /// # Errors
    /// The [`Reason`] that the request is refused with.
    pub(super) fn run(&mut self) -> Result<Requester, Reason> {
        let client = self.client()?;
        let subject = self.present(self.request.subject_token.as_ref())?;
        let mut token = None;
        let (caller, recognition) = if let Some(step) = self.step_of_blueprint(&client.id)? {
            step
        } else if let Some((agent, recognition)) = self.acting_agent(&client)? {
            let caller = self.caller_of(agent, subject.as_ref(), &mut token)?;
            (caller, recognition)
        } else {
            self.without_agent(&client, subject.as_ref(), &mut token)?
        };
        let facts = RequestFacts {
            issuer: Arc::clone(&self.request.issuer),
            tenant: match self.profile()? {
                Profile::Entra { tenant } => Some(tenant.clone()),
                Profile::Oidc(_) => None,
            },
            teller: self.request.teller,
            grant: self.request.grant,
            client: client.id,
            credential: self.request.credential.as_str(),
            is_exempt: self.is_exempt(&caller),
            targets: self.request.targets.clone(),
            scopes: Arc::clone(&self.request.scopes),
            token,
            nothing: Evidence::default(),
        };
        Ok((caller, recognition, facts))
    }

    /// Reads a presented token, if there is one.
    fn present(&mut self, token: Option<&Secret>) -> Result<Option<Presented>, Reason> {
        let Some(token) = token else { return Ok(None) };
        let mut seen = Observation::default();
        let read = Presented::read(
            token.expose(),
            self.max_token_bytes,
            self.issuers,
            self.now,
            &mut seen,
        );
        if seen.issuer.is_some() {
            self.seen.push((seen, read.as_ref().err().copied()));
        }
        read.map(Some)
    }

    /// A blueprint that asks for a T1, the first step of one of its agents: it is that agent that is let in or not.
    fn step_of_blueprint(&self, client: &AppId) -> Result<Option<(Caller, Recognition)>, Reason> {
        let Some(path) = &self.request.acts_as else {
            return Ok(None);
        };
        let id = AgentId::parse(&self.id(path)?).map_err(|_not_an_id| MALFORMED)?;
        let blueprint = BlueprintId::parse(client.as_str()).map_err(|_not_an_id| MALFORMED)?;
        if self.directory.agent_user(id.as_str()).is_some() {
            return Err(CONTRADICTION);
        }
        let agent = Agent::of(id, Some(blueprint.clone()), self.directory);
        if agent.blueprint.as_ref() != Some(&blueprint) {
            return Err(CONTRADICTION);
        }
        let known = self.directory.blueprint(blueprint.as_str()).is_some() || agent.entry.is_some();
        let recognition = if known {
            Recognition::Directory
        } else {
            Recognition::Markers
        };
        Ok(Some((Caller::Autonomous(agent), recognition)))
    }

    /// The agent that acts: the client, or whom an actor token names.
    fn acting_agent(&mut self, client: &Client) -> Result<Option<(Agent, Recognition)>, Reason> {
        let request = self.request;
        let actor = match self.present(request.actor_token.as_ref())? {
            Some(Presented::Verified(proof)) => self.agent_of(&proof)?,
            // FAIL-CLOSED: somebody acts, and nobody can tell who.
            Some(Presented::Stranger(_)) => return Err(Reason::TokenIssuerRefused),
            Some(Presented::Opaque) => return Err(Reason::TokenMalformed),
            None => None,
        };
        match (client.agent.clone(), actor) {
            (Some((client, _)), Some((actor, _))) if client.id != actor.id => Err(CONTRADICTION),
            (Some(agent), _) | (None, Some(agent)) => Ok(Some(agent)),
            (None, None) => Ok(self.unregistered(client)?),
        }
    }

    /// The agent that a verified token is about.
    fn agent_of(&self, proof: &Proof) -> Result<Option<(Agent, Recognition)>, Reason> {
        let (claimed, _) = proof.reading()?;
        let (caller, recognition) = classify(&claimed, self.directory)?;
        Ok(caller.agent().map(|agent| (agent.clone(), recognition)))
    }

    /// As whom an agent acts.
    fn caller_of(
        &mut self,
        agent: Agent,
        subject: Option<&Presented>,
        token: &mut Option<Arc<TokenFacts>>,
    ) -> Result<Caller, Reason> {
        if let Some(named) = self.named_subject()? {
            return Caller::acting_for(&named, agent, self.directory)
                .map_err(|_refused| CONTRADICTION);
        }
        let is_told = matches!(self.request.teller, Teller::Issuer { .. });
        match self.request.grant {
            Grant::ClientCredentials => Ok(Caller::Autonomous(agent)),
            // The issuer has read for whom it is, and names nobody.
            _ if is_told => Ok(for_somebody(agent)),
            Grant::UserFic => self.agent_user(agent),
            Grant::JwtBearer | Grant::TokenExchange => match subject.ok_or(MALFORMED)? {
                Presented::Verified(proof) => {
                    let (claimed, facts) = proof.reading()?;
                    *token = Some(Arc::new(facts));
                    self.acting_for(&claimed, agent)
                }
                Presented::Stranger(_) | Presented::Opaque => Ok(for_somebody(agent)),
            },
            Grant::AuthorizationCode
            | Grant::DeviceCode
            | Grant::Password
            | Grant::RefreshToken
            | Grant::Other => Ok(for_somebody(agent)),
        }
    }

    /// The subject whom the issuer names.
    fn named_subject(&self) -> Result<Option<ObjectId>, Reason> {
        match (&self.request.subject, self.request.grant) {
            (None, _) => Ok(None),
            // Such a token is the client's own.
            (Some(_), Grant::ClientCredentials) => Err(CONTRADICTION),
            (Some(subject), _) => {
                let id = ObjectId::parse(&self.id(subject)?);
                id.map(Some).map_err(|_not_an_id| MALFORMED)
            }
        }
    }

    /// The agent user that `username` or `user_id` names.
    fn agent_user(&mut self, agent: Agent) -> Result<Caller, Reason> {
        let request = self.request;
        if let Some(Presented::Verified(proof)) = self.present(request.user_credential.as_ref())? {
            let (claimed, _) = proof.reading()?;
            let of = match &claimed {
                Claimed::Agent { id, .. } => id.as_str(),
                Claimed::Unmarked { subject, .. } => subject.as_str(),
            };
            if of != agent.id.as_str() {
                return Err(CONTRADICTION);
            }
        }
        let (name, entry) = match request.user.as_ref().ok_or(MALFORMED)? {
            UserName::Id(id) => {
                let id = self.id(id)?;
                let entry = AgentUserId::parse(&id).ok();
                let entry = entry.and_then(|id| self.directory.agent_user(id.as_str()));
                (id, entry)
            }
            UserName::PrincipalName(name) => {
                (name.to_string(), self.directory.agent_user_named(name))
            }
        };
        match entry {
            Some(entry) if entry.identity_parent == agent.id => {
                Ok(Caller::agent_user(entry, agent))
            }
            Some(_) => Err(CONTRADICTION),
            None => Ok(Caller::AgentUser {
                id: AgentUserId::parse(&name).map_err(|_not_an_id| MALFORMED)?,
                entry: None,
                agent,
            }),
        }
    }

    /// The subject of a verified token, for whom an agent acts.
    fn acting_for(&self, claimed: &Claimed, agent: Agent) -> Result<Caller, Reason> {
        match claimed {
            Claimed::Unmarked { subject, .. } if subject.as_str() == agent.id.as_str() => {
                Ok(Caller::Autonomous(agent))
            }
            Claimed::Unmarked { subject, .. }
            | Claimed::Agent {
                subject: Subject::Unmarked(subject),
                ..
            } => Caller::acting_for(subject, agent, self.directory),
            // One agent never acts for another one, nor for its user.
            Claimed::Agent { id, .. } if *id != agent.id => Err(CONTRADICTION),
            Claimed::Agent {
                subject: Subject::Agent,
                ..
            } => Ok(Caller::Autonomous(agent)),
            Claimed::Agent {
                subject: Subject::AgentUser(user),
                ..
            } => {
                let id = ObjectId::parse(user.as_str()).map_err(|_not_an_id| CONTRADICTION)?;
                match Caller::acting_for(&id, agent, self.directory)? {
                    Caller::OnBehalfOf { agent, .. } => Ok(Caller::AgentUser {
                        id: user.clone(),
                        entry: None,
                        agent,
                    }),
                    known => Ok(known),
                }
            }
        }
    }

    /// A request without an agent that acts. A token of an agent that somebody else exchanges is judged as that agent.
    fn without_agent(
        &self,
        client: &Client,
        subject: Option<&Presented>,
        token: &mut Option<Arc<TokenFacts>>,
    ) -> Result<(Caller, Recognition), Reason> {
        let id = ObjectId::parse(client.id.as_str()).map_err(|_not_an_id| MALFORMED)?;
        let nobody = NonAgent {
            account: self.account(&id, client)?,
            id,
            client: Some(client.id.clone()),
            blueprint_entry: self.directory.blueprint(client.id.as_str()).cloned(),
            may_be_agent: client.may_be_agent && !self.request.is_of_a_user(),
        };
        let subject = if let Some(subject) = self.named_subject()? {
            let claimed = Claimed::Unmarked {
                subject,
                client: Some(client.id.clone()),
                says: None,
                looks_like: AccountKind::Human,
            };
            classify(&claimed, self.directory).map_err(|_refused| CONTRADICTION)?
        } else if let Some(Presented::Verified(proof)) = subject {
            let (claimed, facts) = proof.reading()?;
            *token = Some(Arc::new(facts));
            classify(&claimed, self.directory)?
        } else {
            return Ok((Caller::NotAgent(nobody), Recognition::Nothing));
        };
        Ok(match subject {
            (Caller::NotAgent(caller), recognition) => {
                let caller = NonAgent {
                    id: caller.id,
                    account: caller.account,
                    ..nobody
                };
                (Caller::NotAgent(caller), recognition)
            }
            agent => agent,
        })
    }

    /// What a client is that is no agent: whoever signs in with it, or a workload.
    fn account(&self, id: &ObjectId, client: &Client) -> Result<Account, Reason> {
        if self.request.is_of_a_user() {
            return Ok(Account::Unnamed);
        }
        let looks_like = (None, AccountKind::Workload);
        account(id, Some(&client.id), looks_like, self.directory)
    }

    /// Entra's exemptions (`reference/entra.md` §4.4): a blueprint or an agent that asks for a token for the token
    /// exchange, and a blueprint that asks for one for Graph, where it makes its agents.
    fn is_exempt(&self, caller: &Caller) -> bool {
        let (to_exchange, to_graph) = match caller {
            Caller::Autonomous(_) => (true, false),
            Caller::NotAgent(caller) => {
                let is_blueprint = caller.blueprint_entry.is_some()
                    && self.request.grant == Grant::ClientCredentials;
                (is_blueprint, is_blueprint)
            }
            Caller::AgentUser { .. } | Caller::OnBehalfOf { .. } => (false, false),
        };
        let is_step = |target: &Target| match &target.known {
            KnownTarget::Exchange => to_exchange,
            known => to_graph && known.app_id() == Some(entra::GRAPH_APP_ID),
        };
        let targets = &self.request.targets;
        !targets.is_empty() && targets.iter().all(is_step)
    }
}

/// An agent that acts for a human whom the request does not name.
const fn for_somebody(agent: Agent) -> Caller {
    Caller::OnBehalfOf {
        human: Human {
            id: None,
            entry: None,
        },
        agent,
    }
}
