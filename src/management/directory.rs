//! The directory in Graph's words: `servicePrincipals`, `users` and `applications`, as far as they are agents
//! (`reference/entra.md` §1).
//!
//! What is shown is what decisions read, and not the files. Never here: an agent that the directory does not know.

mod objects;
mod patch;
mod word;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use http::header::ETAG;
use http::{HeaderValue, StatusCode};

use self::objects::{Collection, Row};
use super::Control;
use super::graph::GraphError;
use super::odata::{Asked, apart};

/// The addresses of the directory, in both of Graph's schemas.
pub(super) fn routes() -> Router<Arc<Control>> {
    let mut router = Router::new();
    for collection in &objects::COLLECTIONS {
        let base = format!("/{}", collection.path);
        if let Some(casts) = collection.casts {
            for cast in casts {
                let one = format!("{base}/{{id}}/{cast}");
                router = listed(router, &format!("{base}/{cast}"), collection);
                router = router.route(&one, account(collection));
            }
        } else {
            router = listed(router, &base, collection);
        }
        if collection.is_whole {
            let one = format!("{base}/{{id}}");
            router = router.route(&one, account(collection));
        }
    }
    router
}

/// One object, which can be changed if it is an account.
fn account(collection: &'static Collection) -> MethodRouter<Arc<Control>> {
    let shown = get(move |s, p, a| one_of(s, p, a, collection));
    if collection.are_accounts {
        shown.patch(move |s, p, a, h, b| patch::update(s, p, a, h, b, collection))
    } else {
        shown
    }
}

/// A list and its count.
fn listed(
    router: Router<Arc<Control>>,
    path: &str,
    collection: &'static Collection,
) -> Router<Arc<Control>> {
    router
        .route(path, get(move |s, a| list(s, a, collection)))
        .route(
            &format!("{path}/$count"),
            get(move |s, a| count(s, a, collection)),
        )
}

async fn list(
    State(control): State<Arc<Control>>,
    asked: Asked,
    collection: &'static Collection,
) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let with_attributes = asked.mentions(objects::ATTRIBUTES);
        let rows = (collection.rows)(&snapshot.directory);
        asked.list(&collection.set, rows, Row::id, |row| {
            row.show(&snapshot.reported.accounts, with_attributes)
        })
    })
    .await
}

async fn count(
    State(control): State<Arc<Control>>,
    asked: Asked,
    collection: &'static Collection,
) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let with_attributes = asked.mentions(objects::ATTRIBUTES);
        let rows = (collection.rows)(&snapshot.directory);
        asked.count(&collection.set, rows, Row::id, |row| {
            row.show(&snapshot.reported.accounts, with_attributes)
        })
    })
    .await
}

async fn one_of(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    asked: Asked,
    collection: &'static Collection,
) -> Result<Response, GraphError> {
    apart(move || {
        let snapshot = control.state.snapshots.load();
        let row = objects::find(&snapshot.directory, &id).filter(|row| (collection.holds)(row));
        let Some(row) = row else {
            let message = format!("no {} has this id", collection.what);
            return Err(GraphError::new(StatusCode::NOT_FOUND, message));
        };
        let accounts = &snapshot.reported.accounts;
        let tag = row.etag(accounts).to_string();
        let mut shown = row.show(accounts, asked.mentions(objects::ATTRIBUTES));
        if let Some(members) = shown.as_object_mut() {
            members.insert("@odata.etag".to_owned(), tag.as_str().into());
        }
        let mut response = asked.entity(&collection.set, shown)?;
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(ETAG, tag);
        }
        Ok(response)
    })
    .await
}
