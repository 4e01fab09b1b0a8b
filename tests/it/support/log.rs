//! The program's log, as one test hears it.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

/// What was logged on this thread since the start, for as long as this lives. The control side of a gateway runs in
/// the test's own runtime, so what it logs is heard; workers have threads of their own.
pub(crate) struct Log {
    lines: Lines,
    _guard: DefaultGuard,
}

impl Log {
    pub(crate) fn start() -> Self {
        // Where there is one subscriber in the process, `tracing` asks the thread that comes to an event first whether
        // anybody hears it, and believes that for all threads. With a second one it asks them both.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| Dispatch::new(NoSubscriber::default()));
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        Self {
            lines,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// Whether one line holds all of these texts.
    pub(crate) fn has(&self, texts: &[&str]) -> bool {
        let log = self.text();
        log.lines()
            .any(|line| texts.iter().all(|text| line.contains(text)))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().clone()).unwrap()
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
