//! What detections find and what they cost: precision and recall on labelled traffic, the memory of a million agents,
//! and the time that one call takes.
//!
//! `cargo bench --bench detection` prints the table of `docs/detections.md`; with `-- --long`, of four times as much traffic.
//! `BOOMGATE_DETECTION_SVG=FILE` compares thresholds, and draws that. `BOOMGATE_SCALE_AGENTS` says another number of agents. Figures of one run are compared with each other only.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::panic,
    dead_code,
    reason = "a benchmark that cannot be set up should stop; it prints, and takes its size from the environment"
)]

#[path = "../tests/it/detections/agents.rs"]
mod agents;
#[path = "../tests/it/detections/attacks.rs"]
mod attacks;
#[path = "../tests/it/detections/score.rs"]
mod score;
#[path = "../tests/it/detections/traffic.rs"]
mod traffic;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use boomgate::detection::{
    Answer, Call, DetectionSettings, Detector, Doer, Fate, Kind, Mark, Rule,
};
use boomgate::risk::RiskSubject;
use boomgate::types::Timestamp;
use traffic::Plan;

fn main() {
    let said = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    // `cargo bench` says so; `cargo test` only wants to see that it runs.
    let is_test = !said("--bench");
    quality(is_test, said("--long"));
    let agents = std::env::var("BOOMGATE_SCALE_AGENTS").map_or(1_000_000, |text| {
        text.parse().expect("BOOMGATE_SCALE_AGENTS is a number")
    });
    cost(if is_test { 10_000 } else { agents });
}

fn quality(is_test: bool, is_long: bool) {
    let plan = Plan {
        seed: 7,
        normal: if is_test {
            2
        } else if is_long {
            80
        } else {
            20
        },
        attacks: if is_test {
            2
        } else if is_long {
            120
        } else {
            30
        },
        days: if is_long { 84 } else { 42 },
    };
    let start = Instant::now();
    let scores = score::score(plan, DetectionSettings::default());
    println!("{plan:?}\n\n{}", scores.table());
    println!("{} s", start.elapsed().as_secs());
    if let Ok(to) = std::env::var("BOOMGATE_DETECTION_SVG") {
        sweep(plan, &to);
    }
    for example in scores.examples.iter().take(30) {
        println!("wrongly: {example}");
    }
}

/// Two calls of each agent, then some more of a few.
fn cost(agents: u32) {
    let settings = DetectionSettings {
        max_agents: usize::MAX,
        ..DetectionSettings::default()
    };
    let names: Vec<Arc<str>> = (0..agents)
        .map(|n| format!("a9a9a9a9-0000-4000-8000-{n:012}").into())
        .collect();
    let blueprint: Arc<str> = "b1b1b1b1-0000-4000-8000-000000000001".into();
    let resource: Arc<str> = "hr-api".into();
    let before = resident_bytes();
    let mut detector = Detector::new(settings);
    let mut calls = 0_u32;
    let mut observe = |detector: &mut Detector, agent: &Arc<str>, round: u32| {
        let doer = Doer {
            agent: Arc::clone(agent),
            subject: RiskSubject::AgentIdentity,
            on_behalf: false,
        };
        let at = Timestamp::from_seconds(1_790_000_000 + i64::from(round) * 97);
        let target = Mark::of(&[b"GET", &(round % 12).to_be_bytes()]);
        let call = Call {
            doer: doer.clone(),
            at,
            blueprint: Some(Arc::clone(&blueprint)),
            resource: Arc::clone(&resource),
            target,
            token: Some(Mark::of(&[agent.as_bytes(), &(round / 40).to_be_bytes()])),
            address: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
            client: Mark::of(&[b"agent/1.0"]),
            tls: Some(Mark::of(&[b"tls"])),
            fate: Fate::Forwarded,
            id: None,
        };
        calls += 1;
        black_box(detector.called(&call));
        black_box(detector.answered(&Answer {
            doer,
            at,
            target,
            status: 200,
            id: None,
        }));
    };
    for round in 0..2 {
        let start = Instant::now();
        for agent in &names {
            observe(&mut detector, agent, round);
        }
        let each = start.elapsed().as_nanos() / u128::from(agents);
        println!("{agents} agents, round {round}: {each} ns for a call and its answer");
    }
    let bytes = resident_bytes().saturating_sub(before);
    println!(
        "{} agents: {} bytes each",
        detector.holdings().agents,
        bytes / u64::from(agents)
    );
    let few: Vec<_> = names.iter().take(1_000).collect();
    let rounds = if agents < 100_000 { 20 } else { 2_000 };
    let start = Instant::now();
    for round in 0..rounds {
        for agent in &few {
            observe(&mut detector, agent, 2 + round);
        }
    }
    let each = start.elapsed().as_nanos() / u128::from(rounds * 1_000);
    println!("1000 of them, {rounds} rounds: {each} ns for a call and its answer");
}

