//! Keys that are made in memory and take turns: one signs, the next is known already, the last is known still.
//!
//! Whoever signs first after the time is up turns the ring; nobody waits for that. A key is published for a whole turn
//! before it signs, and for a whole turn after it, which is longer than any assertion lives.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serde_json::Value;

use super::key::{KeyError, SigningKey};
use crate::types::Timestamp;

/// The keys, as they are now.
#[derive(Debug)]
pub(super) struct Ring {
    turn: ArcSwap<Turn>,
    turning: Mutex<()>,
}

#[derive(Debug)]
struct Turn {
    previous: Option<Arc<SigningKey>>,
    current: Arc<SigningKey>,
    next: Arc<SigningKey>,
    /// When the next one signs.
    ends_at: Timestamp,
}

impl Ring {
    /// New keys, the first of which signs until then.
    pub(super) fn new(ends_at: Timestamp) -> Result<Self, KeyError> {
        let first = Turn {
            previous: None,
            current: Arc::new(SigningKey::make()?),
            next: Arc::new(SigningKey::make()?),
            ends_at,
        };
        Ok(Self {
            turn: ArcSwap::from_pointee(first),
            turning: Mutex::default(),
        })
    }

    /// The key that signs now, where each does for so long.
    pub(super) fn at(&self, now: Timestamp, rotation: Duration) -> Arc<SigningKey> {
        Arc::clone(&self.turned(now, rotation).current)
    }

    /// The public halves.
    pub(super) fn to_jwks(&self, now: Timestamp, rotation: Duration) -> Vec<Value> {
        let turn = self.turned(now, rotation);
        let keys = turn.previous.iter().chain([&turn.current, &turn.next]);
        keys.map(|key| key.to_jwk()).collect()
    }

    fn turned(&self, now: Timestamp, rotation: Duration) -> Arc<Turn> {
        let turn = self.turn.load_full();
        if now < turn.ends_at {
            return turn;
        }
        // One turns; the others go on with what there is.
        let Some(_turning) = self.turning.try_lock() else {
            return turn;
        };
        let turn = self.turn.load_full();
        if now < turn.ends_at {
            return turn;
        }
        match SigningKey::make() {
            Ok(made) => {
                self.turn.store(Arc::new(Turn {
                    previous: Some(Arc::clone(&turn.current)),
                    current: Arc::clone(&turn.next),
                    next: Arc::new(made),
                    ends_at: now.after(rotation),
                }));
                self.turn.load_full()
            }
            // The old key is as good as it was; the next call tries again.
            Err(_) => turn,
        }
    }
}
