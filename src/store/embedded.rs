//! State in a file of this process's own, which survives whatever ends the process.
//!
//! One thread owns the file. It writes what waits for it as one transaction, and answers when that is on the disk.
//! Never here: an answer before the disk has it, and a file that is emptied because it could not be read.

mod file;

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use self::file::StateFile;
use super::{Answer, Sealed, StateStore, StoreError};
use crate::risk::Rank;

/// How many changes may wait for the thread.
const WAITING: usize = 1_024;

/// How many changes become one transaction at most.
const TOGETHER: usize = 256;

/// What is to be changed.
#[derive(Debug)]
enum Change {
    /// Entries are to be kept.
    Put(Vec<Sealed>),
    /// These entries are to be forgotten, by key and rank.
    Forget(Vec<(Arc<str>, Rank)>),
}

/// What is to be changed, and whom to answer.
struct Asked {
    change: Change,
    answer: oneshot::Sender<Result<Vec<Sealed>, StoreError>>,
}

/// State in a file of this process's own.
#[derive(Debug)]
pub struct EmbeddedStore {
    changes: Option<mpsc::Sender<Asked>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedStore {
    /// Opens the file in this folder, and makes both if they are not there; gives all that is kept in it.
    ///
    /// # Errors
    /// [`StoreError`] that says what is wrong with the file, and what to do.
    pub fn open(folder: &Path) -> Result<(Self, Vec<Sealed>), StoreError> {
        let (file, kept) = StateFile::open(folder)?;
        let (changes, waiting) = mpsc::channel(WAITING);
        let writer = thread::Builder::new().name("boomgate-state".to_owned());
        let writer = writer
            .spawn(move || write(file, waiting))
            .map_err(|error| StoreError::Unavailable(format!("no thread for it: {error}")))?;
        let store = Self {
            changes: Some(changes),
            thread: Mutex::new(Some(writer)),
        };
        Ok((store, kept))
    }
}

impl EmbeddedStore {
    async fn change(&self, change: Change) -> Result<Vec<Sealed>, StoreError> {
        let ended = || StoreError::Unavailable("its thread has ended".to_owned());
        let (answer, answered) = oneshot::channel();
        let changes = self.changes.as_ref().ok_or_else(ended)?;
        let sent = changes.send(Asked { change, answer }).await;
        sent.map_err(|_ended| ended())?;
        answered.await.map_err(|_ended| ended())?
    }
}

impl StateStore for EmbeddedStore {
    fn put(&self, entries: Vec<Sealed>) -> Answer<'_, Vec<Sealed>> {
        Box::pin(self.change(Change::Put(entries)))
    }

    fn forget(&self, entries: Vec<(Arc<str>, Rank)>) -> Answer<'_, ()> {
        Box::pin(async { self.change(Change::Forget(entries)).await.map(drop) })
    }
}

impl Drop for EmbeddedStore {
    /// Waits for what is being written, so that the file is free for the next one.
    fn drop(&mut self) {
        self.changes = None;
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the state store has panicked");
        }
    }
}

/// The thread's work.
fn write(mut file: StateFile, mut waiting: mpsc::Receiver<Asked>) {
    let mut asked = Vec::with_capacity(TOGETHER);
    while let Some(first) = waiting.blocking_recv() {
        asked.push(first);
        while asked.len() < TOGETHER
            && let Ok(next) = waiting.try_recv()
        {
            asked.push(next);
        }
        let changes: Vec<_> = asked.iter().map(|asked| &asked.change).collect();
        match file.change(&changes) {
            Ok(above) => {
                for (asked, above) in asked.drain(..).zip(above) {
                    answer(asked, Ok(above));
                }
            }
            Err(error) => {
                tracing::error!(%error, "state could not be kept");
                for asked in asked.drain(..) {
                    answer(asked, Err(error.clone()));
                }
            }
        }
    }
}

/// Whoever asked may be gone by now; what it said is kept all the same.
fn answer(asked: Asked, with: Result<Vec<Sealed>, StoreError>) {
    if asked.answer.send(with).is_err() {
        tracing::debug!("nobody waits for the answer of the state store any more");
    }
}

#[cfg(test)]
mod tests;
