//! Precision, recall and false alarms on labelled traffic with fixed seeds. `cargo bench --bench detection` measures more.

use boomgate::detection::{DetectionSettings, Kind};

use super::score::score;
use super::traffic::Plan;

/// What every detection must reach here; what it reaches on more traffic is in `docs/detections.md`.
const LEAST_PRECISION: u32 = 70;
const LEAST_RECALL: u32 = 80;

/// A few agents of each kind for five weeks; many more where tests run long.
fn plan() -> Plan {
    let is_long = std::env::var_os("BOOMGATE_TESTS_LONG").is_some();
    Plan {
        seed: 20_261_126,
        normal: if is_long { 40 } else { 5 },
        attacks: if is_long { 60 } else { 6 },
        days: if is_long { 70 } else { 35 },
    }
}

#[test]
fn attacks_are_told_from_the_habits_and_mishaps_of_normal_agents() {
    let scores = score(plan(), DetectionSettings::default());
    println!("{}", scores.table());
    for example in scores.examples.iter().take(40) {
        println!("wrongly: {example}");
    }
    for (kind, of) in Kind::ALL.iter().zip(&scores.of) {
        let (precision, recall) = (of.precision().unwrap_or(0), of.recall().unwrap_or(0));
        assert!(precision >= LEAST_PRECISION, "precision of {kind}: {of:?}");
        assert!(recall >= LEAST_RECALL, "recall of {kind}: {of:?}");
    }
    let per_thousand = scores.false_alarms_per_thousand_days();
    assert!(
        per_thousand < 10,
        "{per_thousand} false alarms in 1000 agent-days"
    );
}
