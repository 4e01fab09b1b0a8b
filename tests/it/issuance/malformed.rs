//! What is not one request for a token: it is refused before anybody is identified, and the issuer sees nothing of it.

use http::{Method, Request};

use super::support::{SECRET, form, forwarded, post, setup};
use crate::support::client::Client;
use crate::support::log::Log;
use crate::support::site::{AGENT, Answer, RESOURCE, Site, exchange};

/// A request that would be forwarded.
fn good() -> String {
    let scope = format!("{RESOURCE}/.default");
    form(&[
        ("grant_type", "client_credentials"),
        ("client_id", AGENT),
        ("client_secret", SECRET),
        ("scope", &scope),
    ])
}

/// Checks a refusal on all sides; nothing of the body may be found anywhere.
async fn is_refused(site: &Site, answer: &Answer, status: u16, reason: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], "invalid_request", "{body:#}");
    let (record, _) = site.record(answer.header("boomgate-decision-id")).await;
    assert_eq!(record["boomgate"]["reason"], reason, "{record:#}");
    assert_eq!(record["boomgate"]["resource"], "entra-token");
    assert!(!record.to_string().contains(SECRET), "{record:#}");
    assert!(!body.to_string().contains(SECRET), "{body:#}");
    assert_eq!(forwarded(site, answer), None);
}

#[tokio::test]
async fn a_form_that_could_be_read_in_two_ways_is_refused() {
    let site = Site::start(setup(Vec::new())).await;
    let good = good();
    let answer = post(&site, "/entra/token", None, &good).await;
    assert_eq!(answer.status, 200);
    for (path, basic, body) in [
        ("", None, String::new()),
        ("", None, "client_id=a".to_owned()),
        ("", None, good.replace(&format!("client_id={AGENT}&"), "")),
        ("", None, format!("{good}&client_id={AGENT}")),
        ("", None, format!("{good}&Client_Id={AGENT}")),
        ("", None, format!("{good}&scope=x")),
        ("", None, format!("{good}&client_id[]=x")),
        ("", None, format!("{good};client_id=x")),
        ("", None, format!("{good}&x=%")),
        ("", None, format!("{good}&x=%ff")),
        ("", None, format!("{good}&resource=a%20b")),
        ("", None, format!("{good}&client_assertion=x")),
        ("", None, format!("{good}&user_id=a&username=b")),
        ("", Some("another"), good.clone()),
        ("", Some(AGENT), good.clone()),
        ("?client_id=x", None, good.clone()),
        ("?Scope=x", None, good.clone()),
        ("", None, format!("{{\"grant_type\": \"{SECRET}\"}}")),
        ("", None, good.replace("grant_type", "grant_type2")),
        ("", None, good.replace(AGENT, "a%20b")),
        ("", None, good.replace("client_id", "CLIENT_ID")),
    ] {
        println!("{path} {basic:?} {body}");
        let answer = post(&site, &format!("/entra/token{path}"), basic, &body).await;
        is_refused(&site, &answer, 400, "token_request_malformed").await;
    }
}

#[tokio::test]
async fn what_is_no_form_or_too_large_is_refused() {
    let mut setup = setup(Vec::new());
    let mut endpoint = setup.resources.iter();
    let endpoint = endpoint.rposition(|line| line.contains("entra-token"));
    setup
        .resources
        .insert(endpoint.unwrap() + 1, "  max_body_size: 1KiB");
    let site = Site::start(setup).await;
    let send = async |method: Method, types: &[&str], body: &str| {
        let client = Client::http1(&site.pki, site.address()).await;
        let mut request = Request::builder()
            .method(method)
            .uri("/entra/token")
            .header("host", "localhost");
        for value in types {
            request = request.header("content-type", *value);
        }
        exchange(client, request, body).await
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    for types in [
        &[][..],
        &["application/json"],
        &["multipart/form-data; boundary=x"],
        &["text/plain"],
        &["application/x-www-form-urlencoded; charset=utf-16"],
        &[FORM, FORM],
    ] {
        let answer = send(Method::POST, types, &good()).await;
        is_refused(&site, &answer, 400, "token_request_malformed").await;
    }
    for method in [Method::GET, Method::PUT, Method::OPTIONS] {
        let answer = send(method, &[FORM], "").await;
        is_refused(&site, &answer, 405, "method_refused").await;
        assert_eq!(answer.header("allow"), "POST");
    }
    let large = format!("{}&x={}", good(), "a".repeat(1024));
    let answer = send(Method::POST, &[FORM], &large).await;
    is_refused(&site, &answer, 413, "body_too_large").await;
}

#[tokio::test]
async fn no_credential_of_a_request_is_logged_or_measured() {
    let log = Log::start();
    let site = Site::start(setup(Vec::new())).await;
    for body in [good(), format!("{}&scope=x", good())] {
        post(&site, "/entra/token", None, &body).await;
        post(&site, "/workforce/token", Some("runner"), &body).await;
    }
    let metrics = site.manage(Method::GET, "/metrics", "").await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    assert!(metrics.contains("resource=\"entra-token\""), "{metrics}");
    assert!(!metrics.contains(SECRET));
    assert!(!log.text().contains(SECRET));
    let records = std::fs::read_to_string(site.path("records.jsonl")).unwrap();
    assert!(!records.contains(SECRET));
}
