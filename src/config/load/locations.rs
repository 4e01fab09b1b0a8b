//! Named locations with the ranges that no export has, and the database of countries.

use std::sync::Arc;

use crate::config::folders::{Generation, Source};
use crate::config::member::MemberPath;
use crate::config::settings::Sources;
use crate::config::validate::Checker;
use crate::countries::Countries;
use crate::policy::NamedLocations;
use crate::policy::locations;

/// The largest database of countries, in bytes.
const MAX_DATABASE_BYTES: u64 = 256 * 1024 * 1024;

/// Reads and compiles the named locations of these files.
pub(super) fn read(check: &mut Checker<'_>, sources: &Sources, files: &[Source]) -> NamedLocations {
    let mut all = Vec::new();
    for file in files {
        let (read, found) = locations::read(&file.shown, &file.bytes);
        all.extend(read);
        check.extend(found);
    }
    let (compiled, found) = NamedLocations::compile(all, &sources.own_ranges);
    check.extend(found);
    compiled
}

/// The database of countries. One that cannot be read is a fault, never a database without countries.
pub(super) fn countries(
    check: &mut Checker<'_>,
    sources: &Sources,
    generation: &mut Generation,
) -> Option<Arc<Countries>> {
    let path = sources.countries.as_ref()?;
    let at = MemberPath::root()
        .key("named_locations")
        .key("country_database");
    let bytes = check.read(&at, path, MAX_DATABASE_BYTES)?;
    generation.add("countries", "", &bytes);
    match Countries::parse(bytes) {
        Ok(countries) => Some(Arc::new(countries)),
        Err(error) => {
            check.refuse(&at, &format!("is not usable: {error}"));
            None
        }
    }
}
