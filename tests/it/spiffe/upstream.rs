//! Upstreams that are known by their SPIFFE ids, and to which the gateway shows its own.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boomgate::spiffe::{Bundle, Peers, SpiffeId};
use http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyUsagePurpose, date_time_ymd};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::agent::{Agent, GATEWAY, Identity};
use crate::support::client::connect;
use crate::support::pki::Pki;
use crate::support::site::{AGENT, Ground, Setup, Site};

const API: &str = "spiffe://example.org/ns/hr/sa/api";
const OTHER: &str = "spiffe://example.org/ns/hr/sa/other";
const FOREIGN: &str = "spiffe://partner.example/api";

/// A server with this certificate and key; it wants a certificate of `clients`, and answers with the one it was shown.
async fn serve((certificate, key): (String, String), clients: &Pki) -> SocketAddr {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(clients.ca().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain, key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                if let Ok(stream) = tls.accept(stream).await {
                    answer(stream).await;
                }
            });
        }
    });
    address
}

async fn answer(mut stream: TlsStream<TcpStream>) {
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            let length = shown.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
            let answer = [head.as_bytes(), &shown].concat();
            // Whoever asked may have gone.
            let _sent = stream.write_all(&answer).await;
            let _closed = stream.shutdown().await;
            return;
        }
    }
}

/// A gateway in front of it, with these members of the upstream's `tls`.
async fn site(address: SocketAddr, tls: &str, sections: String) -> Site {
    Site::start(Setup {
        upstream: vec![format!("url: https://{address}"), format!("tls: {{{tls}}}")],
        sections,
        ..Setup::default()
    })
    .await
}

fn section(agent: &Agent) -> String {
    format!("spiffe: {{endpoint_socket: '{}'}}", agent.endpoint())
}

async fn status(site: &Site) -> StatusCode {
    site.get("/hr/people", &site.agent_token(AGENT))
        .await
        .status
}

