//! The client of a request for a token, and whether it is an agent: by the directory, by a T1, or because nobody knows it.
//!
//! All that names the client must name the same one. Never here: for whom it asks.

use super::{CONTRADICTION, MALFORMED, Search};
use crate::call::UnknownClients;
use crate::identity::caller::{Agent, Recognition};
use crate::identity::presented::Presented;
use crate::identity::request::{ClientCredential, Grant, Teller};
use crate::identity::settings::Profile;
use crate::types::{AgentId, AppId, Reason, Secret};

/// The client, and what makes it an agent.
pub(super) struct Client {
    pub(super) id: AppId,
    pub(super) agent: Option<(Agent, Recognition)>,
    /// Whether it may be an agent that the directory does not know.
    pub(super) may_be_agent: bool,
}

/// A refused assertion is a client that is not authenticated (RFC 7521 §4.2.1); one that cannot be checked now is not.
fn of_assertion(reason: Reason) -> Reason {
    if reason == Reason::KeysUnavailable {
        reason
    } else {
        Reason::ClientAssertionRefused
    }
}

impl Search<'_> {
    pub(super) fn profile(&self) -> Result<&Profile, Reason> {
        // FAIL-CLOSED: the configuration names it, so it is there.
        let issuer = self.issuers.named(&self.request.issuer);
        issuer
            .map(|issuer| &issuer.settings.profile)
            .ok_or(Reason::TokenIssuerRefused)
    }

    /// An id of the issuer that is asked, as the directory has it.
    pub(super) fn id(&self, text: &str) -> Result<String, Reason> {
        Ok(match self.profile()? {
            Profile::Oidc(mapping) => {
                let prefix = mapping.id_prefix.as_deref().unwrap_or_default();
                format!("{prefix}{text}")
            }
            Profile::Entra { .. } => text.to_owned(),
        })
    }

    /// The one client that all of the request names.
    pub(super) fn client(&mut self) -> Result<Client, Reason> {
        let request = self.request;
        let assertion = match &request.credential {
            ClientCredential::Assertion(token) => self.assertion(token)?,
            ClientCredential::None
            | ClientCredential::Secret
            | ClientCredential::Other
            | ClientCredential::Checked => None,
        };
        let exchange = match &assertion {
            Some(Presented::Verified(proof)) => proof.exchange().map_err(of_assertion)?,
            Some(Presented::Stranger(_) | Presented::Opaque) | None => None,
        };
        let own_word = match (&assertion, &exchange) {
            (_, Some(exchange)) => Some(exchange.agent.as_str()),
            (Some(Presented::Stranger(word)), None) => word.own_client(),
            (Some(Presented::Verified(_) | Presented::Opaque) | None, None) => None,
        };
        let named = request.client.as_deref();
        let id = self.id(named.or(own_word).ok_or(MALFORMED)?)?;
        let id = AppId::parse(&id).map_err(|_not_an_id| MALFORMED)?;
        if let Some(word) = own_word
            && AppId::parse(&self.id(word)?).ok().as_ref() != Some(&id)
        {
            return Err(MALFORMED);
        }
        let agent = match exchange {
            Some(exchange) => {
                let agent = Agent::of(exchange.agent, Some(exchange.blueprint), self.directory);
                Some((agent, Recognition::Markers))
            }
            None => self.directory.agent_of_client(&id).map(|entry| {
                let agent = Agent::of(entry.id.clone(), None, self.directory);
                (agent, Recognition::Directory)
            }),
        };
        // No agent user is a client, and an agent that says to be one would not be judged as an agent.
        if self.directory.agent_user(id.as_str()).is_some() {
            return Err(CONTRADICTION);
        }
        let is_known = agent.is_some()
            || self.directory.blueprint(id.as_str()).is_some()
            || self.directory.service_principal_of(id.as_str()).is_some();
        // Entra's agents show it a T1, which is to be seen here only where they ask through us.
        let shows_t1 =
            matches!(self.profile()?, Profile::Entra { .. }) && request.teller == Teller::Client;
        Ok(Client {
            may_be_agent: !is_known && (!shows_t1 || request.grant == Grant::UserFic),
            id,
            agent,
        })
    }

    /// The client's assertion, which is verified where that can be done here.
    fn assertion(&mut self, token: &Secret) -> Result<Option<Presented>, Reason> {
        match self.present(Some(token)) {
            // A JWT that only its issuer could read as one may say anything to it.
            Ok(Some(Presented::Opaque)) => Err(Reason::ClientAssertionRefused),
            read => read.map_err(of_assertion),
        }
    }

    /// An unknown client that asks for itself, where such are agents.
    pub(super) fn unregistered(
        &self,
        client: &Client,
    ) -> Result<Option<(Agent, Recognition)>, Reason> {
        let is_one = client.may_be_agent
            && !self.request.is_of_a_user()
            && self.request.unknown_clients == UnknownClients::Agents;
        if !is_one {
            return Ok(None);
        }
        let id = AgentId::parse(client.id.as_str()).map_err(|_not_an_id| MALFORMED)?;
        let agent = Agent::of(id, None, self.directory);
        Ok(Some((agent, Recognition::Nothing)))
    }
}
