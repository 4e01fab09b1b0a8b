//! gRPC through the gateway, with a client and a server of others (Python's `grpcio`, `tests/grpc`): unary calls and streams
//! in both directions, with status, metadata and trailers. And gRPC-Web (Python's `sonora`).

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::servers::{Server, free_address, run, tool};
use crate::support::site::{AGENT, Setup, Site};

/// Starts a server, and a gateway with this setup in front of it; gives what a client wrote that called through it.
async fn through(server: &str, client: &str, upstream: &[&str], setup: Setup) -> Option<String> {
    let python = tool("BOOMGATE_PYTHON")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grpc");
    let address = free_address();
    let mut command = Command::new(&python);
    command
        .arg(folder.join(server))
        .arg(address.port().to_string());
    let server = Server::start("grpc", command, address, TempDir::new().unwrap()).await;
    let url = format!("url: http://{}", server.address);
    let more = upstream.iter().map(ToString::to_string);
    let site = Site::start(Setup {
        upstream: std::iter::once(url).chain(more).collect(),
        ..setup
    })
    .await;
    let mut command = Command::new(python);
    command
        .arg(folder.join(client))
        .arg(site.address().port().to_string())
        .arg(site.pki.path("ca.pem"))
        .arg(site.agent_token(AGENT));
    Some(run(command).await.unwrap())
}

#[tokio::test]
async fn calls_of_every_kind_come_through_with_status_and_trailers() {
    let setup = Setup {
        // What a server says beside its status is named.
        resource: vec![
            "trailers: {responses: [grpc-status, grpc-message, grpc-status-details-bin, x-checksum]}",
        ],
        ..Setup::default()
    };
    let said = through("server.py", "client.py", &["protocol: http2"], setup);
    let Some(said) = said.await else { return };
    let expected = format!(
        "unary HELLO {AGENT} 5 OK\nrefused FAILED_PRECONDITION not now\ndown 1000\nup 1000000\n\
         both ONE\nboth TWO\nboth THREE\nboth [] OK\nanonymous UNAUTHENTICATED\n"
    );
    assert_eq!(said, expected);
}

#[tokio::test]
async fn grpc_web_passes_with_its_trailers_in_the_body() {
    let said = through("web_server.py", "web_client.py", &[], Setup::default());
    let Some(said) = said.await else { return };
    let expected = "unary HELLO {'grpc-status': '0', 'x-checksum': '5'}\n\
                    refused FAILED_PRECONDITION not now\ndown 1000\n";
    assert_eq!(said, expected);
}
