//! How long a call may be open behind the head of its answer, and the wait for the next frame of that.
//!
//! It is waited for an upstream only: a caller that does not read is of another limit.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// How long a call may be open behind the head of its answer.
#[derive(Debug, Clone, Default)]
pub struct OpenLimits {
    /// How long no byte may move, either way.
    pub idle: Option<Duration>,
    /// When it ends at the latest.
    pub until: Option<Instant>,
    /// What else there is of the call.
    pub beside: Option<Arc<dyn Beside>>,
}

/// What there is of a call beside its answer.
pub trait Beside: fmt::Debug + Send + Sync {
    /// When the caller's body moved last.
    fn moved_at(&self) -> Instant;

    /// The call is ended by one of its limits.
    fn note_expired(&self);
}

/// The wait for an upstream.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    limits: OpenLimits,
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    is_over: bool,
}

impl Waiting {
    pub(super) fn new(limits: OpenLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Whether the call's time is over. `came` says whether something of the upstream has come just now.
    pub(super) fn is_over(&mut self, came: bool, context: &mut Context<'_>) -> bool {
        if self.is_over {
            return true;
        }
        if came {
            self.since = None;
            let until = self.limits.until;
            // Looked at the clock only where there is such a limit: every frame comes here.
            self.is_over = until.is_some_and(|until| until <= Instant::now());
        } else {
            self.is_over = self.wait(context);
        }
        if self.is_over
            && let Some(beside) = &self.limits.beside
        {
            beside.note_expired();
        }
        self.is_over
    }

    /// Waits on. Whether it was in vain.
    fn wait(&mut self, context: &mut Context<'_>) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        loop {
            let beside = self.limits.beside.as_ref();
            let moved_at = beside.map_or(since, |beside| beside.moved_at().max(since));
            let idle = self.limits.idle.and_then(|idle| moved_at.checked_add(idle));
            let Some(due) = idle.into_iter().chain(self.limits.until).min() else {
                return false;
            };
            if due <= Instant::now() {
                return true;
            }
            let due = due.into();
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(context).is_pending() {
                return false;
            }
        }
    }
}
