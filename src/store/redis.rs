//! State in Redis or Valkey, which replicas share: a hash of entries, and a stream of their changes in order.
//!
//! One script changes both at once, so that a change is in the stream if and only if it is in the hash. A replica
//! follows the stream from where it was; what it finds it has missed, it reads from the hash.
//! Never here: an entry that is removed, and a word that is older than the one that is kept.

mod follow;
mod script;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo,
    RedisConnectionInfo, RedisError, TlsCertificates,
};
use tokio::sync::Mutex;

use super::settings::RedisSettings;
use super::{Answer, Sealed, StateStore, StoreError};
use crate::risk::Rank;

pub use follow::Follower;

/// State that replicas share.
#[derive(Debug)]
pub struct RedisStore {
    engine: Arc<Engine>,
    /// The connection that writes, once there is one.
    writer: Mutex<Option<MultiplexedConnection>>,
}

/// The engine's address and the names of its keys.
struct Engine {
    client: Client,
    settings: RedisSettings,
    keys: Keys,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the client, which knows the password.
        f.debug_struct("Engine")
            .field("host", &self.settings.host)
            .field("port", &self.settings.port)
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
}

impl RedisStore {
    /// An engine that is not asked yet, and what follows its changes.
    ///
    /// # Errors
    /// [`StoreError`] if the CA certificates cannot be used.
    pub fn new(settings: RedisSettings) -> Result<(Self, Follower), StoreError> {
        let engine = Arc::new(Engine::new(settings)?);
        let store = Self {
            engine: Arc::clone(&engine),
            writer: Mutex::new(None),
        };
        Ok((store, Follower::new(engine)))
    }

    /// The connection that writes, made if there is none.
    async fn writer(&self) -> Result<MultiplexedConnection, StoreError> {
        let mut writer = self.writer.lock().await;
        if let Some(connection) = &*writer {
            return Ok(connection.clone());
        }
        let connection = self.engine.connect(self.engine.settings.timeout).await?;
        Ok(writer.insert(connection).clone())
    }
}

impl StateStore for RedisStore {
    fn put(&self, entries: Vec<Sealed>) -> Answer<'_, Vec<Sealed>> {
        Box::pin(async move {
            let mut connection = self.writer().await?;
            let put = self.engine.put(&mut connection, &entries).await;
            if put.is_err() {
                // Whatever is wrong with it: the next one starts anew, at another node after a failover.
                *self.writer.lock().await = None;
            }
            put
        })
    }
}

impl Engine {
    fn new(settings: RedisSettings) -> Result<Self, StoreError> {
        let (host, port) = (settings.host.to_string(), settings.port);
        let address = match &settings.tls {
            None => ConnectionAddr::Tcp(host, port),
            Some(_) => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
        };
        let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some(username) = &settings.username {
            login = login.set_username(username);
        }
        if let Some(password) = &settings.password {
            login = login.set_password(password.expose());
        }
        login = login.set_db(settings.database.into());
        let unusable = |error: RedisError| StoreError::Unavailable(error.to_string());
        let info = address.into_connection_info().map_err(unusable)?;
        let info = info.set_redis_settings(login);
        let client = match &settings.tls {
            None => Client::open(info),
            Some(tls) => {
                let roots = tls.ca_file.as_ref().map(|file| {
                    std::fs::read(file).map_err(|error| {
                        let file = file.display();
                        StoreError::Unavailable(format!("`{file}` cannot be read: {error}"))
                    })
                });
                let certificates = TlsCertificates {
                    client_tls: None,
                    root_cert: roots.transpose()?,
                };
                Client::build_with_tls(info, certificates)
            }
        };
        let prefix = &settings.prefix;
        let keys = Keys {
            state: format!("{{{prefix}}}:state"),
            log: format!("{{{prefix}}}:log"),
            meta: format!("{{{prefix}}}:meta"),
            healer: format!("{{{prefix}}}:healer"),
        };
        Ok(Self {
            client: client.map_err(unusable)?,
            settings,
            keys,
        })
    }

    /// A new connection whose answers may take so long.
    async fn connect(&self, patience: Duration) -> Result<MultiplexedConnection, StoreError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.settings.timeout))
            .set_response_timeout(Some(patience));
        let client = &self.client;
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        connecting.await.map_err(|error| self.lost(&error))
    }

    fn lost(&self, error: &RedisError) -> StoreError {
        let RedisSettings { host, port, .. } = &self.settings;
        StoreError::Unavailable(format!("`{host}:{port}`: {error}"))
    }

    async fn ask<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        let answer = command.query_async(connection).await;
        answer.map_err(|error| self.lost(&error))
    }

    /// Keeps entries, all or none; gives those that stood above them.
    async fn put(
        &self,
        connection: &mut MultiplexedConnection,
        entries: &[Sealed],
    ) -> Result<Vec<Sealed>, StoreError> {
        let mut command = script::put(&self.keys, self.settings.stream_length);
        for entry in entries {
            command
                .arg(&*entry.key)
                .arg(entry.rank.to_string())
                .arg(&*entry.value);
        }
        let above: Vec<String> = self.ask(connection, &command).await?;
        let pairs = above.chunks_exact(2);
        pairs
            .map(|pair| match pair {
                [key, kept] => self.unpack(key, kept),
                _ => Err(self.garbled("a pair of keys and entries")),
            })
            .collect()
    }

    /// An entry of the hash.
    fn unpack(&self, key: &str, kept: &str) -> Result<Sealed, StoreError> {
        let parts = kept.split_once(' ');
        let sealed = parts.and_then(|(rank, value)| Sealed::from_texts(key, rank, value));
        sealed.ok_or_else(|| self.garbled(&format!("an entry at `{key}`")))
    }

    /// FAIL-CLOSED: what is kept and cannot be read is an error, and not nothing.
    fn garbled(&self, expected: &str) -> StoreError {
        let RedisSettings { host, port, prefix, .. } = &self.settings;
        StoreError::Unavailable(format!(
            "`{host}:{port}` holds under `{{{prefix}}}` what no gateway wrote, expected {expected}"
        ))
    }
}

/// The ranks of what an engine keeps.
type Ranks = BTreeMap<Arc<str>, Rank>;
