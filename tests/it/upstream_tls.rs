//! TLS to upstreams: pins of keys beside all other checks, versions, and certificates of our own that change while the
//! gateway runs. With real servers.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use rcgen::{KeyPair, PublicKeyData as _};
use rustls::crypto::aws_lc_rs as provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::support::client::ALL_VERSIONS;
use crate::support::pki::Pki;
use crate::support::site::{AGENT, Answer, Setup, Site};

/// What a server is like.
struct Server {
    pki: Pki,
    /// Its certificate and key, as PEM.
    own: (String, String),
    versions: &'static [&'static SupportedProtocolVersion],
    asks_for_certificate: bool,
}

impl Server {
    /// One that nobody finds fault with.
    fn good() -> Self {
        let pki = Pki::new();
        Self {
            own: pki.issue(&["localhost"]),
            pki,
            versions: ALL_VERSIONS,
            asks_for_certificate: false,
        }
    }

    /// The pin of its key.
    fn pin(&self) -> String {
        let key = KeyPair::from_pem(&self.own.1).unwrap();
        let digest = digest(&SHA256, &key.subject_public_key_info());
        format!("sha256/{}", STANDARD.encode(digest))
    }

    /// Starts it, and a gateway in front of it with these further members of the upstream's `tls`.
    async fn site(&self, tls: &str) -> Site {
        let ca = self.pki.path("ca.pem");
        let pem = fs::read(&ca).unwrap();
        let builder = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(self.versions)
            .unwrap();
        let builder = if self.asks_for_certificate {
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from_pem_slice(&pem).unwrap())
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                Arc::new(provider::default_provider()),
            );
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = &self.own;
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let config = builder.with_single_cert(chain, key).unwrap();
        let address = serve(TlsAcceptor::from(Arc::new(config))).await;
        Site::start(Setup {
            upstream: vec![
                format!("url: https://localhost:{}", address.port()),
                format!("tls: {{ca_file: {}{tls}}}", ca.display()),
            ],
            ..Setup::default()
        })
        .await
    }
}

/// Answers every call with the digest of the certificate that it was shown.
async fn serve(tls: TlsAcceptor) -> SocketAddr {
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
    let shown = stream.get_ref().1.peer_certificates();
    let shown = shown.map(|chain| digest_of(&chain[0])).unwrap_or_default();
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            let length = shown.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{shown}");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
            head.clear();
        }
    }
}

fn digest_of(certificate: &CertificateDer<'_>) -> String {
    STANDARD.encode(digest(&SHA256, certificate))
}

async fn call(site: &Site) -> Answer {
    site.get("/hr/people", &site.agent_token(AGENT)).await
}

/// That a call is refused for its upstream's sake, and why is said to nobody.
async fn is_a_502(site: &Site, what: &str) {
    let answer = call(site).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{what}");
    let text = answer.json().to_string();
    assert!(
        !text.contains("certificate") && !text.contains("pin"),
        "{text}"
    );
    let labels = [("result", "upstream_failed")];
    let failed = site
        .count("boomgate_upstream_requests_total", &labels)
        .await;
    assert_eq!(failed, 1, "{what}");
}

const TLS12_ALONE: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

/// A pin of a key that nobody has.
const OTHER_PIN: &str = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

#[tokio::test]
async fn a_pinned_key_is_called_and_another_one_is_not() {
    let server = Server::good();
    let pin = server.pin();
    for pins in [pin.clone(), format!("{OTHER_PIN}, {pin}")] {
        let site = server.site(&format!(", pins: [{pins}]")).await;
        assert_eq!(call(&site).await.status, StatusCode::OK, "{pins}");
    }
    let site = server.site(&format!(", pins: [{OTHER_PIN}]")).await;
    is_a_502(&site, "another key").await;
}

#[tokio::test]
async fn a_pin_stands_in_place_of_no_other_check() {
    let mut expired = Server::good();
    expired.own = expired.pki.issue_expired(&["localhost"]);
    let mut misnamed = Server::good();
    misnamed.own = misnamed.pki.issue(&["elsewhere.example.com"]);
    let mut foreign = Server::good();
    foreign.own = Pki::new().issue(&["localhost"]);
    for (server, what) in [
        (expired, "expired"),
        (misnamed, "of another name"),
        (foreign, "of another CA"),
    ] {
        for tls in [String::new(), format!(", pins: [{}]", server.pin())] {
            is_a_502(&server.site(&tls).await, what).await;
        }
    }
}

#[tokio::test]
async fn the_oldest_version_is_the_one_that_is_set() {
    let mut server = Server::good();
    server.versions = TLS12_ALONE;
    let site = server.site("").await;
    assert_eq!(call(&site).await.status, StatusCode::OK);
    let site = server.site(&format!(", pins: [{}]", server.pin())).await;
    assert_eq!(call(&site).await.status, StatusCode::OK);
    let site = server.site(", min_version: TLSv1.3").await;
    is_a_502(&site, "TLS 1.2").await;
}

#[tokio::test]
async fn a_certificate_of_our_own_is_shown_and_a_new_one_without_a_restart() {
    let mut server = Server::good();
    server.asks_for_certificate = true;
    is_a_502(&server.site("").await, "no certificate").await;
    let files = ["gateway.pem", "gateway.key"].map(|name| server.pki.path(name));
    let renew = || {
        let (certificate, key) = server.pki.issue(&["gateway"]);
        fs::write(&files[0], &certificate).unwrap();
        fs::write(&files[1], key).unwrap();
        digest_of(&CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap())
    };
    let first = renew();
    let [certificate, key] = files.each_ref().map(|file| file.display());
    let own = format!(", client_certificate: {{certificate_file: {certificate}, key_file: {key}}}");
    let site = server.site(&own).await;
    let shown = |answer: Answer| {
        assert_eq!(answer.status, StatusCode::OK);
        String::from_utf8(answer.body).unwrap()
    };
    assert_eq!(shown(call(&site).await), first);
    let second = renew();
    assert_ne!(second, first);
    site.until("the new certificate is shown", async |site| {
        // No call fails meanwhile: the last good pair is shown.
        shown(call(site).await) == second
    })
    .await;
}
