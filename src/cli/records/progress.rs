//! How far a replay is, for who looks at a terminal. Never here: a line where nobody looks.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::lines::Source;

/// The time between two looks.
const INTERVAL: Duration = Duration::from_millis(100);
const BAR_WIDTH: usize = 30;

/// How far it is.
pub(in crate::cli) struct Progress {
    /// Of all sources; `None` if one has no size.
    total: Option<u64>,
    done: Vec<Arc<AtomicU64>>,
    started: Instant,
    shown: Instant,
    is_terminal: bool,
    is_shown: bool,
}

impl Progress {
    pub(in crate::cli) fn of(sources: &[Source<'_>]) -> Self {
        let now = Instant::now();
        Self {
            total: sources.iter().map(|source| source.size).sum(),
            done: sources
                .iter()
                .map(|source| Arc::clone(&source.done))
                .collect(),
            started: now,
            shown: now,
            is_terminal: std::io::stderr().is_terminal(),
            is_shown: false,
        }
    }

    /// Shows it, now and then.
    pub(in crate::cli) fn show(&mut self) {
        if !self.is_terminal || self.shown.elapsed() < INTERVAL {
            return;
        }
        self.shown = Instant::now();
        self.is_shown = true;
        let line = line(self.done(), self.total, self.started.elapsed());
        // With a terminal that takes no more, there is nobody to tell.
        let _told = write!(std::io::stderr().lock(), "\r\x1b[2K{line}");
    }

    /// Takes the line away, and gives how many bytes were read.
    pub(in crate::cli) fn end(self) -> u64 {
        if self.is_shown {
            let _told = write!(std::io::stderr().lock(), "\r\x1b[2K");
        }
        self.done()
    }

    fn done(&self) -> u64 {
        self.done
            .iter()
            .map(|done| done.load(Ordering::Relaxed))
            .sum()
    }
}

/// `[######........................]  20%  812 MB of 4.1 GB, 205 MB/s, 16 s left`
fn line(done: u64, total: Option<u64>, time: Duration) -> String {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1_000).checked_div(millis).unwrap_or(0);
    let speed = format!("{}/s", in_bytes(rate));
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{} read, {speed}", in_bytes(done));
    };
    let percent = done
        .saturating_mul(100)
        .checked_div(total)
        .unwrap_or(0)
        .min(100);
    let filled = usize::try_from(percent).unwrap_or(0) * BAR_WIDTH / 100;
    let bar = format!("{}{}", "#".repeat(filled), ".".repeat(BAR_WIDTH - filled));
    let left = total.saturating_sub(done).checked_div(rate).unwrap_or(0);
    format!(
        "[{bar}] {percent:3}%  {} of {}, {speed}, {left} s left",
        in_bytes(done),
        in_bytes(total)
    )
}

/// A count of bytes, to three digits or so.
pub(in crate::cli) fn in_bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes / 100;
    let mut units = UNITS.into_iter();
    let mut unit = units.next().unwrap_or_default();
    while tenths >= 10_000 {
        let Some(next) = units.next() else { break };
        unit = next;
        tenths /= 1_000;
    }
    if tenths < 1_000 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_far_it_is_and_how_long_it_takes() {
        let second = Duration::from_secs(1);
        assert_eq!(
            line(820_000_000, Some(4_100_000_000), second),
            "[######........................]  20%  820 MB of 4.1 GB, 820 MB/s, 4 s left"
        );
        assert_eq!(line(12_345, None, second), "12.3 kB read, 12.3 kB/s");
        assert_eq!(line(0, Some(0), Duration::ZERO), "0 B read, 0 B/s");
        assert!(line(5, Some(4), second).contains("100%"));
    }

    #[test]
    fn bytes_are_in_the_unit_that_fits() {
        for (bytes, text) in [
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_999, "999 kB"),
            (1_000_000, "1.0 MB"),
            (1_234_567_890, "1.2 GB"),
        ] {
            assert_eq!(in_bytes(bytes), text);
        }
    }
}
