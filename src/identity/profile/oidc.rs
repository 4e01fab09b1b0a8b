//! Any other issuer of JWT access tokens: the operator says which claim holds what ([`ClaimMapping`]).
//!
//! A claim that is mapped and missing means "none"; one that is there and is not an id is a refusal.
//! Never here: a guess at what an unmapped claim means.

mod evidence;

use super::shown::Vouching;
use super::{AccountKind, Claimed, Reading, Subject, id};
use crate::identity::claims::Claims;
use crate::identity::settings::ClaimMapping;
use crate::types::{AgentId, AgentUserId, AppId, BlueprintId, IdError, ObjectId, Reason};

const REFUSED: Reason = Reason::TokenClaimsRefused;

/// Reads who calls, and what the token allows.
pub(super) fn read(
    claims: &Claims,
    mapping: &ClaimMapping,
    vouching: Vouching<'_>,
) -> Result<Reading, Reason> {
    Ok(Reading {
        claimed: claimed(claims, mapping)?,
        tenant: None,
        token_id: claims.text("jti")?.map(Into::into),
        scopes: claims.names(mapping.scopes.as_deref().unwrap_or("scope"))?,
        roles: claims.names(mapping.roles.as_deref().unwrap_or("roles"))?,
        claims_challenge_capable: false,
        evidence: evidence::read(claims, mapping, vouching)?,
    })
}

fn claimed(claims: &Claims, mapping: &ClaimMapping) -> Result<Claimed, Reason> {
    let ids = Ids { claims, mapping };
    let agent = ids.mapped(mapping.agent_id.as_deref(), AgentId::parse)?;
    let agent_user = ids.mapped(mapping.agent_user_id.as_deref(), AgentUserId::parse)?;
    let Some(agent) = agent else {
        // An agent user without its agent identity: half of a marker is none that can be trusted.
        return match agent_user {
            Some(_) => Err(REFUSED),
            None => unmarked(&ids),
        };
    };
    let human = ids.mapped(mapping.on_behalf_of.as_deref(), ObjectId::parse)?;
    let subject = match (agent_user, human) {
        // `sub` is often mapped here, and an agent on its own is its own subject.
        (None, Some(human)) if human.as_str() == agent.as_str() => Subject::Agent,
        (None, Some(human)) => Subject::Unmarked(human),
        (Some(user), None) => Subject::AgentUser(user),
        (Some(user), Some(human)) if user.as_str() == human.as_str() => Subject::AgentUser(user),
        (Some(_), Some(_)) => return Err(REFUSED),
        (None, None) => Subject::Agent,
    };
    Ok(Claimed::Agent {
        id: agent,
        blueprint: ids.mapped(mapping.blueprint_id.as_deref(), BlueprintId::parse)?,
        subject,
    })
}

/// The subject and the client (RFC 9068 §2.2; `azp` where an issuer follows OpenID Connect). A client that is its own
/// subject has no user behind it (RFC 9068 §5). FAIL-CLOSED: any other subject is read as a human, of whom policies demand
/// the most, unless the claim of workloads says otherwise.
fn unmarked(ids: &Ids<'_>) -> Result<Claimed, Reason> {
    let client = match ids.at("client_id", AppId::parse)? {
        Some(client) => Some(client),
        None => ids.at("azp", AppId::parse)?,
    };
    let subject = ids.at("sub", ObjectId::parse)?.ok_or(REFUSED)?;
    let has = |path: &str| ids.claims.at(path).is_some();
    let is_workload = ids.mapping.workload.as_deref().is_some_and(has);
    let is_its_own = client
        .as_ref()
        .is_some_and(|client| client.as_str() == subject.as_str());
    Ok(Claimed::Unmarked {
        says: is_workload.then_some(AccountKind::Workload),
        looks_like: if is_its_own {
            AccountKind::Workload
        } else {
            AccountKind::Human
        },
        subject,
        client,
    })
}

/// The ids of a token. Every one is read here, so that none is without the issuer's prefix.
struct Ids<'a> {
    claims: &'a Claims,
    mapping: &'a ClaimMapping,
}

impl Ids<'_> {
    /// The id in a claim, if it is there.
    fn at<T>(
        &self,
        path: &str,
        parse: fn(&str) -> Result<T, IdError>,
    ) -> Result<Option<T>, Reason> {
        let Some(prefix) = &self.mapping.id_prefix else {
            return id(self.claims, path, parse);
        };
        let prefixed = |text| parse(&format!("{prefix}{text}")).map_err(|_not_an_id| REFUSED);
        self.claims.text(path)?.map(prefixed).transpose()
    }

    /// The id in the claim that the operator mapped, if both are there.
    fn mapped<T>(
        &self,
        path: Option<&str>,
        parse: fn(&str) -> Result<T, IdError>,
    ) -> Result<Option<T>, Reason> {
        path.map_or(Ok(None), |path| self.at(path, parse))
    }
}

#[cfg(test)]
mod tests;
