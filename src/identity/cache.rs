//! Tokens that were verified, remembered for as long as nothing that the check rested on has changed.
//!
//! The key names all of it: the state of issuers and keys, the audiences, and the token by its SHA-256. It is a
//! structure that compares part by part, never a text that parts are joined into, so no two inputs meet.
//! Never here: a verdict, a refusal, who the directory says the caller is, and a token's text.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

use super::digest::Digest;
use super::issuers::Generation;
use super::verify::Verified;
use crate::types::Timestamp;

/// What a check of a token rested on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    generation: Generation,
    audiences: Arc<[Arc<str>]>,
    token: Digest,
}

impl Key {
    /// The key of this token, checked for these audiences in this state of the issuers.
    pub(super) fn new(generation: Generation, audiences: &Arc<[Arc<str>]>, token: &str) -> Self {
        Self {
            generation,
            audiences: Arc::clone(audiences),
            token: Digest::of_bytes(token.as_bytes()),
        }
    }
}

#[derive(Debug, Clone)]
struct Entry {
    verified: Arc<Verified>,
    /// When it was verified. Before that moment nobody knows whether it is valid yet: the clock was set back.
    at: Timestamp,
    /// How long the token had to live when it was remembered.
    remaining: Duration,
}

/// The cache of verified tokens, shared by all workers.
#[derive(Debug)]
pub(super) struct VerifiedTokens(Option<Cache<Key, Entry>>);

impl VerifiedTokens {
    /// A cache of at most so many tokens; 0 turns it off.
    pub(super) fn new(entries: u64) -> Self {
        let cache = || {
            Cache::builder()
                .max_capacity(entries)
                .expire_after(AtTokenExpiry)
                .build()
        };
        Self((entries > 0).then(cache))
    }

    /// Whether it is on.
    pub(super) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The token, if it was verified and has not expired since. The cache's own clock is not trusted with that.
    pub(super) fn get(&self, key: &Key, now: Timestamp) -> Option<Arc<Verified>> {
        let entry = self.0.as_ref()?.get(key)?;
        let is_valid = entry.at <= now && now < entry.verified.facts().expires_at;
        is_valid.then_some(entry.verified)
    }

    /// Remembers a token, at most until it expires. One that lives on in the leeway is not remembered.
    pub(super) fn put(&self, key: Key, verified: &Arc<Verified>, now: Timestamp) {
        let remaining = verified.facts().expires_at.since(now);
        if let Some(cache) = &self.0
            && !remaining.is_zero()
        {
            let verified = Arc::clone(verified);
            cache.insert(
                key,
                Entry {
                    verified,
                    at: now,
                    remaining,
                },
            );
        }
    }
}

/// Frees the room of a token when it expires.
struct AtTokenExpiry;

impl Expiry<Key, Entry> for AtTokenExpiry {
    fn expire_after_create(&self, _key: &Key, entry: &Entry, _at: Instant) -> Option<Duration> {
        Some(entry.remaining)
    }

    fn expire_after_update(
        &self,
        _key: &Key,
        entry: &Entry,
        _at: Instant,
        _until_expiry: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.remaining)
    }
}

#[cfg(test)]
mod tests;
