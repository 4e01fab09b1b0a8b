//! Why a write is refused, in Graph's words: 400 for what the object says, 404, 409 for what stands against it here, 412
//! for what the client has not seen, 503 for what cannot be recorded.

use std::path::Path;

use http::StatusCode;

use super::Sort;
use crate::feeds::ReloadError;
use crate::management::graph::GraphError;
use crate::store::folder::FolderError;
use crate::types::{Fault, Faults, Severity};

/// The configuration names no folder.
pub(super) fn no_folder(sort: &Sort) -> GraphError {
    let (name, setting) = (sort.name, sort.setting);
    let message = format!("there is no folder to keep a {name} in: `{setting}` names none");
    GraphError::new(StatusCode::CONFLICT, message)
}

pub(super) fn not_found(sort: &Sort) -> GraphError {
    let message = format!("there is no {} with this id", sort.name);
    GraphError::new(StatusCode::NOT_FOUND, message)
}

/// `If-Match` names no version that is there.
pub(in crate::management) fn not_seen(sort: &Sort) -> GraphError {
    let message = format!(
        "the {} is not in a version that `If-Match` names: somebody changed it; read it again",
        sort.name
    );
    GraphError::new(StatusCode::PRECONDITION_FAILED, message)
}

pub(in crate::management) fn not_recorded() -> GraphError {
    let message = "the change cannot be recorded now, so it was not made";
    GraphError::new(StatusCode::SERVICE_UNAVAILABLE, message)
}

/// The folder does not take it.
pub(super) fn of_folder(fault: &FolderError, has_condition: bool) -> GraphError {
    let status = match fault {
        FolderError::Changed { .. } if has_condition => StatusCode::PRECONDITION_FAILED,
        FolderError::Changed { .. }
        | FolderError::ReadOnly { .. }
        | FolderError::Unreadable { .. } => StatusCode::CONFLICT,
        FolderError::Failed { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    GraphError::new(status, fault.to_string())
}

/// The reader of such files does not take it.
pub(super) fn not_accepted(sort: &Sort, faults: &Faults) -> GraphError {
    let errors: Vec<_> = errors(faults.iter()).collect();
    // The client knows no file of it: the member says where.
    let told = errors
        .iter()
        .map(|fault| (fault.member.clone(), fault.message.clone()));
    refused(
        StatusCode::BAD_REQUEST,
        sort,
        "is not accepted",
        told.collect(),
    )
}

/// The reload did not take it.
pub(super) fn of_reload(
    sort: &Sort,
    error: &ReloadError,
    file: &Path,
    was_well: bool,
) -> GraphError {
    let ReloadError::Refused(faults) = error else {
        let message = format!("{error}; the change was taken back");
        return GraphError::new(StatusCode::SERVICE_UNAVAILABLE, message);
    };
    let is_of_it = |fault: &Fault| Path::new(&*fault.file) == file;
    let told = errors(faults.iter()).map(|fault| (fault.member.clone(), fault.to_string()));
    let told = told.collect();
    if was_well || errors(faults.iter()).any(is_of_it) {
        let what = "does not go with the rest of the configuration, and was taken back";
        refused(StatusCode::BAD_REQUEST, sort, what, told)
    } else {
        let what = "cannot take effect while the configuration is at fault, and was taken back";
        refused(StatusCode::CONFLICT, sort, what, told)
    }
}

/// A refused change that is still in the folder.
pub(super) fn stays(fault: &FolderError) -> GraphError {
    let message = format!("the change is not in force, and could not be taken back: {fault}");
    GraphError::new(StatusCode::INTERNAL_SERVER_ERROR, message)
}

fn errors<'a>(faults: impl Iterator<Item = &'a Fault>) -> impl Iterator<Item = &'a Fault> {
    faults.filter(|fault| fault.severity == Severity::Error)
}

/// What is wrong with which member: the first in the message, all of it as details.
fn refused(status: StatusCode, sort: &Sort, what: &str, told: Vec<(String, String)>) -> GraphError {
    let first = match told.first() {
        Some((member, message)) if member.is_empty() || message.contains(member) => message.clone(),
        Some((member, message)) => format!("{member}: {message}"),
        None => "nobody says why".to_owned(),
    };
    let more = match told.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count.saturating_sub(1)),
    };
    let message = format!("the {} {what}: {first}{more}", sort.name);
    GraphError::new(status, message).with_details(told)
}
