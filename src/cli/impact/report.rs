//! What was found, in words: for the tables, the JSON and the page. Never here: counting.

mod json;
mod text;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::tally::{Counts, Example, Groups, Place, Tally};
use crate::cli::records::progress::in_bytes;
use crate::cli::table::thousands;
use crate::identity::Directory;
use crate::policy::{PolicySet, PolicyState};
use crate::types::Timestamp;

/// All that there is to tell.
pub(super) struct Found<'a> {
    pub(super) tally: &'a Tally,
    pub(super) policies: &'a PolicySet,
    pub(super) files: &'a [PathBuf],
    pub(super) folder: &'a Path,
    pub(super) bytes: u64,
    pub(super) directory: Option<&'a Directory>,
    pub(super) top: usize,
    pub(super) enforces_report_only: bool,
}

/// One line of a table: a policy, agent, blueprint or resource.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<String>,
    #[serde(flatten)]
    pub(super) counts: RowCounts,
}

/// Its counts. How many calls a policy has to do with is not known of those that it does not change.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RowCounts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calls: Option<u64>,
    pub(super) newly_blocked: u64,
    pub(super) newly_blocked_on_unknown_facts: u64,
    pub(super) newly_allowed: u64,
}

impl Row {
    /// What people call it.
    pub(super) fn shown(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.id)
    }
}

impl Found<'_> {
    /// By what changes are told, with the title of each.
    pub(super) fn tables(&self) -> [(&'static str, &'static str, Vec<Row>, Counts); 4] {
        let tally = self.tally;
        [
            (
                "policies",
                "POLICY",
                self.rows(&tally.by_policy, false),
                tally.by_policy.others,
            ),
            (
                "agents",
                "AGENT",
                self.rows(&tally.by_agent, true),
                tally.by_agent.others,
            ),
            (
                "blueprints",
                "BLUEPRINT",
                self.rows(&tally.by_blueprint, true),
                tally.by_blueprint.others,
            ),
            (
                "resources",
                "RESOURCE",
                self.rows(&tally.by_resource, true),
                tally.by_resource.others,
            ),
        ]
    }

    fn rows(&self, groups: &Groups, has_calls: bool) -> Vec<Row> {
        let changed = groups.changed().into_iter();
        changed
            .map(|(id, group)| Row {
                id: id.to_owned(),
                display_name: group
                    .name
                    .as_deref()
                    .or_else(|| self.blueprint_name(id))
                    .map(str::to_owned),
                counts: RowCounts {
                    calls: has_calls.then_some(group.counts.calls),
                    newly_blocked: group.counts.newly_blocked,
                    newly_blocked_on_unknown_facts: group.counts.on_unknown,
                    newly_allowed: group.counts.newly_allowed,
                },
            })
            .collect()
    }

    /// Records hold no names of blueprints; the directory does.
    fn blueprint_name(&self, id: &str) -> Option<&str> {
        let blueprint = self.directory?.blueprint(id)?;
        Some(&blueprint.display_name)
    }

    /// What the policies are, in words.
    pub(super) fn policies_in_words(&self) -> String {
        let count = |state| {
            self.policies
                .iter()
                .filter(|policy| policy.state == state)
                .count()
        };
        let mut words = format!(
            "{} ({} enforced, {} report-only, {} disabled)",
            self.folder.display(),
            count(PolicyState::Enabled),
            count(PolicyState::EnabledForReportingButNotEnforced),
            count(PolicyState::Disabled),
        );
        if self.enforces_report_only {
            words.push_str(", report-only ones judged as enforced");
        }
        words
    }

    /// What was read, in words.
    pub(super) fn records_in_words(&self) -> String {
        let tally = self.tally;
        let files = match self.files {
            [one] => one.display().to_string(),
            several => format!("{} files", several.len()),
        };
        format!(
            "{files}, {}, {} lines: {} decisions made again, {} that cannot be, {} lines without a decision",
            in_bytes(self.bytes),
            thousands(tally.lines),
            thousands(tally.replayed()),
            thousands(tally.not_replayable()),
            thousands(tally.without_decision),
        )
    }

    /// When the calls were, in words.
    pub(super) fn period_in_words(&self) -> Option<String> {
        let (first, last) = (self.tally.first?, self.tally.last?);
        Some(format!("{first} to {last}"))
    }

    /// The place of a line, as editors know it.
    pub(super) fn place(&self, (file, line): Place) -> String {
        let name = self
            .files
            .get(file)
            .map_or("-".into(), |file| file.to_string_lossy());
        format!("{name}:{line}")
    }
}

