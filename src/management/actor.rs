//! Who asks, and what their role lets them do.
//!
//! A handler finds the [`Actor`] in the request's extensions; without one there is no handler. Reading needs `reader`,
//! the daily actions on agents `operator`, all else `admin`: what nobody thought of is closed to all others.

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};

use super::graph::GraphError;
use crate::record::change::{Identity, Initiator};

/// What somebody may do. Each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees everything but secrets.
    Reader,
    /// Also says what is to be held of agents, and disables and enables them.
    Operator,
    /// Also changes policies and the directory.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Operator, Self::Admin];

    /// Its stable name, as tokens carry it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The highest role among these names.
    pub(super) fn highest(names: &[Arc<str>]) -> Option<Self> {
        let has = |role: &Self| names.iter().any(|name| **name == *role.as_str());
        Self::ALL.into_iter().rev().find(has)
    }

    /// The least role that a request needs. What a body changes may need more: see [`Actor::require`].
    pub(super) fn needed(method: &Method, path: &str) -> Self {
        if method == Method::GET || method == Method::HEAD {
            return Self::Reader;
        }
        if method == Method::POST && path == "/global-token-revocation" {
            return Self::Operator;
        }
        if method == Method::POST && path.starts_with("/signals/") {
            return Self::Operator;
        }
        let path = path
            .strip_prefix("/beta/")
            .or_else(|| path.strip_prefix("/v1.0/"))
            .unwrap_or_default();
        if method == Method::POST {
            return match path {
                "identityProtection/riskyAgents/confirmCompromised"
                | "identityProtection/riskyAgents/confirmSafe"
                | "identityProtection/riskyAgents/dismiss" => Self::Operator,
                // What-If changes nothing.
                "identity/conditionalAccess/evaluate" => Self::Reader,
                _ => Self::Admin,
            };
        }
        let is_account = path.starts_with("servicePrincipals/") || path.starts_with("users/");
        if method == Method::PATCH && is_account {
            Self::Operator
        } else {
            Self::Admin
        }
    }
}

/// Who asks; shown as records and logs name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) credential: Credential,
    pub(super) role: Role,
}

/// By what somebody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// The admin token of the configuration: whoever holds it.
    AdminToken,
    /// A token of an issuer.
    Token {
        /// The account.
        subject: Arc<str>,
        /// Whether it is a person's.
        is_person: bool,
        /// The issuer's configured name.
        issuer: Arc<str>,
    },
}

impl Actor {
    /// As the audit log names it.
    pub(super) fn initiator(&self) -> Initiator {
        let (id, is_person) = match &self.credential {
            Credential::AdminToken => (None, false),
            Credential::Token {
                subject, is_person, ..
            } => (Some(Arc::clone(subject)), *is_person),
        };
        let identity = Identity {
            id,
            display_name: self.to_string().into(),
            roles: vec![self.role.as_str()],
        };
        if is_person {
            Initiator {
                app: None,
                user: Some(identity),
            }
        } else {
            Initiator {
                app: Some(identity),
                user: None,
            }
        }
    }

    /// # Errors
    /// 403 if the actor's role does not include `role`.
    pub(super) fn require(&self, role: Role) -> Result<(), GraphError> {
        if self.role >= role {
            return Ok(());
        }
        let message = format!(
            "this needs the role `{}`, and {self} has the role `{}`",
            role.as_str(),
            self.role.as_str()
        );
        Err(GraphError::new(StatusCode::FORBIDDEN, message))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.credential {
            Credential::AdminToken => f.write_str("admin token"),
            Credential::Token {
                subject, issuer, ..
            } => write!(f, "{subject} of issuer {issuer}"),
        }
    }
}
