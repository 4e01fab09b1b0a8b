//! Tokens that were verified, remembered for as long as nothing that the check rested on has changed.
//!
//! The key names all of it: the state of issuers and keys, the audiences, and the token by its SHA-256. It is a
//! structure that compares part by part, never a text that parts are joined into, so no two inputs meet.
//! Each thread keeps copies of what it found lately, so that workers seldom meet in what they share; there a token goes by a
//! tag that is faster than a SHA-256.
//! Never here: a verdict, a refusal, and a token's text.

mod lately;
mod tag;

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;
use parking_lot::Mutex;

use self::lately::Lately;
use self::tag::Tagger;
use super::digest::Digest;
use super::issuers::Generation;
use super::verify::Verified;
use crate::types::{Apart, PerThread, Timestamp};

/// What a check of a token rested on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    generation: Generation,
    audiences: Arc<[Arc<str>]>,
    token: Digest,
}

/// What a check of a token rests on, before it is known whether it is remembered.
pub(super) struct Sought<'a> {
    generation: Generation,
    audiences: &'a Arc<[Arc<str>]>,
    token: &'a [u8],
    /// Of the token, once somebody has asked for it.
    digest: OnceCell<Digest>,
}

impl<'a> Sought<'a> {
    /// This token, checked for these audiences in this state of the issuers.
    pub(super) const fn new(
        generation: Generation,
        audiences: &'a Arc<[Arc<str>]>,
        token: &'a [u8],
    ) -> Self {
        Self {
            generation,
            audiences,
            token,
            digest: OnceCell::new(),
        }
    }

    fn key(&self) -> Key {
        Key {
            generation: self.generation,
            audiences: Arc::clone(self.audiences),
            token: *self.digest.get_or_init(|| Digest::of_bytes(self.token)),
        }
    }
}

#[derive(Debug, Clone)]
struct Entry {
    verified: Arc<Verified>,
    /// When it was verified. Before that moment nobody knows whether it is valid yet: the clock was set back.
    at: Timestamp,
    /// When the token expires.
    until: Timestamp,
}

impl Entry {
    /// Whether the token is valid now. The cache's own clock is not trusted with that.
    fn is_valid_at(&self, now: Timestamp) -> bool {
        self.at <= now && now < self.until
    }
}

/// The cache of verified tokens, shared by all workers.
#[derive(Debug)]
pub(super) struct VerifiedTokens(Option<Tokens>);

#[derive(Debug)]
struct Tokens {
    all: Cache<Key, Entry>,
    lately: PerThread<Apart<Mutex<Lately>>>,
    /// Where there is none, no thread remembers anything.
    tagger: Option<Tagger>,
}

impl VerifiedTokens {
    /// A cache of at most so many tokens; 0 turns it off.
    pub(super) fn new(entries: u64) -> Self {
        let tokens = || Tokens {
            all: Cache::builder()
                .max_capacity(entries)
                .expire_after(AtTokenExpiry)
                .build(),
            lately: PerThread::new(|| Apart(Mutex::new(Lately::new(entries)))),
            tagger: Tagger::new(),
        };
        Self((entries > 0).then(tokens))
    }

    /// Whether it is on.
    pub(super) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The token, if it was verified and has not expired since.
    pub(super) fn get(&self, sought: &Sought<'_>, now: Timestamp) -> Option<Arc<Verified>> {
        let tokens = self.0.as_ref()?;
        let valid = |entry: &Entry| entry.is_valid_at(now);
        let tag = tokens.tagger.as_ref();
        let tag = tag.and_then(|tagger| tagger.tag(sought.token));
        let mut lately = tokens.lately.mine().0.lock();
        let found = tag.and_then(|tag| lately.get(tag, sought));
        if let Some(entry) = found.filter(|entry| valid(entry)) {
            return Some(Arc::clone(&entry.verified));
        }
        let entry = tokens.all.get(&sought.key()).filter(valid)?;
        Some(match tag {
            Some(tag) => lately.put(tag, sought, &entry),
            None => entry.verified,
        })
    }

    /// Remembers a token, at most until it expires. One that lives on in the leeway is not remembered.
    pub(super) fn put(&self, sought: &Sought<'_>, verified: &Arc<Verified>, now: Timestamp) {
        let until = verified.facts().expires_at;
        if let Some(tokens) = &self.0
            && now < until
        {
            let verified = Arc::clone(verified);
            tokens.all.insert(
                sought.key(),
                Entry {
                    verified,
                    at: now,
                    until,
                },
            );
        }
    }
}

/// Frees the room of a token when it expires.
struct AtTokenExpiry;

impl Expiry<Key, Entry> for AtTokenExpiry {
    fn expire_after_create(&self, _key: &Key, entry: &Entry, _at: Instant) -> Option<Duration> {
        Some(entry.until.since(entry.at))
    }

    fn expire_after_update(
        &self,
        _key: &Key,
        entry: &Entry,
        _at: Instant,
        _until_expiry: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.until.since(entry.at))
    }
}

#[cfg(test)]
mod tests;
