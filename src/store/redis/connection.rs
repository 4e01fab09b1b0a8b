//! One connection to the engine: a command goes out, its reply comes back, in time or not at all.
//!
//! The library speaks RESP; the connection under it is ours, so that there is one TLS in the product.
//! Never here: a connection that goes on after something went wrong on it, and a password that shows.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Cmd, FromRedisValue, RedisConnectionInfo, RedisError};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::store::settings::RedisSettings;

/// What carries bytes: TCP, or TLS over it.
trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carrier for T {}

/// Why the engine gives no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    /// No connection.
    #[error("{0}")]
    Connection(#[from] io::Error),
    /// It took too long.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The connection broke off, it says no, or what it says is not what was asked for.
    #[error("{0}")]
    Reply(#[from] RedisError),
}

/// A connection that has logged in.
pub(super) struct Connection {
    commands: MultiplexedConnection,
    /// Carries them to the engine and back, until this is dropped.
    _carrying: JoinSet<()>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects and logs in, all within the timeout of the settings.
    pub(super) async fn open(
        settings: &RedisSettings,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self, EngineError> {
        let opening = async {
            let carrier = connect(settings, tls).await?;
            // How long a reply may take is said with each command: some wait in the engine.
            let patience = AsyncConnectionConfig::new().set_response_timeout(None);
            let login = login(settings);
            let opened = MultiplexedConnection::new_with_config(&login, carrier, patience);
            let (commands, carrying) = opened.await?;
            let mut tasks = JoinSet::new();
            tasks.spawn(carrying);
            Ok(Self {
                commands,
                _carrying: tasks,
            })
        };
        tokio::time::timeout(settings.timeout, opening)
            .await
            .unwrap_or(Err(EngineError::TimedOut(settings.timeout)))
    }

    /// Sends a command and waits for its reply. After an error, or when it is left waiting, the connection is of no use
    /// any more.
    pub(super) async fn ask<T: FromRedisValue>(
        &mut self,
        command: &Cmd,
        patience: Duration,
    ) -> Result<T, EngineError> {
        self.ask_beside(command, patience).await
    }

    /// The same while others ask too. After an error, nobody should ask here any more.
    pub(super) async fn ask_beside<T: FromRedisValue>(
        &self,
        command: &Cmd,
        patience: Duration,
    ) -> Result<T, EngineError> {
        let mut commands = self.commands.clone();
        let reply = tokio::time::timeout(patience, command.query_async(&mut commands)).await;
        let reply = reply.map_err(|_late| EngineError::TimedOut(patience))?;
        Ok(reply?)
    }
}

fn login(settings: &RedisSettings) -> RedisConnectionInfo {
    // An engine's rules may forbid to name the client.
    let login = RedisConnectionInfo::default().set_skip_set_lib_name();
    let login = login.set_db(i64::from(settings.database));
    let login = match &settings.username {
        Some(username) => login.set_username(username),
        None => login,
    };
    match &settings.password {
        Some(password) => login.set_password(password.expose()),
        None => login,
    }
}

async fn connect(
    settings: &RedisSettings,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Box<dyn Carrier>, EngineError> {
    let stream = TcpStream::connect((&*settings.host, settings.port)).await?;
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        return Ok(Box::new(stream));
    };
    let name = ServerName::try_from(settings.host.to_string())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = TlsConnector::from(Arc::clone(tls))
        .connect(name, stream)
        .await?;
    Ok(Box::new(stream))
}
