//! Where lines wait for the writer: in an outbox for each thread, so that calls of different workers share none.
//!
//! A call writes its line behind those that its thread wrote before it, and the writer takes them all at once: no line
//! has memory of its own, and none is copied. The lines of one call are in one outbox, in their order.
//!
//! Never here: waiting for anything but the moment in which the writer takes what is there.

use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::bell::Bell;
use crate::types::{Buffer, CallId, PerThread};

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineOf {
    /// What was decided on a call, or why nothing was.
    Decision(CallId),
    /// How a call ended.
    Outcome(CallId),
    /// A change that is about to be made.
    Change,
    /// How a change ended.
    Changed,
}

impl LineOf {
    /// Whether it holds a place in the queue until it is written. There is at most one line without for each with one.
    const fn holds_a_place(self) -> bool {
        matches!(self, Self::Decision(_) | Self::Change)
    }
}

/// Lines of one outbox in the order in which they came, each with its line break.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Buffer,
    /// What each line tells of, and where it ends.
    lines: Vec<(LineOf, usize)>,
}

impl Batch {
    /// Adds a line that `write` writes without its line break; after an error there is none.
    ///
    /// # Errors
    /// What `write` says.
    pub(super) fn push<E>(
        &mut self,
        of: LineOf,
        write: impl FnOnce(&mut Buffer) -> Result<(), E>,
    ) -> Result<(), E> {
        // Whatever was begun and not ended, by a writer that failed.
        self.bytes.truncate(self.end());
        write(&mut self.bytes)?;
        self.bytes.push(b'\n');
        self.lines.push((of, self.bytes.len()));
        Ok(())
    }

    /// The text of all lines.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.bytes().get(..self.end()).unwrap_or_default()
    }

    /// Where the last line ends.
    fn end(&self) -> usize {
        self.lines.last().map_or(0, |(_, end)| *end)
    }

    /// What each line tells of, and where it stands in the text.
    pub(super) fn lines(&self) -> impl Iterator<Item = (LineOf, Range<usize>)> {
        let mut start = 0;
        let ends = self.lines.iter();
        ends.map(move |(of, end)| (*of, std::mem::replace(&mut start, *end)..*end))
    }

    /// How many lines tell of decisions.
    pub(super) fn decisions(&self) -> usize {
        let is_decision = |(of, _): &&(LineOf, _)| matches!(of, LineOf::Decision(_));
        self.lines.iter().filter(is_decision).count()
    }

    /// How many lines hold a place in the queue.
    pub(super) fn places(&self) -> usize {
        let holds_a_place = |(of, _): &&(LineOf, _)| of.holds_a_place();
        self.lines.iter().filter(holds_a_place).count()
    }

    /// Whether the next line might take memory anew, and all that is there be copied while a call waits.
    fn is_full(&self) -> bool {
        self.bytes.len() >= FULL
    }

    /// One with room for as much as this holds.
    fn of_the_same_size(&self) -> Self {
        Self {
            bytes: Buffer::with_capacity(self.bytes.len().next_power_of_two()),
            lines: Vec::with_capacity(self.lines.len().next_power_of_two()),
        }
    }

    /// Gives back most of the memory that no line needs.
    fn fit(&mut self) {
        self.bytes.fit();
        self.lines.shrink_to(self.lines.len().next_power_of_two());
    }
}

/// When a batch has so many bytes, the next one is begun: its memory, the next power of two, has room for one line more.
const FULL: usize = 56 * 1024;

/// One outbox, in a place of its own in a processor's cache.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Outbox {
    content: Mutex<Content>,
    bell: Arc<Bell>,
}

#[derive(Debug, Default)]
struct Content {
    batch: Batch,
    /// Those before it that are full.
    full: Vec<Batch>,
    /// Who waits until their lines are written.
    waiting: Vec<oneshot::Sender<()>>,
    /// Nobody takes anything any more.
    closed: bool,
}

impl Content {
    fn push<E>(&mut self, of: LineOf, write: impl FnOnce(&mut Buffer) -> Result<(), E>) -> bool {
        let is_there = !self.closed && self.batch.push(of, write).is_ok();
        if is_there && self.batch.is_full() {
            let full = self.begin_anew();
            self.full.push(full);
        }
        is_there
    }

    /// The batch that was begun; the next has room for as much as it holds, or as one that is full.
    fn begin_anew(&mut self) -> Batch {
        let next = self.full.first().unwrap_or(&self.batch).of_the_same_size();
        std::mem::replace(&mut self.batch, next)
    }
}

impl Outbox {
    /// Adds a line that `write` writes without its line break. `false` where it does not, or the writer has ended.
    #[must_use]
    pub(super) fn push<E>(
        &self,
        of: LineOf,
        write: impl FnOnce(&mut Buffer) -> Result<(), E>,
    ) -> bool {
        let is_there = self.content.lock().push(of, write);
        if is_there {
            self.bell.wake();
        }
        is_there
    }

    /// Adds a line like [`Outbox::push`], and tells when it is written; the writer does not wait for others first.
    pub(super) fn push_awaited<E>(
        &self,
        of: LineOf,
        write: impl FnOnce(&mut Buffer) -> Result<(), E>,
    ) -> Option<oneshot::Receiver<()>> {
        let (written, heard) = oneshot::channel();
        let mut content = self.content.lock();
        if !content.push(of, write) {
            return None;
        }
        content.waiting.push(written);
        drop(content);
        self.bell.hurry();
        Some(heard)
    }

    /// All that is there, and who waits for it; what comes next finds as much room as this took, up to a batch.
    fn take(&self, close: bool) -> (Vec<Batch>, Vec<oneshot::Sender<()>>) {
        let mut content = self.content.lock();
        content.closed |= close;
        let last = (!content.batch.lines.is_empty()).then(|| content.begin_anew());
        let mut batches = std::mem::take(&mut content.full);
        batches.extend(last);
        let waiting = std::mem::take(&mut content.waiting);
        drop(content);
        batches.iter_mut().for_each(Batch::fit);
        (batches, waiting)
    }

    fn is_filled(&self) -> bool {
        let content = self.content.lock();
        !(content.batch.lines.is_empty() && content.full.is_empty())
    }
}

/// All outboxes of one writer.
#[derive(Debug)]
pub(super) struct Outboxes {
    outboxes: PerThread<Arc<Outbox>>,
    bell: Arc<Bell>,
}

impl Default for Outboxes {
    fn default() -> Self {
        let bell = Arc::<Bell>::default();
        let outbox = || {
            Arc::new(Outbox {
                content: Mutex::default(),
                bell: Arc::clone(&bell),
            })
        };
        Self {
            outboxes: PerThread::new(outbox),
            bell,
        }
    }
}

impl Outboxes {
    /// That of the thread that asks.
    pub(super) fn mine(&self) -> &Arc<Outbox> {
        self.outboxes.mine()
    }

    /// How the writer is called.
    pub(super) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// What is in each of them; `close` lets nothing in any more.
    pub(super) fn take(
        &self,
        close: bool,
    ) -> impl Iterator<Item = (Vec<Batch>, Vec<oneshot::Sender<()>>)> {
        self.outboxes.iter().map(move |outbox| outbox.take(close))
    }

    /// Waits until there is a line or somebody hurries. For the writer's thread alone.
    pub(super) fn wait(&self) {
        let is_filled = |outbox: &Arc<Outbox>| outbox.is_filled();
        self.bell.wait(|| self.outboxes.iter().any(is_filled));
    }
}

#[cfg(test)]
pub(super) mod tests;
