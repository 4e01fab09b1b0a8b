//! What sources said of the subjects of one kind.
//!
//! Never here: an order of arrival.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::risk::{RiskEntry, RiskSubject};

/// Subjects by their ids. Copies share their entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Subjects(imbl::OrdMap<Arc<str>, Subject>);

/// What was said of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subject {
    /// Those that count first, the gravest of them before all; then those that were overruled.
    entries: Arc<[Arc<RiskEntry>]>,
    /// How many of them count; at least one.
    counting: usize,
}

impl Subject {
    /// From entries in any order; `None` if there is none. An administrator's word overrules the earlier ones, but not
    /// among the reports of a sign-in, each of which is a finding of its own.
    fn of(mut entries: Vec<Arc<RiskEntry>>) -> Option<Self> {
        let words = entries
            .iter()
            .filter(|entry| entry.state.is_of_an_admin() && !stands_on_its_own(entry));
        let overruling = words.map(|entry| entry.rank()).max();
        let counts = |entry: &RiskEntry| overruling.is_none_or(|word| entry.rank() >= word);
        entries.sort_by_cached_key(|entry| {
            let rank = entry.rank();
            let gravest = Reverse((rank.weight, rank.at, rank.tie));
            (!counts(entry), gravest, Arc::clone(&entry.source))
        });
        let counting = entries.iter().filter(|entry| counts(entry)).count();
        (counting > 0).then(|| Self {
            entries: entries.into(),
            counting,
        })
    }
}

/// Whether a source may have several of its kind on one subject.
fn stands_on_its_own(entry: &RiskEntry) -> bool {
    entry.subject == RiskSubject::SignIn
}

impl Subjects {
    /// Takes what a source says of a subject in place of what it said before, unless that was said later.
    pub(super) fn put(&mut self, entry: Arc<RiskEntry>) {
        let id = Arc::clone(&entry.id);
        let mut entries: Vec<_> = self.entries_of(&id).cloned().collect();
        let is_same = |old: &&mut Arc<RiskEntry>| {
            old.source == entry.source && (**old == entry || !stands_on_its_own(&entry))
        };
        match entries.iter_mut().find(is_same) {
            Some(old) if old.rank() >= entry.rank() => return,
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
        if let Some(subject) = Subject::of(entries) {
            self.0.insert(id, subject);
        }
    }

    /// Whether the source of this entry said this before, or something later.
    pub(super) fn holds(&self, entry: &RiskEntry) -> bool {
        let mut said = self
            .entries_of(&entry.id)
            .filter(|old| old.source == entry.source);
        if stands_on_its_own(entry) {
            return said.any(|old| **old == *entry);
        }
        said.any(|old| old.rank() >= entry.rank())
    }

    /// Takes an entry out, if it is there as it is given.
    pub(super) fn remove(&mut self, entry: &RiskEntry) {
        if !self.entries_of(&entry.id).any(|known| **known == *entry) {
            return;
        }
        let others = self
            .entries_of(&entry.id)
            .filter(|known| ***known != *entry);
        match Subject::of(others.cloned().collect()) {
            Some(subject) => self.0.insert(Arc::clone(&entry.id), subject),
            None => self.0.remove(&entry.id),
        };
    }

    /// Without what this source said.
    pub(super) fn without(&self, source: &str) -> Self {
        let said = |entry: &Arc<RiskEntry>| *entry.source == *source;
        let mut subjects = self.clone();
        for (id, subject) in &self.0 {
            if subject.entries.iter().any(said) {
                let others = subject.entries.iter().filter(|entry| !said(entry));
                match Subject::of(others.cloned().collect()) {
                    Some(subject) => subjects.0.insert(Arc::clone(id), subject),
                    None => subjects.0.remove(id),
                };
            }
        }
        subjects
    }

    /// What was said of one subject: what counts first, the gravest before all.
    pub(super) fn entries_of(&self, id: &str) -> impl Iterator<Item = &Arc<RiskEntry>> {
        let subject = self.0.get(id);
        subject.into_iter().flat_map(|of| of.entries.iter())
    }

    /// What counts of it.
    pub(super) fn counting(&self, id: &str) -> impl Iterator<Item = &Arc<RiskEntry>> {
        let subject = self.0.get(id);
        subject
            .into_iter()
            .flat_map(|of| of.entries.iter().take(of.counting))
    }

    /// The gravest entry that counts, of each subject.
    pub(super) fn gravest(&self) -> impl Iterator<Item = &Arc<RiskEntry>> {
        self.0.values().filter_map(|of| of.entries.first())
    }

    /// Every entry.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<RiskEntry>> {
        self.0.values().flat_map(|of| of.entries.iter())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
