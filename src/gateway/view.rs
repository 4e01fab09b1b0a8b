//! What one worker sees of the current snapshot: its own copy of what every call takes references to.
//!
//! References are counted, and where all workers count in one place each waits for the others. The large parts (policies,
//! directory, risk) are shared; only read. Never here: an older snapshot than the newest that there is when a call asks.

use std::ops::Deref;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::snapshot::{Snapshot, Snapshots};

/// A snapshot with resources of the worker's own.
#[derive(Debug)]
pub(super) struct View {
    own: Snapshot,
    /// Outlives what `own` has of it, so that nothing large is freed here ([`Snapshots::free_retired`]).
    of: Arc<Snapshot>,
}

impl Deref for View {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.own
    }
}

impl View {
    fn new(of: Arc<Snapshot>, before: Option<&Self>) -> Self {
        let known = before.filter(|before| Arc::ptr_eq(&before.of.resources, &of.resources));
        let resources = match known {
            Some(before) => Arc::clone(&before.own.resources),
            None => Arc::new(of.resources.apart()),
        };
        let own = Snapshot {
            resources,
            generation: Arc::from(&*of.generation),
            ..Snapshot::clone(&of)
        };
        Self { own, of }
    }
}

/// One worker's way to the current snapshot.
#[derive(Debug)]
pub(super) struct Viewer {
    snapshots: Arc<Snapshots>,
    last: Mutex<Arc<View>>,
}

impl Viewer {
    pub(super) fn new(snapshots: &Arc<Snapshots>) -> Self {
        let view = View::new(snapshots.load(), None);
        Self {
            snapshots: Arc::clone(snapshots),
            last: Mutex::new(Arc::new(view)),
        }
    }

    /// The current one.
    pub(super) fn load(&self) -> Arc<View> {
        let mut last = self.last.lock();
        if !self.is_current(&last) {
            *last = Arc::new(View::new(self.snapshots.load(), Some(&last)));
        }
        Arc::clone(&last)
    }

    /// Whether no other snapshot has replaced this one.
    pub(super) fn is_current(&self, view: &View) -> bool {
        self.snapshots.is_current(&view.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Resources;
    use crate::snapshot::Cause;
    use crate::telemetry::ChangeSource;

    fn change(snapshots: &Snapshots, change: impl Fn(&Snapshot) -> Snapshot) {
        snapshots.update(Cause::now(ChangeSource::Configuration), change);
    }

    #[test]
    fn the_newest_is_seen_and_what_has_not_changed_is_kept() {
        let snapshots = Arc::new(Snapshots::new(Snapshot::default()));
        let viewer = Viewer::new(&snapshots);
        let first = viewer.load();
        assert!(Arc::ptr_eq(&first, &viewer.load()) && viewer.is_current(&first));

        change(&snapshots, |now| Snapshot {
            generation: "second".into(),
            ..now.clone()
        });
        assert!(!viewer.is_current(&first));
        let second = viewer.load();
        assert_eq!((&*first.generation, &*second.generation), ("", "second"));
        assert!(Arc::ptr_eq(&first.resources, &second.resources));

        change(&snapshots, |now| Snapshot {
            resources: Arc::new(Resources::default()),
            ..now.clone()
        });
        let third = viewer.load();
        assert!(!Arc::ptr_eq(&second.resources, &third.resources));
        assert!(Arc::ptr_eq(&second.policies, &third.policies));
    }

    #[test]
    fn a_large_part_is_never_freed_by_who_lets_go_of_a_view() {
        let snapshots = Arc::new(Snapshots::new(Snapshot::default()));
        let viewer = Viewer::new(&snapshots);
        let directory = Arc::downgrade(&viewer.load().directory);
        change(&snapshots, |now| Snapshot {
            directory: Arc::default(),
            ..now.clone()
        });
        snapshots.free_retired();
        assert!(directory.upgrade().is_some(), "the worker still sees it");
        drop(viewer.load());
        assert!(directory.upgrade().is_some(), "the worker freed it");
        snapshots.free_retired();
        assert!(directory.upgrade().is_none(), "nobody freed it");
    }
}
