//! Holds many connections open: each is a TLS connection of its own that made one call with a token, and then waits.
//!
//! Ports of one address run out at some 28,000, so the connections come from many addresses of 127.0.0.0/8. Once a call
//! is answered only its socket is kept: this side must hold tens of thousands too.
//! Standard output says `held N`; after each line on standard input, how many are still open; at its end, this ends.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::{Fallible, tls};

/// The most that are asked for.
const MOST: usize = 200_000;
/// Connections that are being opened at one time.
const AT_ONCE: usize = 64;
/// How many source addresses there are: each carries a small part of the ports that it has.
const ADDRESSES: usize = 64;
/// How long one may take, on a machine that is busy opening all of them.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest head of a response that is read.
const LONGEST: usize = 16 * 1024;

/// Opens and holds `count` connections. `number` tells several of these apart, which hold parts of a whole.
pub(crate) fn run(address: SocketAddr, count: usize, folder: &Path, number: u8) -> Fallible<()> {
    if count > MOST {
        return Err(format!("at most {MOST} connections, not {count}").into());
    }
    let text = std::fs::read_to_string(folder.join("rs256-known.txt"))?;
    let tokens: Arc<[Box<str>]> = text.lines().map(Box::from).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let connector = TlsConnector::from(tls::client(folder)?);
        let held = open(address, count, number, &connector, &tokens).await?;
        println!("held {}", held.len());
        for line in io::stdin().lines() {
            line?;
            let open = held.iter().filter(|stream| is_open(stream)).count();
            println!("open {open}");
        }
        Ok(())
    })
}

async fn open(
    address: SocketAddr,
    count: usize,
    number: u8,
    connector: &TlsConnector,
    tokens: &Arc<[Box<str>]>,
) -> Fallible<Vec<TcpStream>> {
    let (places, mut opening) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for at in 0..count {
        let place = Arc::clone(&places).acquire_owned().await?;
        let (connector, tokens) = (connector.clone(), Arc::clone(tokens));
        opening.spawn(async move {
            let host = u8::try_from(at % ADDRESSES)?.saturating_add(1);
            let source = SocketAddr::from((Ipv4Addr::new(127, 1, number, host), 0));
            // A token that comes from two addresses is a stolen one to Boomgate: each address has its own.
            let which = usize::from(number) * ADDRESSES + at % ADDRESSES;
            let token = tokens
                .get(which)
                .ok_or("more addresses than tokens: make a world of more")?;
            let stream = timeout(PATIENCE, one(address, source, &connector, token)).await;
            drop(place);
            stream.map_err(|_elapsed| "a connection was not open within its time")?
        });
    }
    let mut held = Vec::with_capacity(count);
    while let Some(stream) = opening.join_next().await {
        held.push(stream??);
    }
    Ok(held)
}

/// One connection on which a call was answered.
async fn one(
    address: SocketAddr,
    source: SocketAddr,
    connector: &TlsConnector,
    token: &str,
) -> Fallible<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(source)?;
    let stream = socket.connect(address).await?;
    let name = ServerName::try_from("localhost")?;
    let mut stream = connector.connect(name, stream).await?;
    let call =
        format!("GET /hello HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(call.as_bytes()).await?;
    let mut answer = Vec::new();
    // The upstream's answer is two bytes: head, blank line, `ok`.
    while !answer.ends_with(b"\r\n\r\nok") {
        if answer.len() > LONGEST || stream.read_buf(&mut answer).await? == 0 {
            let said = String::from_utf8_lossy(&answer);
            return Err(format!("a call was not answered: {said}").into());
        }
    }
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(format!("a call got {}", String::from_utf8_lossy(&answer)).into());
    }
    Ok(stream.into_inner().0)
}

/// Whether the other side has neither closed a connection nor said anything more on it.
fn is_open(stream: &TcpStream) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    matches!(SockRef::from(stream).peek(&mut byte), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
