//! The corpora of the fuzz targets (`fuzz/corpus`), replayed: what was once found, or looks as if it could be, keeps holding.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/properties/call.rs"]
mod call;

#[path = "../../fuzz/properties/odata.rs"]
mod odata;

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
    assert!(count >= 20, "only {count} inputs for `{target}`");
}

#[test]
fn the_corpora_of_the_parsers_on_the_path_of_a_call_hold() {
    replay("request_target", call::request_target);
    replay("wire", call::wire);
    replay("headers", call::headers);
    replay("jwt_header", call::jwt_header);
    replay("proxy_header", call::proxy_header);
    replay("forwarded", call::forwarded);
}

#[test]
fn the_corpus_of_the_reader_of_queries_holds() {
    replay("odata_filter", odata::odata_filter);
}
