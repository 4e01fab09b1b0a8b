//! Names that may be taken once in their time: those of the proofs that come with calls, so that nobody uses one twice.
//!
//! Replicas that share an engine take them there. A process of its own keeps them in memory, and so cannot tell what was
//! taken before it started. Never here: a name that is forgotten while it could be taken, and "not taken" for "could not
//! be asked".

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{RedisStore, StoreError};
use crate::types::Timestamp;

/// The most names that one process keeps for one time: some 100 MB.
const MOST: usize = 1_000_000;

/// A name that somebody wants to take.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a> {
    /// The name.
    pub text: &'a Arc<str>,
    /// When it was made.
    pub made_at: Timestamp,
    /// From then on nobody will want it.
    pub until: Timestamp,
}

/// Whether a name was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is taken now, for the first time.
    Now,
    /// It was taken before.
    Before,
    /// It was made before this process started, which so cannot tell.
    Unknowable,
}

/// Where names are kept.
#[derive(Debug)]
pub enum Names {
    /// In this process.
    Own(OwnNames),
    /// In the engine that replicas share.
    Shared(Arc<RedisStore>),
}

impl Names {
    /// Takes a name, if nobody has it.
    ///
    /// # Errors
    /// [`StoreError`] if nobody can tell.
    pub async fn take(&self, name: Name<'_>, now: Timestamp) -> Result<Taken, StoreError> {
        match self {
            Self::Own(names) => names.take(name, now),
            Self::Shared(engine) => {
                let left = name.until.since(now).max(Duration::from_millis(1));
                let is_first = engine.take(name.text, left).await?;
                Ok(if is_first { Taken::Now } else { Taken::Before })
            }
        }
    }
}

/// Names in the memory of this process.
#[derive(Debug)]
pub struct OwnNames {
    since: Timestamp,
    longest: Duration,
    kept: Mutex<Kept>,
}

/// Two times' names: those of the last one are still wanted while those of the next one come.
#[derive(Debug)]
struct Kept {
    begun: Timestamp,
    now: HashSet<Arc<str>>,
    before: HashSet<Arc<str>>,
}

impl OwnNames {
    /// None, from now on. No name is wanted for longer than `longest`.
    #[must_use]
    pub fn new(now: Timestamp, longest: Duration) -> Self {
        Self {
            since: now,
            longest,
            kept: Mutex::new(Kept {
                begun: now,
                now: HashSet::new(),
                before: HashSet::new(),
            }),
        }
    }

    fn take(&self, name: Name<'_>, now: Timestamp) -> Result<Taken, StoreError> {
        if name.made_at < self.since {
            return Ok(Taken::Unknowable);
        }
        let mut kept = self.kept.lock();
        if now >= kept.begun.after(self.longest) {
            let is_long_ago = now >= kept.begun.after(self.longest.saturating_mul(2));
            let last = std::mem::take(&mut kept.now);
            kept.before = if is_long_ago { HashSet::new() } else { last };
            kept.begun = now;
        }
        if kept.before.contains(name.text) || kept.now.contains(name.text) {
            return Ok(Taken::Before);
        }
        if kept.now.len() >= MOST {
            let message = format!("{MOST} proofs came within {:?}", self.longest);
            return Err(StoreError::Unavailable(message));
        }
        kept.now.insert(Arc::clone(name.text));
        Ok(Taken::Now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_000 + seconds)
    }

    fn take(names: &OwnNames, text: &str, made_at: i64, now: i64) -> Taken {
        let name = Name {
            text: &text.into(),
            made_at: at(made_at),
            until: at(made_at + 60),
        };
        names.take(name, at(now)).unwrap()
    }

    #[test]
    fn a_name_is_taken_once_for_as_long_as_it_is_wanted() {
        let names = OwnNames::new(at(0), Duration::from_secs(120));
        assert_eq!(take(&names, "a", 50, 50), Taken::Now);
        for now in [50, 119, 120, 169, 239] {
            assert_eq!(take(&names, "a", 50, now), Taken::Before, "{now}");
        }
        assert_eq!(take(&names, "b", 239, 239), Taken::Now);
        assert_eq!(take(&names, "b", 239, 358), Taken::Before);
        // Whoever asks for it now would be told that it is too old.
        assert_eq!(take(&names, "a", 50, 358), Taken::Now);
    }

    #[test]
    fn what_was_made_before_the_start_may_have_been_taken() {
        let names = OwnNames::new(at(0), Duration::from_secs(120));
        assert_eq!(take(&names, "a", -1, 0), Taken::Unknowable);
        assert_eq!(take(&names, "a", 0, 0), Taken::Now);
    }
}
