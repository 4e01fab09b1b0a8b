//! Room 8: a call that asks for a token, or whether one may be given, becomes a [`TokenRequest`]: its body is read, whole,
//! before anybody is identified.
//!
//! The bytes of a form that are read are those that are forwarded. Whatever two servers could read in two ways is
//! refused, for the issuer must see the request that was judged (RFC 6749 §3.2). Never here: a decision, and a credential
//! that is kept.

mod form;
pub mod hook;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::call::{Received, Refused, Resources, TokenHook, TokenSource};
use crate::identity::{Issuers, TokenRequest};
use crate::types::Reason;

/// How long a client may take to send its form.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a call asks.
#[derive(Debug, Clone)]
pub enum Asks {
    /// By OAuth's form, at the token endpoint of this issuer.
    ByForm(TokenSource),
    /// By the hook of an issuer.
    ByHook(Arc<TokenHook>),
}

/// A call whose body was read.
#[derive(Debug)]
#[must_use]
pub struct Read {
    received: Received,
    body: Bytes,
    asks: Asks,
}

/// Not one request for a token, or one that could be read as two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Malformed;

/// The media type that the headers name, and its parameters, where there is one and the body is not encoded besides.
fn plain_media_type(headers: &HeaderMap) -> Option<(&str, &str)> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return None;
    };
    let text = only.to_str().ok()?;
    let is_plain = !headers.contains_key(CONTENT_ENCODING);
    is_plain.then(|| text.split_once(';').unwrap_or((text, "")))
}

/// Reads the body of a call.
///
/// # Errors
/// [`Refused`] when the call cannot be a request for a token, or its body does not come whole.
pub async fn read(received: Received, asks: Asks) -> Result<Read, Refused> {
    if received.method() != http::Method::POST {
        return Err(received.refuse(Reason::MethodRefused));
    }
    let says_so = match asks {
        Asks::ByForm(_) => form::is_form(received.headers()),
        Asks::ByHook(_) => hook::is_json(received.headers()),
    };
    if !says_so {
        return Err(received.refuse(Reason::TokenRequestMalformed));
    }
    let context = received.context().clone();
    match tokio::time::timeout(PATIENCE, received.read_body()).await {
        Ok(read) => read.map(|(received, body)| Read {
            received,
            body,
            asks,
        }),
        Err(_elapsed) => Err(Refused::new(context, Reason::RequestTimeout)),
    }
}

impl Read {
    /// What the body says.
    ///
    /// # Errors
    /// [`Refused`] when it is not one request for a token.
    pub fn parse(
        self,
        issuers: &Issuers,
        resources: &Resources,
    ) -> Result<(Received, TokenRequest), Refused> {
        let Self {
            received,
            body,
            asks,
        } = self;
        let source = match &asks {
            Asks::ByForm(source) => source,
            Asks::ByHook(hook) => &hook.source,
        };
        // FAIL-CLOSED: the configuration names the issuer; a reload may have taken it away since.
        let Some(issuer) = issuers.named(&source.issuer) else {
            return Err(received.refuse(Reason::TokenIssuerRefused));
        };
        let profile = &issuer.settings.profile;
        let request = match &asks {
            Asks::ByForm(source) => form::parse(&received, &body, source, profile, resources),
            Asks::ByHook(hook) => hook::parse(&body, hook, profile, resources),
        };
        match request {
            Ok(request) => Ok((received, request)),
            Err(Malformed) => Err(received.refuse(Reason::TokenRequestMalformed)),
        }
    }
}
