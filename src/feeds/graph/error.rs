//! Why Graph gave no answer that can be used. Never here: a token, the query of an address, and what an answer held.

use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;

use crate::client::ClientError;
use crate::store::StoreError;
use crate::store::folder::FolderError;

/// Why Graph gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// Nothing can be asked.
    #[error("Graph cannot be asked")]
    Client(#[source] ClientError),
    /// There was no whole answer from this address.
    #[error("`{0}` cannot be fetched")]
    Fetch(String, #[source] ClientError),
    /// The file of the token that proves who we are.
    #[error("the federated token file `{0}` cannot be used: {1}")]
    TokenFile(PathBuf, String),
    /// The token endpoint gives no token.
    #[error("the token endpoint gives no token ({} {code}): {hint}", status.as_u16())]
    NoToken {
        /// Its answer's status.
        status: StatusCode,
        /// Its error code.
        code: String,
        /// What to look at.
        hint: &'static str,
    },
    /// What the token endpoint gave is no token.
    #[error("the token endpoint answered what it should not: {0}")]
    Token(&'static str),
    /// Graph does not take the token.
    #[error(
        "`{address}` does not take the token (401 {code}): `base_url`, `scope` and `token_url` must be of one cloud"
    )]
    Unauthorized {
        /// Where.
        address: String,
        /// Graph's error code.
        code: String,
    },
    /// The application may not.
    #[error(
        "`{address}` is not allowed (403 {code}): the application needs the permission `{permission}` with an administrator's consent, and the tenant a licence for it"
    )]
    Forbidden {
        /// Where.
        address: String,
        /// Graph's error code.
        code: String,
        /// The application permission.
        permission: &'static str,
    },
    /// Too many requests, or no service for now.
    #[error("`{address}` asks for patience ({})", status.as_u16())]
    Throttled {
        /// Where.
        address: String,
        /// The answer's status.
        status: StatusCode,
        /// How much of it.
        after: Option<Duration>,
    },
    /// Any other status.
    #[error("`{address}` answered {} {code}", status.as_u16())]
    Status {
        /// Where.
        address: String,
        /// The answer's status.
        status: StatusCode,
        /// Graph's error code.
        code: String,
    },
    /// The answer is not what Graph's form says.
    #[error("`{0}` answered what it should not: {1}")]
    Document(String, &'static str),
    /// The next page is not Graph's.
    #[error("the next page of `{0}` is at another place than `base_url`; it is not fetched")]
    Elsewhere(String),
    /// A list does not end.
    #[error("`{0}` has more than {1} pages; see `max_pages`")]
    TooManyPages(String, u32),
    /// Objects of which it is not known whom they are about: what was read is not all.
    #[error("not everything could be read: {0}")]
    Objects(String),
    /// What was read could not be kept.
    #[error("what was read could not be kept")]
    Store(#[source] StoreError),
    /// The same, in the folder of the directory.
    #[error("what was read could not be kept")]
    Folder(#[source] FolderError),
}

impl GraphError {
    /// How long Graph wants not to be asked.
    #[must_use]
    pub const fn patience(&self) -> Option<Duration> {
        match self {
            Self::Throttled { after, .. } => *after,
            _ => None,
        }
    }

    /// Whether a list goes on at the page that failed, rather than from its beginning.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Client(_)
            | Self::Fetch(..)
            | Self::TokenFile(..)
            | Self::NoToken { .. }
            | Self::Token(_)
            | Self::Unauthorized { .. }
            | Self::Throttled { .. }
            | Self::Store(_)
            | Self::Folder(_) => true,
            Self::Status { status, .. } => status.is_server_error(),
            Self::Forbidden { .. }
            | Self::Document(..)
            | Self::Elsewhere(_)
            | Self::TooManyPages(..)
            | Self::Objects(_) => false,
        }
    }
}
