//! Ranges of addresses that overlap at will, cut into pieces of which each has one answer. Never here: what a place is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PlaceNumber;

/// Which places an address lies in, by a binary search. IPv4 and IPv6 have a table each.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// INVARIANT: sorted. Each piece reaches to the next one's start; nothing lies before the first.
    starts: Vec<u128>,
    /// The places of each piece, sorted.
    places: Vec<Arc<[PlaceNumber]>>,
}

impl Ranges {
    /// Takes ranges with both ends.
    pub(super) fn of(ranges: &[(u128, u128, PlaceNumber)]) -> Self {
        // At each address where anything begins or has ended: how many ranges of a place do so.
        let mut changes: BTreeMap<u128, Vec<(PlaceNumber, bool)>> = BTreeMap::new();
        for (first, last, place) in ranges {
            changes.entry(*first).or_default().push((*place, true));
            if let Some(behind) = last.checked_add(1) {
                changes.entry(behind).or_default().push((*place, false));
            }
        }
        let mut open: BTreeMap<PlaceNumber, i64> = BTreeMap::new();
        let mut table = Self::default();
        for (start, changes) in changes {
            for (place, begins) in changes {
                let count = open.entry(place).or_default();
                *count = count.saturating_add(if begins { 1 } else { -1 });
            }
            open.retain(|_, count| *count != 0);
            table.starts.push(start);
            table.places.push(open.keys().copied().collect());
        }
        table
    }

    /// The places that hold the address, sorted.
    pub(super) fn places_of(&self, address: u128) -> &[PlaceNumber] {
        let behind = self.starts.partition_point(|start| *start <= address);
        let piece = behind.checked_sub(1).and_then(|at| self.places.get(at));
        piece.map_or(&[], |places| places)
    }
}
