//! An upstream that a test plays byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::client::PATIENCE;

/// A listener without TLS.
pub(crate) struct Script {
    pub(crate) address: SocketAddr,
    socket: TcpListener,
}

/// One connection of the gateway's.
pub(crate) struct Scene(TcpStream);

impl Script {
    pub(crate) async fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        Self { address, socket }
    }

    /// Waits for a call; gives its connection and its head.
    pub(crate) async fn call(&self) -> (Scene, String) {
        let accepted = tokio::time::timeout(PATIENCE, self.socket.accept()).await;
        let (stream, _) = accepted.expect("a call should have come").unwrap();
        let mut scene = Scene(stream);
        let head = scene.read_until("\r\n\r\n").await;
        (scene, head)
    }

    /// Answers one call.
    pub(crate) async fn answer(&self, bytes: &str) {
        let (mut scene, _) = self.call().await;
        scene.write(bytes).await;
    }
}

impl Scene {
    /// Reads until the text ends so.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        let reading = async {
            while !bytes.ends_with(end.as_bytes()) {
                bytes.push(self.0.read_u8().await.unwrap());
            }
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        read.unwrap_or_else(|_| panic!("`{end}` should have come"));
        String::from_utf8(bytes).unwrap()
    }

    pub(crate) async fn write(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// Says that nothing more will come, and goes on listening.
    pub(crate) async fn close_half(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Ends the connection by a reset.
    pub(crate) fn reset(self) {
        let socket = socket2::SockRef::from(&self.0);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Waits until the gateway has closed the connection.
    pub(crate) async fn until_closed(mut self) {
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut rest)).await;
        // It may be a reset.
        assert!(closed.is_ok(), "the gateway should have closed it");
    }

    /// Reads so many bytes.
    pub(crate) async fn read_exactly(&mut self, bytes: usize) {
        let mut read = vec![0; bytes];
        let reading = tokio::time::timeout(PATIENCE, self.0.read_exact(&mut read)).await;
        reading.expect("they should have come").unwrap();
    }
}
