//! The one thread that writes records, and the queue in front of it.
//!
//! Decisions take a place in the queue until they are written. Outcomes take none: there is at most one for each
//! decision that found a place, so their number is bounded too, and none can be lost.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Stdout, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use super::RecordError;
use super::lines::Lines;
use super::recent::Recent;
use super::settings::{Destination, RecordSettings};
use crate::telemetry::{Metrics, RecordCounter, RecordResult};
use crate::types::CallId;

/// Under steady load, lines wait no longer than this; also the time between attempts after a failed one.
const WRITE_INTERVAL: Duration = Duration::from_millis(200);

/// When the queue is empty, lines that are not written yet wait so long for others. A thread that waits this way need
/// not be woken by who sends: to wake it for each line, and to write each alone, costs a call more than making the line.
const GATHER: Duration = Duration::from_millis(2);

/// So many bytes are written at once.
const WRITE_BYTES: usize = 64 * 1024;

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Message {
    /// A decision's line, which holds a place in the queue.
    Decision(CallId, Vec<u8>),
    /// The line of a change, which holds a place too; its maker waits until it is written.
    Change {
        line: Vec<u8>,
        written: oneshot::Sender<()>,
    },
    /// The line of an outcome: of the call with this id, or of a change.
    Outcome(Option<CallId>, Vec<u8>),
    /// The file was rotated away.
    Reopen,
    /// Write what is queued and end.
    Finish,
}

/// What calls see of the writer.
#[derive(Debug)]
pub(super) struct Queue {
    /// Places for decisions that are not written yet.
    pub(super) places: Semaphore,
    /// Whether the last attempt to write went well.
    pub(super) healthy: AtomicBool,
}

impl Queue {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS)),
            healthy: AtomicBool::new(true),
        }
    }
}

/// The writer's side.
#[derive(Debug)]
pub(super) struct Writer {
    messages: Receiver<Message>,
    queue: Arc<Queue>,
    recent: Arc<Recent>,
    destination: Destination,
    sink: Sink,
    lines: Lines,
    /// Whether the lines have waited for others already.
    gathered: bool,
    /// Decisions and changes among the lines that wait.
    decisions: usize,
    /// Who waits until those lines are written.
    waiting: Vec<oneshot::Sender<()>>,
    written: RecordCounter,
    failed: RecordCounter,
}

impl Writer {
    /// Opens the destination and starts the thread. The result of its last write comes through the channel.
    pub(super) fn start(
        settings: &RecordSettings,
        messages: Receiver<Message>,
        (queue, recent): (Arc<Queue>, Arc<Recent>),
        metrics: &Metrics,
    ) -> Result<Receiver<io::Result<()>>, RecordError> {
        let (sink, torn) = Sink::open(&settings.destination)?;
        let mut lines = Lines::default();
        lines.start_over(torn);
        let writer = Self {
            messages,
            queue,
            recent,
            destination: settings.destination.clone(),
            sink,
            lines,
            gathered: false,
            decisions: 0,
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

    /// Writes until told to finish, or until nobody is left who could send.
    fn run(mut self) -> io::Result<()> {
        let mut last_write = Instant::now();
        while let Some(message) = self.next() {
            match message {
                Some(Message::Finish) => break,
                Some(message) => self.take(message),
                None => {}
            }
            if self.lines.len() >= WRITE_BYTES || last_write.elapsed() >= WRITE_INTERVAL {
                self.write_or_wait();
                last_write = Instant::now();
            }
        }
        while let Ok(message) = self.messages.try_recv() {
            self.take(message);
        }
        self.write()?;
        self.sink.sync()
    }

    /// The next message; `Some(None)` if it is time for another attempt to write, `None` at the end.
    fn next(&mut self) -> Option<Option<Message>> {
        loop {
            match self.messages.try_recv() {
                Ok(message) => return Some(Some(message)),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            // Whoever waits for a line of his does not wait for those of others.
            let is_awaited = !self.waiting.is_empty();
            if self.lines.is_empty() || is_awaited || std::mem::replace(&mut self.gathered, true) {
                break;
            }
            std::thread::park_timeout(GATHER);
        }
        self.gathered = false;
        if self.queue.healthy.load(Ordering::Acquire) {
            self.write_or_wait();
        }
        if self.lines.is_empty() {
            return self.messages.recv().ok().map(Some);
        }
        match self.messages.recv_timeout(WRITE_INTERVAL) {
            Ok(message) => Some(Some(message)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Decision(id, line) => {
                self.lines.push(&line);
                self.decisions = self.decisions.saturating_add(1);
                self.recent.decided(id, line);
            }
            Message::Change { line, written } => {
                self.lines.push(&line);
                self.decisions = self.decisions.saturating_add(1);
                self.waiting.push(written);
            }
            Message::Outcome(id, line) => {
                self.lines.push(&line);
                if let Some(id) = id {
                    self.recent.ended(id, line);
                }
            }
            Message::Reopen => self.reopen(),
            // A second wish to finish adds nothing to the first.
            Message::Finish => {}
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
        let decisions = std::mem::take(&mut self.decisions);
        self.written.add(decisions);
        if !self.queue.healthy.swap(true, Ordering::AcqRel) {
            tracing::info!("records are written again");
        }
        self.queue.places.add_permits(decisions);
        for written in self.waiting.drain(..) {
            // Who waited may have given up.
            let _gone = written.send(());
        }
        Ok(())
    }

    /// Goes on in the file that now has the name. If it cannot be opened, the old one stays in use.
    fn reopen(&mut self) {
        self.write_or_wait();
        match Sink::open(&self.destination) {
            Ok((sink, torn)) => {
                self.sink = sink;
                self.lines.start_over(torn);
            }
            Err(fault) => tracing::error!(%fault, "the record file stays as it was"),
        }
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
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file) => file.flush(),
        }
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
