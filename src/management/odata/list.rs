//! Answers a question to a list: filter, order, the page, the count.

use std::collections::BTreeMap;

use serde_json::Value;

use super::keys::Place;
use super::options::Options;

/// What is asked for of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    /// How many pass the filter, on whatever page.
    pub(super) count: usize,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<String>,
}

/// Looks through all rows, in whatever order they come, and keeps no more of them than the page has.
///
/// `show` makes an item of a row; it is spared where the id alone tells that the row is not on the page.
pub(super) fn page<T>(
    options: &Options,
    rows: impl Iterator<Item = T>,
    id: impl Fn(&T) -> &str,
    show: impl Fn(&T) -> Value,
) -> Page {
    let by_id_only = options.order.keys.is_empty();
    let mut kept: BTreeMap<Place, Value> = BTreeMap::new();
    let mut count = 0_usize;
    // One more than the page has, to know whether there is a next one.
    let room = options.top.saturating_add(1);
    for row in rows {
        let id = id(&row);
        let is_outside = |place: &Place, kept: &BTreeMap<Place, Value>| {
            let is_before = options.after.as_ref().is_some_and(|after| place <= after);
            let is_behind =
                kept.len() >= room && kept.keys().next_back().is_some_and(|l| place > l);
            is_before || is_behind
        };
        if by_id_only {
            let is_outside = is_outside(&options.order.joined(Vec::new(), id), &kept);
            if is_outside && (options.filter.is_none() || !options.count) {
                count = count.saturating_add(1);
                continue;
            }
        }
        let item = show(&row);
        if options
            .filter
            .as_ref()
            .is_some_and(|filter| !filter.passes(&item))
        {
            continue;
        }
        count = count.saturating_add(1);
        let place = options.order.place(&item, id);
        if is_outside(&place, &kept) {
            continue;
        }
        kept.insert(place, item);
        if kept.len() > room {
            kept.pop_last();
        }
    }
    let is_last = kept.len() < room;
    if !is_last {
        kept.pop_last();
    }
    let last = kept.keys().next_back().filter(|_| !is_last);
    Page {
        next: last.map(|last| options.skip_token(last)),
        items: kept.into_values().collect(),
        count,
    }
}
