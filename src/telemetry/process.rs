//! The process metrics, read from `/proc` at each scrape. What cannot be read is left as it was.

use std::fs;

/// What the operating system says of this process.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ProcessFacts {
    /// User and system time.
    pub(super) cpu_seconds: Option<f64>,
    /// Resident memory.
    pub(super) resident_bytes: Option<u64>,
    /// Open file descriptors.
    pub(super) open_fds: Option<u64>,
    /// How many there may be.
    pub(super) max_fds: Option<u64>,
    /// When it started, in seconds since the epoch.
    pub(super) start_seconds: Option<f64>,
}

impl ProcessFacts {
    /// Reads them.
    pub(super) fn read() -> Self {
        let ticks = ticks_per_second();
        let stat = fs::read_to_string("/proc/self/stat").ok();
        // Field 2 is the program's name in brackets, which may hold anything: fields are counted after it.
        let fields: Option<Vec<&str>> = stat
            .as_deref()
            .and_then(|stat| stat.rsplit_once(") "))
            .map(|(_, rest)| rest.split_ascii_whitespace().collect());
        // `proc(5)` counts from 1, and the first field after the name is number 3.
        let field = |number: usize| -> Option<u32> {
            let at = number.checked_sub(3)?;
            fields.as_ref()?.get(at)?.parse().ok()
        };
        let seconds = |number| Some(f64::from(field(number)?) / f64::from(ticks?));
        Self {
            cpu_seconds: seconds(14).zip(seconds(15)).map(|(user, sys)| user + sys),
            resident_bytes: resident_bytes(),
            open_fds: count_open_fds(),
            max_fds: max_fds(),
            start_seconds: boot_seconds().zip(seconds(22)).map(|(boot, up)| boot + up),
        }
    }
}

/// Clock ticks per second: `AT_CLKTCK` of the auxiliary vector (`getauxval(3)`).
fn ticks_per_second() -> Option<u32> {
    const AT_CLKTCK: u64 = 17;
    let vector = fs::read("/proc/self/auxv").ok()?;
    let mut words = vector
        .chunks_exact(8)
        .filter_map(|word| word.try_into().ok().map(u64::from_ne_bytes));
    while let (Some(kind), Some(value)) = (words.next(), words.next()) {
        if kind == AT_CLKTCK {
            return u32::try_from(value).ok().filter(|ticks| *ticks > 0);
        }
    }
    None
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn count_open_fds() -> Option<u64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    // Reading the folder holds one descriptor itself.
    u64::try_from(count).ok()?.checked_sub(1)
}

fn max_fds() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn boot_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse::<u32>().ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_process() {
        let facts = ProcessFacts::read();
        assert!(facts.resident_bytes.unwrap() > 1024 * 1024);
        assert!(facts.open_fds.unwrap() >= 3);
        assert!(facts.max_fds.unwrap() >= facts.open_fds.unwrap());
        assert!(facts.cpu_seconds.unwrap() < 86_400.0);
        let now = fs::metadata("/proc/self").unwrap().modified().unwrap();
        let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
        let age = now.as_secs_f64() - facts.start_seconds.unwrap();
        assert!((-5.0..86_400.0).contains(&age), "started {age} s ago");
    }
}
