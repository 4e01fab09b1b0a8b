//! Named locations (`reference/entra.md` §3.4): what policies mean by a place, compiled so that an address and a country
//! say at once which of them they lie in.
//!
//! Two places have no ranges in Graph, so the operator gives them: the MFA trusted IPs and the compliant network. Never
//! here: where an address comes from, and which country it belongs to.

mod read;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::SessionFacts;
use super::model::Origin;
use crate::types::{Country, Fact, Fault, Faults, IpRange, ObjectId, Severity};

pub use read::read;
use table::Ranges;

/// The id by which policies name the MFA trusted IPs.
pub const MFA_TRUSTED_IPS: &str = "00000000-0000-0000-0000-000000000000";

/// The id by which policies name the compliant network.
pub const COMPLIANT_NETWORK: &str = "3d46dbda-8382-466a-856d-eb00cbc6b910";

/// One named location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedLocation {
    /// Its id.
    pub id: ObjectId,
    /// For people; the id where the author gave none.
    pub display_name: Arc<str>,
    /// What it is.
    pub place: Place,
    /// Whether `AllTrusted` means it too.
    pub is_trusted: bool,
    /// Where it was read.
    pub origin: Origin,
    /// The object as it was exported, unknown members included, without annotations.
    pub source: Map<String, Value>,
}

/// What a named location is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `ipNamedLocation`
    Ip(Vec<IpRange>),
    /// `countryNamedLocation`, by the address of the client.
    Country {
        /// `countriesAndRegions`
        countries: BTreeSet<Country>,
        /// Whether an address without a country lies in it.
        includes_unknown: bool,
    },
    /// `compliantNetworkNamedLocation`: its ranges are the operator's to give.
    CompliantNetwork,
    /// Nobody can tell here who is in it: a condition on it counts as unknown, and required.
    NotHonoured,
}

/// The ranges of the places that have none in Graph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnRanges {
    /// The MFA trusted IPs; `None` where the operator does not say.
    pub mfa_trusted_ips: Option<Vec<IpRange>>,
    /// The compliant network; `None` where the operator does not say.
    pub compliant_network: Option<Vec<IpRange>>,
}

/// A place by a number. The first three have their own; every named location follows, in order.
pub(super) type PlaceNumber = u32;
pub(super) const ALL_TRUSTED: PlaceNumber = 0;
pub(super) const MFA_TRUSTED: PlaceNumber = 1;
const COMPLIANT: PlaceNumber = 2;
const FIRST_NAMED: PlaceNumber = 3;

/// By what it is told who is in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ToldBy {
    Address,
    Country,
    Nobody,
}

/// All named locations, compiled. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub struct NamedLocations(Arc<Compiled>);

#[derive(Debug, Default)]
struct Compiled {
    locations: Vec<NamedLocation>,
    by_id: BTreeMap<Arc<str>, (PlaceNumber, ToldBy)>,
    v4: Ranges,
    v6: Ranges,
    by_country: BTreeMap<Country, Vec<PlaceNumber>>,
    /// The places in which an address without a country lies.
    without_country: Vec<PlaceNumber>,
}

impl NamedLocations {
    /// Compiles named locations. Two with one id are a fault.
    #[must_use]
    pub fn compile(locations: Vec<NamedLocation>, own: &OwnRanges) -> (Self, Faults) {
        let faults = check_ids(&locations);
        let mut building = Building::default();
        building.add_own(own);
        for (number, location) in (FIRST_NAMED..).zip(&locations) {
            building.add(number, location);
        }
        (Self(Arc::new(building.finish(locations))), faults)
    }

    /// Every named location, as it was read.
    pub fn iter(&self) -> impl Iterator<Item = &NamedLocation> {
        self.0.locations.iter()
    }

