//! The corpora of the fuzz targets for policies (`fuzz/corpus`), replayed: what was once found, or looks as if it could
//! be, keeps holding.

use crate::support::corpus::replay;

#[path = "../../fuzz/properties/policy.rs"]
mod policy;

#[test]
fn the_corpora_of_the_readers_of_policies_hold() {
    replay("policies", 10, policy::policies);
    replay("filter_rules", 10, policy::filter_rules);
    replay("named_locations", 10, policy::named_locations);
}
