//! The tokens that one thread found in the cache lately, in one state of the issuers.
//!
//! What the cache notes with each look costs more than all else of one, and the workers note it in the same places. A token
//! that is found here looks unused there: where the cache is full it may be forgotten there first.
//! Never here: a token that the cache did not have.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::tag::Tag;
use super::{Entry, Generation, Sought, Verified};
use crate::types::SharedParts;

/// The most that a thread remembers.
const TOKENS: usize = 4_096;

/// What one thread remembers.
#[derive(Debug)]
pub(super) struct Lately {
    generation: Option<Generation>,
    /// By the token; of one that was sought for several audiences, the last.
    tokens: HashMap<Tag, Found, BuildHasherDefault<FirstBytes>>,
    /// What those tokens have in common.
    common: SharedParts,
    most: usize,
}

#[derive(Debug)]
struct Found {
    audiences: Arc<[Arc<str>]>,
    entry: Entry,
}

impl Lately {
    /// Remembers at most as many as the whole cache.
    pub(super) fn new(entries: u64) -> Self {
        Self {
            generation: None,
            tokens: HashMap::default(),
            common: SharedParts::default(),
            most: usize::try_from(entries).map_or(TOKENS, |entries| entries.min(TOKENS)),
        }
    }

    /// What was remembered of the token with this tag, if it was found for these audiences in this state of the issuers.
    pub(super) fn get(&self, tag: Tag, sought: &Sought<'_>) -> Option<&Entry> {
        if self.generation != Some(sought.generation) {
            return None;
        }
        let found = self.tokens.get(&tag)?;
        (found.audiences == *sought.audiences).then_some(&found.entry)
    }

    /// Remembers a copy of what the cache had. Where there is no room, or the issuers have changed, all else is forgotten:
    /// the cache has it.
    pub(super) fn put(&mut self, tag: Tag, sought: &Sought<'_>, entry: &Entry) -> Arc<Verified> {
        let is_full = || {
            let is_new = !self.tokens.contains_key(&tag);
            is_new && self.tokens.len() >= self.most
        };
        if self.generation != Some(sought.generation) || is_full() {
            self.tokens.clear();
            self.common = SharedParts::default();
            self.generation = Some(sought.generation);
        }
        let audiences = Arc::clone(sought.audiences);
        let verified = Arc::new(entry.verified.apart(&mut self.common));
        let entry = Entry {
            verified: Arc::clone(&verified),
            ..*entry
        };
        self.tokens.insert(tag, Found { audiences, entry });
        verified
    }
}

/// A hash of what is one already.
#[derive(Debug, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
