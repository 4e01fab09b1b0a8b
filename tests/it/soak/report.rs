//! What a soak saw, as a table of figures and a plot, and whether memory stayed flat.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::load::Seen;
use crate::support::process::memory_kib;
use crate::support::site::{AGENT, OTHER_AGENT};

/// The state of things at one moment.
#[derive(Debug)]
pub(super) struct Sample {
    at: Duration,
    /// Memory of the process's own.
    mib: f64,
    files: usize,
    calls: u64,
    failures: usize,
}

impl Sample {
    pub(super) fn take(begun: Instant, process: u32, seen: &Seen) -> Self {
        let kib = u32::try_from(memory_kib(process, "RssAnon")).unwrap();
        Self {
            at: begun.elapsed(),
            mib: f64::from(kib) / 1024.0,
            files: std::fs::read_dir(format!("/proc/{process}/fd"))
                .unwrap()
                .count(),
            calls: seen.calls(AGENT) + seen.calls(OTHER_AGENT),
            failures: seen.failures().len(),
        }
    }
}

/// Fails where the last quarter takes more memory, or has more files open, than the second.
pub(super) fn assert_flat(samples: &[Sample], growth_mib: f64) {
    let quarter = samples.len() / 4;
    let most = |part: &[Sample]| {
        let mib = part.iter().map(|sample| sample.mib).fold(0.0, f64::max);
        (mib, part.iter().map(|sample| sample.files).max().unwrap())
    };
    let (mib, files) = most(&samples[quarter..quarter * 2]);
    let (last_mib, last_files) = most(&samples[quarter * 3..]);
    assert!(
        last_mib < mib + growth_mib,
        "memory grew from {mib:.1} to {last_mib:.1} MiB"
    );
    assert!(
        last_files < files + 16,
        "files grew from {files} to {last_files}"
    );
}

/// Writes figures and plot, and prints the sum.
pub(super) fn write(
    samples: &[Sample],
    seen: &Seen,
    turns: usize,
    results: &BTreeMap<String, u64>,
) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("soak");
    std::fs::create_dir_all(&folder).unwrap();
    let mut table = String::from("seconds,mib,files,calls,failures\n");
    for one in samples {
        let seconds = one.at.as_secs();
        writeln!(
            table,
            "{seconds},{:.1},{},{},{}",
            one.mib, one.files, one.calls, one.failures
        )
        .unwrap();
    }
    std::fs::write(folder.join("soak.csv"), table).unwrap();
    std::fs::write(folder.join("soak.svg"), plot(samples)).unwrap();
    let (first, last) = (samples.first().unwrap(), samples.last().unwrap());
    println!(
        "{} s, {turns} reloads and restarts: {} calls, {} failed; {:.1} MiB at first, {:.1} at last, {} files; {results:?}",
        last.at.as_secs(),
        last.calls,
        seen.failures().len(),
        first.mib,
        last.mib,
        last.files
    );
    println!("figures and plot: {}", folder.display());
}

/// Memory and calls a second over time, each on a scale of its own that begins at 0.
fn plot(samples: &[Sample]) -> String {
    let seconds = samples.last().unwrap().at.as_secs_f64();
    let mut before = (0.0, 0);
    let mut rates = Vec::new();
    for one in samples {
        let (at, calls) = (one.at.as_secs_f64(), one.calls);
        #[expect(clippy::cast_precision_loss, reason = "counts of an hour")]
        rates.push((at, (calls - before.1) as f64 / (at - before.0)));
        before = (at, calls);
    }
    let memory: Vec<_> = samples
        .iter()
        .map(|one| (one.at.as_secs_f64(), one.mib))
        .collect();
    let failures = samples.last().unwrap().failures;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 740 420\" width=\"740\" role=\"img\">\n\
         <title>Memory and calls a second under steady load</title>\n\
         <style>text{{font:13px system-ui,sans-serif;fill:#555}}.line{{fill:none;stroke:#c2410c;stroke-width:1.5}}\
         .grid{{stroke:#999;stroke-width:1}}@media(prefers-color-scheme:dark){{text{{fill:#aaa}}}}</style>\n\
         {}{}<text x=\"60\" y=\"412\">{failures} failed calls; a reload of every file and a restart of an upstream at each point</text>\n</svg>\n",
        panel("MiB of the process's own", 0, &memory, seconds),
        panel("calls a second", 200, &rates, seconds),
    )
}

fn panel(title: &str, top: u32, points: &[(f64, f64)], seconds: f64) -> String {
    let (left, width, height) = (60.0, 640.0, 130.0);
    let base = f64::from(top) + 30.0 + height;
    let most = points.iter().map(|(_, value)| *value).fold(1.0, f64::max) * 1.1;
    let place = |(x, y): &(f64, f64)| {
        format!(
            "{:.1},{:.1}",
            left + x / seconds * width,
            base - y / most * height
        )
    };
    let line: Vec<_> = points.iter().map(place).collect();
    let mut text = format!("<text x=\"{left}\" y=\"{}\">{title}</text>\n", top + 18);
    for share in [0.0, 0.5, 1.0] {
        let y = base - share / 1.1 * height;
        let value = share * most / 1.1;
        writeln!(text, "<line class=\"grid\" x1=\"{left}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\" stroke-dasharray=\"2 4\"/>", left + width).unwrap();
        writeln!(
            text,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.0}</text>",
            left - 6.0,
            y + 4.0
        )
        .unwrap();
    }
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let x = left + share * width;
        writeln!(
            text,
            "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{:.1} min</text>",
            base + 18.0,
            share * seconds / 60.0
        )
        .unwrap();
    }
    writeln!(
        text,
        "<polyline class=\"line\" points=\"{}\"/>",
        line.join(" ")
    )
    .unwrap();
    text
}
