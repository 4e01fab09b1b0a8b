//! State in a file of this process's own, which survives whatever ends the process.
//!
//! One thread owns the file. It writes what waits for it as one transaction, and answers when that is on the disk.
//! Never here: an answer before the disk has it, and a file that is emptied because it could not be read.

mod file;

use std::path::Path;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use self::file::StateFile;
use super::{Answer, Sealed, StateStore, StoreError};

/// How many puts may wait for the thread.
const WAITING: usize = 1_024;

/// How many puts become one transaction at most.
const TOGETHER: usize = 256;

/// Entries to be kept, and whom to answer.
struct Put {
    entries: Vec<Sealed>,
    answer: oneshot::Sender<Result<Vec<Sealed>, StoreError>>,
}

/// State in a file of this process's own.
#[derive(Debug)]
pub struct EmbeddedStore {
    puts: Option<mpsc::Sender<Put>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedStore {
    /// Opens the file in this folder, and makes both if they are not there; gives all that is kept in it.
    ///
    /// # Errors
    /// [`StoreError`] that says what is wrong with the file, and what to do.
    pub fn open(folder: &Path) -> Result<(Self, Vec<Sealed>), StoreError> {
        let (file, kept) = StateFile::open(folder)?;
        let (puts, waiting) = mpsc::channel(WAITING);
        let writer = thread::Builder::new().name("boomgate-state".to_owned());
        let writer = writer
            .spawn(move || write(file, waiting))
            .map_err(|error| StoreError::Unavailable(format!("no thread for it: {error}")))?;
        let store = Self {
            puts: Some(puts),
            thread: Mutex::new(Some(writer)),
        };
        Ok((store, kept))
    }
}

impl StateStore for EmbeddedStore {
    fn put(&self, entries: Vec<Sealed>) -> Answer<'_, Vec<Sealed>> {
        Box::pin(async {
            let ended = || StoreError::Unavailable("its thread has ended".to_owned());
            let (answer, answered) = oneshot::channel();
            let puts = self.puts.as_ref().ok_or_else(ended)?;
            let sent = puts.send(Put { entries, answer }).await;
            sent.map_err(|_ended| ended())?;
            answered.await.map_err(|_ended| ended())?
        })
    }
}

impl Drop for EmbeddedStore {
    /// Waits for what is being written, so that the file is free for the next one.
    fn drop(&mut self) {
        self.puts = None;
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the state store has panicked");
        }
    }
}

/// The thread's work.
fn write(mut file: StateFile, mut waiting: mpsc::Receiver<Put>) {
    let mut puts = Vec::with_capacity(TOGETHER);
    while let Some(first) = waiting.blocking_recv() {
        puts.push(first);
        while puts.len() < TOGETHER
            && let Ok(next) = waiting.try_recv()
        {
            puts.push(next);
        }
        let entries: Vec<_> = puts.iter().map(|put| put.entries.as_slice()).collect();
        match file.put(&entries) {
            Ok(above) => {
                for (put, above) in puts.drain(..).zip(above) {
                    answer(put, Ok(above));
                }
            }
            Err(error) => {
                tracing::error!(%error, "state could not be kept");
                for put in puts.drain(..) {
                    answer(put, Err(error.clone()));
                }
            }
        }
    }
}

/// Whoever asked may be gone by now; what it said is kept all the same.
fn answer(put: Put, with: Result<Vec<Sealed>, StoreError>) {
    if put.answer.send(with).is_err() {
        tracing::debug!("nobody waits for the answer of the state store any more");
    }
}

#[cfg(test)]
mod tests;
