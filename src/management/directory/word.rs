//! An administrator's word on an account beside the directory: that of one which only Graph lists.
//!
//! It is kept in the store, as what other sources say, and one that disables wins over the directory until it is taken
//! back. Never here: an account that is enabled against the directory.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::objects;
use crate::management::Control;
use crate::management::graph::GraphError;
use crate::management::writes::{Asker, Sort, not_recorded};
use crate::record::change::{Change, Property, Target};
use crate::risk::AccountState;
use crate::risk::accounts::ADMINISTRATOR;
use crate::snapshot::{Cause, Snapshot};
use crate::store::Entry;
use crate::telemetry::ChangeSource;
use crate::types::ObjectId;

/// Whose account, and where.
type Account<'a> = (&'a Arc<Control>, &'a ObjectId);

/// Only whether it is enabled can be said of an account of Graph's.
pub(super) fn not_here(sort: &Sort) -> GraphError {
    let name = sort.name;
    let message = format!(
        "this {name} is listed by Graph alone: only `accountEnabled` can be said of it here, and by itself"
    );
    GraphError::new(StatusCode::CONFLICT, message)
}

/// Says whether the account is enabled: recorded, kept and in force when this returns.
///
/// # Errors
/// Graph's error; then nothing was changed.
pub(super) async fn say(
    (control, id): Account<'_>,
    sort: &'static Sort,
    enabled: bool,
    asker: &Asker,
) -> Result<(), GraphError> {
    let snapshot = control.state.snapshots.load();
    let row = objects::find(&snapshot.directory, id.as_str());
    let is_enabled = row.is_some_and(|row| row.is_enabled_in_directory());
    if enabled && !is_enabled {
        // FAIL-CLOSED: the directory's word that an account is out is not overruled.
        let name = sort.name;
        let message = format!("Graph lists this {name} as disabled: enable it there");
        return Err(GraphError::new(StatusCode::CONFLICT, message));
    }
    let begun = control
        .state
        .recorder
        .change(change((control, id), sort, enabled, asker))
        .await;
    let begun = match begun {
        Ok(begun) => Some(begun),
        // To stop an agent must not fail because the disk is full. The log says who did it.
        Err(_unavailable) if !enabled => None,
        Err(_unavailable) => return Err(not_recorded()),
    };
    let said = word(control, id, enabled);
    let cause = Cause::now(ChangeSource::Management);
    let kept = control.state.reported.say(cause, said).await;
    let made = kept.map_err(|error| {
        tracing::error!(%error, request.id = asker.ids.id(), "an account's state could not be stored");
        let message = "it could not be stored, so nothing was changed here; repeat the request";
        GraphError::new(StatusCode::SERVICE_UNAVAILABLE, message)
    });
    let made = made.map(|_said| ());
    if let Some(begun) = begun {
        begun.ended(made.as_ref().copied().map_err(GraphError::message));
    }
    if made.is_ok() {
        tracing::info!(
            activity = sort.activities[1],
            object.id = %id,
            enabled,
            by = %asker.actor,
            request.id = asker.ids.id(),
            "an administrator changed whether an account is enabled"
        );
    }
    made
}

/// Takes back what was said of the account beside the directory, if anything disables it.
///
/// # Errors
/// As [`say`].
pub(super) async fn take_back(
    (control, id): Account<'_>,
    sort: &'static Sort,
    asker: &Asker,
) -> Result<(), GraphError> {
    let snapshot = control.state.snapshots.load();
    let row = objects::find(&snapshot.directory, id.as_str());
    let ids = row.map(|row| row.account_ids()).unwrap_or_default();
    let accounts = &snapshot.reported.accounts;
    if ids.iter().any(|id| accounts.is_disabled(id)) {
        say((control, id), sort, true, asker).await
    } else {
        Ok(())
    }
}

/// What is kept: of the account, and when it is enabled, by each of the names that sources know it by.
fn word(
    control: &Arc<Control>,
    id: &ObjectId,
    enabled: bool,
) -> impl Fn(&Snapshot) -> Vec<Entry> + Send + 'static {
    let (control, id) = (Arc::clone(control), id.to_shared());
    move |snapshot| {
        let accounts = &snapshot.reported.accounts;
        let row = objects::find(&snapshot.directory, &id);
        let others = row.map(|row| row.account_ids()).unwrap_or_default();
        let others = others.into_iter().filter(|other| **other != *id);
        let others = others.filter(|other| enabled && accounts.is_disabled(other));
        let ids = std::iter::once(Arc::clone(&id)).chain(others.map(Arc::from));
        let said = ids.map(|id| {
            // What was said before may be dated ahead of our clock; this word comes after it all the same.
            let before = accounts.of(&id).map(|state| state.at).max();
            let earliest = before.map(|at| at.after(Duration::from_micros(1)));
            let now = control.state.clock.now();
            Entry::Account(AccountState {
                id,
                enabled,
                at: earliest.map_or(now, |earliest| earliest.max(now)),
                source: ADMINISTRATOR.into(),
            })
        });
        said.collect()
    }
}

fn change((control, id): Account<'_>, sort: &Sort, enabled: bool, asker: &Asker) -> Change {
    let snapshot = control.state.snapshots.load();
    let row = objects::find(&snapshot.directory, id.as_str());
    let shown = row.map(|row| row.show(&snapshot.reported.accounts, false));
    let member = |name: &str| shown.as_ref().and_then(|shown| shown.get(name));
    Change {
        id: uuid::Uuid::now_v7().to_string(),
        correlation_id: asker.ids.id().to_owned(),
        activity_date_time: control.state.clock.now(),
        activity_display_name: sort.activities[1],
        category: sort.category,
        operation_type: "Update",
        initiated_by: asker.actor.initiator(),
        target_resources: vec![Target {
            id: id.to_string(),
            display_name: member("displayName")
                .and_then(|name| name.as_str())
                .map(ToOwned::to_owned),
            kind: sort.target,
            modified_properties: vec![Property {
                display_name: "accountEnabled".to_owned(),
                old_value: member("accountEnabled").map(ToString::to_string),
                new_value: Some(enabled.to_string()),
            }],
        }],
    }
}
