//! Notices that configuration changed: by looking at it every so often, and by SIGHUP.
//!
//! Looking, rather than inotify, sees every way in which files change: writing in place, renaming over, many renames
//! in a row, the swap of Kubernetes' `..data` link, and network file systems. What changed is not told: a reload
//! reads everything anew.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::fingerprint::Fingerprint;
use super::reload::{Asked, Reloaded};

/// Files that change without a pause are reloaded after so many looks anyway.
const MAX_LOOKS: u32 = 10;

/// What was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing: a look found everything as it was.
    None,
    /// A watched file or folder is not what it was.
    Files,
    /// SIGHUP: somebody asks for a reload, and for what was rotated away.
    Hangup,
    /// Somebody asks for a reload, and waits for what comes of it.
    Asked,
}

/// Watches files and folders.
#[derive(Debug)]
pub struct Watch {
    paths: Vec<PathBuf>,
    interval: Duration,
    known: Fingerprint,
    /// `None` in tests, which must not hear each other's signals.
    hangup: Option<Signal>,
    asked: Asked,
}

impl Watch {
    /// Watches these files and folders, looking at them every `interval`. The first look finds a change whatever it
    /// sees: they may have changed since they were read.
    ///
    /// # Errors
    /// The operating system's word, if SIGHUP cannot be listened to.
    ///
    /// # Panics
    /// Outside a runtime, as everything of tokio's does.
    pub fn new(paths: Vec<PathBuf>, interval: Duration, asked: Asked) -> io::Result<Self> {
        Ok(Self {
            // What no look ever sees.
            known: Fingerprint::default(),
            hangup: Some(signal(SignalKind::hangup())?),
            paths,
            interval,
            asked,
        })
    }

    /// Watches other files, or looks more or less often, as a reload may say. If they are others, that counts as a
    /// change: one reload too many, and none too few, since they may have changed after they were read.
    pub fn set(&mut self, paths: Vec<PathBuf>, interval: Duration) {
        self.paths = paths;
        self.interval = interval;
    }

    /// Looks once, after a pause, or hears SIGHUP or a question before. Files that are being changed are waited for until two looks
    /// agree, so that one change of many files is one reload; a change that comes while the caller reloads is noticed
    /// the next time.
    pub async fn look(&mut self) -> Change {
        if let Some(change) = self.pause().await {
            self.known = self.fingerprint().await;
            return change;
        }
        let mut last = self.fingerprint().await;
        if last == self.known {
            return Change::None;
        }
        for _ in 0..MAX_LOOKS {
            let heard = self.pause().await;
            let next = self.fingerprint().await;
            if let Some(change) = heard {
                self.known = next;
                return change;
            }
            if next == last {
                break;
            }
            last = next;
        }
        self.known = last;
        Change::Files
    }

    /// Whether something has changed since the last look. This is a look too.
    pub async fn has_changed(&mut self) -> bool {
        let now = self.fingerprint().await;
        let before = std::mem::replace(&mut self.known, now);
        before != self.known
    }

    /// Tells those who asked before the last look what came of their reload.
    pub fn answer(&mut self, reloaded: &Reloaded) {
        self.asked.answer(reloaded);
    }

    /// One interval, or what is heard before its end.
    async fn pause(&mut self) -> Option<Change> {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(()) = hangup => Some(Change::Hangup),
            () = self.asked.wait() => Some(Change::Asked),
            () = tokio::time::sleep(self.interval) => None,
        }
    }

    /// The fingerprint of the moment, taken where a slow disk holds up nobody.
    async fn fingerprint(&self) -> Fingerprint {
        let paths = self.paths.clone();
        tokio::task::spawn_blocking(move || Fingerprint::of(&paths))
            .await
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
