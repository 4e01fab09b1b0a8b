//! Client certificates at the management listener: nobody connects without one that leads to the bundle, the token is
//! needed beside it, and the bundle is read again while the gateway runs.

use http::{Request, StatusCode};
use http_body_util::Full;
use rustls::version::TLS13;

use crate::support::client::{Client, connect};
use crate::support::pki::Pki;
use crate::support::process::{Ended, Process};
use crate::support::site::{ADMIN_TOKEN, AGENT, Ground, Setup, Site, exchange};

const RISKY: &str = "/beta/identityProtection/riskyAgents";

/// A gateway whose bundle is that of its own CA.
async fn site() -> Site {
    let setup = Setup {
        management_tls: "client_ca_file: clients.pem",
        ..Setup::default()
    };
    let ground = Ground::lay(&setup).await;
    std::fs::copy(ground.pki.path("ca.pem"), ground.path("clients.pem")).unwrap();
    Site::on(ground)
}

/// What a request gets of a client with a certificate of this issuer; `None` where there is no connection for it.
async fn asked(site: &Site, issuer: Option<&Pki>, token: &str) -> Option<StatusCode> {
    let identity = issuer.map(|issuer| issuer.pair(&["administrator"]));
    let config = site.pki.client(&["http/1.1"], &[&TLS13], identity);
    let stream = connect(site.app.management(), config, "localhost")
        .await
        .ok()?;
    let mut client = Client::over(stream).await;
    let request = Request::get(RISKY)
        .header("host", "localhost")
        .header("authorization", format!("Bearer {token}"));
    let answer = client.send(request.body(Full::default()).unwrap()).await;
    answer.ok().map(|answer| answer.status())
}

#[tokio::test]
async fn nobody_connects_without_a_certificate_that_leads_to_the_bundle() {
    let (site, stranger) = (site().await, Pki::new());
    assert_eq!(asked(&site, None, ADMIN_TOKEN).await, None);
    assert_eq!(asked(&site, Some(&stranger), ADMIN_TOKEN).await, None);
    let own = asked(&site, Some(&site.pki), ADMIN_TOKEN).await;
    assert_eq!(own, Some(StatusCode::OK));
    let without_token = asked(&site, Some(&site.pki), "another-token").await;
    assert_eq!(without_token, Some(StatusCode::UNAUTHORIZED));
    let called = site.get("/hr/people", &site.agent_token(AGENT)).await;
    assert_eq!(
        called.status,
        StatusCode::OK,
        "calls are another listener's"
    );
}

#[tokio::test]
async fn the_bundle_is_read_again_while_the_gateway_runs_and_a_bad_one_changes_nothing() {
    let (site, next) = (site().await, Pki::new());
    let bundle = site.path("clients.pem");
    std::fs::write(&bundle, "no certificate").unwrap();
    site.until("the fault is counted", async |site| {
        let faults = &[("result", "failure")];
        probe(site, &site.pki, "boomgate_config_reloads_total", faults).await > 0
    })
    .await;
    assert_eq!(
        asked(&site, Some(&site.pki), ADMIN_TOKEN).await,
        Some(StatusCode::OK)
    );
    std::fs::copy(next.path("ca.pem"), &bundle).unwrap();
    site.until("the next CA's certificates are taken", async |site| {
        asked(site, Some(&next), ADMIN_TOKEN).await == Some(StatusCode::OK)
    })
    .await;
    assert_eq!(asked(&site, Some(&site.pki), ADMIN_TOKEN).await, None);
}

/// A counter, read with a certificate of this issuer.
async fn probe(site: &Site, issuer: &Pki, metric: &str, labels: &[(&str, &str)]) -> u64 {
    let identity = Some(issuer.pair(&["prometheus"]));
    let config = site.pki.client(&["http/1.1"], &[&TLS13], identity);
    let stream = connect(site.app.management(), config, "localhost")
        .await
        .unwrap();
    let client = Client::over(stream).await;
    let request = Request::get("/metrics")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    let answer = exchange(client, request, "").await;
    let text = String::from_utf8(answer.body).unwrap();
    let has = |line: &str| {
        labels
            .iter()
            .all(|(name, value)| line.contains(&format!("{name}=\"{value}\"")))
    };
    let mut lines = text
        .lines()
        .filter(|line| line.starts_with(metric) && has(line));
    let value = lines.next().and_then(|line| line.rsplit_once(' '));
    value.map_or(0, |(_, value)| value.parse().unwrap())
}

#[tokio::test]
async fn commands_show_the_certificate_that_they_are_given() {
    let (site, stranger) = (site().await, Pki::new());
    let write = |issuer: &Pki, name: &str| {
        let (certificate, key) = issuer.issue(&["administrator"]);
        std::fs::write(site.path(&format!("{name}.pem")), certificate).unwrap();
        std::fs::write(site.path(&format!("{name}.key")), key).unwrap();
    };
    write(&site.pki, "own");
    write(&stranger, "strange");
    let path = |name: &str| site.path(name).to_str().unwrap().to_owned();
    let ca_file = site.pki.path("ca.pem").to_str().unwrap().to_owned();
    let run = async |command: &[&str], identity: &[String]| {
        let management = format!("https://{}", site.app.management());
        let token = path("admin-token");
        let access = [
            "--management",
            &management,
            "--ca-file",
            &ca_file,
            "--admin-token-file",
            &token,
        ];
        let identity: Vec<&str> = identity.iter().map(String::as_str).collect();
        let mut process = Process::start(&[command, &access[..], &identity].concat());
        let code = process.end().await.code();
        Ended {
            code,
            stdout: process.stdout(),
            stderr: process.stderr(),
        }
    };
    let identity = |certificate: &str, key: &str| {
        let (certificate, key) = (path(certificate), path(key));
        [
            "--client-certificate".to_owned(),
            certificate,
            "--client-key".to_owned(),
            key,
        ]
        .to_vec()
    };
    let commands: [&[&str]; 2] = [
        &["risk", "list"],
        &["what-if", "--agent", AGENT, "--resource", "hr-api"],
    ];
    for command in commands {
        let ended = run(command, &identity("own.pem", "own.key")).await;
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{command:?}"
        );
        for refused in [Vec::new(), identity("strange.pem", "strange.key")] {
            let ended = run(command, &refused).await;
            assert_eq!(
                (ended.code, ended.stdout.as_str()),
                (Some(1), ""),
                "{command:?}"
            );
        }
        for (bad, code, expected) in [
            (
                identity("own.pem", "strange.key"),
                65,
                "cannot be used together",
            ),
            (
                identity("nowhere.pem", "own.key"),
                65,
                "cannot be read as PEM",
            ),
            (
                identity("own.pem", "own.key")[..2].to_vec(),
                2,
                "--client-key",
            ),
        ] {
            let ended = run(command, &bad).await;
            assert_eq!(
                (ended.code, ended.stdout.as_str()),
                (Some(code), ""),
                "{command:?}"
            );
            assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        }
    }
}