/// Waits until the first certificate has come.
async fn until_ready(site: &Site) {
    site.until("it is ready", async |site| {
        site.manage(http::Method::GET, "/readyz", "").await.status == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn a_server_is_taken_for_its_id_alone_and_by_the_bundle_of_its_own_trust_domain() {
    type Change = fn(&mut CertificateParams);
    let (own, partner, stranger) = (Pki::new(), Pki::new(), Pki::new());
    let gateway = Identity::new(&own, GATEWAY, &[]);
    let mut said = gateway.message();
    let bundle = Identity::new(&partner, FOREIGN, &[]).member("bundle");
    said["federated_bundles"] = json!({"spiffe://partner.example": bundle});
    let Some(agent) = Agent::saying(&said) else {
        return;
    };
    let unchanged: Change = |_| {};
    let expired: Change = |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    };
    let signer: Change = |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
        ];
    };
    let twice: Change = |params| {
        let second = rcgen::SanType::URI(OTHER.try_into().unwrap());
        params.subject_alt_names.push(second);
    };
    let cases: [(&Pki, &str, Change, bool, &str); 9] = [
        (&own, API, unchanged, true, "the id"),
        (
            &partner,
            FOREIGN,
            unchanged,
            true,
            "one of a trust domain that is federated",
        ),
        (&own, OTHER, unchanged, false, "another id"),
        (&own, API, expired, false, "expired"),
        (&own, API, twice, false, "two ids"),
        (&own, API, signer, false, "a CA's"),
        (&stranger, API, unchanged, false, "of another CA"),
        (
            &partner,
            API,
            unchanged,
            false,
            "another trust domain's CA says it",
        ),
        (
            &own,
            FOREIGN,
            unchanged,
            false,
            "our CA says it of another trust domain",
        ),
    ];
    for (pki, id, change, is_taken, what) in cases {
        // Its name is right in every case, and counts for nothing.
        let server = serve(pki.issue_svid(id, &["127.0.0.1"], change), &own).await;
        let tls =
            format!("spiffe_ids: ['{API}', '{FOREIGN}'], client_certificate: {{spiffe: true}}");
        let site = site(server, &tls, section(&agent)).await;
        until_ready(&site).await;
        let expected = if is_taken {
            StatusCode::OK
        } else {
            StatusCode::BAD_GATEWAY
        };
        assert_eq!(status(&site).await, expected, "{what}");
    }
    // Without an id it is nobody, though its name is right and its CA is ours.
    let unnamed = serve(own.issue(&["127.0.0.1"]), &own).await;
    let tls = format!("spiffe_ids: ['{API}'], client_certificate: {{spiffe: true}}");
    let site = site(unnamed, &tls, section(&agent)).await;
    until_ready(&site).await;
    assert_eq!(status(&site).await, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn upstreams_are_shown_the_newest_certificate_and_judged_by_the_newest_bundle() {
    let (own, next) = (Pki::new(), Pki::new());
    let first = Identity::new(&own, GATEWAY, &[]);
    let Some(agent) = Agent::saying(&first.message()) else {
        return;
    };
    // It has no DNS name at all, and closes its connections, so that each call is a handshake.
    let server = serve(own.issue_svid(API, &[], |_| {}), &own).await;
    let tls = format!("spiffe_ids: ['{API}'], client_certificate: {{spiffe: true}}");
    let site = site(server, &tls, section(&agent)).await;
    until_ready(&site).await;
    let shown = async |site: &Site| site.get("/hr/people", &site.agent_token(AGENT)).await.body;
    assert_eq!(shown(&site).await, first.certificate.to_vec());
    let second = Identity::new(&own, GATEWAY, &[]);
    agent.say(&second.message());
    site.until("the second is shown", async |site| {
        shown(site).await == second.certificate.to_vec()
    })
    .await;
    let bundle = Identity::new(&next, GATEWAY, &[]).member("bundle");
    let moved = Identity::new(&own, GATEWAY, &[]).with("bundle", bundle);
    agent.say(&moved.message());
    site.until(
        "a server of the bundle of before is not believed",
        async |site| status(site).await == StatusCode::BAD_GATEWAY,
    )
    .await;
}

#[tokio::test]
async fn a_server_whose_certificate_is_revoked_is_nobody() {
    const UNTIL: i32 = 2100;
    let (own, namesake) = (Pki::new(), Pki::new());
    let plain = Identity::new(&own, GATEWAY, &[]).message();
    let Some(agent) = Agent::saying(&plain) else {
        return;
    };
    let tls = format!("spiffe_ids: ['{API}'], client_certificate: {{spiffe: true}}");
    let server = serve(
        own.issue_svid(API, &[], |params| params.serial_number = Some(7.into())),
        &own,
    )
    .await;
    let site = site(server, &tls, section(&agent)).await;
    until_ready(&site).await;
    // The servers close their connections, so that each call is a handshake.
    assert_eq!(status(&site).await, StatusCode::OK);
    let say = async |lists: &[Vec<u8>], expected: StatusCode, what: &str| {
        let mut said = Identity::new(&own, GATEWAY, &[]).message();
        said["crl"] = lists.iter().map(|list| STANDARD.encode(list)).collect();
        agent.say(&said);
        site.until(what, async |site| status(site).await == expected)
            .await;
    };
    let (ok, refused) = (StatusCode::OK, StatusCode::BAD_GATEWAY);
    say(&[own.revoke(&[6, 7], UNTIL)], refused, "it is revoked").await;
    say(&[own.revoke(&[6, 8], UNTIL)], ok, "others are revoked").await;
    say(&[own.revoke(&[], 2026)], refused, "the list is over").await;
    say(&[], ok, "there is no list").await;
    // It has the same name, and says nothing of us.
    say(
        &[namesake.revoke(&[], UNTIL)],
        refused,
        "another CA signed the list",
    )
    .await;
    say(&[own.revoke(&[8], UNTIL)], ok, "a list that is good").await;
    // What is no list changes nothing, and is told.
    let mut said = plain.clone();
    said["crl"] = json!([STANDARD.encode(b"no list")]);
    agent.say(&said);
    site.until("the fault is told", async |site| {
        let ready = site.manage(http::Method::GET, "/readyz", "").await;
        String::from_utf8_lossy(&ready.body).contains("list of revoked certificates")
    })
    .await;
    assert_eq!(status(&site).await, StatusCode::OK);
    say(&[own.revoke(&[7], UNTIL)], refused, "it is revoked again").await;
}

#[tokio::test]
async fn ids_and_certificates_from_files_need_no_workload_api_and_no_name() {
    let own = Pki::new();
    let server = serve(own.issue_svid(API, &[], |_| {}), &own).await;
    let (certificate, key) = own.issue_svid(GATEWAY, &[], |_| {});
    let files = ["svid.pem", "svid.key", "ca.pem"].map(|name| own.path(name));
    std::fs::write(&files[0], certificate).unwrap();
    std::fs::write(&files[1], key).unwrap();
    let [chain, key, ca] = files.each_ref().map(|file| file.display());
    let tls = |id: &str| {
        format!(
            "spiffe_ids: ['{id}'], ca_file: {ca}, client_certificate: {{certificate_file: {chain}, key_file: {key}}}"
        )
    };
    let site_of = async |id: &str| site(server, &tls(id), String::new()).await;
    assert_eq!(status(&site_of(API).await).await, StatusCode::OK);
    assert_eq!(status(&site_of(OTHER).await).await, StatusCode::BAD_GATEWAY);

    // A listener that shows it is known by it.
    let ground = Ground::lay(&Setup::default()).await;
    for (from, to) in [(&files[0], "../server.pem"), (&files[1], "../server.key")] {
        std::fs::copy(from, ground.path(to)).unwrap();
    }
    let site = Site::on(ground);
    let mut roots = RootCertStore::empty();
    roots.add(own.ca().clone()).unwrap();
    let bundle = Arc::new(roots);
    let handshake = async |id: &str| {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let ids = vec![SpiffeId::parse(id).unwrap()];
        let peers = Peers::new(ids, Bundle::Fixed(Arc::clone(&bundle)), &provider);
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(peers))
            .with_no_client_auth();
        connect(site.address(), config, "whatever").await
    };
    assert!(handshake(GATEWAY).await.is_ok());
    assert!(handshake(API).await.is_err());
}
