//! The two servers. Each says how it reads a target, one reading a line.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::client::PATIENCE;

/// A running server; it ends with this value.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// `$uri` is what nginx has read, and what its locations and files are found by.
const NGINX: &str = "\
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/log;
events {}
http {
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {
        listen {address};
        location / { default_type text/plain; return 200 \"$uri\\n\"; }
    }
}
";

/// The target as it came, and as the readings of Node's own modules make it: URL, decoded, normalised, as on Windows.
const NODE: &str = "
const path = require('path');
require('http').createServer({ keepAliveTimeout: 60000 }, (request, response) => {
  const readings = new Set();
  const add = (read) => { try { readings.add(read()); } catch {} };
  const raw = request.url.split('?')[0];
  const url = () => new URL(request.url, 'http://localhost').pathname;
  const old = () => require('url').parse(request.url).pathname;
  for (const one of [() => raw, url, old]) {
    add(one);
    add(() => decodeURIComponent(one()));
    add(() => path.posix.normalize(one()));
    add(() => path.posix.normalize(decodeURIComponent(one())));
    add(() => path.win32.normalize(decodeURIComponent(one())).replaceAll('\\\\', '/'));
    add(() => decodeURIComponent(one()).split(';')[0]);
    add(() => decodeURIComponent(one()).toLowerCase());
  }
  const body = [...readings].map((reading) => reading.replaceAll(/[\\r\\n]/g, ' ')).join('\\n') + '\\n';
  response.setHeader('content-length', Buffer.byteLength(body));
  response.end(body);
}).listen(PORT, '127.0.0.1');
";

pub(super) async fn nginx() -> Option<Server> {
    let binary = binary("BOOMGATE_NGINX")?;
    let folder = TempDir::new().unwrap();
    let address = free_address();
    let config = NGINX
        .replace("{folder}", folder.path().to_str().unwrap())
        .replace("{address}", &address.to_string());
    let file = folder.path().join("nginx.conf");
    fs::write(&file, config).unwrap();
    let mut command = Command::new(binary);
    command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
    command.arg("-e").arg(folder.path().join("log"));
    Some(start("nginx", command, address, folder).await)
}

pub(super) async fn node() -> Option<Server> {
    let binary = binary("BOOMGATE_NODE")?;
    let address = free_address();
    let mut command = Command::new(binary);
    let script = NODE.replace("PORT", &address.port().to_string());
    command.arg("-e").arg(script);
    Some(start("node", command, address, TempDir::new().unwrap()).await)
}

/// The binary of a server. Without one a test has nothing to compare with; under `tests/run` that is a failure.
fn binary(variable: &str) -> Option<PathBuf> {
    let binary = std::env::var_os(variable).map(PathBuf::from);
    if binary.is_none() {
        let under_run = std::env::var_os("BOOMGATE_TESTS_RUN").is_some();
        assert!(!under_run, "tests/run must set {variable}");
        println!("needs tests/run: {variable} names no binary");
    }
    binary
}

fn free_address() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap()
}

/// Starts a server and waits until it listens.
async fn start(
    name: &'static str,
    mut command: Command,
    address: SocketAddr,
    folder: TempDir,
) -> Server {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let child = command.spawn().unwrap();
    let server = Server {
        name,
        address,
        child,
        _folder: folder,
    };
    let listening = async {
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let listens = tokio::time::timeout(PATIENCE, listening).await;
    assert!(listens.is_ok(), "{name} does not listen");
    server
}
