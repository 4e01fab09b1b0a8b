//! The form of a request for a token, and the client that the `Authorization` header may name beside it.
//!
//! Everything that names a client must be there once, and a client shows one credential (RFC 6749 §2.3, §3.2).
//! Never here: who the client is.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::{Malformed, plain_media_type};
use crate::call::{Form, Received, Resources, TokenSource};
use crate::identity::settings::Profile;
use crate::identity::targets::{scopes, targets};
use crate::identity::{ClientCredential, Grant, Teller, TokenRequest, UserName};
use crate::types::Secret;

/// The type of a client assertion that is a JWT (RFC 7523 §2.2).
const JWT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What may be given several times (RFC 8707 §2, RFC 8693 §2.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// What is read here. A query that names one of these too could be what the issuer reads.
const READ: [&str; 17] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "fmi_path",
    "assertion",
    "subject_token",
    "actor_token",
    "username",
    "user_id",
    "user_federated_identity_credential",
    "scope",
    "resource",
    "audience",
    "requested_token_use",
    "refresh_token",
];

/// Whether the body is a form, by what the headers say of it.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let Some((media_type, parameters)) = plain_media_type(headers) else {
        return false;
    };
    let parameters = parameters.trim().replace('"', "");
    let is_utf8 = parameters.is_empty() || parameters.eq_ignore_ascii_case("charset=utf-8");
    media_type
        .trim_end()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && is_utf8
}

/// Reads a request.
pub(super) fn parse(
    received: &Received,
    body: &[u8],
    source: &TokenSource,
    profile: &Profile,
    resources: &Resources,
) -> Result<TokenRequest, Malformed> {
    let form = Form::parse(body, &REPEATABLE).map_err(|_fault| Malformed)?;
    if !query_is_apart(received.query()) || !names_are_exact(&form) {
        return Err(Malformed);
    }
    let text = |name| form.one(name).map(Box::<str>::from);
    let secret = |name| form.one(name).map(Secret::new);
    let by_header = client_of_header(received.headers())?;
    let credential = credential(&form, by_header.as_ref())?;
    let client = match (text("client_id"), by_header.map(|(client, _)| client)) {
        (Some(one), Some(other)) if one != other => return Err(Malformed),
        (Some(client), _) | (None, Some(client)) => Some(client),
        (None, None) => None,
    };
    let grant = Grant::parse(form.one("grant_type").ok_or(Malformed)?);
    let subject_token = match grant {
        Grant::JwtBearer => secret("assertion"),
        Grant::TokenExchange => secret("subject_token"),
        Grant::ClientCredentials
        | Grant::UserFic
        | Grant::AuthorizationCode
        | Grant::DeviceCode
        | Grant::Password
        | Grant::RefreshToken
        | Grant::Other => None,
    };
    let scopes = scopes(form.one("scope")).ok_or(Malformed)?;
    let named: Vec<_> = REPEATABLE.iter().flat_map(|name| form.all(name)).collect();
    Ok(TokenRequest {
        issuer: Arc::clone(&source.issuer),
        unknown_clients: source.unknown_clients,
        teller: Teller::Client,
        grant,
        client,
        credential,
        acts_as: text("fmi_path"),
        subject: None,
        subject_token,
        actor_token: secret("actor_token"),
        user: user(text("user_id"), text("username"))?,
        user_credential: secret("user_federated_identity_credential"),
        targets: targets(profile, &scopes, &named, resources).ok_or(Malformed)?,
        scopes,
    })
}

/// Whether a query says nothing that the form says: some servers read both as one.
fn query_is_apart(query: Option<&str>) -> bool {
    let Ok(form) = Form::parse(query.unwrap_or_default().as_bytes(), &[]) else {
        return false;
    };
    let mut names = form.names();
    !names.any(|name| READ.iter().any(|read| read.eq_ignore_ascii_case(name)))
}

/// Whether nothing that is read here is written in another case: some servers read it all the same.
fn names_are_exact(form: &Form) -> bool {
    form.names().all(|name| {
        READ.iter()
            .all(|read| *read == name || !read.eq_ignore_ascii_case(name))
    })
}

