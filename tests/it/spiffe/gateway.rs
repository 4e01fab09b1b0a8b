//! A gateway whose own certificate comes from the Workload API, as a process and as a sidecar.

use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, SystemTime};

use http::{Method, Request};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use super::agent::{Agent, GATEWAY, Identity, message};
use crate::sidecar::sidecar;
use crate::support::client::{ALL_VERSIONS, Client, connect};
use crate::support::gateway::{Gateway, as_administrator};
use crate::support::pki::Pki;
use crate::support::process::Process;
use crate::support::site::{ADMIN_TOKEN, AGENT, Ground, Setup, exchange};

/// A sidecar that finds this agent. Its management listener has files, so that it can be asked in any case.
fn command(ground: &Ground, agent: &Agent) -> Command {
    let (name, policy) = crate::support::site::block(
        "none",
        json!({"users": {"includeUsers": ["None"]},
        "clientApplications": {"includeAgentIdServicePrincipals": [crate::support::site::OTHER_AGENT]}}),
    );
    std::fs::write(ground.path("policies").join(name), policy.to_string()).unwrap();
    let mut command = sidecar(ground, &["run"]);
    command
        .env_remove("BOOMGATE_TLS_CERTIFICATE_FILE")
        .env_remove("BOOMGATE_TLS_KEY_FILE")
        .env("SPIFFE_ENDPOINT_SOCKET", agent.endpoint())
        .env(
            "BOOMGATE_MANAGEMENT_CERTIFICATE_FILE",
            ground.path("../server.pem"),
        )
        .env("BOOMGATE_MANAGEMENT_KEY_FILE", ground.path("../server.key"));
    command
}

/// What a listener shows; an error if there is no handshake.
async fn shown(pki: &Pki, address: SocketAddr) -> io::Result<CertificateDer<'static>> {
    let config = pki.client(&["http/1.1"], ALL_VERSIONS, None);
    let stream = connect(address, config, "localhost").await?;
    let certificates = stream.get_ref().1.peer_certificates().unwrap();
    Ok(certificates[0].clone().into_owned())
}

async fn until_shown(gateway: &mut Gateway, pki: &Pki, certificate: &CertificateDer<'_>) {
    let public = gateway.public;
    gateway
        .process
        .until("the certificate is shown", async |_| {
            let shown = shown(pki, public).await;
            shown.is_ok_and(|shown| shown == *certificate)
        })
        .await;
}

/// What `/readyz` says: its status and its text.
async fn readiness(gateway: SocketAddr, pki: &Pki) -> (u16, Value) {
    let client = Client::http1(pki, gateway).await;
    let answer = exchange(client, as_administrator(Method::GET, "/readyz"), "").await;
    (answer.status.as_u16(), answer.json())
}

async fn until_ready(gateway: &mut Gateway, pki: &Pki, status: (u16, &str), says: &str) {
    let management = gateway.management;
    let what = format!("it is {status:?} and says `{says}`");
    gateway
        .process
        .until(&what, async |_| {
            let (code, body) = readiness(management, pki).await;
            (code, body["status"].as_str().unwrap()) == status && body.to_string().contains(says)
        })
        .await;
}

#[tokio::test]
async fn a_sidecar_shows_what_the_workload_api_gives_and_the_next_one_without_losing_a_connection()
{
    let ground = Ground::lay(&Setup::default()).await;
    let pki = &ground.pki;
    let first = Identity::new(pki, GATEWAY, &["localhost"]);
    let Some(agent) = Agent::saying(&first.message()) else {
        return;
    };
    let mut command = command(&ground, &agent);
    // Both listeners have it from there.
    command
        .env_remove("BOOMGATE_MANAGEMENT_CERTIFICATE_FILE")
        .env_remove("BOOMGATE_MANAGEMENT_KEY_FILE");
    let mut gateway = Gateway::of(Process::of(command)).await;
    until_shown(&mut gateway, pki, &first.certificate).await;
    let management = shown(pki, gateway.management).await.unwrap();
    assert_eq!(management, first.certificate);
    until_ready(&mut gateway, pki, (200, "ready"), "").await;

    let mut open = Client::http1(pki, gateway.public).await;
    let token = ground.agent_token(AGENT);
    let request = || {
        Request::get("/hr/people")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {token}"))
            .body(http_body_util::Full::default())
            .unwrap()
    };
    assert_eq!(open.send(request()).await.unwrap().status(), 200);
    let second = Identity::new(pki, GATEWAY, &["localhost"]);
    agent.say(&second.message());
    until_shown(&mut gateway, pki, &second.certificate).await;
    let management = shown(pki, gateway.management).await.unwrap();
    assert_eq!(management, second.certificate);
    // The connection of before is the one that answers.
    assert_eq!(open.send(request()).await.unwrap().status(), 200);

    gateway.process.signal("TERM");
    assert!(gateway.process.end().await.success());
    let log = gateway.process.stderr();
    assert!(!log.contains(" ERROR "), "{log}");
}

