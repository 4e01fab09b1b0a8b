//! The corpora of the readers of what others report, and of proofs of possession, replayed.

use crate::support::corpus::replay;

#[path = "../../fuzz/properties/signals.rs"]
mod signals;

#[test]
fn the_corpora_of_the_readers_of_signals_and_proofs_hold() {
    replay("security_event", 20, signals::security_event);
    replay("webhook", 20, signals::webhook);
    replay("dpop_proof", 20, signals::dpop_proof);
}
