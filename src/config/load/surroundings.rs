//! What calls are judged by, without a gateway: for commands that ask what policies say, on a machine that has neither
//! the certificates nor the secrets.
//!
//! The sections that no decision rests on are not looked at, and `boomgate check` is for them. Never here: another
//! reading of a section than that of the gateway.

use std::path::Path;
use std::sync::Arc;

use super::named::{Named, OwnPolicies};
use super::{Node, raw, read};
use crate::call::Resources;
use crate::config::environment::Environment;
use crate::config::settings::Sources;
use crate::config::validate::{Checker, Extent, judging};
use crate::countries::Countries;
use crate::decision::DecisionSettings;
use crate::feeds::detections::FeedSettings;
use crate::identity::Directory;
use crate::policy::{NamedLocations, Policy, PolicySet};
use crate::risk::RiskEntry;
use crate::types::Faults;

/// What policies are held against.
#[derive(Debug)]
pub struct Surroundings {
    /// The APIs behind the gateway.
    pub resources: Arc<Resources>,
    /// How decisions are made.
    pub decisions: DecisionSettings,
    /// How the traffic of agents is looked at.
    pub detections: FeedSettings,
    /// Where all of this is from.
    pub sources: Sources,
    /// The directory; empty where none is configured.
    pub directory: Arc<Directory>,
    /// What the risk file says.
    pub risk: Vec<RiskEntry>,
    /// The places that policies may name.
    pub locations: NamedLocations,
    /// The database of countries, if there is one.
    pub countries: Option<Arc<Countries>>,
    /// The hash of all sources that were read.
    pub generation: Arc<str>,
}

/// Loads what the policies of the configuration at `path` are held against, for whoever has other policies, or has them
/// yet to come.
#[must_use]
pub fn surroundings(path: &Path, environment: Environment<'_>) -> (Option<Surroundings>, Faults) {
    let (found, faults) = of_decisions(path, environment, OwnPolicies::LeftOut);
    (found.map(|(around, _none)| around), faults)
}

/// The same with the policies of the configuration, which must be there as for a gateway.
#[must_use]
pub fn with_policies(
    path: &Path,
    environment: Environment<'_>,
) -> (Option<(Surroundings, Arc<PolicySet>)>, Faults) {
    let (found, faults) = of_decisions(path, environment, OwnPolicies::Read);
    let found = found.map(|(around, policies)| {
        let policies = Arc::new(PolicySet::compile(policies, &around.locations));
        (around, policies)
    });
    (found, faults)
}

fn of_decisions(
    path: &Path,
    environment: Environment<'_>,
    own_policies: OwnPolicies,
) -> (Option<(Surroundings, Vec<Policy>)>, Faults) {
    let build = |check: &mut Checker<'_>, config: &raw::Config, tree: &Node| {
        let judging = judging(check, config);
        let sources = judging.sources?;
        let named = Named::read(check, &sources, tree, own_policies, None);
        let around = Surroundings {
            resources: judging.resources?,
            decisions: judging.decisions,
            detections: judging.detections,
            sources,
            directory: Arc::clone(&named.directory),
            risk: named.risk,
            locations: named.locations,
            countries: named.countries,
            generation: named.generation,
        };
        Some((around, named.policies))
    };
    let (found, faults, _files) = read(path, environment, Extent::Judging, build);
    (found, faults)
}
