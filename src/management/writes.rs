//! The one way in which the API changes an object of a folder: policies, named locations, the directory.
//!
//! The order: what is there, whether the client has seen it, what becomes of it, the readers' word on that, the record,
//! the file, the reload. What the reload refuses is put back. The client is answered when the change is in force, and
//! not before. Never here: a rule on what an object may say, and a change that is not recorded.

mod merge;
mod refusals;
mod request;

use std::path::PathBuf;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value};

use super::Control;
use super::graph::GraphError;
use super::settings::Folders;
use crate::feeds::{ReloadError, Source};
use crate::record::change::{Change, Property, Target};
use crate::store::folder::{Folder, FolderError, Item, Written};
use crate::types::Faults;
use crate::types::json::tidy;

pub(super) use merge::merged;
pub(super) use refusals::{not_recorded, not_seen};
pub(super) use request::{Asker, IsIt, object};

/// A sort of objects, each in a file of its own or in a list.
#[derive(Debug)]
pub(super) struct Sort {
    /// What one is called in messages.
    pub(super) name: &'static str,
    /// What adding, changing and deleting one is called in Entra's audit log.
    pub(super) activities: [&'static str; 3],
    /// The audit log's category.
    pub(super) category: &'static str,
    /// The audit log's type of target.
    pub(super) target: &'static str,
    /// The property as which the audit log has a whole one; without, each member that differs is one.
    pub(super) property: Option<&'static str>,
    /// The setting that names the folder.
    pub(super) setting: &'static str,
    /// The folder, if there is one.
    pub(super) folder: fn(&Folders) -> Option<&PathBuf>,
    /// What the reader of such files says of an object.
    pub(super) check: fn(&str, &Folders) -> Faults,
}

/// An object of JSON.
type Object = Map<String, Value>;

/// What becomes of an object.
pub(super) enum Edit {
    /// It is new.
    Add(Object),
    /// It becomes what this makes of it.
    Update(Box<dyn FnOnce(Object) -> Result<Object, GraphError> + Send>),
    /// It goes.
    Delete,
}

/// Changes the object that is it, and gives it as it is then. It is in force when this returns.
///
/// # Errors
/// Graph's error; then nothing was changed, or it was put back.
pub(super) async fn write(
    control: &Arc<Control>,
    sort: &'static Sort,
    (id, is_it): (&str, IsIt),
    edit: Edit,
    asker: Asker,
) -> Result<Object, GraphError> {
    let (control, id) = (Arc::clone(control), id.to_owned());
    // A client that leaves must not leave a change half made.
    let writing = tokio::spawn(async move {
        let _one_at_a_time = control.folder_writes.lock().await;
        let writing = Writing::prepare(&control, sort, (id, is_it), edit, asker).await?;
        writing.carry_out().await
    });
    writing.await.unwrap_or_else(|fault| {
        tracing::error!(%fault, "a change ended in the middle");
        let message = "the change ended in the middle; ask for what is there now";
        Err(GraphError::new(StatusCode::INTERNAL_SERVER_ERROR, message))
    })
}

/// A change that may be made.
struct Writing<'a> {
    control: &'a Control,
    sort: &'static Sort,
    id: String,
    asker: Asker,
    folder: Folder,
    before: Option<Item>,
    after: Option<Object>,
    activity: &'static str,
    operation: &'static str,
}

impl<'a> Writing<'a> {
    /// Finds out what is there and what is to become of it.
    async fn prepare(
        control: &'a Control,
        sort: &'static Sort,
        (id, is_it): (String, IsIt),
        edit: Edit,
        asker: Asker,
    ) -> Result<Self, GraphError> {
        let folders = control.state.folders.load_full();
        let path = (sort.folder)(&folders).ok_or_else(|| refusals::no_folder(sort))?;
        let folder = Folder::new(path.clone());
        let [add, update, delete] = sort.activities;
        let before = match &edit {
            Edit::Add(_) => None,
            Edit::Update(_) | Edit::Delete => Some(find(&folder, sort, is_it, &asker).await?),
        };
        let was = before.as_ref().map(|item| item.object.clone());
        let (after, activity, operation) = match edit {
            Edit::Add(object) => (Some(object), add, "Add"),
            Edit::Update(change) => (Some(change(was.unwrap_or_default())?), update, "Update"),
            Edit::Delete => (None, delete, "Delete"),
        };
        if let Some(after) = &after {
            let faults = (sort.check)(&tidy(after, 0), &folders);
            if faults.has_errors() {
                return Err(refusals::not_accepted(sort, &faults));
            }
        }
        Ok(Self {
            control,
            sort,
            id,
            asker,
            folder,
            before,
            after,
            activity,
            operation,
        })
    }