/// What the process holds in memory.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the process can be read");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.expect("a size").parse::<u64>().expect("a number") * 1_024
}

/// Other thresholds, in percent of the default's.
const THRESHOLDS: [u32; 7] = [40, 60, 80, 100, 150, 200, 300];

/// What all thresholds at once being lower or higher changes: a table, and a drawing of it.
fn sweep(plan: Plan, to: &str) {
    let mut points = Vec::new();
    println!(
        "| thresholds | attacks noticed | found by the expected detection | false alarms in 1000 agent-days |\n| --: | --: | --: | --: |"
    );
    for percent in THRESHOLDS {
        let settings =
            Kind::ALL
                .into_iter()
                .fold(DetectionSettings::default(), |settings, kind| {
                    let rule = Rule::default_of(kind);
                    let threshold = (rule.threshold * percent / 100).max(1);
                    settings.with(kind, Rule { threshold, ..rule })
                });
        let scores = score::score(plan, settings);
        let attacks: u32 = scores.of.iter().map(|of| of.attacks).sum();
        let found: u32 = scores.of.iter().map(|of| of.found).sum();
        let recall = f64::from(found * 100) / f64::from(attacks);
        let alarms = f64::from(scores.false_alarms * 1_000) / f64::from(scores.normal_days);
        let noticed = f64::from(scores.noticed * 100) / f64::from(attacks);
        println!("| {percent} % | {noticed:.0} % | {recall:.0} % | {alarms:.1} |");
        points.push((percent, recall, alarms));
    }
    std::fs::write(to, drawing(&points)).expect("the drawing can be written");
}

/// Recall against false alarms, a point per threshold.
fn drawing(points: &[(u32, f64, f64)]) -> String {
    let most = points.iter().map(|point| point.2).fold(12.0, f64::max);
    let place = |recall: f64, alarms: f64| {
        (
            60.0 + alarms / most * 500.0,
            260.0 - (recall - 40.0) / 60.0 * 220.0,
        )
    };
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 320\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"640\" height=\"320\" fill=\"white\"/>\n\
         <text x=\"60\" y=\"20\" font-size=\"14\">Attacks found by the expected detection, and false alarms, by threshold (100 % is the default)</text>\n",
    );
    let mut add = |line: String| svg.push_str(&line);
    for recall in [40, 60, 80, 100] {
        let (x, y) = place(f64::from(recall), 0.0);
        add(format!(
            "<line x1=\"{x:.0}\" y1=\"{y:.0}\" x2=\"570\" y2=\"{y:.0}\" stroke=\"#ddd\"/><text x=\"52\" y=\"{:.0}\" text-anchor=\"end\">{recall} %</text>\n",
            y + 4.0
        ));
    }
    let (limit, _) = place(0.0, 10.0);
    add(format!(
        "<line x1=\"{limit:.0}\" y1=\"30\" x2=\"{limit:.0}\" y2=\"260\" stroke=\"#c33\" stroke-dasharray=\"4\"/><text x=\"{:.0}\" y=\"44\" fill=\"#c33\">limit: 10</text>\n",
        limit + 4.0
    ));
    for alarms in 0..=6 {
        let alarms = most * f64::from(alarms) / 6.0;
        let (x, _) = place(0.0, alarms);
        add(format!(
            "<text x=\"{x:.0}\" y=\"280\" text-anchor=\"middle\">{alarms:.1}</text>\n"
        ));
    }
    add("<text x=\"310\" y=\"305\" text-anchor=\"middle\">false alarms in 1000 days of an agent</text>\n".to_owned());
    let line: Vec<_> = points
        .iter()
        .map(|(_, recall, alarms)| {
            let (x, y) = place(*recall, *alarms);
            format!("{x:.0},{y:.0}")
        })
        .collect();
    add(format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#36c\" stroke-width=\"2\"/>\n",
        line.join(" ")
    ));
    for (percent, recall, alarms) in points {
        let (x, y) = place(*recall, *alarms);
        add(format!(
            "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"4\" fill=\"#36c\"/><text x=\"{:.0}\" y=\"{:.0}\">{percent} %</text>\n",
            x + 7.0,
            y + 14.0
        ));
    }
    svg + "</svg>\n"
}
