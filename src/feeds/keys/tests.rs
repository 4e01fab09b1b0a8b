//! The key feed against a real TLS server that rotates, stalls, redirects and answers rubbish.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::clock::SystemClock;
use crate::identity::settings::{Algorithm, KeyOrigin, KeySettings, Profile};

const PATIENCE: Duration = Duration::from_secs(10);

type Answer = Box<dyn Fn(&str, u16) -> Response<Full<Bytes>> + Send>;

/// A server whose answer can be changed while it runs.
struct Server {
    port: u16,
    answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
    stalls: Arc<Mutex<Duration>>,
    folder: tempfile::TempDir,
}

impl Server {
    async fn start(answer: impl Fn(&str, u16) -> Response<Full<Bytes>> + Send + 'static) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            answer: Arc::new(Mutex::new(Box::new(answer))),
            asked: Arc::default(),
            stalls: Arc::default(),
            folder,
        };
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let (answer, asked, stalls, port) = (
            Arc::clone(&server.answer),
            Arc::clone(&server.asked),
            Arc::clone(&server.stalls),
            server.port,
        );
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, asked, stalls) =
                    (Arc::clone(&answer), Arc::clone(&asked), Arc::clone(&stalls));
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(move |request: Request<Incoming>| {
                        asked.fetch_add(1, Ordering::SeqCst);
                        let response = answer.lock()(request.uri().path(), port);
                        let stall = *stalls.lock();
                        async move {
                            tokio::time::sleep(stall).await;
                            Ok::<_, Infallible>(response)
                        }
                    });
                    let connection = http1::Builder::new();
                    drop(
                        connection
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
            }
        });
        server
    }

    fn answers(&self, answer: impl Fn(&str, u16) -> Response<Full<Bytes>> + Send + 'static) {
        *self.answer.lock() = Box::new(answer);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn address(&self, path: &str) -> Arc<str> {
        format!("https://127.0.0.1:{}{path}", self.port).into()
    }

    fn issuer(&self, origin: KeyOrigin) -> IssuerSettings {
        issuer(origin, Some(self.folder.path().join("ca.pem")))
    }
}

fn issuer(origin: KeyOrigin, ca_file: Option<PathBuf>) -> IssuerSettings {
    IssuerSettings {
        name: "test".into(),
        issuers: vec!["https://issuer.example".into()],
        profile: Profile::Oidc(Arc::default()),
        algorithms: vec![Algorithm::Es256],
        types: vec!["at+jwt".into()],
        type_may_be_missing: false,
        leeway: Duration::from_secs(60),
        max_lifetime: Duration::from_secs(86_400),
        vouched: Arc::default(),
        keys: KeySettings {
            origin,
            ca_file,
            refresh_interval: Duration::from_secs(3_600),
            min_refresh_interval: Duration::from_millis(200),
            stale_after: Duration::from_secs(86_400),
            timeout: Duration::from_secs(5),
            max_bytes: 1024 * 1024,
        },
    }
}

fn body(bytes: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::new(Full::new(bytes.into()))
}

/// A JWK Set of one fresh key with this id.
fn key_set(id: &str) -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let (x, y) = key.public_key_raw()[1..].split_at(32);
    let text = |bytes| URL_SAFE_NO_PAD.encode(bytes);
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": id, "x": text(x), "y": text(y)}]})
        .to_string()
}

struct Feed {
    feed: KeyFeed,
    context: KeyFeedContext,
}

impl Feed {
    async fn follow(settings: IssuerSettings) -> Self {
        let context = KeyFeedContext {
            snapshots: Arc::new(Snapshots::new(snapshot(settings))),
            status: Arc::default(),
            metrics: Metrics::new().unwrap(),
            clock: Arc::new(SystemClock),
        };
        let feed = KeyFeed::new(context.clone());
        feed.follow();
        tokio::time::timeout(PATIENCE, feed.first_attempts())
            .await
            .unwrap();
        Self { feed, context }
    }

    /// Whether the issuer has a key of this id now.
    fn has(&self, id: &str) -> bool {
        let snapshot = self.context.snapshots.load();
        let issuer = snapshot.issuers.named("test").unwrap();
        issuer
            .keys
            .as_ref()
            .is_some_and(|keys| keys.set.choose(Some(id), Algorithm::Es256).is_ok())
    }

