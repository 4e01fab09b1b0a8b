//! Many WebSockets on which nothing moves: what each takes of the gateway's memory.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::bytes::{HELLO, agreement, request};
use super::setup;
use crate::support::client::{PATIENCE, RawClient};
use crate::support::gateway::Gateway;
use crate::support::process::memory_kib;
use crate::support::site::{AGENT, Ground};

/// More than one takes, in a build without optimisation.
const MOST_BYTES: usize = 128 * 1024;

/// A server that agrees to every WebSocket, and says all again.
async fn echo() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

async fn serve(mut stream: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(agreement().as_bytes()).await.unwrap();
    let mut bytes = [0; 64];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        stream.write_all(&bytes[..read]).await.unwrap();
    }
}

/// Bytes that are resident of a gateway.
fn resident(gateway: &Gateway) -> usize {
    usize::try_from(memory_kib(gateway.process.id(), "VmRSS")).unwrap() * 1024
}

#[tokio::test]
async fn a_socket_on_which_nothing_moves_takes_little() {
    let sockets = if std::env::var_os("BOOMGATE_TESTS_LONG").is_some() {
        5_000
    } else {
        250
    };
    let mut setup = setup(format!("url: http://{}", echo().await));
    setup
        .listener
        .push("limits: {max_connections_per_client: 10000, max_concurrent_calls: 10000}");
    let ground = Ground::lay(&setup).await;
    let gateway = Gateway::start(&ground.path("boomgate.yaml")).await;
    let head = request(&ground.agent_token(AGENT));
    let open = async || {
        let mut client = RawClient::connect(&ground.pki, gateway.public, "http/1.1").await;
        client.send(head.as_bytes()).await.unwrap();
        assert_eq!(client.status().await, 101);
        client
    };
    // What the first of all take is no matter of each.
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(open().await);
    }
    let before = resident(&gateway);
    for _ in 0..sockets {
        clients.push(open().await);
    }
    let each = (resident(&gateway) - before) / sockets;
    println!("{sockets} WebSockets: {each} bytes each");
    assert!(each < MOST_BYTES, "{each}");
    // They are all there, and what comes is passed on.
    for client in clients.iter_mut().step_by(100) {
        client.send(HELLO).await.unwrap();
        let mut said = [0; HELLO.len()];
        let reading = client.0.read_exact(&mut said);
        let read = tokio::time::timeout(PATIENCE, reading).await;
        read.unwrap().unwrap();
        assert_eq!(said, HELLO);
    }
}
