//! From a request to Graph's answer: `@odata.context`, `@odata.nextLink`, `@odata.count`, and the chosen properties.

use axum::extract::{FromRequestParts, OriginalUri, Query};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::keys::Direction;
use super::options::{Allowed, Options};
use super::properties::{Property, hide_later_names};
use super::{QueryFault, list};
use crate::call::Authority;
use crate::management::graph::GraphError;
use crate::types::percent_encoded;

/// Where Graph describes the types of its answers.
const METADATA: &str = "https://graph.microsoft.com";

/// A set of entities, as Graph's metadata has it.
#[derive(Debug)]
pub(in crate::management) struct EntitySet {
    /// Its path in the metadata: `identityProtection/riskyAgents`.
    pub(in crate::management) path: &'static str,
    /// What queries may name.
    pub(in crate::management) properties: &'static [Property],
    /// Those that are in an answer only if the client selects them.
    pub(in crate::management) only_selected: &'static [&'static str],
    /// The order of ids in which the list comes unless the client asks for another.
    pub(in crate::management) order: Direction,
}

/// Which of Graph's two schemas is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::management) enum Version {
    V1,
    Beta,
}

impl Version {
    const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// A request for entities: what of it the answer depends on, beside the entities.
#[derive(Debug)]
pub(in crate::management) struct Asked {
    pub(in crate::management) version: Version,
    /// Whether the client reads names that were added to an enumeration later.
    knows_new_names: bool,
    host: Authority,
    path: String,
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = GraphError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GraphError> {
        let unreadable = || GraphError::new(StatusCode::BAD_REQUEST, "the address is not readable");
        let Ok(OriginalUri(uri)) = OriginalUri::from_request_parts(parts, state).await;
        let Extension(host) = Extension::<Authority>::from_request_parts(parts, state)
            .await
            .map_err(|_fault| unreadable())?;
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_fault| unreadable())?;
        Ok(Self {
            version: if uri.path().starts_with("/v1.0/") {
                Version::V1
            } else {
                Version::Beta
            },
            knows_new_names: prefers_new_names(&parts.headers),
            host,
            path: uri.path().to_owned(),
            pairs,
        })
    }
}

fn prefers_new_names(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all("prefer").iter();
    preferences
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| {
            one.trim()
                .eq_ignore_ascii_case("include-unknown-enum-members")
        })
}

impl Asked {
    /// Whether the query may need this property: whoever makes the items can leave it out otherwise.
    pub(in crate::management) fn mentions(&self, property: &str) -> bool {
        let property = property.to_ascii_lowercase();
        let mut values = self.pairs.iter().map(|(_, value)| value);
        values.any(|value| value.contains('*') || value.to_ascii_lowercase().contains(&property))
    }

    /// A page of the list.
    ///
    /// # Errors
    /// 400 for a query that is not understood whole.
    pub(in crate::management) fn list<T>(
        &self,
        set: &EntitySet,
        rows: impl Iterator<Item = T>,
        id: impl Fn(&T) -> &str,
        show: impl Fn(&T) -> Value,
    ) -> Result<Response, GraphError> {
        let options = self.options(set, Allowed::List)?;
        let page = list::page(&options, rows, id, show);
        let items = page.items.into_iter();
        let items = items.map(|item| self.chosen(item, set, options.select.as_deref()));
        let mut body = Map::new();
        let context = self.context(set, options.select.as_deref());
        body.insert("@odata.context".to_owned(), json!(context));
        if options.count {
            body.insert("@odata.count".to_owned(), json!(page.count));
        }
        if let Some(token) = page.next {
            let next = self.address_with(&token);
            body.insert("@odata.nextLink".to_owned(), json!(next));
        }
        body.insert("value".to_owned(), Value::Array(items.collect()));
        Ok(Json(Value::Object(body)).into_response())
    }

