//! One connection to the engine: a command goes out, its reply comes back, in time or not at all.
//!
//! Never here: a connection that goes on after something went wrong on it, and a password that shows.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::resp::{Command, Garbled, Reply};
use crate::store::settings::RedisSettings;

/// What carries bytes: TCP, or TLS over it.
trait Carrier: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Carrier for T {}

/// Why the engine gives no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    /// No connection, or it broke off.
    #[error("{0}")]
    Connection(#[from] io::Error),
    /// It took too long.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// It is none of the engines that are spoken with.
    #[error("{0}")]
    Garbled(#[from] Garbled),
    /// It says no.
    #[error("it refuses: {0}")]
    Refused(String),
}

/// A connection that has logged in.
pub(super) struct Connection {
    carrier: Box<dyn Carrier>,
    received: BytesMut,
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
            let mut connection = Self {
                carrier,
                received: BytesMut::new(),
            };
            connection.log_in(settings).await?;
            Ok(connection)
        };
        tokio::time::timeout(settings.timeout, opening)
            .await
            .unwrap_or(Err(EngineError::TimedOut(settings.timeout)))
    }

    async fn log_in(&mut self, settings: &RedisSettings) -> Result<(), EngineError> {
        if let Some(password) = &settings.password {
            let mut command = Command::new("AUTH");
            if let Some(username) = &settings.username {
                command.add(username);
            }
            command.add(password.expose());
            self.exchange(&command).await?;
        }
        if settings.database != 0 {
            let command = Command::new("SELECT").args([settings.database]);
            self.exchange(&command).await?;
        }
        Ok(())
    }

    /// Sends a command and waits for its reply. After an error, or when it is left waiting, the connection is of no use
    /// any more.
    pub(super) async fn ask(
        &mut self,
        command: &Command,
        patience: Duration,
    ) -> Result<Reply, EngineError> {
        tokio::time::timeout(patience, self.exchange(command))
            .await
            .unwrap_or(Err(EngineError::TimedOut(patience)))
    }

    async fn exchange(&mut self, command: &Command) -> Result<Reply, EngineError> {
        self.carrier.write_all(&command.encode()).await?;
        self.carrier.flush().await?;
        loop {
            if let Some((reply, length)) = Reply::parse(&self.received)? {
                self.received.advance(length);
                return match reply {
                    Reply::Error(message) => Err(EngineError::Refused(message)),
                    reply => Ok(reply),
                };
            }
            // As much as is there already, so that a large reply is not read anew for each piece of it.
            self.received.reserve(self.received.len().max(64 * 1024));
            if self.carrier.read_buf(&mut self.received).await? == 0 {
                return Err(EngineError::Connection(io::ErrorKind::UnexpectedEof.into()));
            }
        }
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
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
    Ok(Box::new(stream))
}
