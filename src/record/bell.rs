//! [`Bell`]: calls the one thread that takes what others leave in their outboxes.
//!
//! A thread that gathers for a while need not be called by each who leaves something, which would cost a call more than
//! what it leaves. Never here: what is left.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// Calls a thread that takes what others leave.
#[derive(Debug, Default)]
pub(super) struct Bell {
    taker: OnceLock<Thread>,
    /// It waits until something is left.
    asleep: AtomicBool,
    /// Somebody waits for it.
    hurried: AtomicBool,
    finish: AtomicBool,
}

impl Bell {
    /// This thread is the one that is called.
    pub(super) fn hang(&self) {
        // INVARIANT: a bell has one thread.
        self.taker.get_or_init(thread::current);
    }

    /// Something was left.
    pub(super) fn wake(&self) {
        if self.asleep.load(Ordering::Acquire) && self.asleep.swap(false, Ordering::AcqRel) {
            self.ring();
        }
    }

    /// Take what is there at once.
    pub(super) fn hurry(&self) {
        self.hurried.store(true, Ordering::Release);
        self.ring();
    }

    /// Take what is there and end.
    pub(super) fn finish(&self) {
        self.finish.store(true, Ordering::Release);
        self.hurry();
    }

    /// Whether this is the end.
    pub(super) fn is_finished(&self) -> bool {
        self.finish.load(Ordering::Acquire)
    }

    /// Waits until something is left, as `is_any` finds under the lock by which it is left, or somebody hurries. For the
    /// taker alone.
    pub(super) fn wait(&self, is_any: impl Fn() -> bool) {
        loop {
            // Whoever leaves something after it was looked for has taken the lock after this, and sees it.
            self.asleep.store(true, Ordering::Release);
            if self.hurried.load(Ordering::Acquire) || is_any() {
                break;
            }
            thread::park();
        }
        self.asleep.store(false, Ordering::Release);
    }

    /// Waits so long for more, or until somebody hurries. For the taker alone.
    pub(super) fn gather(&self, time: Duration) {
        if !self.hurried.swap(false, Ordering::AcqRel) {
            thread::park_timeout(time);
            self.hurried.store(false, Ordering::Release);
        }
    }

    fn ring(&self) {
        // One that has not begun yet looks before it waits.
        if let Some(taker) = self.taker.get() {
            taker.unpark();
        }
    }
}