/// One client shows one credential, in one place (RFC 6749 §2.3).
fn credential(
    form: &Form,
    by_header: Option<&(Box<str>, bool)>,
) -> Result<ClientCredential, Malformed> {
    let by_header = by_header.is_some_and(|(_, has_secret)| *has_secret);
    let has_secret = form.one("client_secret").is_some();
    let assertion = form.one("client_assertion");
    let kind = form.one("client_assertion_type");
    match (by_header, has_secret, assertion, kind) {
        (false, false, None, None) => Ok(ClientCredential::None),
        (true, false, None, None) | (false, true, None, None) => Ok(ClientCredential::Secret),
        (false, false, Some(assertion), Some(JWT_ASSERTION)) => {
            Ok(ClientCredential::Assertion(Secret::new(assertion)))
        }
        (false, false, Some(_), Some(_)) => Ok(ClientCredential::Other),
        _ => Err(Malformed),
    }
}

/// The agent user, if one is named, by one name.
fn user(
    id: Option<Box<str>>,
    principal_name: Option<Box<str>>,
) -> Result<Option<UserName>, Malformed> {
    match (id, principal_name) {
        (Some(_), Some(_)) => Err(Malformed),
        (Some(id), None) => Ok(Some(UserName::Id(id))),
        (None, Some(name)) => Ok(Some(UserName::PrincipalName(name))),
        (None, None) => Ok(None),
    }
}

/// The client that HTTP Basic names (RFC 6749 §2.3.1), and whether with a secret. No other scheme names one.
fn client_of_header(headers: &HeaderMap) -> Result<Option<(Box<str>, bool)>, Malformed> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => basic(value).map(Some).ok_or(Malformed),
        (Some(_), Some(_)) => Err(Malformed),
    }
}

fn basic(value: &HeaderValue) -> Option<(Box<str>, bool)> {
    let value = value.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    // Client and secret are each encoded as a form's value.
    let form = Form::parse(format!("client={client}").as_bytes(), &[]).ok()?;
    let client = form.one("client")?;
    Some((client.into(), !secret.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_form_is_said_to_be_one_once_and_uncompressed() {
        const FORM: &str = "application/x-www-form-urlencoded";
        for value in [
            FORM,
            "Application/X-WWW-Form-Urlencoded",
            "application/x-www-form-urlencoded; charset=UTF-8",
            "application/x-www-form-urlencoded;charset=\"utf-8\"",
        ] {
            assert!(is_form(&headers(&[("content-type", value)])), "{value}");
        }
        for values in [
            &[][..],
            &[("content-type", "application/json")],
            &[("content-type", "multipart/form-data; boundary=x")],
            &[("content-type", "application/x-www-form-urlencoded2")],
            &[(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-16",
            )],
            &[("content-type", FORM), ("content-type", FORM)],
            &[("content-type", FORM), ("content-encoding", "gzip")],
        ] {
            assert!(!is_form(&headers(values)), "{values:?}");
        }
    }

    #[test]
    fn basic_names_a_client_in_one_way() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (value, client) in [
            (basic("agent:hush"), Some("agent")),
            (basic("spiffe%3A%2F%2Ft%2Fa:hush"), Some("spiffe://t/a")),
            (basic("a:b:c"), Some("a")),
            (basic("agent"), None),
            (basic(":hush"), None),
            (basic("a%:hush"), None),
            (basic("a&client=b:hush"), None),
            ("Bearer abc".to_owned(), None),
            ("Basic".to_owned(), None),
            ("Basic !".to_owned(), None),
        ] {
            let found = client_of_header(&headers(&[("authorization", &value)]));
            let found = found.map(|found| found.unwrap().0);
            assert_eq!(found.as_deref().ok(), client, "{value}");
        }
        let one = basic("a:b");
        let twice = headers(&[("authorization", &one), ("authorization", &one)]);
        assert_eq!(client_of_header(&twice), Err(Malformed));
        assert_eq!(client_of_header(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn a_query_may_say_what_the_form_does_not() {
        for (query, is_apart) in [
            (None, true),
            (Some(""), true),
            (Some("p=b2c_1_signin&api-version=1.0"), true),
            (Some("client_id=x"), false),
            (Some("Client_ID=x"), false),
            (Some("client%5Fid=x"), false),
            (Some("p=1;client_id=x"), false),
        ] {
            assert_eq!(query_is_apart(query), is_apart, "{query:?}");
        }
    }
}