    async fn gets(&self, id: &str) {
        let wait = async {
            while !self.has(id) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    /// The one fault that the status shows.
    fn fault(&self) -> String {
        let health = self
            .context
            .status
            .of(&Source::Keys("test".into()))
            .unwrap();
        health.fault.unwrap().messages.concat()
    }
}

fn snapshot(settings: IssuerSettings) -> Snapshot {
    Snapshot {
        generation: "g".into(),
        issuers: Arc::new(Issuers::new(vec![Issuer {
            settings: Arc::new(settings),
            keys: None,
        }])),
        ..Snapshot::default()
    }
}

#[tokio::test]
async fn loads_keys_and_follows_a_rotation_when_an_unknown_key_is_named() {
    let first = key_set("first");
    let server = Server::start(move |_, _| body(first.clone())).await;
    let feed = Feed::follow(server.issuer(KeyOrigin::JwksUri(server.address("/keys")))).await;
    assert!(feed.has("first"));
    let second = key_set("second");
    server.answers(move |_, _| body(second.clone()));
    feed.feed.request("test");
    feed.gets("second").await;
    assert!(!feed.has("first"), "a key that was withdrawn is gone");
    let text = feed.context.metrics.encode();
    assert!(text.contains(r#"boomgate_jwks_refreshes_total{issuer="test",result="success"} 2"#));
}

#[tokio::test]
async fn a_flood_of_unknown_keys_is_one_fetch() {
    let keys = key_set("only");
    let server = Server::start(move |_, _| body(keys.clone())).await;
    let mut settings = server.issuer(KeyOrigin::JwksUri(server.address("/keys")));
    settings.keys.min_refresh_interval = Duration::from_secs(1);
    let feed = Feed::follow(settings).await;
    assert_eq!(server.asked(), 1);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(200) {
        for _ in 0..1_000 {
            feed.feed.request("test");
            feed.feed.request("an issuer that nobody configured");
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn follows_a_discovery_document_of_its_own_issuer_only() {
    let keys = key_set("found");
    let server = Server::start(move |path, port| match path {
        "/own" => body(
            json!({"issuer": "https://issuer.example", "jwks_uri": format!("https://127.0.0.1:{port}/keys")})
                .to_string(),
        ),
        "/other" => body(
            json!({"issuer": "https://evil.example", "jwks_uri": format!("https://127.0.0.1:{port}/keys")})
                .to_string(),
        ),
        "/plain" => body(
            json!({"issuer": "https://issuer.example", "jwks_uri": "http://127.0.0.1/keys"}).to_string(),
        ),
        _ => body(keys.clone()),
    })
    .await;
    let own = Feed::follow(server.issuer(KeyOrigin::Discovery(server.address("/own")))).await;
    assert!(own.has("found"));
    let other = Feed::follow(server.issuer(KeyOrigin::Discovery(server.address("/other")))).await;
    assert!(!other.has("found"));
    assert!(
        other.fault().contains("`https://evil.example`"),
        "{}",
        other.fault()
    );
    let plain = Feed::follow(server.issuer(KeyOrigin::Discovery(server.address("/plain")))).await;
    assert!(
        plain.fault().contains("not an address of the form"),
        "{}",
        plain.fault()
    );
}

#[tokio::test]
async fn keeps_the_last_good_keys_whatever_the_server_answers() {
    let keys = key_set("good");
    let server = Server::start(move |_, _| body(keys.clone())).await;
    let mut settings = server.issuer(KeyOrigin::JwksUri(server.address("/keys")));
    settings.keys.timeout = Duration::from_millis(300);
    settings.keys.min_refresh_interval = Duration::from_millis(10);
    let feed = Feed::follow(settings).await;
    let redirect = |_: &str, port: u16| {
        let mut response = body("");
        *response.status_mut() = StatusCode::FOUND;
        let to = format!("https://127.0.0.1:{port}/elsewhere");
        response
            .headers_mut()
            .insert("location", to.parse().unwrap());
        response
    };
    expect_fault(&server, &feed, redirect, "answered 302").await;
    let large = |_: &str, _| body(vec![b' '; 5 * 1024 * 1024]);
    expect_fault(&server, &feed, large, "larger than 1048576 bytes").await;
    let rubbish = |_: &str, _| body("<html>maintenance</html>");
    expect_fault(&server, &feed, rubbish, "not strict JSON").await;
    let empty = |_: &str, _| body(r#"{"keys": []}"#);
    expect_fault(&server, &feed, empty, "none of the 0 keys").await;
    *server.stalls.lock() = Duration::from_secs(30);
    let slow = |_: &str, _| body("{}");
    expect_fault(&server, &feed, slow, "no complete answer within 300ms").await;
}

/// The server answers so, the feed is asked to refresh, and the fault is shown while the keys stay.
async fn expect_fault(
    server: &Server,
    feed: &Feed,
    answer: impl Fn(&str, u16) -> Response<Full<Bytes>> + Send + 'static,
    fault: &str,
) {
    server.answers(answer);
    let wait = async {
        loop {
            feed.feed.request("test");
            let health = feed
                .context
                .status
                .of(&Source::Keys("test".into()))
                .unwrap();
            if health
                .fault
                .is_some_and(|f| f.messages.concat().contains(fault))
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(
        waited.is_ok(),
        "expected `{fault}`, found `{:?}`",
        feed.context.status.all()
    );
    assert!(feed.has("good"), "keys were lost by `{fault}`");
}

#[tokio::test]
async fn does_not_trust_a_certificate_of_another_ca() {
    let keys = key_set("never");
    let server = Server::start(move |_, _| body(keys.clone())).await;
    let other = Server::start(|_, _| body("")).await;
    let origin = KeyOrigin::JwksUri(server.address("/keys"));
    let feed = Feed::follow(other.issuer(origin)).await;
    assert!(!feed.has("never"));
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn reads_keys_from_a_file_and_stops_following_an_issuer_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, key_set("one")).unwrap();
    let feed = Feed::follow(issuer(KeyOrigin::File(file.clone()), None)).await;
    assert!(feed.has("one"));
    std::fs::write(&file, key_set("two")).unwrap();
    feed.feed.request("test");
    feed.gets("two").await;
    let cause = Cause::now(ChangeSource::Keys);
    feed.context.snapshots.update(cause, |current| Snapshot {
        issuers: Arc::default(),
        ..current.clone()
    });
    feed.feed.follow();
    assert!(feed.context.status.all().is_empty());
    feed.feed.request("test");
}

#[tokio::test]
async fn a_reload_keeps_the_keys_of_issuers_that_did_not_move() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, key_set("one")).unwrap();
    let settings = issuer(KeyOrigin::File(file), None);
    let feed = Feed::follow(settings.clone()).await;
    let current = Arc::clone(&feed.context.snapshots.load().issuers);
    let reloaded = |settings: IssuerSettings| {
        let next = Issuers::new(vec![Issuer {
            settings: Arc::new(settings),
            keys: None,
        }]);
        let kept = keep_keys(&next, &current);
        kept.named("test").unwrap().keys.is_some()
    };
    let stricter = IssuerSettings {
        leeway: Duration::ZERO,
        ..settings.clone()
    };
    assert!(reloaded(stricter));
    let mut moved = settings;
    moved.keys.origin = KeyOrigin::File(folder.path().join("other.json"));
    assert!(
        !reloaded(moved),
        "another place's keys are another issuer's"
    );
}

#[test]
fn pauses_double_after_failures_up_to_a_limit() {
    let hour = Duration::from_secs(3_600);
    assert!(pause(0, hour) <= hour && pause(0, hour) >= hour * 9 / 10);
    for (failures, least) in [(1, 1), (2, 2), (4, 8), (9, 256), (10, 300), (u32::MAX, 300)] {
        let least = Duration::from_secs(least);
        let paused = pause(failures, hour);
        assert!(
            paused >= least && paused <= least * 3 / 2,
            "{failures}: {paused:?}"
        );
    }
    assert!(pause(20, Duration::from_secs(10)) <= Duration::from_secs(15));
}
