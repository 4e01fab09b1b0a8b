//! Reads the header of the PROXY protocol off the front of a connection, and not a byte more.
//!
//! What comes behind it may be the first bytes of a TLS handshake, so they are looked at before they are taken. Never
//! here: who may send such a header ([`super::door`]), and its form ([`crate::call::proxy`]).

use std::io;
use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::call::proxy;

/// How much is looked at in one go. Most headers are shorter.
const LOOK_BYTES: usize = 256;

/// The client that the header names; `None` if the connection is the sender's own.
///
/// # Errors
/// What reading fails with; [`io::ErrorKind::InvalidData`] when the bytes are no such header.
pub(super) async fn read_client(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut known = Vec::new();
    let mut look = [0; LOOK_BYTES];
    loop {
        let before = known.len();
        let seen = stream.peek(&mut look).await?;
        if seen == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        known.extend_from_slice(look.get(..seen).unwrap_or_default());
        let header = proxy::read(&known)
            .map_err(|malformed| io::Error::new(io::ErrorKind::InvalidData, malformed))?;
        let end = header.map_or(known.len(), |header| header.length);
        known.truncate(end);
        let taken = end.saturating_sub(before);
        // They are there: this does not wait.
        stream
            .read_exact(look.get_mut(..taken).unwrap_or_default())
            .await?;
        if let Some(header) = header {
            return Ok(header.client);
        }
    }
}
