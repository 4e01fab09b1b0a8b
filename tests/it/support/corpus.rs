//! The corpora of the fuzz targets (`fuzz/corpus`), replayed.

use std::fs;
use std::path::Path;

/// Runs a property on every file of its target's corpus, of which there are `least` or more.
pub(crate) fn replay(target: &str, least: usize, property: fn(&[u8])) {
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
    assert!(count >= least, "only {count} inputs for `{target}`");
}
