//! Reads Conditional Access policies as Microsoft Graph exports them (`reference/entra.md` §3): one object,
//! a Graph list or an array, in any encoding that exports come in.
//!
//! Whatever a policy configures and this program does not honour is a finding with its place, never silently
//! left out: [`members::MEMBERS`] says what is honoured. Reading goes on after a fault, so that one run names them all.
//! Never here: a file, and a policy that counts although a part of it was not understood.

mod assignments;
mod conditions;
mod controls;
mod entries;
mod lists;
pub mod members;
mod notes;
pub mod page;
mod policy;
mod reading;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::model::Policy;
use crate::types::{Fault, Faults, Severity};

pub(super) use entries::{Kind, entries, parse};
pub(super) use lists::{enumeration, texts};
pub use policy::without_annotations;
pub(super) use reading::{Reading, is_annotation, item, member, steps, text};

/// What happens to a policy of which something is not honoured: `on_unsupported`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnUnsupported {
    /// It is an error, and nothing is loaded.
    #[default]
    Reject,
    /// It is a warning, and the policy becomes report-only.
    ReportOnly,
}

/// Reads the policies of one file, whose name is for messages only.
///
/// Where the faults hold an error, the policies must not be used for anything but further checks.
#[must_use]
pub fn read(file: &str, bytes: &[u8], on_unsupported: OnUnsupported) -> (Vec<Policy>, Faults) {
    let file: Arc<str> = file.into();
    let mut faults = Faults::new();
    let mut policies = Vec::new();
    match parse(bytes) {
        Ok((text, value)) => {
            for entry in entries(&text, &value) {
                let mut reading = Reading::new(&file, &entry, on_unsupported);
                match entry.kind {
                    Kind::Object => policies.extend(policy::read(&mut reading, entry.value)),
                    Kind::NextPage => reading.unsupported(
                        &[],
                        "the list goes on at another page; once every page is here, remove this member",
                    ),
                    Kind::UnknownOfList => {
                        reading.unsupported(&[], "is not a member of a Graph list that is known");
                    }
                }
                faults.extend(reading.into_faults());
            }
        }
        Err((message, line, column)) => faults.push(Fault {
            file,
            line,
            column,
            member: String::new(),
            message,
            severity: Severity::Error,
        }),
    }
    (policies, faults)
}
