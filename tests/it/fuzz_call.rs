//! The corpora of the fuzz targets (`fuzz/corpus`), replayed: what was once found, or looks as if it could be, keeps holding.

use crate::support::corpus::replay;

#[path = "../../fuzz/properties/call.rs"]
mod call;

#[path = "../../fuzz/properties/odata.rs"]
mod odata;

#[test]
fn the_corpora_of_the_parsers_on_the_path_of_a_call_hold() {
    replay("request_target", 20, call::request_target);
    replay("wire", 20, call::wire);
    replay("headers", 20, call::headers);
    replay("jwt_header", 20, call::jwt_header);
    replay("proxy_header", 20, call::proxy_header);
    replay("forwarded", 20, call::forwarded);
}

#[test]
fn the_corpus_of_the_reader_of_queries_holds() {
    replay("odata_filter", 20, odata::odata_filter);
}
