//! Servers and clients that others wrote, as processes: `tests/run` gets them, and says where they are.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};

use super::client::PATIENCE;

/// A running server; it ends with this value.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Server {
    /// Starts a server and waits until it listens. The folder is its own.
    pub(crate) async fn start(
        name: &'static str,
        mut command: Command,
        address: SocketAddr,
        folder: TempDir,
    ) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        let server = Self {
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

    /// nginx, with a `server` block that listens where `{address}` stands.
    pub(crate) async fn nginx(block: &str) -> Option<Self> {
        const AROUND: &str = "\
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/log;
events {}
http {
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {
        {block}
    }
}
";
        let binary = tool("BOOMGATE_NGINX")?;
        let folder = TempDir::new().unwrap();
        let address = free_address();
        let config = AROUND
            .replace("{block}", block)
            .replace("{folder}", folder.path().to_str().unwrap())
            .replace("{address}", &address.to_string());
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(binary);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        command.arg("-e").arg(folder.path().join("log"));
        Some(Self::start("nginx", command, address, folder).await)
    }
}

/// What `tests/run` has got for a test, and names in this variable: a program, or a folder of modules. Without it the
/// test has nothing to work with; under `tests/run` that is a failure.
pub(crate) fn tool(variable: &str) -> Option<PathBuf> {
    let tool = std::env::var_os(variable).map(PathBuf::from);
    if tool.is_none() {
        let under_run = std::env::var_os("BOOMGATE_TESTS_RUN").is_some();
        assert!(!under_run, "tests/run must set {variable}");
        println!("needs tests/run, which sets {variable}");
    }
    tool
}

/// An address where nobody listens, nor ever will while the tests run: its socket is bound, and stays so.
pub(crate) fn refusing_address() -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    Box::leak(Box::new(socket));
    address
}

/// An address for a server that is about to start.
pub(crate) fn free_address() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap()
}

/// Runs a client to its end; gives what it wrote, if it says that all was well.
pub(crate) async fn run(mut command: Command) -> Result<String, String> {
    command.stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(stdout)
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}\n{stdout}\n{stderr}", output.status))
    }
}
