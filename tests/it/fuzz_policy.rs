//! The corpora of the fuzz targets for policies (`fuzz/corpus`), replayed: what was once found, or looks as if it could
//! be, keeps holding.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/properties/policy.rs"]
mod policy;

/// Runs a property on every file of its target's corpus.
fn replay(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        property(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count >= 10, "only {count} inputs for `{target}`");
}

#[test]
fn the_corpora_of_the_readers_of_policies_hold() {
    replay("policies", policy::policies);
    replay("filter_rules", policy::filter_rules);
    replay("named_locations", policy::named_locations);
}
