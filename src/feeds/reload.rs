//! Asks for a reload now, and hears what came of it. Whoever changes a file so answers for it only when it is in force.
//!
//! Never here: what is reloaded, and how.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::types::Fault;

/// How many may wait for one reload at once.
const PLACES: usize = 64;

/// What came of a reload: why nothing was changed, if nothing was.
pub type Reloaded = Result<(), ReloadError>;

/// Why a reload changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// What was loaded is at fault; what was in force before is in force still.
    #[error("the configuration is at fault")]
    Refused(Arc<[Fault]>),
    /// Nobody reloads any more: the process is about to end.
    #[error("the process is about to end")]
    Ending,
}

/// Asks for reloads. Clones ask the same one.
#[derive(Debug, Clone)]
pub struct Reloads(mpsc::Sender<oneshot::Sender<Reloaded>>);

/// Those who asked and have no answer yet.
#[derive(Debug)]
pub struct Asked {
    questions: mpsc::Receiver<oneshot::Sender<Reloaded>>,
    waiting: Vec<oneshot::Sender<Reloaded>>,
}

/// Both ends.
#[must_use]
pub fn channel() -> (Reloads, Asked) {
    let (ask, questions) = mpsc::channel(PLACES);
    let asked = Asked {
        questions,
        waiting: Vec::new(),
    };
    (Reloads(ask), asked)
}

impl Reloads {
    /// Everything is read again, from a moment after this call on.
    ///
    /// # Errors
    /// [`ReloadError`]; then everything is as it was before.
    pub async fn now(&self) -> Reloaded {
        let (answer, heard) = oneshot::channel();
        self.0
            .send(answer)
            .await
            .map_err(|_closed| ReloadError::Ending)?;
        heard.await.map_err(|_closed| ReloadError::Ending)?
    }
}

impl Asked {
    /// Waits until somebody asks; forever if nobody is left who could.
    pub(super) async fn wait(&mut self) {
        match self.questions.recv().await {
            Some(answer) => self.waiting.push(answer),
            None => std::future::pending().await,
        }
        while let Ok(answer) = self.questions.try_recv() {
            self.waiting.push(answer);
        }
    }

    /// Tells all that asked before the reload began.
    pub(super) fn answer(&mut self, reloaded: &Reloaded) {
        for answer in self.waiting.drain(..) {
            // Who asked may have gone.
            drop(answer.send(reloaded.clone()));
        }
    }
}
