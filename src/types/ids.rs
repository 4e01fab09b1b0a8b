//! Ids and names: one newtype per meaning, so that a blueprint can never stand where an agent should.
//!
//! Entra's ids are GUIDs, which compare without regard to case; other issuers' ids (SPIFFE ids, client
//! ids) are opaque and compare byte for byte. `parse` folds the first kind and leaves the second alone,
//! so that equality of the newtypes is equality of what they name.

use std::fmt;
use std::sync::Arc;

use super::SharedParts;

/// The longest id that is accepted, in bytes.
pub const MAX_ID_BYTES: usize = 512;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("an id must not be empty")]
    Empty,
    /// Longer than [`MAX_ID_BYTES`].
    #[error("an id must not be longer than {MAX_ID_BYTES} bytes")]
    TooLong,
    /// A blank or a control character at this byte offset.
    #[error("an id must not hold a blank or a control character (byte {0})")]
    Character(usize),
}

/// Checks and folds one id.
fn parse_id(text: &str) -> Result<Arc<str>, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_ID_BYTES {
        return Err(IdError::TooLong);
    }
    // Nearly every id is of ASCII's letters, digits and signs, and need not be read character by character.
    if !text.bytes().all(|byte| byte.is_ascii_graphic())
        && let Some((at, _)) = text
            .char_indices()
            .find(|(_, c)| c.is_control() || c.is_whitespace())
    {
        return Err(IdError::Character(at));
    }
    if is_guid(text) && text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Ok(text.to_ascii_lowercase().into());
    }
    Ok(text.into())
}

/// Whether the text has the shape of a GUID: 8-4-4-4-12 hexadecimal digits.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

macro_rules! id_type {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads an id: 1 to [`MAX_ID_BYTES`] bytes without blanks or control characters; a GUID is lower-cased.
            ///
            /// # Errors
            /// [`IdError`] says what was wrong with the text.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                parse_id(text).map(Self)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Keeps the text once with all others of its content.
            pub fn share(&mut self, parts: &mut SharedParts) {
                parts.share(&mut self.0);
            }

            /// The same, in memory of its own.
            #[must_use]
            pub fn apart(&self) -> Self {
                Self(Arc::from(&*self.0))
            }

            /// The id as shared text, without a copy.
            #[must_use]
            pub fn to_shared(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }
    )*};
}

id_type! {
    /// An agent identity: the account of one agent. Its object id and its app id are the same value.
    AgentId;
    /// An agent user: the account of an agent that behaves as a person's would.
    AgentUserId;
    /// An application (client or resource) by its appId.
    AppId;
    /// A blueprint by its **appId**, as `agentIdentityBlueprintId` and `xms_par_app_azp` give it.
    BlueprintId;
    /// Any other directory object by its object id (a human, a sponsor, a service principal).
    ObjectId;
    /// A Conditional Access policy.
    PolicyId;
    /// A blueprint **principal** by its object id: the tenant's record of the blueprint.
    PrincipalId;
    /// A configured resource's name; also its metric label.
    ResourceName;
    /// A tenant.
    TenantId;
}

impl From<&ResourceName> for AppId {
    /// What stands for a resource that no policy names.
    fn from(name: &ResourceName) -> Self {
        Self(name.to_shared())
    }
}

/// One call's id: what `Boomgate-Decision-Id` carries and `boomgate explain` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(uuid::Uuid);

impl CallId {
    /// An id from 128 bits (a UUID, version 7, so that ids sort by time).
    #[must_use]
    pub const fn from_uuid(uuid: uuid::Uuid) -> Self {
        Self(uuid)
    }

    /// Writes the id's 36 characters into `buffer`, without an allocation.
    #[must_use]
    pub fn encode(self, buffer: &mut [u8; 36]) -> &str {
        self.0.hyphenated().encode_lower(buffer)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

impl serde::Serialize for CallId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.encode(&mut [0; 36]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_compare_without_regard_to_case_and_other_ids_byte_for_byte() {
        let guid = "A9A9A9A9-0000-4000-8000-00000000000F";
        assert_eq!(AgentId::parse(guid), AgentId::parse(&guid.to_lowercase()));
        assert_ne!(
            AgentId::parse("spiffe://t/A"),
            AgentId::parse("spiffe://t/a")
        );
    }

    #[test]
    fn refuses_what_could_be_two_ids_or_none() {
        assert_eq!(AgentId::parse(""), Err(IdError::Empty));
        assert_eq!(AgentId::parse("a b"), Err(IdError::Character(1)));
        assert_eq!(AgentId::parse("a\n"), Err(IdError::Character(1)));
        assert_eq!(
            AgentId::parse(&"a".repeat(MAX_ID_BYTES + 1)),
            Err(IdError::TooLong)
        );
    }
}
