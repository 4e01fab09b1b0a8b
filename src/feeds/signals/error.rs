//! Why a transmitter gave no answer that can be used. Never here: a token, and what an answer held.

use http::StatusCode;

use crate::client::ClientError;
use crate::identity::KeySetError;

/// Why a transmitter gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum TransmitterError {
    /// It cannot be asked.
    #[error("`{0}` cannot be fetched")]
    Fetch(String, #[source] ClientError),
    /// Any status that does not fit.
    #[error("`{0}` answered {1}")]
    Status(String, StatusCode),
    /// The answer is not what the standard says.
    #[error("`{0}` answered what it should not: {1}")]
    Document(String, &'static str),
    /// The answer is another issuer's (SSF §7.2, §8.1.1).
    #[error("`{0}` is of another issuer than the one that is configured")]
    Issuer(String),
    /// The keys cannot be used.
    #[error("the keys of `{0}` cannot be used")]
    Keys(String, #[source] KeySetError),
    /// The token for the transmitter fits into no header.
    #[error("the token for the transmitter fits into no header")]
    Token,
    /// It has no such endpoint, or the stream is not managed here.
    #[error("the transmitter has no `{0}`, or the stream is not managed here")]
    Absent(&'static str),
}
