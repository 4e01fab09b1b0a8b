//! What is wrong with a configuration of SPIFFE is told before it is used.

use boomgate::config;
use boomgate::types::Severity;

use crate::support::site::{AGENT, Ground, Setup, Site};

/// The faults of a site's configuration with this in place of that.
async fn faults(changes: &[(&str, &str)], sections: &str) -> Vec<(Severity, String)> {
    let setup = Setup {
        upstream: vec![
            "url: https://127.0.0.1:1".to_owned(),
            "tls: {ca_file: ../ca.pem}".to_owned(),
        ],
        sections: sections.to_owned(),
        ..Setup::default()
    };
    let ground = Ground::lay(&setup).await;
    let path = ground.path("boomgate.yaml");
    let mut yaml = std::fs::read_to_string(&path).unwrap();
    for (from, to) in changes {
        assert!(yaml.contains(from), "{from}");
        yaml = yaml.replacen(from, to, 1);
    }
    std::fs::write(&path, yaml).unwrap();
    let (_, faults) = config::load(&path, &config::process_environment);
    faults
        .iter()
        .map(|fault| (fault.severity, fault.to_string()))
        .collect()
}

/// Changes of the file, further sections, and what is said of them.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

const SECTION: &str = "spiffe: {endpoint_socket: \"unix:///run/agent.sock\"}";
const FILES: &str = "tls: {certificate_file: ../server.pem, key_file: ../server.key}";
const UPSTREAM: &str = "tls: {ca_file: ../ca.pem}";

#[tokio::test]
async fn every_contradiction_is_a_fault_of_its_member() {
    let ids = "tls: {spiffe_ids: [\"spiffe://a/b\"]}";
    let two = "tls: {ca_file: ../ca.pem, spiffe_ids: [\"spiffe://a/b\", \"spiffe://b/b\"]}";
    let cases: [Case<'_>; 10] = [
        (
            &[(FILES, "tls: {spiffe: true}")],
            "",
            "listeners[0].tls.spiffe: needs the section `spiffe`",
        ),
        (
            &[(UPSTREAM, ids)],
            "",
            "resources[0].upstream.tls.spiffe_ids: needs the section `spiffe`",
        ),
        (
            &[(UPSTREAM, "tls: {client_certificate: {spiffe: true}}")],
            "",
            "client_certificate.spiffe: needs the section `spiffe`",
        ),
        (
            &[(FILES, "tls: {spiffe: true, key_file: ../server.key}")],
            SECTION,
            "listeners[0].tls.key_file: stands beside `spiffe`",
        ),
        (
            &[(FILES, "tls: {key_file: ../server.key}")],
            SECTION,
            "listeners[0].tls: `certificate_file` is missing",
        ),
        (&[(FILES, "tls: {}")], "", "`key_file` is missing"),
        (
            &[(UPSTREAM, two)],
            "",
            "spiffe_ids[1]: `spiffe://b/b` is of another trust domain",
        ),
        (
            &[(UPSTREAM, "tls: {spiffe_ids: [\"spiffe://a\"]}")],
            SECTION,
            "is not the SPIFFE id of a workload",
        ),
        (
            &[],
            "spiffe: {endpoint_socket: \"tcp://127.0.0.1:8081\"}",
            "spiffe.endpoint_socket: `tcp://127.0.0.1:8081` is not the address of a Unix socket",
        ),
        (
            &[],
            "spiffe: {endpoint_socket: \"unix://agent.sock\"}",
            "is not the address of a Unix socket",
        ),
    ];
    for (changes, sections, expected) in cases {
        let faults = faults(changes, sections).await;
        let is_it = |(severity, text): &(Severity, String)| {
            *severity == Severity::Error && text.contains(expected)
        };
        assert!(faults.iter().any(is_it), "{expected}: {faults:#?}");
    }
}

#[tokio::test]
async fn a_section_that_nobody_uses_is_a_warning_and_one_that_is_used_is_fine() {
    let warns = |(severity, text): &(Severity, String)| {
        *severity == Severity::Warning && text.contains("spiffe: nothing uses it")
    };
    let unused = faults(&[], SECTION).await;
    assert_eq!(unused.iter().filter(|fault| warns(fault)).count(), 1);
    let used = faults(&[(FILES, "tls: {spiffe: true}")], SECTION).await;
    let about = used.iter().find(|(_, text)| text.contains("spiffe"));
    assert_eq!(about, None);
}

#[tokio::test]
async fn a_reload_that_would_need_an_agent_whom_nobody_asks_is_refused() {
    let site = Site::start(Setup::default()).await;
    let path = site.path("boomgate.yaml");
    let yaml = std::fs::read_to_string(&path).unwrap();
    let changed = yaml.replacen(FILES, "tls: {spiffe: true}", 1);
    std::fs::write(&path, format!("{changed}\n{SECTION}\n")).unwrap();
    site.until("the fault is shown", async |site| {
        let ready = site.manage(http::Method::GET, "/readyz", "").await;
        ready
            .json()
            .to_string()
            .contains("takes effect at the next start")
    })
    .await;
    // What was in force is in force.
    let answer = site.get("/hr/people", &site.agent_token(AGENT)).await;
    assert_eq!(answer.status, 200);
}
