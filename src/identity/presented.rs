//! A token that a request for a token presents: as its client's credential, or to say for whom it is.
//!
//! It is verified where its issuer is one of ours; the issuer that is asked checks it too, and alone says whether it is
//! meant for it. Never here: belief in a token whose signature was not checked, other than that a client names itself.

use std::sync::Arc;

use super::authenticate::Observation;
use super::caller::TokenFacts;
use super::claims::{Checked, Claims};
use super::issuers::Issuers;
use super::jose;
use super::profile::entra::{self, ExchangeSubject};
use super::profile::{self, Claimed, Reading};
use super::settings::{IssuerSettings, Profile};
use super::verify::signing_key;
use crate::types::{Reason, Timestamp};

/// A presented token, as far as it can be read.
#[derive(Debug)]
pub(super) enum Presented {
    /// Signed by one of our issuers.
    Verified(Box<Proof>),
    /// A JWT of somebody else. What it says is its own word.
    Stranger(Word),
    /// Not a JWT.
    Opaque,
}

/// What a JWT says of itself, unproved.
#[derive(Debug)]
pub(super) struct Word {
    issuer: Option<String>,
    subject: Option<String>,
}

impl Word {
    /// The client that made it for itself (RFC 7523 §3): issuer and subject are one.
    pub(super) fn own_client(&self) -> Option<&str> {
        let subject = self.subject.as_deref()?;
        (self.issuer.as_deref() == Some(subject)).then_some(subject)
    }
}

/// A token whose signature and times were checked.
#[derive(Debug)]
pub(super) struct Proof {
    claims: Claims,
    settings: Arc<IssuerSettings>,
    key_issuer: Option<Arc<str>>,
    key_id: Option<Arc<str>>,
    checked: Checked,
}

impl Presented {
    /// Reads a token of at most `max_bytes`.
    ///
    /// # Errors
    /// The reason for which a token of one of our issuers is refused.
    pub(super) fn read(
        token: &str,
        max_bytes: usize,
        issuers: &Issuers,
        now: Timestamp,
        observation: &mut Observation,
    ) -> Result<Self, Reason> {
        if token.len() > max_bytes {
            return Err(Reason::TokenMalformed);
        }
        let Ok(payload) = jose::payload_of(token) else {
            return Ok(Self::Opaque);
        };
        let claims = Claims::parse(&payload)?;
        let text = |name| claims.text(name).map(|text| text.map(ToOwned::to_owned));
        let (iss, subject) = (text("iss")?, text("sub")?);
        let Some(issuer) = iss.as_deref().and_then(|iss| issuers.of(iss)) else {
            return Ok(Self::Stranger(Word {
                issuer: iss,
                subject,
            }));
        };
        observation.issuer = Some(Arc::clone(&issuer.settings.name));
        let jws = jose::read(token, max_bytes)?;
        jws.header.check_algorithm(&issuer.settings)?;
        let key = signing_key(&jws, issuer, now, observation)?;
        let proof = Proof {
            checked: claims.check_presented(&issuer.settings, now)?,
            claims,
            settings: Arc::clone(&issuer.settings),
            key_issuer: key.issuer().map(Arc::from),
            key_id: jws.header.key_id,
        };
        if let Profile::Entra { tenant } = &proof.settings.profile {
            let issuers = &proof.settings.issuers;
            entra::check_issuer(&proof.claims, tenant, issuers, proof.key_issuer.as_deref())?;
        }
        Ok(Self::Verified(Box::new(proof)))
    }
}

impl Proof {
    /// What it says as a T1: which blueprint may act as which agent identity. `None` if it is none.
    pub(super) fn exchange(&self) -> Result<Option<ExchangeSubject>, Reason> {
        const REFUSED: Reason = Reason::TokenClaimsRefused;
        let Profile::Entra { tenant } = &self.settings.profile else {
            return Ok(None);
        };
        let subject = self.claims.text("sub")?.unwrap_or_default();
        let Some(exchange) = ExchangeSubject::read(subject)? else {
            return Ok(None);
        };
        // Whoever was given it is the blueprint that its subject names.
        let by_blueprint = self.claims.text("azp")?.ok_or(REFUSED)?;
        let same = exchange
            .blueprint
            .as_str()
            .eq_ignore_ascii_case(by_blueprint);
        if exchange.tenant == *tenant && same {
            Ok(Some(exchange))
        } else {
            Err(REFUSED)
        }
    }

    /// Whom it is for, by its own word, and what else it says.
    pub(super) fn reading(&self) -> Result<(Claimed, TokenFacts), Reason> {
        let Reading {
            claimed,
            tenant,
            token_id,
            scopes,
            roles,
            claims_challenge_capable,
            evidence,
        } = profile::read(
            &self.claims,
            &self.settings,
            self.key_issuer.as_deref(),
            false,
        )?;
        let facts = TokenFacts {
            issuer: Arc::clone(&self.settings.name),
            tenant,
            token_id,
            audience: Arc::clone(&self.checked.audience),
            scopes,
            roles,
            issued_at: self.checked.issued_at,
            expires_at: self.checked.expires_at,
            key_id: self.key_id.clone(),
            // The issuer asks for the proof, not we.
            bound_to: None,
            claims_challenge_capable,
            evidence,
            authorization_uri: self.settings.authorization_uri(),
            vouched: Arc::clone(&self.settings.vouched),
        };
        Ok((claimed, facts))
    }
}
