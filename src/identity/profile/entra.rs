//! Microsoft Entra ID: v1 and v2 access tokens of one tenant (`reference/entra.md` §2, §10).
//!
//! What a token says in two ways must agree: tenant and issuer, the two names of the client, the facets of actor and
//! subject. Where they contradict each other the token is refused; the reading is never chosen.
//! Never here: `upn`, `email` or a display name as an identity.

mod evidence;
mod exchange;

use std::sync::Arc;

use serde_json::Value;

use super::shown::Vouching;
use super::{AccountKind, Claimed, Reading, Subject, id};
use crate::identity::claims::Claims;
use crate::types::{AgentId, AgentUserId, AppId, BlueprintId, ObjectId, Reason, TenantId};

pub(in crate::identity) use exchange::ExchangeSubject;

const REFUSED: Reason = Reason::TokenClaimsRefused;

/// The facet of an agent identity.
const AGENT_IDENTITY: u32 = 11;
/// The facet of an agent user.
const AGENT_USER: u32 = 13;

/// The appId of the resource that exchanges tokens, which is the audience of T1 and T2.
pub(in crate::identity) const EXCHANGE_APP_ID: &str = "fb60f99c-7a34-4190-8149-302f77469936";
/// How its other names begin, in every cloud.
const EXCHANGE_URI: &str = "api://azureadtokenexchange";
/// How the subject of a T1 begins.
const EXCHANGE_SUBJECT: &str = "/eid1/";

/// The URI of Microsoft Graph, which a token is for where a request names no other resource, and its appId.
pub(in crate::identity) const GRAPH_URI: &str = "https://graph.microsoft.com";
pub(in crate::identity) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// The names of the token exchange in the clouds that have one, in lower case (`reference/entra.md` §2.1).
const EXCHANGE_NAMES: [&str; 5] = [
    EXCHANGE_APP_ID,
    "api://azureadtokenexchange",
    "api://azureadtokenexchangechina",
    "api://azureadtokenexchangefrance",
    "api://azureadtokenexchangegermany",
];

/// Whether a resource is the token exchange. No name that only begins like one is: policies do not judge it.
pub(in crate::identity) fn is_exchange_name(name: &str) -> bool {
    EXCHANGE_NAMES.contains(&name.to_ascii_lowercase().as_str())
}

/// Whether a token was made to be exchanged for another one (T1, T2). Such a token proves a step of a flow and no
/// caller, so it is never accepted, whatever audiences an operator lists.
pub(in crate::identity) fn is_exchange_token(audiences: &[&str], subject: Option<&str>) -> bool {
    let is_exchange = |audience: &&str| {
        let lower = audience.to_ascii_lowercase();
        lower == EXCHANGE_APP_ID || lower.starts_with(EXCHANGE_URI)
    };
    audiences.iter().any(is_exchange)
        || subject.is_some_and(|subject| subject.starts_with(EXCHANGE_SUBJECT))
}

/// Checks that token, issuer and key are of one tenant. `issuers` are that tenant's own.
pub(in crate::identity) fn check_issuer(
    claims: &Claims,
    tenant: &TenantId,
    issuers: &[Arc<str>],
    key_issuer: Option<&str>,
) -> Result<(), Reason> {
    let tid = id(claims, "tid", TenantId::parse)?.ok_or(REFUSED)?;
    let in_issuer = |issuer: &str| {
        issuer
            .split('/')
            .any(|part| part.eq_ignore_ascii_case(tenant.as_str()))
    };
    if tid != *tenant || !in_issuer(claims.issuer()?) {
        return Err(Reason::TokenIssuerRefused);
    }
    // Keys of v2 metadata sign v1 tokens too, so a key may name either issuer of the tenant.
    let is_ours = |of_key: &str| {
        let filled = of_key.replace("{tenantid}", tenant.as_str());
        issuers.iter().any(|issuer| **issuer == *filled)
    };
    if key_issuer.is_none_or(is_ours) {
        Ok(())
    } else {
        Err(Reason::TokenIssuerRefused)
    }
}

/// Reads who calls, and what the token allows.
pub(super) fn read(
    claims: &Claims,
    tenant: &TenantId,
    vouching: Vouching<'_>,
) -> Result<Reading, Reason> {
    let token_id = match claims.text("uti")? {
        Some(uti) => Some(uti),
        None => claims.text("jti")?,
    };
    Ok(Reading {
        claimed: claimed(claims)?,
        tenant: id(claims, "tid", TenantId::parse)?,
        token_id: token_id.map(Into::into),
        scopes: scopes(claims)?,
        roles: claims.names("roles")?,
        claims_challenge_capable: has_cp1(claims),
        evidence: evidence::read(claims, tenant, vouching)?,
    })
}

