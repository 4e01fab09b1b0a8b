//! What the agents of one blueprint have in common: the resources that several days of use have made familiar to one.
//!
//! A deployment gives all agents of a blueprint a new resource, one after the other; only the first is news.
//! Never here: one agent's habits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Mark;
use super::sketch::Latest;

/// The most blueprints that are remembered. More are not: their agents are compared with themselves alone.
const MAX_BLUEPRINTS: usize = 10_000;

/// How many resources of a blueprint are remembered.
const RESOURCES: usize = 32;

/// By blueprint.
#[derive(Debug, Clone, Default)]
pub(super) struct Kin(BTreeMap<Arc<str>, Latest<RESOURCES>>);

impl Kin {
    /// Whether another agent of this blueprint is familiar with this resource.
    pub(super) fn knows(&self, blueprint: Option<&Arc<str>>, resource: Mark) -> bool {
        let known = blueprint.and_then(|blueprint| self.0.get(blueprint));
        known.is_some_and(|known| known.has(resource))
    }

    /// An agent of this blueprint is familiar with this resource.
    pub(super) fn learn(&mut self, blueprint: Option<&Arc<str>>, resource: Mark) {
        let Some(blueprint) = blueprint else { return };
        if let Some(known) = self.0.get_mut(blueprint) {
            known.put(resource);
        } else if self.0.len() < MAX_BLUEPRINTS {
            let known = self.0.entry(Arc::clone(blueprint)).or_default();
            known.put(resource);
        }
    }
}
