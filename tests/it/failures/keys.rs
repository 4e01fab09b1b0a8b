//! The server of an issuer's keys: not there when the gateway starts, gone while it runs, slow, and talking rubbish.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::https;
use crate::support::servers::free_address;
use crate::support::site::{AGENT, Ground, ISSUER, Setup, Site};

/// How the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Good,
    Unavailable,
    Html,
    Large,
    Slow,
}

/// What is not good, and what `/readyz` says of it.
const BAD: [(Mood, &str); 4] = [
    (Mood::Unavailable, "answered 503"),
    (Mood::Html, "not strict JSON"),
    (Mood::Large, "larger than 65536 bytes"),
    (Mood::Slow, "no complete answer within 500ms"),
];

async fn answer(mood: Mood, keys: String) -> Response<Full<Bytes>> {
    let body = match mood {
        Mood::Good | Mood::Unavailable => keys,
        Mood::Html => "<html><body>Down for maintenance</body></html>".to_owned(),
        Mood::Large => " ".repeat(100_000),
        Mood::Slow => {
            tokio::time::sleep(Duration::from_secs(3)).await;
            keys
        }
    };
    let mut response = Response::new(Full::new(body.into()));
    if mood == Mood::Unavailable {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

async fn ready(site: &Site) -> (StatusCode, Value) {
    let answer = site.manage(Method::GET, "/readyz", "").await;
    (answer.status, answer.json())
}

/// A call with a key that nobody has, which makes the gateway ask for the keys.
async fn ask_for_keys(site: &Site) {
    let token = site.agent_token(AGENT);
    let (_, rest) = token.split_once('.').unwrap();
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"RS256","kid":"unknown"}"#);
    let refused = site.get("/hr/people", &format!("{header}.{rest}")).await;
    assert!(!refused.status.is_success());
}

#[tokio::test]
async fn keys_that_cannot_be_had_refuse_every_call_and_keys_that_were_had_stay_good() {
    let ground = Ground::lay(&Setup::default()).await;
    let address = free_address();
    let file = ground.path("boomgate.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace(
        "{file: keys.json}",
        &format!(
            "{{jwks_uri: \"https://localhost:{}/keys\", ca_file: ../ca.pem, min_refresh_interval: 1s, \
             timeout: 500ms, max_size: 64KiB}}",
            address.port()
        ),
    );
    std::fs::write(file, text).unwrap();

    // Nobody is there when it starts.
    let site = Site::on(ground);
    let token = site.agent_token(AGENT);
    site.app.keys_asked_for().await;
    let refused = site.get("/hr/people", &token).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json()["code"], "keys_unavailable");
    let (status, said) = ready(&site).await;
    assert_eq!(
        (status.as_u16(), &said["status"]),
        (503, &"not_ready".into())
    );

    // It comes, and nobody has to do anything.
    let mood = Arc::new(Mutex::new(Mood::Good));
    let keys = site.issuer.key_set(ISSUER).to_string();
    let socket = TcpListener::bind(address).await.unwrap();
    let (of_server, pki) = (Arc::clone(&mood), Arc::clone(&site.pki));
    https::serve_at(&pki, socket, move |_| {
        let (mood, keys) = (*of_server.lock(), keys.clone());
        answer(mood, keys)
    });
    site.until("it is ready", async |site| {
        ready(site).await.0 == StatusCode::OK
    })
    .await;
    assert_eq!(site.get("/hr/people", &token).await.status, StatusCode::OK);

    for (bad, fault) in BAD {
        *mood.lock() = bad;
        site.until(fault, async |site| {
            ask_for_keys(site).await;
            let (status, said) = ready(site).await;
            assert_eq!(status, StatusCode::OK, "the keys that it has are good");
            said["status"] == "degraded" && said.to_string().contains(fault)
        })
        .await;
        let still = site.get("/hr/people", &token).await;
        assert_eq!(still.status, StatusCode::OK, "{bad:?}");
        let labels = [("issuer", "entra"), ("result", "failure")];
        assert!(site.count("boomgate_jwks_refreshes_total", &labels).await > 0);
    }
    *mood.lock() = Mood::Good;
    site.until("all is well again", async |site| {
        ask_for_keys(site).await;
        ready(site).await.1["status"] == "ready"
    })
    .await;
}
