//! The one thread that writes records: it takes what is in the outboxes, keeps it for those who look, and writes it.
//!
//! Decisions take a place in the queue until they are written. Outcomes take none: there is at most one for each
//! decision that found a place, so their number is bounded too, and none can be lost.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Stdout, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use super::RecordError;
use super::lines::Lines;
use super::outbox::Outboxes;
use super::recent::Recent;
use super::settings::{Destination, RecordSettings};
use crate::telemetry::{Metrics, RecordCounter, RecordResult};

/// The time between attempts to write after a failed one.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Lines wait so long for others. A thread that waits this way need not be woken by who sends: to wake it for each line,
/// and to write each alone, costs a call more than making the line.
const GATHER: Duration = Duration::from_millis(2);

/// What calls see of the writer.
#[derive(Debug)]
pub(super) struct Queue {
    /// Where lines wait.
    pub(super) outboxes: Outboxes,
    /// Places for decisions that are not written yet.
    pub(super) places: Semaphore,
    /// Whether the last attempt to write went well.
    pub(super) healthy: AtomicBool,
    /// The file was rotated away, and is to be opened anew.
    rotated: AtomicBool,
}

impl Queue {
    pub(super) fn new(places: usize) -> Self {
        Self {
            outboxes: Outboxes::default(),
            places: Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS)),
            healthy: AtomicBool::new(true),
            rotated: AtomicBool::new(false),
        }
    }

    /// The file was rotated away: what comes now goes into the one that has its name.
    pub(super) fn reopen(&self) {
        self.rotated.store(true, Ordering::Release);
        self.outboxes.bell().hurry();
    }
}

/// The writer's side.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Arc<Queue>,
    recent: Arc<Recent>,
    destination: Destination,
    sink: Sink,
    lines: Lines,
    /// Places that the lines hold which wait.
    places: usize,
    /// Who waits until those lines are written.
    waiting: Vec<oneshot::Sender<()>>,
    written: RecordCounter,
    failed: RecordCounter,
}

impl Writer {
    /// Opens the destination and starts the thread. The result of its last write comes through the channel.
    pub(super) fn start(
        settings: &RecordSettings,
        (queue, recent): (Arc<Queue>, Arc<Recent>),
        metrics: &Metrics,
    ) -> Result<Receiver<io::Result<()>>, RecordError> {
        let (sink, torn) = Sink::open(&settings.destination)?;
        let mut lines = Lines::default();
        lines.start_over(torn);
        let writer = Self {
            queue,
            recent,
            destination: settings.destination.clone(),
            sink,
            lines,
            places: 0,
            waiting: Vec::new(),
            written: metrics.records(RecordResult::Written),
            failed: metrics.records(RecordResult::Failed),
        };
        let (done, result) = mpsc::channel();
        std::thread::Builder::new()
            .name("records".to_owned())
            .spawn(move || {
                // Nobody may be waiting for the result any more.
                drop(done.send(writer.run()));
            })
            .map_err(RecordError::Thread)?;
        Ok(result)
    }

    /// Writes until told to finish.
    fn run(mut self) -> io::Result<()> {
        let queue = Arc::clone(&self.queue);
        let bell = queue.outboxes.bell();
        bell.hang();
        while !bell.is_finished() {
            if self.lines.is_empty() {
                queue.outboxes.wait();
                bell.gather(GATHER);
            } else {
                bell.gather(RETRY_INTERVAL);
            }
            self.take(false);
            self.write_or_wait();
            if queue.rotated.swap(false, Ordering::AcqRel) {
                self.reopen();
                self.write_or_wait();
            }
        }
        self.take(true);
        self.write()?;
        self.sink.sync()
    }

    /// Takes what is in the outboxes; `close` lets nothing in any more.
    fn take(&mut self, close: bool) {
        for (batches, waiting) in self.queue.outboxes.take(close) {
            self.waiting.extend(waiting);
            for batch in batches {
                self.places = self.places.saturating_add(batch.places());
                let batch = Arc::new(batch);
                self.recent.keep(&batch);
                self.lines.push(batch);
            }
        }
    }

    /// Writes the lines that wait; if that fails they go on waiting, and calls are refused.
    fn write_or_wait(&mut self) {
        if let Err(fault) = self.write() {
            self.failed.add(1);
            // They hear at once that nobody answers.
            self.waiting.clear();
            if self.queue.healthy.swap(false, Ordering::AcqRel) {
                tracing::error!(%fault, "records cannot be written; calls are refused");
            }
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.lines.write_to(&mut self.sink)?;
        let places = std::mem::take(&mut self.places);
        self.written.add(places);
        if !self.queue.healthy.swap(true, Ordering::AcqRel) {
            tracing::info!("records are written again");
        }
        self.queue.places.add_permits(places);
        for written in self.waiting.drain(..) {
            // Who waited may have given up.
            let _gone = written.send(());
        }
        Ok(())
    }

    /// Goes on in the file that now has the name. If it cannot be opened, the old one stays in use.
    fn reopen(&mut self) {
        match Sink::open(&self.destination) {
            Ok((sink, torn)) => {
                self.sink = sink;
                self.lines.start_over(torn);
            }
            Err(fault) => tracing::error!(%fault, "the record file stays as it was"),
        }
    }
}

impl Drop for Writer {
    /// FAIL-CLOSED: whatever ended the writer, a panic too, no call relies on it any more.
    fn drop(&mut self) {
        self.queue.outboxes.take(true).for_each(drop);
    }
}

/// Where the lines go.
#[derive(Debug)]
enum Sink {
    Stdout(Stdout),
    File(File),
}

impl Sink {
    /// Opens the destination; also says whether it ends in the middle of a line, as after a crash.
    fn open(destination: &Destination) -> Result<(Self, bool), RecordError> {
        match destination {
            Destination::Stdout => Ok((Self::Stdout(io::stdout()), false)),
            Destination::File(path) => {
                let open = || -> io::Result<(File, bool)> {
                    let file = OpenOptions::new()
                        .append(true)
                        .create(true)
                        .mode(0o640)
                        .open(path)?;
                    let torn = file.metadata()?.is_file() && ends_torn(path)?;
                    Ok((file, torn))
                };
                let (file, torn) = open().map_err(|source| RecordError::Open {
                    path: path.clone(),
                    source,
                })?;
                Ok((Self::File(file), torn))
            }
        }
    }

    fn target(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(stdout) => stdout,
            Self::File(file) => file,
        }
    }

    /// Waits until the disk has it all, where there is a disk.
    fn sync(&self) -> io::Result<()> {
        match self {
            Self::File(file) if file.metadata()?.is_file() => file.sync_all(),
            Self::File(_) | Self::Stdout(_) => Ok(()),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.target().write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.target().write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target().flush()
    }
}

/// Whether the last line of a file lacks its line break.
fn ends_torn(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
