//! What only shows when all policies of a set are seen together. Never here: one policy on its own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::model::{Origin, Policy};
use crate::types::{Fault, Faults, Severity};

/// Finds policies that share an id, over all files: a record that names one must mean one.
#[must_use]
pub fn check_set(policies: &[Policy]) -> Faults {
    let mut faults = Faults::new();
    let mut first = BTreeMap::new();
    for policy in policies {
        let origin = &policy.origin;
        let earlier: &Origin = match first.entry(&policy.id) {
            Entry::Vacant(vacant) => {
                vacant.insert(origin);
                continue;
            }
            Entry::Occupied(occupied) => occupied.get(),
        };
        faults.push(Fault {
            file: Arc::clone(&origin.file),
            line: origin.line,
            column: origin.column,
            member: "id".to_owned(),
            message: format!(
                "`{}` is also the id of the policy at {}:{}:{}; expected each id once",
                policy.id, earlier.file, earlier.line, earlier.column
            ),
            severity: Severity::Error,
        });
    }
    faults
}