    /// The named locations in which a session lies, as far as that is known.
    pub fn of_session<'a>(
        &'a self,
        session: &SessionFacts<'_>,
    ) -> impl Iterator<Item = &'a NamedLocation> {
        let places = self.places(session);
        let known = |fact: Fact<&'a [PlaceNumber]>| fact.known().unwrap_or_default();
        let (of_address, of_country) = (known(places.of_address), known(places.of_country));
        let numbered = (FIRST_NAMED..).zip(&self.0.locations);
        numbered
            .filter(move |(number, _)| {
                of_address.binary_search(number).is_ok() || of_country.binary_search(number).is_ok()
            })
            .map(|(_, location)| location)
    }

    /// The place that a policy names, and by what it is told; `None` where there is no such location.
    pub(super) fn find(&self, id: &str) -> Option<(PlaceNumber, ToldBy)> {
        match (self.0.by_id.get(id), id) {
            (Some(known), _) => Some(*known),
            // Both exist in every tenant, whether or not the export lists them.
            (None, MFA_TRUSTED_IPS) => Some((MFA_TRUSTED, ToldBy::Nobody)),
            (None, COMPLIANT_NETWORK) => Some((COMPLIANT, ToldBy::Nobody)),
            (None, _) => None,
        }
    }

    /// The places in which a session lies.
    pub(super) fn places(&self, session: &SessionFacts<'_>) -> Places<'_> {
        Places {
            of_address: session.address.map(|address| match address {
                IpAddr::V4(address) => self.0.v4.places_of(u32::from(address).into()),
                IpAddr::V6(address) => self.0.v6.places_of(address.into()),
            }),
            of_country: session.country.map(|country| match country {
                Some(country) => self
                    .0
                    .by_country
                    .get(&country)
                    .map_or(&[][..], Vec::as_slice),
                None => &self.0.without_country,
            }),
        }
    }
}

/// The places in which a session lies, sorted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    pub(super) of_address: Fact<&'a [PlaceNumber]>,
    pub(super) of_country: Fact<&'a [PlaceNumber]>,
}

/// What [`NamedLocations::compile`] collects.
#[derive(Default)]
struct Building {
    compiled: Compiled,
    ranges: Vec<(IpRange, PlaceNumber)>,
}

impl Building {
    fn add_own(&mut self, own: &OwnRanges) {
        // What a tenant does not use has no ranges, and `AllTrusted` means the others.
        for (id, number, ranges) in [
            (MFA_TRUSTED_IPS, MFA_TRUSTED, &own.mfa_trusted_ips),
            (COMPLIANT_NETWORK, COMPLIANT, &own.compliant_network),
        ] {
            if let Some(ranges) = ranges {
                self.add_ranges(number, true, ranges);
                let told = (number, ToldBy::Address);
                self.compiled.by_id.insert(id.into(), told);
            }
        }
    }

    fn add(&mut self, number: PlaceNumber, location: &NamedLocation) {
        let told = match &location.place {
            Place::Ip(ranges) => {
                self.add_ranges(number, location.is_trusted, ranges);
                (number, ToldBy::Address)
            }
            Place::Country {
                countries,
                includes_unknown,
            } => {
                for country in countries {
                    let places = self.compiled.by_country.entry(*country).or_default();
                    places.push(number);
                }
                if *includes_unknown {
                    self.compiled.without_country.push(number);
                }
                (number, ToldBy::Country)
            }
            Place::CompliantNetwork => {
                let own = self.compiled.by_id.get(COMPLIANT_NETWORK);
                own.copied().unwrap_or((COMPLIANT, ToldBy::Nobody))
            }
            Place::NotHonoured => (number, ToldBy::Nobody),
        };
        self.compiled.by_id.insert(location.id.to_shared(), told);
    }

    fn add_ranges(&mut self, number: PlaceNumber, is_trusted: bool, ranges: &[IpRange]) {
        for range in ranges {
            self.ranges.push((*range, number));
            if is_trusted {
                self.ranges.push((*range, ALL_TRUSTED));
            }
        }
    }

    fn finish(mut self, locations: Vec<NamedLocation>) -> Compiled {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (range, number) in self.ranges {
            match range.bounds() {
                (IpAddr::V4(first), IpAddr::V4(last)) => {
                    let (first, last) = (u32::from(first), u32::from(last));
                    v4.push((u128::from(first), u128::from(last), number));
                }
                (IpAddr::V6(first), IpAddr::V6(last)) => {
                    v6.push((first.into(), last.into(), number));
                }
                // INVARIANT: both ends of a range are of one version.
                (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {}
            }
        }
        self.compiled.v4 = Ranges::of(&v4);
        self.compiled.v6 = Ranges::of(&v6);
        self.compiled.locations = locations;
        self.compiled
    }
}

fn check_ids(locations: &[NamedLocation]) -> Faults {
    let mut faults = Faults::new();
    let mut first: BTreeMap<&ObjectId, &Origin> = BTreeMap::new();
    for location in locations {
        let origin = &location.origin;
        if let Some(earlier) = first.get(&location.id) {
            faults.push(Fault {
                file: Arc::clone(&origin.file),
                line: origin.line,
                column: origin.column,
                member: "id".to_owned(),
                message: format!(
                    "`{}` is also the id of the named location at {}:{}:{}; expected each id once",
                    location.id, earlier.file, earlier.line, earlier.column
                ),
                severity: Severity::Error,
            });
        } else {
            first.insert(&location.id, origin);
        }
    }
    faults
}
