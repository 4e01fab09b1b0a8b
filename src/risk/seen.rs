//! Which reports were taken before: of each source the latest ones, so that one that is sent anew says nothing twice.
//!
//! Never here: an order of arrival, and more than so many of one source.

use std::sync::Arc;

use crate::types::Timestamp;

/// So many reports of one source are remembered.
const MAX_OF_SOURCE: usize = 10_000;

/// Reports that were taken. Copies share their entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen(imbl::OrdMap<Arc<str>, OfSource>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfSource {
    at: imbl::OrdMap<Arc<str>, Timestamp>,
    by_time: imbl::OrdSet<(Timestamp, Arc<str>)>,
}

impl Seen {
    /// Notes that a report was taken; the latest time stands. Those that were taken first are forgotten first.
    pub fn note(&mut self, source: &Arc<str>, id: &Arc<str>, at: Timestamp) {
        let of_source = self.0.entry(Arc::clone(source)).or_default();
        match of_source.at.get(id).copied() {
            Some(known) if known >= at => return,
            Some(known) => drop(of_source.by_time.remove(&(known, Arc::clone(id)))),
            None => {}
        }
        of_source.at.insert(Arc::clone(id), at);
        of_source.by_time.insert((at, Arc::clone(id)));
        while of_source.at.len() > MAX_OF_SOURCE
            && let Some(oldest) = of_source.by_time.get_min().cloned()
        {
            of_source.by_time.remove(&oldest);
            of_source.at.remove(&oldest.1);
        }
    }

    /// Whether this report was taken.
    #[must_use]
    pub fn holds(&self, source: &str, id: &str) -> bool {
        let of_source = self.0.get(source);
        of_source.is_some_and(|of| of.at.contains_key(id))
    }

    /// When this report was taken.
    #[must_use]
    pub fn at(&self, source: &str, id: &str) -> Option<Timestamp> {
        self.0.get(source)?.at.get(id).copied()
    }

    /// Every report that is remembered: source, id, time.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>, Timestamp)> {
        self.0
            .iter()
            .flat_map(|(source, of)| of.at.iter().map(move |(id, at)| (source, id, *at)))
    }

    /// Those that `later` has forgotten.
    pub fn lost_in<'a>(
        &'a self,
        later: &'a Self,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Arc<str>)> {
        self.0.iter().flat_map(|(source, of)| {
            // Only what is older than all that is left can be gone.
            let now = later.0.get(source);
            let oldest = now.and_then(|now| now.by_time.get_min());
            let older = of
                .by_time
                .iter()
                .take_while(move |one| oldest.is_none_or(|oldest| *one < oldest));
            older
                .filter(move |(_, id)| !now.is_some_and(|now| now.at.contains_key(id)))
                .map(move |(_, id)| (source, id))
        })
    }

    /// With all of the other ones too.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (source, id, at) in other.iter() {
            all.note(source, id, at);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> Arc<str> {
        format!("{number}").into()
    }

    #[test]
    fn the_latest_reports_of_each_source_are_remembered_whatever_the_order() {
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let (mut forth, mut back) = (Seen::default(), Seen::default());
        forth.note(&other, &id(0), Timestamp::from_seconds(0));
        back.note(&other, &id(0), Timestamp::from_seconds(0));
        let more = MAX_OF_SOURCE + 3;
        let at = |number: usize| Timestamp::from_seconds(i64::try_from(number).unwrap());
        for number in 0..more {
            forth.note(&one, &id(number), at(number));
            let number = more - 1 - number;
            back.note(&one, &id(number), at(number));
        }
        assert_eq!(forth, back);
        assert_eq!(forth.iter().count(), MAX_OF_SOURCE + 1);
        assert!(!forth.holds("one", "2") && forth.holds("one", "3"));
        assert!(forth.holds("other", "0") && !forth.holds("other", "3"));

        // One that was taken anew stays longer, and what has gone for it is known.
        let mut later = forth.clone();
        later.note(&one, &id(3), at(more));
        later.note(&one, &id(more), at(more + 1));
        let lost: Vec<_> = forth.lost_in(&later).collect();
        assert_eq!(lost, [(&one, &id(4))]);
    }
}