impl Example {
    /// Who called.
    pub(super) fn who(&self) -> String {
        match &self.user {
            Some(user) => format!("{} with {user}", self.agent),
            None => self.agent.clone(),
        }
    }

    /// The policies, and whether it is what they do not know.
    pub(super) fn why(&self) -> String {
        let names: Vec<_> = self
            .policies
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let names = names.join(", ");
        if self.is_on_unknown {
            format!("{names} for want of a fact")
        } else {
            names
        }
    }
}

/// A point in time without the fraction of its second.
pub(super) fn short(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.as_seconds())
}

/// How much of all, in percent.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let tenths = u128::from(part) * 1_000 / u128::from(whole);
    if part > 0 && tenths == 0 {
        return "< 0.1%".to_owned();
    }
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// How much of all each of these is that together are all: in percent, so that what is printed adds up to 100. What
/// rounding leaves over goes to those that lost the most by it.
pub(super) fn shares<const N: usize>(parts: [u64; N]) -> [String; N] {
    let whole: u128 = parts.iter().copied().map(u128::from).sum();
    if whole == 0 {
        return parts.map(|_| "-".to_owned());
    }
    let scaled = parts.map(|part| u128::from(part) * 1_000);
    let mut tenths = scaled.map(|part| part / whole);
    let mut by_loss: Vec<usize> = (0..N).collect();
    by_loss.sort_by_key(|at| std::cmp::Reverse(scaled.get(*at).map_or(0, |part| part % whole)));
    let given: u128 = tenths.iter().sum();
    let left = usize::try_from(1_000 - given).unwrap_or(N);
    for at in by_loss.into_iter().take(left) {
        if let Some(tenth) = tenths.get_mut(at) {
            *tenth += 1;
        }
    }
    let mut parts = parts.into_iter();
    tenths.map(|tenths| match (parts.next(), tenths) {
        (Some(1..), 0) => "< 0.1%".to_owned(),
        _ => format!("{}.{}%", tenths / 10, tenths % 10),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shares_are_as_people_read_them() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(thousands(count), text);
        }
        for (part, whole, text) in [
            (0, 0, "-"),
            (0, 7, "0.0%"),
            (1, 3, "33.3%"),
            (1, 100_000, "< 0.1%"),
            (u64::MAX, u64::MAX, "100.0%"),
        ] {
            assert_eq!(share(part, whole), text);
        }
    }

    #[test]
    fn shares_of_a_whole_add_up_to_100() {
        assert_eq!(shares([0, 0]), ["-", "-"]);
        assert_eq!(shares([4, 3, 0]), ["57.1%", "42.9%", "0.0%"]);
        assert_eq!(shares([1, 1, 1]), ["33.4%", "33.3%", "33.3%"]);
        assert_eq!(shares([1_000_000, 1]), ["100.0%", "< 0.1%"]);
        assert_eq!(shares([u64::MAX, u64::MAX]), ["50.0%", "50.0%"]);
        for parts in [[1, 2, 3, 5], [7, 11, 13, 17], [1, 0, 6, 0], [999, 1, 1, 1]] {
            let tenths = shares(parts).map(|text| {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                digits.parse::<u32>().unwrap()
            });
            assert_eq!(tenths.iter().sum::<u32>(), 1_000, "{parts:?}");
        }
    }
}
