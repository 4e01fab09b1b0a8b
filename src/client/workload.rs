//! Asks the Workload API of SPIFFE for this process's X.509 identity: a stream of gRPC over a Unix socket.
//!
//! One method, one message that is empty, and answers that are read elsewhere: less than any library of gRPC would be.
//! Never here: a message that is longer than the limit, or compressed, or cut.

use std::io;
use std::path::Path;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixStream;
use tokio::task::JoinSet;

/// The longest message, in bytes: what others of gRPC take unless they are told.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// A message of gRPC that is not compressed and empty.
const EMPTY_MESSAGE: [u8; 5] = [0; 5];
/// What is repeated of a status, in characters.
const LONGEST_WORD: usize = 200;
const METHOD: &str = "http://localhost/SpiffeWorkloadAPI/FetchX509SVID";
/// gRPC's `PERMISSION_DENIED`.
const PERMISSION_DENIED: &str = "7";

/// Why there is no word of the Workload API.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// Nobody listens at the socket.
    #[error("the Workload API cannot be reached")]
    Unreachable(#[source] io::Error),
    /// What listens there does not speak HTTP/2, or broke off.
    #[error("the Workload API broke off")]
    Broken(#[source] hyper::Error),
    /// It knows no identity for this process.
    #[error("the Workload API has no identity for this process (permission denied): {0}")]
    Denied(String),
    /// Another status of gRPC.
    #[error("the Workload API refuses with status {status} of gRPC: {message}")]
    Refused {
        /// The number.
        status: String,
        /// What it says.
        message: String,
    },
    /// Not an answer of gRPC.
    #[error("what answers at the socket of the Workload API does not speak gRPC")]
    NotGrpc,
    /// A message that is not read.
    #[error(
        "a message of the Workload API is longer than {MAX_MESSAGE_BYTES} bytes, or compressed"
    )]
    Message,
    /// It closed the stream.
    #[error("the Workload API closed the stream")]
    Ended,
}

/// An open stream. Dropping it closes the connection.
#[derive(Debug)]
pub struct WorkloadStream {
    body: Incoming,
    read: BytesMut,
    _connection: JoinSet<()>,
}

impl WorkloadStream {
    /// Asks at this socket.
    ///
    /// # Errors
    /// [`WorkloadError`]
    pub async fn open(socket: &Path) -> Result<Self, WorkloadError> {
        let stream = UnixStream::connect(socket);
        let stream = stream.await.map_err(WorkloadError::Unreachable)?;
        let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
            .handshake(TokioIo::new(stream))
            .await
            .map_err(WorkloadError::Broken)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection with the Workload API ended early");
            }
        });
        let request = Request::post(METHOD)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            // Without it the API refuses: what is tricked into sending a request does not know it.
            .header("workload.spiffe.io", "true")
            .body(Full::new(Bytes::from_static(&EMPTY_MESSAGE)))
            .map_err(|_unbuilt| WorkloadError::NotGrpc)?;
        let response = sender.send_request(request).await;
        let response = response.map_err(WorkloadError::Broken)?;
        Ok(Self {
            body: stream_of(response)?,
            read: BytesMut::new(),
            _connection: tasks,
        })
    }

    /// The next message.
    ///
    /// # Errors
    /// [`WorkloadError`]; then nothing more comes.
    pub async fn next(&mut self) -> Result<Bytes, WorkloadError> {
        loop {
            if let Some(message) = message(&mut self.read)? {
                return Ok(message);
            }
            let frame = self.body.frame().await.ok_or(WorkloadError::Ended)?;
            let frame = frame.map_err(WorkloadError::Broken)?;
            match frame.into_data() {
                Ok(data) => self.read.extend_from_slice(&data),
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    return Err(status(&trailers).unwrap_or(WorkloadError::Ended));
                }
            }
        }
    }
}

/// The stream of an answer that is one of gRPC.
fn stream_of(response: Response<Incoming>) -> Result<Incoming, WorkloadError> {
    let (head, body) = response.into_parts();
    let kind = head.headers.get("content-type");
    let is_grpc = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    if head.status != StatusCode::OK || !is_grpc {
        return Err(WorkloadError::NotGrpc);
    }
    // An answer without a message has its status here.
    match status(&head.headers) {
        Some(refused) => Err(refused),
        None => Ok(body),
    }
}

/// What a status of gRPC says, if there is one that is not "all is well".
fn status(headers: &HeaderMap) -> Option<WorkloadError> {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        let said: String = value
            .unwrap_or_default()
            .chars()
            .take(LONGEST_WORD)
            .collect();
        said
    };
    let (status, message) = (text("grpc-status"), text("grpc-message"));
    match status.as_str() {
        "" | "0" => None,
        PERMISSION_DENIED => Some(WorkloadError::Denied(message)),
        _ => Some(WorkloadError::Refused { status, message }),
    }
}

/// Takes one message from what was read: a byte that says whether it is compressed, four of its length, and itself.
fn message(read: &mut BytesMut) -> Result<Option<Bytes>, WorkloadError> {
    let Some([compressed, length @ ..]) = read.first_chunk::<5>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if *compressed != 0 || length > MAX_MESSAGE_BYTES {
        return Err(WorkloadError::Message);
    }
    if read.len() < length.saturating_add(EMPTY_MESSAGE.len()) {
        return Ok(None);
    }
    read.advance(EMPTY_MESSAGE.len());
    Ok(Some(read.split_to(length).freeze()))
}
