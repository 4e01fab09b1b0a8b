//! State in Redis or Valkey, which replicas share: a hash of entries, and a stream of their changes in order.
//!
//! One script changes both at once, so that a change is in the stream if and only if it is in the hash. A replica
//! follows the stream from where it was; what it finds it has missed, it reads from the hash.
//! Never here: an entry that is removed, and a word that is older than the one that is kept.

mod connection;
mod follow;
mod script;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{Cmd, FromRedisValue};
use rustls::ClientConfig;
use tokio::sync::Mutex;

use self::connection::{Connection, EngineError};
use super::settings::RedisSettings;
use super::{Answer, Sealed, StateStore, StoreError};
use crate::risk::Rank;

pub use follow::Follower;

/// The most entries that one command carries.
const ENTRIES: usize = 1_000;

/// State that replicas share.
#[derive(Debug)]
pub struct RedisStore {
    engine: Arc<Engine>,
    /// The connection that writes; taken out while it is in use, and put back only if all went well.
    writer: Mutex<Option<Connection>>,
    /// The connection that takes names, for many calls at once; put aside when anything went wrong on it.
    taker: Mutex<Option<Arc<Connection>>>,
}

/// The engine's address and the names of its keys.
struct Engine {
    settings: RedisSettings,
    tls: Option<Arc<ClientConfig>>,
    keys: Keys,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("settings", &self.settings)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// The names of keys. What is in braces puts them on one node of a cluster.
#[derive(Debug)]
struct Keys {
    /// A hash: an entry's key to its rank, a blank and its value.
    state: String,
    /// A stream of the changes of the hash, each with its number.
    log: String,
    /// A hash: `seq`, the number of the last change; `epoch`, which is another one if the engine has lost all.
    meta: String,
    /// Set while a replica gives back what the engine has lost.
    healer: String,
    /// How the names begin that may be taken once.
    taken: String,
}

/// The ranks of what an engine keeps.
type Ranks = BTreeMap<Arc<str>, Rank>;

impl RedisStore {
    /// An engine that is not asked yet, and what follows its changes. With TLS, if there is a configuration of it.
    #[must_use]
    pub fn new(settings: RedisSettings, tls: Option<Arc<ClientConfig>>) -> (Self, Follower) {
        let prefix = &settings.prefix;
        let keys = Keys {
            state: format!("{{{prefix}}}:state"),
            log: format!("{{{prefix}}}:log"),
            meta: format!("{{{prefix}}}:meta"),
            healer: format!("{{{prefix}}}:healer"),
            taken: format!("{{{prefix}}}:taken:"),
        };
        let engine = Arc::new(Engine {
            settings,
            tls,
            keys,
        });
        let store = Self {
            engine: Arc::clone(&engine),
            writer: Mutex::new(None),
            taker: Mutex::new(None),
        };
        (store, Follower::new(engine))
    }
}

impl RedisStore {
    /// Takes a name for so long; whether nobody had it.
    ///
    /// # Errors
    /// [`StoreError`] if the engine does not say: then it may be taken all the same.
    pub async fn take(&self, name: &str, lifetime: Duration) -> Result<bool, StoreError> {
        let mut command = Cmd::new();
        command.arg("SET");
        command.arg(format!("{}{name}", self.engine.keys.taken));
        command.arg("1").arg("NX").arg("PX");
        command.arg(lifetime.as_millis().to_string());
        let connection = self.taker().await?;
        let asked = connection.ask_beside(&command, self.engine.settings.timeout);
        let done: Result<Option<String>, _> = asked.await;
        match done {
            Ok(done) => Ok(done.is_some()),
            Err(error) => {
                // The next one gets another connection.
                let mut taker = self.taker.lock().await;
                if taker
                    .as_ref()
                    .is_some_and(|known| Arc::ptr_eq(known, &connection))
                {
                    *taker = None;
                }
                Err(self.engine.lost(&error))
            }
        }
    }

    async fn taker(&self) -> Result<Arc<Connection>, StoreError> {
        let mut taker = self.taker.lock().await;
        if let Some(connection) = &*taker {
            return Ok(Arc::clone(connection));
        }
        let connection = Arc::new(self.engine.connect().await?);
        *taker = Some(Arc::clone(&connection));
        Ok(connection)
    }
}

impl StateStore for RedisStore {
    fn put(&self, entries: Vec<Sealed>) -> Answer<'_, Vec<Sealed>> {
        Box::pin(async move {
            let mut writer = self.writer.lock().await;
            if let Some(mut connection) = writer.take()
                && let Ok(above) = self.engine.put(&mut connection, &entries).await
            {
                *writer = Some(connection);
                return Ok(above);
            }
            // It may have been idle for long, or the engine has moved. What is said twice is said once.
            let mut connection = self.engine.connect().await?;
            let above = self.engine.put(&mut connection, &entries).await?;
            *writer = Some(connection);
            Ok(above)
        })
    }

    fn forget(&self, entries: Vec<(Arc<str>, Rank)>) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut writer = self.writer.lock().await;
            let mut connection = match writer.take() {
                Some(connection) => connection,
                None => self.engine.connect().await?,
            };
            for some in entries.chunks(ENTRIES) {
                let mut command = script::forget(&self.engine.keys);
                for (key, rank) in some {
                    command.arg(&**key).arg(rank.to_string());
                }
                let engine = &self.engine;
                let _how_many: u64 = engine
                    .ask(&mut connection, &command, Duration::ZERO)
                    .await?;
            }
            *writer = Some(connection);
            Ok(())
        })
    }
}

impl Engine {
    async fn connect(&self) -> Result<Connection, StoreError> {
        let opened = Connection::open(&self.settings, self.tls.as_ref()).await;
        opened.map_err(|error| self.lost(&error))
    }

    async fn ask<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        command: &Cmd,
        wait: Duration,
    ) -> Result<T, StoreError> {
        let patience = self.settings.timeout.saturating_add(wait);
        let reply = connection.ask(command, patience).await;
        reply.map_err(|error| self.lost(&error))
    }

    fn lost(&self, error: &EngineError) -> StoreError {
        let RedisSettings { host, port, .. } = &self.settings;
        StoreError::Unavailable(format!("`{host}:{port}`: {error}"))
    }

    /// Keeps entries, all or none; gives those that stood above them.
    async fn put(
        &self,
        connection: &mut Connection,
        entries: &[Sealed],
    ) -> Result<Vec<Sealed>, StoreError> {
        let mut command = script::put(&self.keys, self.settings.stream_length);
        for entry in entries {
            command
                .arg(&*entry.key)
                .arg(entry.rank.to_string())
                .arg(&*entry.value);
        }
        let above: Vec<_> = self.ask(connection, &command, Duration::ZERO).await?;
        self.opened(&above)
    }

    /// Entries of the hash: each key, with a rank, a blank and a value.
    fn opened(&self, kept: &[(String, String)]) -> Result<Vec<Sealed>, StoreError> {
        let entries = kept.iter().map(|(key, kept)| {
            let (rank, value) = kept.split_once(' ').unwrap_or_default();
            self.sealed(key, rank, value)
        });
        entries.collect()
    }

    fn sealed(&self, key: &str, rank: &str, value: &str) -> Result<Sealed, StoreError> {
        // FAIL-CLOSED: what is kept and cannot be read is an error, and not nothing.
        Sealed::from_texts(key, rank, value).ok_or_else(|| {
            let RedisSettings {
                host, port, prefix, ..
            } = &self.settings;
            StoreError::Unavailable(format!(
                "`{host}:{port}` holds under `{{{prefix}}}` what no gateway wrote"
            ))
        })
    }
}