    /// `/$count`: how many there are, as a text.
    ///
    /// # Errors
    /// 400 for a query that is not understood whole.
    pub(in crate::management) fn count<T>(
        &self,
        set: &EntitySet,
        rows: impl Iterator<Item = T>,
        id: impl Fn(&T) -> &str,
        show: impl Fn(&T) -> Value,
    ) -> Result<Response, GraphError> {
        let mut options = self.options(set, Allowed::Count)?;
        options.count = true;
        let count = list::page(&options, rows, id, show).count;
        let plain = [(CONTENT_TYPE, "text/plain")];
        Ok((plain, count.to_string()).into_response())
    }

    /// One entity.
    ///
    /// # Errors
    /// 400 for a query that is not understood whole.
    pub(in crate::management) fn entity(
        &self,
        set: &EntitySet,
        entity: Value,
    ) -> Result<Response, GraphError> {
        let options = self.options(set, Allowed::Entity)?;
        let select = options.select.as_deref();
        let mut entity = self.chosen(entity, set, select);
        if let Some(members) = entity.as_object_mut() {
            let context = format!("{}/$entity", self.context(set, select));
            members.insert("@odata.context".to_owned(), json!(context));
        }
        Ok(Json(entity).into_response())
    }

    fn options(&self, set: &EntitySet, allowed: Allowed) -> Result<Options, GraphError> {
        Options::parse(&self.pairs, allowed, set.path, set.properties, set.order)
            .map_err(GraphError::from)
    }

    /// The address of an entity of this set, on the host that the client used.
    pub(in crate::management) fn address_of(&self, set: &EntitySet, id: &str) -> String {
        let version = self.version.as_str();
        let (path, id) = (set.path, percent_encoded(id));
        format!("https://{}/{version}/{path}/{id}", self.host)
    }

    /// Where Graph describes this type.
    pub(in crate::management) fn context_of(&self, of: &str) -> String {
        format!("{METADATA}/{}/$metadata#{of}", self.version.as_str())
    }

    /// The properties that the client selects, and all annotations; without `$select`, all but those that need one.
    /// A filter has seen all of them, with their true values.
    fn chosen(&self, mut entity: Value, set: &EntitySet, select: Option<&[&str]>) -> Value {
        if let Some(members) = entity.as_object_mut() {
            members.retain(|name, _| match select {
                Some(names) => names.contains(&name.as_str()) || name.starts_with("@odata."),
                None => !set.only_selected.contains(&name.as_str()),
            });
        }
        if !self.knows_new_names {
            hide_later_names(&mut entity, set.properties);
        }
        entity
    }

    /// Where Graph describes what the answer holds.
    fn context(&self, set: &EntitySet, select: Option<&[&str]>) -> String {
        let selected = select.map(|names| format!("({})", names.join(",")));
        self.context_of(&format!("{}{}", set.path, selected.unwrap_or_default()))
    }

    /// This request's own address, on the host that the client used, with the token of the next page.
    fn address_with(&self, token: &str) -> String {
        let kept = self.pairs.iter();
        let kept = kept.filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"));
        let kept = kept.map(|(name, value)| format!("{name}={}&", percent_encoded(value)));
        let kept: String = kept.collect();
        format!(
            "https://{}{}?{kept}$skiptoken={token}",
            self.host, self.path
        )
    }
}

impl From<QueryFault> for GraphError {
    fn from(fault: QueryFault) -> Self {
        if fault.unsupported {
            Self::coded(
                StatusCode::BAD_REQUEST,
                "Request_UnsupportedQuery",
                fault.message,
            )
        } else {
            Self::new(StatusCode::BAD_REQUEST, fault.message)
        }
    }
}

/// Does work that takes its time away from the thread that answers probes and follows files.
///
/// # Errors
/// Those of the work; 500 if it ended without an answer.
pub(in crate::management) async fn apart(
    work: impl FnOnce() -> Result<Response, GraphError> + Send + 'static,
) -> Result<Response, GraphError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|fault| {
            tracing::error!(%fault, "a question was not answered");
            let message = "the question was not answered";
            Err(GraphError::new(StatusCode::INTERNAL_SERVER_ERROR, message))
        })
}
