//! Who may speak to the control plane: the rim of its router, in front of every path, the unknown ones too.
//!
//! The host is checked against DNS rebinding, the origin against other sites in an operator's browser, the token
//! in constant time. A refusal says nothing of what is behind it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Control;
use super::actor::{Actor, Credential, Role};
use super::graph::{GraphError, RequestIds};
use super::settings::{ManagementSettings, RoleTokens};
use super::signals;
use crate::call::{Authority, Unreadable};
use crate::types::Reason;

/// What may be opened to probes and scrapers without a token.
const PROBES: [&str; 4] = ["/healthz", "/readyz", "/startupz", "/metrics"];

/// Lets a request through to its handler, or answers it here.
pub(super) async fn guard(
    State(control): State<Arc<Control>>,
    request: Request,
    next: Next,
) -> Response {
    let settings = control.state.settings.load();
    let ids = RequestIds::of(request.headers());
    let (mut head, body) = request.into_parts();
    let response = match admit(&head, &settings, &control) {
        Ok((authority, actor)) => {
            head.extensions.insert(authority);
            if let Some(actor) = actor {
                head.extensions.insert(actor);
            }
            head.extensions.insert(ids.clone());
            next.run(Request::from_parts(head, body)).await
        }
        Err(refusal) => refusal.into_response(),
    };
    ids.finish(response, control.state.clock.now())
}

/// Why a request does not get in.
struct Refusal {
    error: GraphError,
    challenge: Option<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, message: &str) -> Self {
        Self {
            error: GraphError::new(status, message),
            challenge: None,
        }
    }

    fn unauthorized(message: &str, challenge: &'static str) -> Self {
        Self {
            error: GraphError::new(StatusCode::UNAUTHORIZED, message),
            challenge: Some(challenge),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.error.into_response();
        if let Some(challenge) = self.challenge {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The host that an admitted request names, and who asks; nobody is asked who they are for open probes, and for events,
/// which prove themselves.
fn admit(
    head: &Parts,
    settings: &ManagementSettings,
    control: &Control,
) -> Result<(Authority, Option<Actor>), Refusal> {
    if let Some(Unreadable(reason)) = head.extensions.get() {
        return Err(unreadable(*reason));
    }
    let authority = authority(head)?;
    if !is_ours(&authority, settings) {
        return Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "the host is not one of this listener",
        ));
    }
    check_origin(&head.headers, &authority)?;
    if settings.open_probes && PROBES.contains(&head.uri.path()) {
        return Ok((authority, None));
    }
    if signals::is_event(&head.method, head.uri.path()) {
        return Ok((authority, None));
    }
    let actor = who(&head.headers, settings, control)?;
    let needed = Role::needed(&head.method, head.uri.path());
    actor.require(needed).map_err(|error| Refusal {
        error,
        challenge: None,
    })?;
    Ok((authority, Some(actor)))
}

/// The refusal of bytes that are no request.
fn unreadable(reason: Reason) -> Refusal {
    let status = if reason == Reason::RequestTimeout {
        StatusCode::REQUEST_TIMEOUT
    } else {
        StatusCode::BAD_REQUEST
    };
    Refusal::new(status, "the request is malformed, too large or too slow")
}

/// The one host that the request names.
fn authority(head: &Parts) -> Result<Authority, Refusal> {
    let refused = || Refusal::new(StatusCode::BAD_REQUEST, "expected one host");
    let header = only(&head.headers, &HOST)
        .map_err(|_several| refused())?
        .map(|value| Authority::parse(value).ok_or_else(refused));
    let target = head
        .uri
        .authority()
        .map(|value| Authority::parse(value.as_str()).ok_or_else(refused));
    match (header.transpose()?, target.transpose()?) {
        (Some(header), Some(target)) if header != target => Err(refused()),
        (Some(authority), _) | (None, Some(authority)) => Ok(authority),
        (None, None) => Err(refused()),
    }
}

/// Whether a name is one that the operator lists. An address is: no name that somebody else owns leads a browser to
/// an authority that is an address.
fn is_ours(authority: &Authority, settings: &ManagementSettings) -> bool {
    let host = &*authority.host;
    let bare = host.trim_matches(['[', ']']);
    host == "localhost"
        || bare.parse::<std::net::IpAddr>().is_ok()
        || settings
            .allowed_hosts
            .iter()
            .any(|allowed| allowed.trim_end_matches('.').eq_ignore_ascii_case(host))
}

/// A browser names the site that a request comes from: it must be this one.
fn check_origin(headers: &HeaderMap, own: &Authority) -> Result<(), Refusal> {
    let foreign = || Refusal::new(StatusCode::FORBIDDEN, "the request comes from another site");
    let Some(origin) = only(headers, &ORIGIN).map_err(|_several| foreign())? else {
        return Ok(());
    };
    let authority = origin.strip_prefix("https://").and_then(Authority::parse);
    let same = authority.is_some_and(|origin| {
        origin.host == own.host && origin.port.unwrap_or(443) == own.port.unwrap_or(443)
    });
    if same { Ok(()) } else { Err(foreign()) }
}

/// Whose the bearer token of the request is: the admin token's, or that of an account with a role.
fn who(
    headers: &HeaderMap,
    settings: &ManagementSettings,
    control: &Control,
) -> Result<Actor, Refusal> {
    let missing = || {
        Refusal::unauthorized(
            "send the admin token, or a token with a role, as a bearer token",
            "Bearer realm=\"boomgate management\"",
        )
    };
    let refused = || {
        Refusal::unauthorized(
            "the token was not accepted",
            "Bearer realm=\"boomgate management\", error=\"invalid_token\"",
        )
    };
    let value = only(headers, &AUTHORIZATION)
        .map_err(|_several| refused())?
        .ok_or_else(missing)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let token = token.trim_matches(' ');
    if settings.admin_token.is(token) {
        return Ok(Actor {
            credential: Credential::AdminToken,
            role: Role::Admin,
        });
    }
    let oidc = settings.oidc.as_ref().ok_or_else(refused)?;
    of_token(token, oidc, control).map_err(|reason| match reason {
        Unknown::Refused => refused(),
        Unknown::NoKeys => {
            let message =
                "the issuer's keys are not to be had now, so no token of it can be checked";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message)
        }
        Unknown::NoRole => {
            let message = "the token has none of the roles `reader`, `operator`, `admin`";
            Refusal::new(StatusCode::FORBIDDEN, message)
        }
    })
}