#[tokio::test]
async fn without_a_certificate_it_is_not_ready_and_says_why_and_with_one_it_bears_the_agents_absence()
 {
    let ground = Ground::lay(&Setup::default()).await;
    let pki = &ground.pki;
    let Some(mut agent) = Agent::new() else {
        return;
    };
    let mut gateway = Gateway::of(Process::of(command(&ground, &agent))).await;
    let not_ready = (503, "not_ready");
    until_ready(&mut gateway, pki, not_ready, "cannot be reached").await;
    assert!(shown(pki, gateway.public).await.is_err());
    // It denies: to this process no identity was given.
    agent.start();
    until_ready(&mut gateway, pki, not_ready, "permission denied").await;
    until_ready(&mut gateway, pki, not_ready, "no identity issued").await;
    assert!(shown(pki, gateway.public).await.is_err());
    let first = Identity::new(pki, GATEWAY, &["localhost"]);
    agent.say(&first.message());
    until_ready(&mut gateway, pki, (200, "ready"), "").await;
    assert_eq!(shown(pki, gateway.public).await.unwrap(), first.certificate);
    // It goes away: what is held is good for as long as it says.
    agent.stop();
    until_ready(&mut gateway, pki, (200, "degraded"), "cannot be reached").await;
    assert_eq!(shown(pki, gateway.public).await.unwrap(), first.certificate);
    let second = Identity::new(pki, GATEWAY, &["localhost"]);
    agent.say(&second.message());
    agent.start();
    until_shown(&mut gateway, pki, &second.certificate).await;
    until_ready(&mut gateway, pki, (200, "ready"), "").await;
    // It takes the identity back; a certificate cannot be taken back.
    agent.say(&json!({"deny": true}));
    agent.stop();
    agent.start();
    until_ready(&mut gateway, pki, (200, "degraded"), "permission denied").await;
    assert_eq!(
        shown(pki, gateway.public).await.unwrap(),
        second.certificate
    );
    let log = gateway.process.stderr();
    assert!(
        !log.contains(ADMIN_TOKEN) && !log.contains("PRIVATE"),
        "{log}"
    );
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "a certificate of a test ends soon"
)]
async fn a_certificate_whose_time_is_over_is_shown_no_more() {
    let ground = Ground::lay(&Setup::default()).await;
    let pki = &ground.pki;
    let soon = SystemTime::now() + Duration::from_secs(8);
    let short = Identity::changed(pki, GATEWAY, &["localhost"], |params| {
        params.not_after = soon.into();
    });
    let Some(mut agent) = Agent::saying(&short.message()) else {
        return;
    };
    let mut gateway = Gateway::of(Process::of(command(&ground, &agent))).await;
    until_shown(&mut gateway, pki, &short.certificate).await;
    agent.stop();
    let not_ready = (503, "not_ready");
    until_ready(&mut gateway, pki, not_ready, "").await;
    // A certificate tells whole seconds.
    let end = soon - Duration::from_secs(1);
    assert!(SystemTime::now() >= end, "it was taken away too early");
    assert!(shown(pki, gateway.public).await.is_err());
    assert!(gateway.process.stderr().contains("has expired"));
    // One that is over when it comes is none.
    agent.say(&short.message());
    agent.start();
    until_ready(&mut gateway, pki, not_ready, "whose time is over").await;
    let next = Identity::new(pki, GATEWAY, &["localhost"]);
    agent.say(&next.message());
    until_shown(&mut gateway, pki, &next.certificate).await;
    until_ready(&mut gateway, pki, (200, "ready"), "").await;
}

#[tokio::test]
async fn what_is_no_identity_is_not_used_and_named() {
    let ground = Ground::lay(&Setup::default()).await;
    let pki = &ground.pki;
    let good = Identity::new(pki, GATEWAY, &["localhost"]);
    let Some(agent) = Agent::saying(&good.message()) else {
        return;
    };
    let mut gateway = Gateway::of(Process::of(command(&ground, &agent))).await;
    until_shown(&mut gateway, pki, &good.certificate).await;
    let fresh = || Identity::new(pki, GATEWAY, &["localhost"]);
    let other_key = fresh().member("x509_svid_key");
    let no_svid = Identity::changed(pki, GATEWAY, &["localhost"], |params| {
        params.key_usages.clear();
    });
    for (said, why) in [
        (
            fresh().with("x509_svid_key", other_key).message(),
            "cannot be used together",
        ),
        (
            fresh()
                .with("spiffe_id", json!("spiffe://example.org/other"))
                .message(),
            "is of another id than it says",
        ),
        (
            fresh().with("bundle", json!("")).message(),
            "its bundle of the trust domain",
        ),
        (
            fresh().with("x509_svid", json!("MAMC")).message(),
            "cannot be read",
        ),
        (no_svid.message(), "the key usage of an SVID"),
        (json!({"svids": []}), "no identity for this process"),
    ] {
        agent.say(&said);
        until_ready(&mut gateway, pki, (200, "degraded"), why).await;
        assert_eq!(shown(pki, gateway.public).await.unwrap(), good.certificate);
    }
}

#[tokio::test]
async fn of_several_identities_the_first_is_used_or_the_one_that_is_named() {
    let others = Identity::new(&Pki::new(), "spiffe://example.org/other", &["localhost"]);
    for named in [false, true] {
        let ground = Ground::lay(&Setup::default()).await;
        let pki = &ground.pki;
        let own = Identity::new(pki, GATEWAY, &["localhost"]);
        let order = if named {
            [&others, &own]
        } else {
            [&own, &others]
        };
        let Some(agent) = Agent::saying(&message(&order)) else {
            return;
        };
        let id = if named {
            format!(", id: {GATEWAY}")
        } else {
            String::new()
        };
        let config = ground.path("boomgate.yaml");
        let yaml = std::fs::read_to_string(&config).unwrap();
        let files = "tls: {certificate_file: ../server.pem, key_file: ../server.key}";
        let yaml = yaml.replacen(files, "tls: {spiffe: true}", 1);
        let section = format!(
            "\nspiffe: {{endpoint_socket: '{}'{id}}}\n",
            agent.endpoint()
        );
        std::fs::write(&config, yaml + &section).unwrap();
        let mut gateway = Gateway::start(&config).await;
        until_shown(&mut gateway, pki, &own.certificate).await;
    }
}
