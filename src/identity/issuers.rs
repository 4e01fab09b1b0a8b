//! The issuers whose tokens are accepted, each with its settings and the keys that it has at the moment.
//!
//! One value is immutable; new keys make a new one. Never here: a fetch, and the clock.

use std::sync::Arc;

use super::digest::Digest;
use super::keys::KeySet;
use super::settings::IssuerSettings;
use crate::types::{Reason, Timestamp};

/// An issuer's keys as they were last loaded.
#[derive(Debug, Clone)]
pub struct IssuerKeys {
    /// The keys.
    pub set: KeySet,
    /// When they were loaded.
    pub loaded_at: Timestamp,
}

/// One issuer.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// What the operator says of it.
    pub settings: Arc<IssuerSettings>,
    /// Its keys; `None` until they were loaded once.
    pub keys: Option<Arc<IssuerKeys>>,
}

impl Issuer {
    /// The keys that tokens may be checked with at `now`.
    ///
    /// # Errors
    /// [`Reason::KeysUnavailable`] if they were never loaded, or are older than the operator's limit.
    pub fn fresh_keys(&self, now: Timestamp) -> Result<&KeySet, Reason> {
        // FAIL-CLOSED: keys that may have been withdrawn meanwhile prove nothing.
        self.keys
            .as_ref()
            .filter(|keys| now.since(keys.loaded_at) <= self.settings.keys.stale_after)
            .map(|keys| &keys.set)
            .ok_or(Reason::KeysUnavailable)
    }
}

/// Names one state of all issuers: their settings and their keys. Whatever was found out about a token holds for one
/// generation only. The same keys fetched again are the same generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(Digest);

/// All issuers of one configuration.
#[derive(Debug, Clone)]
pub struct Issuers {
    issuers: Vec<Issuer>,
    generation: Generation,
}

impl Issuers {
    /// Takes the issuers of one configuration. That no two share an `iss` was checked by its reader.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>) -> Self {
        let state: Vec<_> = issuers
            .iter()
            .map(|issuer| {
                let content = issuer.keys.as_ref().map(|keys| keys.set.content());
                (&issuer.settings, content)
            })
            .collect();
        Self {
            generation: Generation(Digest::of(&state)),
            issuers,
        }
    }

    /// The same issuers, one of them with the keys that were just loaded. A name that none has changes nothing.
    #[must_use]
    pub fn with_keys(&self, name: &str, keys: IssuerKeys) -> Self {
        let mut issuers = self.issuers.clone();
        if let Some(issuer) = issuers
            .iter_mut()
            .find(|issuer| *issuer.settings.name == *name)
        {
            issuer.keys = Some(Arc::new(keys));
        }
        Self::new(issuers)
    }

    /// Every issuer, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Issuer> {
        self.issuers.iter()
    }

    /// The issuer that writes this `iss` into its tokens; compared byte for byte.
    #[must_use]
    pub fn of(&self, iss: &str) -> Option<&Issuer> {
        let writes = |issuer: &&Issuer| issuer.settings.issuers.iter().any(|known| **known == *iss);
        self.issuers.iter().find(writes)
    }

    /// The issuer of this configured name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Issuer> {
        self.issuers
            .iter()
            .find(|issuer| *issuer.settings.name == *name)
    }

    /// The state of settings and keys.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }
}

impl Default for Issuers {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

#[cfg(test)]
mod tests;