/// Delegated scopes. Entra writes a lone `/` where there are none.
fn scopes(claims: &Claims) -> Result<Arc<[Arc<str>]>, Reason> {
    let scopes = claims.names("scp")?;
    match &*scopes {
        [lone] if &**lone == "/" => Ok(Arc::default()),
        _ => Ok(scopes),
    }
}

/// Whether the client declared that it understands claims challenges. A declaration that cannot be read is none.
fn has_cp1(claims: &Claims) -> bool {
    let is_cp1 = |text: &str| text.eq_ignore_ascii_case("cp1");
    match claims.get("xms_cc") {
        Some(Value::String(text)) => text.split_ascii_whitespace().any(is_cp1),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).any(is_cp1),
        _ => false,
    }
}

/// The client: `azp` in v2 tokens, `appid` in v1. An access token always names one, an ID token never does.
fn client(claims: &Claims) -> Result<AppId, Reason> {
    let v2 = id(claims, "azp", AppId::parse)?;
    let v1 = id(claims, "appid", AppId::parse)?;
    match (v2, v1) {
        (Some(azp), Some(appid)) if azp != appid => Err(REFUSED),
        (Some(client), _) | (None, Some(client)) => Ok(client),
        (None, None) => Err(Reason::TokenTypeRefused),
    }
}

/// The decision table of `reference/entra.md` §2.3.
fn claimed(claims: &Claims) -> Result<Claimed, Reason> {
    let client = client(claims)?;
    let subject = match id(claims, "oid", ObjectId::parse)? {
        Some(oid) => oid,
        None => id(claims, "sub", ObjectId::parse)?.ok_or(REFUSED)?,
    };
    let id_type = claims.text("idtyp")?;
    let blueprint = id(claims, "xms_par_app_azp", BlueprintId::parse)?;
    let actor = Facets::of(claims, "xms_act_fct")?;
    let facets = Facets::of(claims, "xms_sub_fct")?;

    let is_itself = subject.as_str() == client.as_str();
    let subject_is_agent = facets.has(AGENT_IDENTITY);
    let subject_is_agent_user = facets.has(AGENT_USER);
    // `xms_par_app_azp` names the blueprint of the client, which only an agent identity has.
    let actor_is_agent = actor.has(AGENT_IDENTITY) || blueprint.is_some();
    if !actor_is_agent && !subject_is_agent && !subject_is_agent_user {
        return Ok(Claimed::Unmarked {
            says: match id_type {
                Some("app") => Some(AccountKind::Workload),
                Some("user") => Some(AccountKind::Human),
                Some(_) | None => None,
            },
            looks_like: looks_like(claims)?,
            subject,
            client: Some(client),
        });
    }
    let contradicts = (subject_is_agent && !is_itself)
        || (subject_is_agent_user && is_itself)
        || (!actor_is_agent && actor.are_given())
        || (id_type == Some("app") && !is_itself)
        || (id_type == Some("user") && is_itself);
    if contradicts {
        return Err(REFUSED);
    }
    let subject = if is_itself {
        Subject::Agent
    } else if subject_is_agent_user {
        Subject::AgentUser(AgentUserId::parse(subject.as_str()).map_err(|_not_an_id| REFUSED)?)
    } else {
        Subject::Unmarked(subject)
    };
    Ok(Claimed::Agent {
        id: AgentId::parse(client.as_str()).map_err(|_not_an_id| REFUSED)?,
        blueprint,
        subject,
    })
}

/// What kind of account a subject without markers and without `idtyp` looks like: delegated scopes are a human's, and an
/// application on its own is its own subject. FAIL-CLOSED: what is neither is read as a human, of whom nothing is known
/// and of whom policies demand the most.
fn looks_like(claims: &Claims) -> Result<AccountKind, Reason> {
    let oid = claims.text("oid")?;
    let is_its_own = oid.is_some() && claims.text("sub")? == oid;
    Ok(if is_its_own && scopes(claims)?.is_empty() {
        AccountKind::Workload
    } else {
        AccountKind::Human
    })
}

/// Facets: integers with blanks between them, in any order; unknown ones mean nothing to us (§2.4).
#[derive(Debug, PartialEq, Eq)]
struct Facets(Option<Vec<u32>>);

impl Facets {
    /// Reads a claim of facets. A text that is not such a list counts as not given; what is no text is refused.
    fn of(claims: &Claims, name: &str) -> Result<Self, Reason> {
        let list = match claims.get(name) {
            None => return Ok(Self(None)),
            Some(Value::String(list)) => list,
            Some(_) => return Err(REFUSED),
        };
        let facets = list.split_whitespace().map(|item| item.parse().ok());
        Ok(Self(facets.collect()))
    }

    fn has(&self, facet: u32) -> bool {
        self.0.as_ref().is_some_and(|all| all.contains(&facet))
    }

    const fn are_given(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests;
