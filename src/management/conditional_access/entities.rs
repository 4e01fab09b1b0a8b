//! What policies and named locations have in common: how one is shown, made, changed and deleted over the API.
//!
//! Ids and times are ours to say. Never here: what an object means.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::management::Control;
use crate::management::graph::GraphError;
use crate::management::odata::{Asked, EntitySet, Version};
use crate::management::writes::{Asker, Edit, IsIt, Sort, merged, object, write};
use crate::policy::read::without_annotations;
use crate::store::etag::ETag;
use crate::types::{ObjectId, Timestamp};

/// Members that a client may send, and does not decide on.
const OURS: [&str; 3] = ["id", "createdDateTime", "modifiedDateTime"];

/// An object of JSON.
pub(super) type Object = Map<String, Value>;

/// One of the two kinds.
pub(super) struct Entities {
    /// How they are listed.
    pub(super) set: &'static EntitySet,
    /// How they are written.
    pub(super) sort: &'static Sort,
    /// Whether one of this form is there for a client of this version.
    pub(super) exists: fn(&Object, Version) -> bool,
    /// One as a client of this version sees it.
    pub(super) shown: fn(Object, Version) -> Object,
    /// Holds what a client of this version sends to what the version has.
    pub(super) accept: fn(&Object, Version) -> Result<(), GraphError>,
    /// Whether the type of one is the same for all, and so not kept.
    pub(super) has_one_type: bool,
}

/// The methods of all of a kind: what `get` does, and making one.
pub(super) fn of_all(
    entities: &'static Entities,
    get: MethodRouter<Arc<Control>>,
) -> MethodRouter<Arc<Control>> {
    get.post(
        async move |State(control): State<Arc<Control>>,
                    asked: Asked,
                    asker: Asker,
                    headers: HeaderMap,
                    body: Result<Bytes, BytesRejection>| {
            let by = (asked, asker);
            entities.create(&control, by, &headers, body).await
        },
    )
}

/// The methods of one of a kind: what `get` does, changing and deleting it.
pub(super) fn of_one(
    entities: &'static Entities,
    get: MethodRouter<Arc<Control>>,
) -> MethodRouter<Arc<Control>> {
    let update = async move |State(control): State<Arc<Control>>,
                             Path(id): Path<String>,
                             asked: Asked,
                             asker: Asker,
                             headers: HeaderMap,
                             body: Result<Bytes, BytesRejection>| {
        let by = (asked, asker);
        entities.update(&control, &id, by, &headers, body).await
    };
    let delete = async move |State(control): State<Arc<Control>>,
                             Path(id): Path<String>,
                             asked: Asked,
                             asker: Asker| {
        let by = (asked.version, asker);
        entities.delete(&control, &id, by).await
    };
    get.patch(update).delete(delete)
}

impl Entities {
    /// One in a list, with its version.
    pub(super) fn item(&self, source: &Object, version: Version) -> Value {
        tagged((self.shown)(source.clone(), version), &ETag::of(source))
    }

    /// The answer with one.
    pub(super) fn one(
        &self,
        asked: &Asked,
        source: Option<&Object>,
    ) -> Result<Response, GraphError> {
        let source = source.filter(|source| (self.exists)(source, asked.version));
        let source = source.ok_or_else(|| self.not_found())?;
        self.answer(asked, StatusCode::OK, source)
    }