    /// Records it, makes it, and waits until it is in force.
    async fn carry_out(self) -> Result<Object, GraphError> {
        let begun = self.control.state.recorder.change(self.record()).await;
        let begun = begun.map_err(|_unavailable| not_recorded())?;
        let made = match self.put().await {
            Ok(written) => self.take_effect(written).await,
            Err(refused) => Err(refused),
        };
        let ended = made.as_ref().copied().map_err(GraphError::message);
        begun.ended(ended);
        match ended {
            Ok(()) => tracing::info!(
                activity = self.activity,
                object.id = self.id,
                by = %self.asker.actor,
                request.id = self.asker.ids.id(),
                "an administrator changed what decisions rest on"
            ),
            Err(reason) => tracing::warn!(
                activity = self.activity,
                object.id = self.id,
                by = %self.asker.actor,
                request.id = self.asker.ids.id(),
                reason,
                "a change of what decisions rest on was refused"
            ),
        }
        made?;
        Ok(self.after.unwrap_or_default())
    }

    fn record(&self) -> Change {
        let before = self.before.as_ref().map(|item| &item.object);
        let after = self.after.as_ref();
        let none = Map::new();
        let properties = match self.sort.property {
            Some(name) => vec![Property::whole(name, before, after)],
            None => Property::of_members(before.unwrap_or(&none), after.unwrap_or(&none)),
        };
        let name = before.or(after).and_then(display_name);
        Change {
            id: uuid::Uuid::now_v7().to_string(),
            correlation_id: self.asker.ids.id().to_owned(),
            activity_date_time: self.control.state.clock.now(),
            activity_display_name: self.activity,
            category: self.sort.category,
            operation_type: self.operation,
            initiated_by: self.asker.actor.initiator(),
            target_resources: vec![Target {
                id: self.id.clone(),
                display_name: name.map(ToOwned::to_owned),
                kind: self.sort.target,
                modified_properties: properties,
            }],
        }
    }

    /// Writes the file.
    async fn put(&self) -> Result<Written, GraphError> {
        let (folder, id) = (self.folder.clone(), self.id.clone());
        let (before, after) = (self.before.clone(), self.after.clone());
        let none = Map::new();
        let written = apart(move || match (&before, &after) {
            (Some(item), Some(object)) => folder.replace(item, object),
            (Some(item), None) => folder.delete(item),
            (None, object) => {
                let object = object.as_ref().unwrap_or(&none);
                folder.create(display_name(object).unwrap_or_default(), &id, object)
            }
        });
        let has_condition = self.asker.if_match.is_some();
        let refused = |fault| refusals::of_folder(&fault, has_condition);
        written.await?.map_err(refused)
    }

    /// Waits for the reload; what it refuses is put back.
    async fn take_effect(&self, written: Written) -> Result<(), GraphError> {
        let state = &self.control.state;
        let health = state.status.of(&Source::Configuration);
        let was_well = health.is_none_or(|health| health.fault.is_none());
        let Err(refused) = state.reloads.now().await else {
            return Ok(());
        };
        let file = written.file().to_owned();
        let put_back = apart(move || written.put_back()).await?;
        if let ReloadError::Refused(_) = refused {
            // So that nothing is told to be at fault that is not there any more. What else is, is told already.
            drop(state.reloads.now().await);
        }
        if let Err(fault) = put_back {
            tracing::error!(%fault, "a change that was refused could not be put back");
            return Err(refusals::stays(&fault));
        }
        Err(refusals::of_reload(self.sort, &refused, &file, was_well))
    }
}

/// The object that is asked for, in a version that the client has seen.
async fn find(
    folder: &Folder,
    sort: &Sort,
    is_it: IsIt,
    asker: &Asker,
) -> Result<Item, GraphError> {
    let folder = folder.clone();
    let found: Result<_, FolderError> = apart(move || folder.find(|object| is_it(object))).await?;
    let found = found.map_err(|fault| refusals::of_folder(&fault, false))?;
    let item = found.ok_or_else(|| refusals::not_found(sort))?;
    match &asker.if_match {
        Some(field) if !item.etag().is_among(field) => Err(not_seen(sort)),
        Some(_) | None => Ok(item),
    }
}

fn display_name(object: &Object) -> Option<&str> {
    object.get("displayName").and_then(Value::as_str)
}

/// Does what waits for the disk where nobody else waits for it.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, GraphError> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| {
        tracing::error!(%fault, "a folder was not read or written");
        let message = "the folder could not be read or written";
        GraphError::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    })
}
