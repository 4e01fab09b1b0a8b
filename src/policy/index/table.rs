//! From a key's hash to the places that are filed under it. Built once, then only read.
//!
//! The hash is all that is compared: two keys that share one are found together, which costs a look and no more. Never
//! here: an order that hangs on anything but what was put in.

use std::collections::BTreeMap;

/// An open-addressed table with at most half of its slots taken.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// INVARIANT: a power of two of slots, or none; one in two is free.
    slots: Vec<Slot>,
    places: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: u64,
    start: u32,
    /// Free where it is not behind the start.
    end: u32,
}

impl Table {
    pub(super) fn of(filed: BTreeMap<u64, Vec<u32>>) -> Self {
        if filed.is_empty() {
            return Self::default();
        }
        let size = filed.len().saturating_mul(2).next_power_of_two();
        let mut table = Self {
            slots: vec![Slot::default(); size],
            places: Vec::new(),
        };
        for (key, places) in filed {
            let start = position(&table.places);
            table.places.extend(places);
            let slot = Slot {
                key,
                start,
                end: position(&table.places),
            };
            let mut at = table.first(key);
            while let Some(taken) = table.slots.get(at).filter(|slot| slot.end > slot.start) {
                debug_assert_ne!(taken.key, key, "each key is given once");
                at = table.next(at);
            }
            if let Some(free) = table.slots.get_mut(at) {
                *free = slot;
            }
        }
        table
    }

    /// The places filed under a key.
    pub(super) fn find(&self, key: u64) -> &[u32] {
        let mut at = self.first(key);
        while let Some(slot) = self.slots.get(at).filter(|slot| slot.end > slot.start) {
            if slot.key == key {
                let range = usize::try_from(slot.start)
                    .ok()
                    .zip(usize::try_from(slot.end).ok());
                return range
                    .and_then(|(start, end)| self.places.get(start..end))
                    .unwrap_or_default();
            }
            at = self.next(at);
        }
        &[]
    }

    fn first(&self, key: u64) -> usize {
        usize::try_from(key).unwrap_or(usize::MAX) & self.mask()
    }

    fn next(&self, at: usize) -> usize {
        at.wrapping_add(1) & self.mask()
    }

    fn mask(&self) -> usize {
        self.slots.len().saturating_sub(1)
    }
}

fn position(places: &[u32]) -> u32 {
    u32::try_from(places.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_filed_and_nothing_else() {
        // Many keys whose low bits are alike.
        let keys: Vec<u64> = (0..200)
            .map(|at| at * 1024)
            .chain([7, 8, u64::MAX])
            .collect();
        let filed = keys
            .iter()
            .zip(0..)
            .map(|(key, at)| (*key, vec![at, at + 1]));
        let table = Table::of(filed.collect());
        for (key, at) in keys.iter().zip(0..) {
            assert_eq!(table.find(*key), [at, at + 1]);
        }
        for key in [1, 9, 1023, 200 * 1024, u64::MAX - 1] {
            assert_eq!(table.find(key), [0_u32; 0]);
        }
        assert_eq!(Table::of(BTreeMap::new()).find(0), [0_u32; 0]);
    }
}
