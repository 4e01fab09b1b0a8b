//! A real Redis that a test starts, kills and starts again, and a proxy that stands between it and a gateway.
//!
//! The binary is the one that `BOOMGATE_REDIS` names; `tests/run` sets it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::client::PATIENCE;
use super::servers::{free_address, tool};
use super::site::Ground;

/// The binary.
pub(crate) fn binary() -> Option<PathBuf> {
    tool("BOOMGATE_REDIS")
}

/// The configuration of a replica whose engine is at this address.
pub(crate) fn with_redis(ground: &Ground, name: &str, engine: SocketAddr, more: &str) -> PathBuf {
    let text = fs::read_to_string(ground.path("boomgate.yaml")).unwrap();
    let (host, port) = (engine.ip(), engine.port());
    let text =
        format!("{text}\nstore: {{redis: {{host: {host}, port: {port}, timeout: 5s, {more}}}}}\n");
    let text = text.replace("records.jsonl", &format!("records-{name}.jsonl"));
    let path = ground.path(&format!("{name}.yaml"));
    fs::write(&path, text).unwrap();
    path
}

/// A running Redis; it ends with this value.
pub(crate) struct Redis {
    pub(crate) address: SocketAddr,
    binary: PathBuf,
    folder: TempDir,
    child: Child,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Redis {
    /// Starts one with these further lines of configuration, on a port of its own, and waits until it answers.
    /// `{port}` in the lines is that port; without a line that says otherwise, it speaks plain text there.
    pub(crate) async fn start(binary: &std::path::Path, lines: &str) -> Self {
        // A port that is free now may be taken a moment later.
        for _ in 0..10 {
            let address = free_address();
            let folder = TempDir::new().unwrap();
            let port = address.port().to_string();
            let own_port = if lines.contains("{port}") {
                String::new()
            } else {
                format!("port {port}\n")
            };
            let configuration = format!(
                "{own_port}bind 127.0.0.1\nsave \"\"\ndaemonize no\ndir {}\n{}\n",
                folder.path().display(),
                lines.replace("{port}", &port)
            );
            fs::write(folder.path().join("redis.conf"), configuration).unwrap();
            let child = spawn(binary, &folder);
            let mut redis = Self {
                address,
                binary: binary.to_owned(),
                folder,
                child,
            };
            if redis.answers().await {
                return redis;
            }
        }
        panic!("Redis does not start");
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, on the port and with the files that it had.
    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(&self.binary, &self.folder);
        assert!(self.answers().await, "Redis does not start again");
    }

    /// Waits until it accepts connections; false if it has ended.
    async fn answers(&mut self) -> bool {
        let patience = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).await.is_err() {
            if self.child.try_wait().unwrap().is_some() {
                println!(
                    "{}",
                    fs::read_to_string(self.folder.path().join("log")).unwrap()
                );
                return false;
            }
            assert!(Instant::now() < patience, "waited in vain for Redis");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }
}

fn spawn(binary: &std::path::Path, folder: &TempDir) -> Child {
    let log = folder.path().join("log");
    let log = File::options().create(true).append(true).open(log).unwrap();
    Command::new(binary)
        .arg(folder.path().join("redis.conf"))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Relays connections, until it is told to hold what it is given.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    holds: watch::Sender<bool>,
}

impl Proxy {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (holds, held) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = socket.accept().await {
                let held = held.clone();
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(to).await else {
                        return;
                    };
                    let (near_in, near_out) = near.into_split();
                    let (far_in, far_out) = far.into_split();
                    tokio::join!(
                        relay(near_in, far_out, held.clone()),
                        relay(far_in, near_out, held)
                    );
                });
            }
        });
        Self { address, holds }
    }

    /// From now on nothing arrives any more; connections stay open.
    pub(crate) fn hold(&self) {
        self.holds.send_replace(true);
    }

    /// What was held goes on.
    pub(crate) fn let_go(&self) {
        self.holds.send_replace(false);
    }
}

async fn relay(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut held: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if held.wait_for(|holds| !holds).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