/// Why nobody is known by a token.
enum Unknown {
    Refused,
    NoKeys,
    NoRole,
}

/// Whose a token is that should carry a role, checked as the tokens of calls are.
fn of_token(token: &str, oidc: &RoleTokens, control: &Control) -> Result<Actor, Unknown> {
    let state = &control.state;
    let (issuers, now) = (&state.snapshots.load().issuers, state.clock.now());
    let (verified, observation) =
        state
            .authenticator
            .verify_token(token, &oidc.audiences, issuers, now);
    if let Some(issuer) = &observation.unknown_key_of {
        state.keys.request(issuer);
    }
    let verified = verified.map_err(|reason| {
        if reason == Reason::KeysUnavailable {
            Unknown::NoKeys
        } else {
            Unknown::Refused
        }
    })?;
    let facts = verified.facts();
    // Another issuer's tokens may have this audience too; it says nothing of roles here.
    if facts.issuer != oidc.issuer {
        return Err(Unknown::Refused);
    }
    let role = Role::highest(&facts.roles).ok_or(Unknown::NoRole)?;
    let (subject, is_person) = verified.subject();
    Ok(Actor {
        credential: Credential::Token {
            subject,
            is_person,
            issuer: Arc::clone(&facts.issuer),
        },
        role,
    })
}

/// Given more than once, or not text: nobody can say which one counts.
struct Several;

/// The one value of a header, if it is given.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Several> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_not_text| Several),
        (Some(_), Some(_)) => Err(Several),
    }
}
