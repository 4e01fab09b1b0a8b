//! Records through all cores: one thread reads, the others judge, and what they counted is added up.
//!
//! Only so many blocks are under way that memory stays the same however large the files. Never here: a count that
//! depends on which thread was faster.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::{Context as _, anyhow};
use parking_lot::Mutex;

use super::judge::{Judged, judge};
use super::tally::Tally;
use crate::cli::records::lines::{Block, Source};
use crate::cli::records::progress::Progress;
use crate::policy::PolicySet;

/// How many blocks wait for each thread.
const WAITING: usize = 2;

/// Judges every record of all sources.
///
/// # Errors
/// When one cannot be read to its end.
pub(super) fn replay(
    sources: Vec<Source<'_>>,
    policies: &PolicySet,
    progress: &mut Progress,
) -> anyhow::Result<Tally> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (give, take) = sync_channel(threads.saturating_mul(WAITING));
    let take = Mutex::new(take);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work(&take, policies)))
            .collect();
        let mut read = Ok(());
        for (at, mut source) in sources.into_iter().enumerate() {
            read = source
                .read(at, |block| {
                    progress.show();
                    give.send(block).is_ok()
                })
                .with_context(|| format!("reading {}", source.name));
            if read.is_err() {
                break;
            }
        }
        // Without a giver, whoever takes comes to an end.
        drop(give);
        let mut tally = Tally::default();
        for worker in workers {
            let counted = worker
                .join()
                .map_err(|_panic| anyhow!("a thread that judges records fell over"))?;
            tally.merge(counted);
        }
        read.map(|()| tally)
    })
}

fn work(take: &Mutex<Receiver<Block>>, policies: &PolicySet) -> Tally {
    let mut tally = Tally::default();
    loop {
        let block = take.lock().recv();
        match block {
            Ok(block) => add(&block, policies, &mut tally),
            Err(_closed) => return tally,
        }
    }
}

fn add(block: &Block, policies: &PolicySet, tally: &mut Tally) {
    if block.is_too_long {
        tally.lines += 1;
        let reason = "its line is too long for a record".to_owned();
        return tally.add_refusal(reason, (block.source, block.first_line));
    }
    let lines = block.bytes.split(|byte| *byte == b'\n');
    for (number, line) in (block.first_line..).zip(lines) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        tally.lines += 1;
        let place = (block.source, number);
        match judge(line, policies) {
            Judged::NoDecision => tally.without_decision += 1,
            Judged::NotReplayable(reason) => tally.add_refusal(reason, place),
            Judged::Decided(decided) => tally.add(&decided, policies, place),
        }
    }
}
