//! What the management API shows in Graph's words, asked as Graph's clients ask: over TLS, at a whole gateway.

mod accounts;
mod contexts;
mod directory;
mod risk;
mod roles;
mod sign_ins;
mod versions;

use http::{Request, StatusCode};
use serde_json::Value;

use crate::support::client::Client;
use crate::support::site::{ADMIN_TOKEN, Answer, Site, exchange};

/// Gets a path as the administrator, with the query's blanks encoded as clients do.
async fn get(site: &Site, path: &str) -> Answer {
    get_with(site, path, &[]).await
}

async fn get_with(site: &Site, path: &str, headers: &[(&str, &str)]) -> Answer {
    let client = Client::http1(&site.pki, site.app.management()).await;
    let mut request = Request::get(path.replace(' ', "%20"))
        .header("host", "localhost:9443")
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    exchange(client, request, "").await
}

/// The answer to a question that must be fine.
async fn found(site: &Site, path: &str) -> Value {
    let answer = get(site, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json());
    answer.json()
}

/// One member of every item, over all pages.
async fn all(site: &Site, path: &str, member: &str) -> Vec<String> {
    let mut next = Some(path.to_owned());
    let mut items = Vec::new();
    while let Some(path) = next {
        let page = found(site, &path).await;
        let values = page["value"].as_array().unwrap().iter();
        items.extend(values.map(|item| item[member].as_str().unwrap_or("null").to_owned()));
        next = page["@odata.nextLink"].as_str().map(|link| {
            let path = link.strip_prefix("https://localhost:9443");
            path.unwrap_or_else(|| panic!("{link}")).to_owned()
        });
    }
    items
}

/// The code and message of Graph's error.
fn error(answer: &Answer) -> (String, String) {
    let error = &answer.json()["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        error["innerError"]["request-id"],
        answer.header("request-id")
    );
    (text("code"), text("message"))
}
