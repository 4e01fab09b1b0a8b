//! Room 8: a call of a token endpoint becomes a [`TokenRequest`]: the form is read, whole, before anybody is identified.
//!
//! The bytes that are read are those that are forwarded. Whatever two servers could read in two ways is refused, for the
//! issuer must see the request that was judged (RFC 6749 §3.2). Never here: a decision, and a credential that is kept.

mod form;

use std::time::Duration;

use bytes::Bytes;

use crate::call::{Received, Refused, Resources, TokenSource};
use crate::identity::{Issuers, TokenRequest};
use crate::types::Reason;

/// How long a client may take to send its form.
const PATIENCE: Duration = Duration::from_secs(10);

/// A call of a token endpoint whose body was read.
#[derive(Debug)]
#[must_use]
pub struct Read {
    received: Received,
    body: Bytes,
    source: TokenSource,
}

/// Reads the body of a call of a token endpoint.
///
/// # Errors
/// [`Refused`] when the call cannot be a request for a token, or its body does not come whole.
pub async fn read(received: Received, source: TokenSource) -> Result<Read, Refused> {
    if received.method() != http::Method::POST {
        return Err(received.refuse(Reason::MethodRefused));
    }
    if !form::is_form(received.headers()) {
        return Err(received.refuse(Reason::TokenRequestMalformed));
    }
    let context = received.context().clone();
    match tokio::time::timeout(PATIENCE, received.read_body()).await {
        Ok(read) => read.map(|(received, body)| Read {
            received,
            body,
            source,
        }),
        Err(_elapsed) => Err(Refused {
            context,
            reason: Reason::RequestMalformed,
        }),
    }
}

impl Read {
    /// What the form says.
    ///
    /// # Errors
    /// [`Refused`] when it is not one request for a token.
    #[expect(
        clippy::result_large_err,
        reason = "a refusal is a value of the path, moved once"
    )]
    pub fn parse(
        self,
        issuers: &Issuers,
        resources: &Resources,
    ) -> Result<(Received, TokenRequest), Refused> {
        let Self {
            received,
            body,
            source,
        } = self;
        // FAIL-CLOSED: the configuration names the issuer; a reload may have taken it away since.
        let Some(issuer) = issuers.named(&source.issuer) else {
            return Err(received.refuse(Reason::TokenIssuerRefused));
        };
        let profile = &issuer.settings.profile;
        match form::parse(&received, &body, &source, profile, resources) {
            Ok(request) => Ok((received, request)),
            Err(form::Malformed) => Err(received.refuse(Reason::TokenRequestMalformed)),
        }
    }
}
