//! The database of countries that the configuration names.

use std::sync::Arc;

use crate::config::folders::Generation;
use crate::config::member::MemberPath;
use crate::config::settings::Sources;
use crate::config::validate::Checker;
use crate::countries::Countries;

/// The largest database of countries, in bytes.
const MAX_DATABASE_BYTES: u64 = 256 * 1024 * 1024;

/// One that cannot be read is a fault, never a database without countries.
pub(super) fn read(
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
