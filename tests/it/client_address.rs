//! Whose address a call has: its connection's, or what a load balancer or a proxy says that may say it; with curl, haproxy
//! and nginx.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::client::{ALL_VERSIONS, RawClient, status_of};
use crate::support::servers::{Server, free_address, run, tool};
use crate::support::site::{AGENT, Setup, Site, block};

/// Believes the loopback address that everybody here has who does not choose another one.
const FROM_LOOPBACK: &str = "proxy_protocol: {from: [127.0.0.1]}";

/// A site that blocks calls from 192.0.2.0/24 and 127.0.0.66.
async fn site(listener: &'static str) -> Site {
    let range = |address: &str| json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": address});
    Site::start(Setup {
        locations: vec![json!({
            "@odata.type": "#microsoft.graph.ipNamedLocation", "id": "elsewhere", "displayName": "elsewhere",
            "isTrusted": false, "ipRanges": [range("192.0.2.0/24"), range("127.0.0.66/32")],
        })],
        policies: vec![block(
            "closed",
            json!({"locations": {"includeLocations": ["elsewhere"]}}),
        )],
        listener: vec![listener],
        sections: "named_locations: {dir: places}".to_owned(),
        ..Setup::default()
    })
    .await
}

/// Sends these bytes, then a call over TLS; gives its answer.
async fn call(site: &Site, before: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(site.address()).await?;
    stream.write_all(before).await?;
    let config = site.pki.client(&["http/1.1"], ALL_VERSIONS, None);
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = RawClient(connector.connect(name, stream).await?);
    let token = site.agent_token(AGENT);
    let request = format!(
        "GET /hr/people HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-forwarded-for: 6.6.6.6\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    client.send(request.as_bytes()).await?;
    Ok(client.read_to_close().await)
}

/// Waits until the newest decision on record is one on a call from this address: a refusal is recorded behind its answer.
async fn until_recorded(site: &Site, address: &str) {
    let newest = |site: &Site| {
        let records = site.records();
        let mut decisions = records.iter().rev();
        decisions.find_map(|record| record["ipAddress"].as_str().map(ToOwned::to_owned))
    };
    site.until("the call is recorded with its address", async |site| {
        newest(site).as_deref() == Some(address)
    })
    .await;
}

fn version_2(client: [u8; 4]) -> Vec<u8> {
    let head = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c";
    [&head[..], &client, &[127, 0, 0, 1, 0x12, 0x34, 1, 0xbb]].concat()
}

#[tokio::test]
async fn the_client_that_a_balancer_names_is_judged_recorded_and_told_to_the_upstream() {
    let site = site(FROM_LOOPBACK).await;
    for (header, status, address) in [
        (
            &b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 443\r\n"[..],
            200,
            "198.51.100.7",
        ),
        (
            b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 443\r\n",
            403,
            "192.0.2.7",
        ),
        (
            b"PROXY TCP6 2001:db8::7 ::1 4711 443\r\n",
            200,
            "2001:db8::7",
        ),
        (b"PROXY UNKNOWN\r\n", 200, "127.0.0.1"),
        (&version_2([198, 51, 100, 8]), 200, "198.51.100.8"),
        (&version_2([192, 0, 2, 8]), 403, "192.0.2.8"),
        (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 200, "127.0.0.1"),
    ] {
        let before = site.upstream.calls().len();
        let answer = call(&site, header).await.unwrap();
        assert_eq!(status_of(&answer), status, "{address}");
        until_recorded(&site, address).await;
        let calls = site.upstream.calls().split_off(before);
        let told: Vec<_> = calls
            .iter()
            .map(|call| call.header("x-forwarded-for"))
            .collect();
        let expected: &[_] = if status == 200 { &[Some(address)] } else { &[] };
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn a_balancer_must_say_it_and_nobody_else_may() {
    let site = site(FROM_LOOPBACK).await;
    for bytes in [&b""[..], b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 http\r\n"] {
        assert!(call(&site, bytes).await.is_err());
    }
    let labels = [("listener", "public"), ("reason", "bad_proxy_header")];
    site.until("both are counted", async |site| {
        site.count("boomgate_connections_refused_total", &labels)
            .await
            == 2
    })
    .await;
    let other = self::site("proxy_protocol: {from: [127.0.0.2]}").await;
    let header = b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 443\r\n";
    assert!(call(&other, header).await.is_err());
    let answer = call(&other, b"").await.unwrap();
    assert_eq!(status_of(&answer), 200);
    until_recorded(&other, "127.0.0.1").await;
    assert_eq!(
        site.upstream.calls().len() + other.upstream.calls().len(),
        1
    );
}

#[tokio::test]
async fn the_limit_of_connections_is_that_of_the_client_behind_the_balancer() {
    let site = Site::start(Setup {
        listener: vec![FROM_LOOPBACK, "limits: {max_connections_per_client: 1}"],
        ..Setup::default()
    })
    .await;
    let connect = async |last: u8| {
        let mut stream = TcpStream::connect(site.address()).await?;
        stream.write_all(&version_2([198, 51, 100, last])).await?;
        let config = site.pki.client(&["http/1.1"], ALL_VERSIONS, None);
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    };
    let first = connect(1).await.unwrap();
    let second = connect(2).await.unwrap();
    assert!(connect(1).await.is_err());
    drop((first, second));
}

/// curl, from an address of the loopback network of its own; gives the status of the answer.
async fn curl(site: &Site, from: &str, to: SocketAddr, more: &[&str]) -> Result<String, String> {
    let mut command = Command::new("curl");
    let url = format!("https://localhost:{}/hr/people", to.port());
    let token = format!("Authorization: Bearer {}", site.agent_token(AGENT));
    command
        .args([
            "--silent",
            "--show-error",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ])
        .args(["--interface", from, "--header", &token, "--cacert"])
        .arg(site.pki.path("ca.pem"))
        .args(more)
        .arg(url);
    run(command).await
}

#[tokio::test]
async fn curl_says_whose_connection_it_is() {
    let site = site(FROM_LOOPBACK).await;
    let said = curl(&site, "127.0.0.1", site.address(), &["--haproxy-protocol"]).await;
    assert_eq!(said.as_deref(), Ok("200"));
    until_recorded(&site, "127.0.0.1").await;
    let silent = curl(&site, "127.0.0.1", site.address(), &[]).await;
    assert!(silent.is_err(), "{silent:?}");
}

#[tokio::test]
async fn haproxy_passes_its_clients_address_on_in_both_versions() {
    let Some(binary) = tool("BOOMGATE_HAPROXY") else {
        return;
    };
    let site = site(FROM_LOOPBACK).await;
    for version in ["send-proxy", "send-proxy-v2"] {
        let address = free_address();
        let folder = TempDir::new().unwrap();
        let config = format!(
            "defaults\n  mode tcp\n  timeout connect 60s\n  timeout client 60s\n  timeout server 60s\n\
             listen gate\n  bind {address}\n  server gate {} {version} source 127.0.0.1\n",
            site.address()
        );
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(&binary);
        command.arg("-db").arg("-q").arg("-f").arg(&file);
        let haproxy = Server::start("haproxy", command, address, folder).await;
        for (from, status) in [("127.0.0.9", "200"), ("127.0.0.66", "403")] {
            let said = curl(&site, from, haproxy.address, &["--http1.1"]).await;
            assert_eq!(said.as_deref(), Ok(status), "{version} {from}");
            until_recorded(&site, from).await;
        }
    }
}

#[tokio::test]
async fn nginx_is_believed_on_its_client_and_its_client_on_nothing() {
    for (header, value, setting) in [
        (
            "X-Forwarded-For",
            "$proxy_add_x_forwarded_for",
            "trusted_proxies: {addresses: [127.0.0.1], header: x_forwarded_for}",
        ),
        (
            "Forwarded",
            "\"$http_forwarded, for=$remote_addr;proto=$scheme\"",
            "trusted_proxies: {addresses: [127.0.0.1], header: forwarded}",
        ),
    ] {
        let site = site(setting).await;
        let tls = format!(
            "listen {{address}} ssl; ssl_certificate {}; ssl_certificate_key {};",
            site.pki.path("server.pem").display(),
            site.pki.path("server.key").display()
        );
        let pass = format!(
            "{tls} location / {{ proxy_pass https://{}; proxy_http_version 1.1; proxy_set_header Host localhost; \
             proxy_ssl_server_name on; proxy_ssl_name localhost; proxy_bind 127.0.0.1; proxy_set_header {header} {value}; }}",
            site.address()
        );
        let Some(nginx) = Server::nginx(&pass).await else {
            return;
        };
        let forged = format!("{header}: for=198.51.100.1, 198.51.100.1");
        for (from, status) in [("127.0.0.9", "200"), ("127.0.0.66", "403")] {
            let said = curl(&site, from, nginx.address, &["--header", &forged]).await;
            assert_eq!(said.as_deref(), Ok(status), "{header} {from}");
            until_recorded(&site, from).await;
        }
        // Whoever comes without the proxy is whom the connection shows, whatever is said.
        let said = curl(&site, "127.0.0.66", site.address(), &["--header", &forged]).await;
        assert_eq!(said.as_deref(), Ok("403"), "{header}");
    }
}
