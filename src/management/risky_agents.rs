//! Graph's `identityProtection/riskyAgents` (beta): which agents are risky, and an administrator's word on them.
//!
//! An id that nobody knows is accepted as long as it is one: an agent that is not in the directory must be stoppable
//! too. That it was not known is logged.

mod actions;
mod view;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use self::view::View;
use super::Control;
use super::graph::GraphError;
use crate::call::Authority;
use crate::types::{AgentId, percent_encoded};

pub(super) use actions::{confirm_compromised, confirm_safe, dismiss};

/// The most agents on one page, and how many there are without `$top`.
const MAX_PAGE: usize = 500;

/// Where Graph says that the type of an answer is described.
const CONTEXT: &str = "https://graph.microsoft.com/beta/$metadata#identityProtection/riskyAgents";

/// A query as it came, in order.
type Pairs = Vec<(String, String)>;

/// `GET …/riskyAgents`: every agent of which risk was reported, by id, in pages.
pub(super) async fn list(
    State(control): State<Arc<Control>>,
    Extension(host): Extension<Authority>,
    Query(query): Query<Pairs>,
    headers: HeaderMap,
) -> Result<Response, GraphError> {
    let page = Page::parse(&query)?;
    let snapshot = control.state.snapshots.load();
    let view = View::new(&snapshot, &headers);
    let mut entries = snapshot
        .risk
        .iter()
        .filter(|entry| page.after.as_deref().is_none_or(|after| *entry.id > *after));
    let shown: Vec<_> = entries.by_ref().take(page.size).collect();
    let mut body = json!({
        "@odata.context": CONTEXT,
        "value": shown.iter().map(|entry| view.of(entry)).collect::<Vec<Value>>(),
    });
    if let (Some(body), Some(last), true) =
        (body.as_object_mut(), shown.last(), entries.next().is_some())
    {
        let next = page.next(&host, &last.id);
        body.insert("@odata.nextLink".to_owned(), json!(next));
    }
    Ok(Json(body).into_response())
}

/// `GET …/riskyAgents/{id}`
pub(super) async fn show(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, GraphError> {
    let snapshot = control.state.snapshots.load();
    // Ids that are GUIDs are kept in lower case; others compare byte for byte.
    let id = AgentId::parse(&id).ok();
    let entry = id.and_then(|id| snapshot.risk.get(id.as_str()));
    let Some(entry) = entry else {
        let message = "no risk was ever reported of an agent with this id";
        return Err(GraphError::new(StatusCode::NOT_FOUND, message));
    };
    let mut body = View::new(&snapshot, &headers).of(entry);
    if let Some(body) = body.as_object_mut() {
        let context = format!("{CONTEXT}/$entity");
        body.insert("@odata.context".to_owned(), json!(context));
    }
    Ok(Json(body).into_response())
}

/// Which part of a list is asked for.
struct Page {
    size: usize,
    after: Option<String>,
}

impl Page {
    /// Reads `$top` and `$skiptoken`. Any other option is refused: an answer that left a filter out would be wrong.
    fn parse(query: &Pairs) -> Result<Self, GraphError> {
        let refused = |message| GraphError::new(StatusCode::BAD_REQUEST, message);
        let mut page = Self {
            size: MAX_PAGE,
            after: None,
        };
        for (name, value) in query {
            match name.as_str() {
                "$top" => {
                    let size = value.parse::<usize>().ok().filter(|size| *size > 0);
                    let size = size.ok_or_else(|| refused("`$top` expects a number from 1"))?;
                    page.size = size.min(MAX_PAGE);
                }
                "$skiptoken" => page.after = Some(value.clone()),
                _ => {
                    return Err(refused("only `$top` and `$skiptoken` are understood here"));
                }
            }
        }
        Ok(page)
    }

    /// Where the next page is, by the host that this one was asked of.
    fn next(&self, host: &Authority, last: &str) -> String {
        let token = percent_encoded(last);
        format!(
            "https://{host}/beta/identityProtection/riskyAgents?$top={}&$skiptoken={token}",
            self.size
        )
    }
}
