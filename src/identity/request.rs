//! A request for a token: what is said of who asks, for whom and for what, and what is kept of it.
//!
//! A [`TokenRequest`] holds credentials and is dropped with its call; [`RequestFacts`] hold none.

use std::net::IpAddr;
use std::sync::Arc;

use super::caller::TokenFacts;
use super::evidence::Evidence;
use super::profile::entra::EXCHANGE_APP_ID;
use crate::call::{Resource, UnknownClients};
use crate::types::{AppId, Secret, TenantId};

/// How a token is asked for: `grant_type` (RFC 6749 §4.5), as far as it tells who the subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// For the client itself.
    ClientCredentials,
    /// For the subject of an assertion (RFC 7523 §2.1); on behalf of a user, in Entra.
    JwtBearer,
    /// For an agent user (Entra).
    UserFic,
    /// For the subject of a token (RFC 8693).
    TokenExchange,
    /// For a user who signed in by a browser.
    AuthorizationCode,
    /// For a user who signed in on another device (RFC 8628).
    DeviceCode,
    /// For a user whose password the client has.
    Password,
    /// For whomever an earlier token was for.
    RefreshToken,
    /// Another one: nothing says who the subject is.
    Other,
}

impl Grant {
    /// Every grant that has a name, by it.
    const NAMES: [(&'static str, Self); 8] = [
        ("client_credentials", Self::ClientCredentials),
        (
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::JwtBearer,
        ),
        ("user_fic", Self::UserFic),
        (
            "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::TokenExchange,
        ),
        ("authorization_code", Self::AuthorizationCode),
        (
            "urn:ietf:params:oauth:grant-type:device_code",
            Self::DeviceCode,
        ),
        ("password", Self::Password),
        ("refresh_token", Self::RefreshToken),
    ];

    /// Reads `grant_type`. Entra takes `device_code` by its short name too.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "device_code" {
            return Self::DeviceCode;
        }
        let mut names = Self::NAMES.iter();
        names
            .find(|(name, _)| *name == text)
            .map_or(Self::Other, |(_, grant)| *grant)
    }

    /// Its name in a request; `other` for those that are not known here.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        names
            .find(|(_, grant)| *grant == self)
            .map_or("other", |(name, _)| name)
    }

    /// Whether a user who has signed in is the subject.
    #[must_use]
    pub const fn is_of_a_user(self) -> bool {
        match self {
            Self::AuthorizationCode | Self::DeviceCode | Self::Password | Self::RefreshToken => {
                true
            }
            Self::ClientCredentials
            | Self::JwtBearer
            | Self::UserFic
            | Self::TokenExchange
            | Self::Other => false,
        }
    }
}

/// By what the client says that it is the one.
#[derive(Debug, Clone)]
pub enum ClientCredential {
    /// Nothing in the request.
    None,
    /// A secret, which only the issuer can check.
    Secret,
    /// A JWT (RFC 7523 §2.2).
    Assertion(Secret),
    /// An assertion of another kind.
    Other,
    /// The issuer has checked it, and does not show it.
    Checked,
}

impl ClientCredential {
    /// Graph's `clientCredentialType`, where it is seen.
    #[must_use]
    pub const fn as_str(&self) -> Option<&'static str> {
        match self {
            Self::None => Some("none"),
            Self::Secret => Some("clientSecret"),
            Self::Assertion(_) | Self::Other => Some("clientAssertion"),
            Self::Checked => None,
        }
    }
}

/// Who tells of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// The client itself: the call is its own.
    Client,
    /// The issuer, which has checked who the client and the subject are.
    Issuer {
        /// The client's address, if the issuer says it. That of the call is the issuer's own.
        address: Option<IpAddr>,
    },
}

/// The agent user that a token is asked for.
#[derive(Debug, Clone)]
pub enum UserName {
    /// By object id.
    Id(Box<str>),
    /// By `userPrincipalName`.
    PrincipalName(Box<str>),
}

/// A resource that a token is asked for.
#[derive(Debug, Clone)]
pub struct Target {
    /// As the request names it; `None` where it names none.
    pub name: Option<Arc<str>>,
    /// What is known of it.
    pub known: KnownTarget,
}

/// What is known of a resource that a token is asked for.
#[derive(Debug, Clone)]
pub enum KnownTarget {
    /// All: it is configured.
    Resource(Arc<Resource>),
    /// Its appId and nothing else.
    AppId(AppId),
    /// Nothing: it may be any.
    Nothing,
    /// That a token for it serves only to get another one (`reference/entra.md` §2.1).
    Exchange,
}

impl KnownTarget {
    /// The appId, where it is known.
    #[must_use]
    pub fn app_id(&self) -> Option<&str> {
        match self {
            Self::Resource(resource) => Some(resource.app_id.as_str()),
            Self::AppId(id) => Some(id.as_str()),
            Self::Exchange => Some(EXCHANGE_APP_ID),
            Self::Nothing => None,
        }
    }
}

/// What a request for a token says.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The configured name of the issuer that is asked.
    pub issuer: Arc<str>,
    /// What a client is that asks for itself, and that the directory does not know.
    pub unknown_clients: UnknownClients,
    /// Who tells of it.
    pub teller: Teller,
    /// How it is asked for.
    pub grant: Grant,
    /// The client, as a parameter or the `Authorization` header names it.
    pub client: Option<Box<str>>,
    /// What it shows for that.
    pub credential: ClientCredential,
    /// `fmi_path`: the agent identity that a blueprint means to act as.
    pub acts_as: Option<Box<str>>,
    /// For whom, by the word of [`Teller::Issuer`]; `None`: for the client itself, or for somebody who is not named.
    pub subject: Option<Box<str>>,
    /// `assertion` or `subject_token`: says for whom.
    pub subject_token: Option<Secret>,
    /// `actor_token`: says who acts (RFC 8693).
    pub actor_token: Option<Secret>,
    /// `username` or `user_id` of [`Grant::UserFic`].
    pub user: Option<UserName>,
    /// `user_federated_identity_credential`: proves that the agent may be that user.
    pub user_credential: Option<Secret>,
    /// What for; at least one.
    pub targets: Vec<Target>,
    /// The scopes, as they were asked for.
    pub scopes: Arc<[Arc<str>]>,
}

impl TokenRequest {
    /// Whether a user who has signed in is the subject: by the grant, or by the issuer's word where the grant does not tell.
    #[must_use]
    pub fn is_of_a_user(&self) -> bool {
        self.grant.is_of_a_user() || (self.grant == Grant::Other && self.subject.is_some())
    }
}

/// What is kept of a request for a token once its caller is known.
#[derive(Debug, Clone)]
pub struct RequestFacts {
    /// The configured name of the issuer that is asked.
    pub issuer: Arc<str>,
    /// Its tenant, where it has one.
    pub tenant: Option<TenantId>,
    /// Who tells of it.
    pub teller: Teller,
    /// How it is asked for.
    pub grant: Grant,
    /// Who asks.
    pub client: AppId,
    /// Graph's `clientCredentialType`, where it is seen.
    pub credential: Option<&'static str>,
    /// What for; at least one.
    pub targets: Vec<Target>,
    /// The scopes, as they were asked for.
    pub scopes: Arc<[Arc<str>]>,
    /// Whether no policy judges it: a blueprint or an agent takes a step towards its own token.
    pub is_exempt: bool,
    /// The verified token by which the subject is known, where there is one.
    pub token: Option<Arc<TokenFacts>>,
    /// What is shown of the session where there is none.
    pub nothing: Evidence,
}
