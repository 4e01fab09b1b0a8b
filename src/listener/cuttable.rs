//! What sends an answer ends when the call of it is cut: the task of an HTTP/2 stream, or an HTTP/1.1 connection.
//!
//! Whoever does not read holds up the body of its answer, so the body alone cannot end a call. Dropped from outside,
//! everything of it goes at once: the stream is reset, the upstream let go of, what waited to be sent thrown away.
//! Never here: why a call is cut.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::rt::Executor;
use tokio::sync::oneshot;

use super::activity::Activity;
use crate::enforcement::OpenCall;
use crate::enforcement::open_calls::Side;

thread_local! {
    /// From within a poll to whoever polled: the call whose answer begins.
    static HANDED_OUT: Cell<Option<Arc<OpenCall>>> = const { Cell::new(None) };
}

thread_local! {
    /// From within a stream's poll to the executor: what ends the task that sends the bytes of its tunnel.
    static ABORTED: Cell<Option<oneshot::Receiver<()>>> = const { Cell::new(None) };
}

/// Says that the stream whose task this is becomes a tunnel. What is given back ends it at once: its stream is reset.
pub(super) fn hand_tunnel_out() -> oneshot::Sender<()> {
    let (abort, aborted) = oneshot::channel();
    ABORTED.set(Some(aborted));
    abort
}

/// Says that the answer of this call begins, in the task that will send it.
pub(super) fn hand_out(call: Arc<OpenCall>) {
    HANDED_OUT.set(Some(call));
}

/// The call whose answer has just begun in this task, if one was forwarded.
pub(super) fn handed_out() -> Option<Arc<OpenCall>> {
    let call = HANDED_OUT.take();
    HANDED_OUT.set(call.clone());
    call
}

/// How a [`Cuttable`] came to its end.
#[derive(Debug)]
pub(super) enum Ended<T> {
    /// By itself.
    Itself(T),
    /// Its call was cut. What is inside is to be dropped.
    Cut,
}

/// A future that sends answers, one at a time, until the call of one is cut.
#[derive(Debug)]
pub(super) struct Cuttable<F> {
    inner: F,
    /// The call whose answer began last.
    call: Option<Arc<OpenCall>>,
    /// The last call that is over, where others send the answers.
    last: Option<Arc<OpenCall>>,
}

impl<F> Cuttable<F> {
    pub(super) const fn new(inner: F) -> Self {
        Self {
            inner,
            call: None,
            last: None,
        }
    }

    /// Whether the call of an answer that went out was cut.
    pub(super) fn is_cut(&self) -> bool {
        let call = self.call.as_ref();
        call.is_some_and(|call| call.cut_reason().is_some())
    }

    /// Takes this for the last call, which others sent the answer of: whoever waits for the future hears when its
    /// caller would be refused.
    pub(super) fn watch(&mut self, last: Arc<OpenCall>, context: &Context<'_>) {
        // If it is so already, [`Self::is_refused`] says it.
        let _waits = last.poll_cut(Side::Caller, context);
        self.last = Some(last);
    }

    /// Whether the last call is over, and its caller would be refused now.
    pub(super) fn is_refused(&self) -> bool {
        let [call, last] = [&self.call, &self.last].map(Option::as_ref);
        call.is_some_and(|call| call.is_cut() && call.cut_reason().is_none())
            || last.is_some_and(|last| last.is_cut())
    }
}

impl<P> Cuttable<Pin<&mut P>> {
    pub(super) fn inner(&mut self) -> Pin<&mut P> {
        self.inner.as_mut()
    }
}

impl<F: Future + Unpin> Future for Cuttable<F> {
    type Output = Ended<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_cut()
            && !self
                .call
                .as_ref()
                .is_some_and(|call| call.may_say_its_end())
        {
            return Poll::Ready(Ended::Cut);
        }
        // Left behind by a poll that panicked: it is not of this one.
        drop((HANDED_OUT.take(), ABORTED.take()));
        let polled = Pin::new(&mut self.inner).poll(context);
        if let Some(call) = HANDED_OUT.take() {
            self.call = Some(call);
        }
        if let Poll::Ready(output) = polled {
            return Poll::Ready(Ended::Itself(output));
        }
        if let Some(call) = &self.call {
            std::task::ready!(call.poll_cut(Side::Caller, context));
            // It had its occasion to say so.
            if self.is_cut() {
                return Poll::Ready(Ended::Cut);
            }
        }
        Poll::Pending
    }
}

/// Runs the streams of an HTTP/2 connection as tasks, each of which ends when its call is cut.
#[derive(Debug, Clone)]
pub(super) struct StreamTasks(pub(super) Arc<Activity>);

impl<F> Executor<F> for StreamTasks
where
    F: Future + Send + 'static,
{
    fn execute(&self, stream: F) {
        if let Some(aborted) = ABORTED.take() {
            tokio::spawn(async move {
                tokio::select! {
                    biased;
                    Ok(()) = aborted => {}
                    _sent = stream => {}
                }
            });
            return;
        }
        let activity = Arc::clone(&self.0);
        tokio::spawn(async move {
            let ending = async {
                let stream = pin!(stream);
                let mut stream = Cuttable::new(stream);
                let ended = (&mut stream).await;
                (ended, stream.call)
            };
            let (ended, call) = ending.await;
            // By now the stream is gone, and its call noted as one that ended before its answer.
            if matches!(ended, Ended::Cut) {
                activity.note_cut();
            }
            if let Some(call) = call {
                activity.note_last(call);
            }
        });
    }
}