    /// `POST`: a new one, with an id of ours.
    async fn create(
        &self,
        control: &Arc<Control>,
        (asked, asker): (Asked, Asker),
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<Response, GraphError> {
        let mut new = without_annotations(&object(headers, body)?);
        (self.accept)(&new, asked.version)?;
        require_name(&new)?;
        if self.has_one_type {
            new.remove("@odata.type");
        }
        let id = uuid::Uuid::new_v4().to_string();
        new.insert("id".to_owned(), json!(id));
        new.insert(
            "createdDateTime".to_owned(),
            json!(control.state.clock.now()),
        );
        new.insert("modifiedDateTime".to_owned(), Value::Null);
        let is_it = self.is(&id, asked.version)?;
        let made = write(control, self.sort, (&id, is_it), Edit::Add(new), asker).await?;
        self.answer(&asked, StatusCode::CREATED, &made)
    }

    /// `PATCH`: the members that are sent; all others stay, those too that the version does not show.
    async fn update(
        &self,
        control: &Arc<Control>,
        id: &str,
        (asked, asker): (Asked, Asker),
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<Response, GraphError> {
        let mut patch = without_annotations(&object(headers, body)?);
        (self.accept)(&patch, asked.version)?;
        if patch.contains_key("displayName") {
            require_name(&patch)?;
        }
        refuse_other_id(&patch, id)?;
        for own in OURS {
            patch.remove(own);
        }
        let sent_type = patch.remove("@odata.type");
        let (has_one_type, now) = (self.has_one_type, control.state.clock.now());
        let change = Edit::Update(Box::new(move |before: Object| {
            if !has_one_type
                && sent_type.is_some()
                && before.get("@odata.type") != sent_type.as_ref()
            {
                return Err(wrong(
                    "@odata.type",
                    "the type of an object cannot be changed",
                ));
            }
            Ok(modified(merged(before, &patch), now))
        }));
        let is_it = self.is(id, asked.version)?;
        let changed = write(control, self.sort, (id, is_it), change, asker).await?;
        if prefers_representation(headers) {
            return self.answer(&asked, StatusCode::OK, &changed);
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        put(
            response.headers_mut(),
            ETAG,
            &ETag::of(&changed).to_string(),
        );
        Ok(response)
    }

    /// `DELETE`
    async fn delete(
        &self,
        control: &Arc<Control>,
        id: &str,
        (version, asker): (Version, Asker),
    ) -> Result<StatusCode, GraphError> {
        let is_it = self.is(id, version)?;
        write(control, self.sort, (id, is_it), Edit::Delete, asker).await?;
        Ok(StatusCode::NO_CONTENT)
    }

    /// The answer with an object, however it is kept.
    fn answer(
        &self,
        asked: &Asked,
        status: StatusCode,
        kept: &Object,
    ) -> Result<Response, GraphError> {
        let etag = ETag::of(kept);
        let shown = (self.shown)(without_annotations(kept), asked.version);
        let id = shown.get("id").and_then(Value::as_str);
        let location = id.map(|id| asked.address_of(self.set, id));
        let mut response = asked.entity(self.set, tagged(shown, &etag))?;
        *response.status_mut() = status;
        put(response.headers_mut(), ETAG, &etag.to_string());
        if let (StatusCode::CREATED, Some(location)) = (status, location) {
            put(response.headers_mut(), LOCATION, &location);
        }
        Ok(response)
    }

    /// How the one of this id is known in its folder.
    ///
    /// # Errors
    /// 404 for what is no id: nothing has it.
    fn is(&self, id: &str, version: Version) -> Result<IsIt, GraphError> {
        let id = ObjectId::parse(id).map_err(|_no_id| self.not_found())?;
        let exists = self.exists;
        Ok(Arc::new(move |object| {
            let own = object.get("id").and_then(Value::as_str);
            let own = own.and_then(|own| ObjectId::parse(own).ok());
            own.as_ref() == Some(&id) && exists(object, version)
        }))
    }

    fn not_found(&self) -> GraphError {
        let message = format!("there is no {} with this id", self.sort.name);
        GraphError::new(StatusCode::NOT_FOUND, message)
    }
}

/// An object with its version.
fn tagged(mut object: Object, etag: &ETag) -> Value {
    object.insert("@odata.etag".to_owned(), json!(etag.to_string()));
    Value::Object(object)
}

/// Changed now.
fn modified(mut object: Object, now: Timestamp) -> Object {
    object.insert("modifiedDateTime".to_owned(), json!(now));
    object
}

/// Whether the client wants to see what it changed (RFC 7240 §4.2).
fn prefers_representation(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all("prefer").iter();
    preferences
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|one| one.trim().eq_ignore_ascii_case("return=representation"))
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// People know it by its name.
fn require_name(object: &Object) -> Result<(), GraphError> {
    let name = object.get("displayName").and_then(Value::as_str);
    if name.is_some_and(|name| !name.trim().is_empty()) {
        return Ok(());
    }
    Err(wrong("displayName", "expected a text that is not blank"))
}

/// An object keeps its id.
fn refuse_other_id(patch: &Object, id: &str) -> Result<(), GraphError> {
    match patch.get("id").and_then(Value::as_str) {
        Some(other) if !other.eq_ignore_ascii_case(id) => Err(wrong(
            "id",
            "the address says another, and an id cannot be changed",
        )),
        Some(_) | None => Ok(()),
    }
}

/// A member that is refused.
pub(super) fn wrong(member: &str, what: &str) -> GraphError {
    let details = vec![(member.to_owned(), what.to_owned())];
    GraphError::new(StatusCode::BAD_REQUEST, format!("{member}: {what}")).with_details(details)
}
