//! Records by the gigabyte: memory does not grow with them, and every core takes part.
//!
//! Some megabytes here; 1.5 GB where the tests run long (`tests/run --long`).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{path, recorded, records};

/// Writes so many bytes of records: those of real calls again and again, of other agents at other times.
fn write(file: &Path, lines: &[String], bytes: usize) {
    let mut to = BufWriter::with_capacity(1 << 20, File::create(file).unwrap());
    let mut written = 0;
    for round in 0_u64.. {
        for line in lines {
            let agent = format!("a9a9a9a9-0000-4000-8000-{:012x}", round % 5_000);
            let line = line.replace("a9a9a9a9-0000-4000-8000-000000000002", &agent);
            let second = format!(
                "T{:02}:{:02}:{:02}",
                round / 3_600 % 24,
                round / 60 % 60,
                round % 60
            );
            let line = line.replacen("T00:00:00", &second, 1);
            to.write_all(line.as_bytes()).unwrap();
            written += line.len();
        }
        if written >= bytes {
            break;
        }
    }
    to.flush().unwrap();
}

/// What a run took.
struct Run {
    found: Value,
    peak: u64,
    time: Duration,
}

/// Runs the program and looks at its memory until it ends.
fn measure(file: &Path, policies: &str) -> Run {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_boomgate"))
        .args([
            "impact",
            "--records",
            file.to_str().unwrap(),
            "--policies",
            policies,
            "--output",
            "json",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0));
        std::thread::yield_now();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Run {
        found: serde_json::from_slice(&output.stdout).unwrap(),
        peak: peak * 1_024,
        time: started.elapsed(),
    }
}

#[tokio::test]
async fn memory_does_not_grow_with_the_records() {
    let (site, folder) = recorded().await;
    let text = std::fs::read_to_string(records(&site)).unwrap();
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let mut record: Value = serde_json::from_str(line).unwrap();
            if record.get("createdDateTime").is_some() {
                record["createdDateTime"] = "2026-10-01T00:00:00Z".into();
            }
            format!("{record}\n")
        })
        .collect();
    let is_long = std::env::var_os("BOOMGATE_TESTS_LONG").is_some();
    let large = if is_long { 1_500_000_000 } else { 12_000_000 };
    let policies = path(&folder, "policies");
    let file = folder.path().join("many.jsonl");
    let runs = [large / 4, large].map(|bytes| {
        write(&file, &lines, bytes);
        measure(&file, &policies)
    });
    for run in &runs {
        println!(
            "{} bytes at most, {:?}, {} decisions",
            run.peak, run.time, run.found["replayed"]
        );
        assert_eq!(run.found["notReplayable"], serde_json::json!([]));
    }
    let [small, large] = runs;
    let count = |run: &Run, name: &str| run.found[name].as_u64().unwrap();
    assert!(count(&large, "replayed") > 3 * count(&small, "replayed"));
    assert!(count(&large, "newlyBlocked") > 0 && count(&large, "newlyAllowed") > 0);
    // Beside what every run needs: the blocks under way, and a line for each of the agents.
    assert!(
        large.peak < small.peak + (24 << 20),
        "{} and {} bytes",
        small.peak,
        large.peak
    );
    assert!(large.peak < 128 << 20, "{} bytes", large.peak);
}
