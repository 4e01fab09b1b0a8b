//! What only shows when all policies of a set are seen together. Never here: one policy on its own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::PolicyState;
use super::locations::{NamedLocations, ToldBy};
use super::model::{Origin, Policy, Reference};
use crate::types::{Fault, Faults, Severity};

/// What [`check_ids`] finds, and policies on named locations that do not exist or of which nobody can tell who is in them.
#[must_use]
pub fn check_set(policies: &[Policy], named_locations: &NamedLocations) -> Faults {
    let mut faults = check_ids(policies);
    for policy in policies {
        for reference in &policy.named_locations {
            faults.extend(check_location(policy, reference, named_locations));
        }
    }
    faults
}

/// Finds policies that read in which country an address is, where nobody tells that.
#[must_use]
pub fn check_countries(policies: &[Policy], named_locations: &NamedLocations) -> Faults {
    let mut faults = Faults::new();
    let active = policies
        .iter()
        .filter(|policy| policy.state != PolicyState::Disabled);
    for policy in active {
        for reference in &policy.named_locations {
            let found = named_locations.find(reference.id.as_str());
            if matches!(found, Some((_, ToldBy::Country))) {
                let message = format!(
                    "in which country an address is nobody tells, so whether it is in `{}` is unknown, and a policy that \
                     blocks then blocks (unless `evaluation.optional_facts` has `country`); set \
                     `named_locations.country_database`",
                    reference.id
                );
                faults.push(at(policy, reference, message, Severity::Warning));
            }
        }
    }
    faults
}

fn at(policy: &Policy, reference: &Reference, message: String, severity: Severity) -> Fault {
    Fault {
        file: Arc::clone(&policy.origin.file),
        line: reference.line,
        column: reference.column,
        member: reference.member.clone(),
        message,
        severity,
    }
}

fn check_location(
    policy: &Policy,
    reference: &Reference,
    named_locations: &NamedLocations,
) -> Faults {
    let (message, severity) = match named_locations.find(reference.id.as_str()) {
        Some((_, ToldBy::Address | ToldBy::Country)) => return Faults::new(),
        Some((_, ToldBy::Nobody)) => (
            format!(
                "who is in `{}` is not told here, so it counts as unknown; a policy that blocks then blocks",
                reference.id
            ),
            Severity::Warning,
        ),
        None => (
            format!(
                "there is no named location `{}`; expected the id of one, `All` or `AllTrusted`",
                reference.id
            ),
            match policy.state {
                PolicyState::Disabled => Severity::Warning,
                PolicyState::Enabled | PolicyState::EnabledForReportingButNotEnforced => {
                    Severity::Error
                }
            },
        ),
    };
    let mut faults = Faults::new();
    faults.push(at(policy, reference, message, severity));
    faults
}

/// Finds policies that share an id, over all files: a record that names one must mean one.
#[must_use]
pub fn check_ids(policies: &[Policy]) -> Faults {
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
