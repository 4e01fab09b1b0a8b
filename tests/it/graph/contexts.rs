//! Authentication contexts: those that the configuration maps operations to, and no others.

use http::{Method, StatusCode};
use serde_json::json;

use super::{all, error, found, get};
use crate::support::site::{Setup, Site};

const CONTEXTS: &str = "/beta/identity/conditionalAccess/authenticationContextClassReferences";

async fn site() -> Site {
    Site::start(Setup {
        resource: vec![
            "operations:",
            "  - {name: read, methods: [GET], path: '/hr/people/{id}', authentication_contexts: [c2, c10]}",
            "  - {name: pay, methods: [POST], path: '/hr/people/{id}/pay', authentication_contexts: [c2]}",
        ],
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn each_context_says_which_operations_have_it() {
    let site = site().await;
    for address in [CONTEXTS.to_owned(), CONTEXTS.replace("beta", "v1.0")] {
        assert_eq!(all(&site, &address, "id").await, ["c10", "c2"]);
        let one = found(&site, &format!("{address}/c2")).await;
        let expected = json!({"id": "c2", "displayName": "c2", "isAvailable": true,
            "description": "hr-api: read, hr-api: pay", "@odata.context": one["@odata.context"]});
        assert_eq!(one, expected);
        let context = one["@odata.context"].as_str().unwrap();
        assert!(
            context.ends_with("authenticationContextClassReferences/$entity"),
            "{context}"
        );
        let filtered = format!("{address}?$filter=id eq 'c10' and isAvailable&$select=description");
        assert_eq!(all(&site, &filtered, "description").await, ["hr-api: read"]);
        let count = get(&site, &format!("{address}/$count")).await;
        assert_eq!(String::from_utf8(count.body).unwrap(), "2");
        let first = found(&site, &format!("{address}?$top=1&$count=true")).await;
        assert_eq!(
            (
                &first["@odata.count"],
                first["value"].as_array().unwrap().len()
            ),
            (&json!(2), 1)
        );
        assert!(first["@odata.nextLink"].is_string());
    }
}

#[tokio::test]
async fn a_context_that_no_operation_has_is_not_there_and_none_is_made_here() {
    let site = site().await;
    let answer = get(&site, &format!("{CONTEXTS}/c1")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(error(&answer).0, "ResourceNotFound");
    let answer = site
        .manage(Method::POST, CONTEXTS, "{\"id\": \"c1\"}")
        .await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    let answer = get(&site, &format!("{CONTEXTS}?$filter=colour eq 'red'")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let none = Site::start(Setup::default()).await;
    assert_eq!(found(&none, CONTEXTS).await["value"], json!([]));
}
