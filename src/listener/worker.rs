//! The workers: one thread with a current-thread runtime each, which accepts from its own socket of every listener
//! and answers with its own handler. No call moves between threads.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::service::service_fn;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::accept::{Drain, accept, adopt};
use super::door::Door;
use super::parting;
use super::rim::{CallHandler, Rim};
use super::serve::Served;
use super::socket::{ListenError, Listeners};

/// Running workers.
#[derive(Debug)]
#[must_use]
pub struct Workers {
    threads: Vec<JoinHandle<Result<(), ListenError>>>,
}

impl Workers {
    /// Blocks until every worker has drained.
    ///
    /// # Errors
    /// [`ListenError`] of the first worker that failed.
    pub fn join(self) -> Result<(), ListenError> {
        let mut outcome = Ok(());
        for (worker, thread) in self.threads.into_iter().enumerate() {
            let ended = thread
                .join()
                .unwrap_or(Err(ListenError::WorkerFailed { worker }));
            outcome = outcome.and(ended);
        }
        outcome
    }
}

/// Starts a worker for every share of the bound sockets; `factory` gives each its handler, called with its number in
/// its own thread and runtime. When `shutdown` says `true` (or its sender is gone) workers stop accepting, let calls
/// under way end within `drain`, and return.
///
/// # Errors
/// [`ListenError::Worker`] when a thread or runtime cannot start.
pub fn run<H, F>(
    listeners: Listeners,
    factory: F,
    shutdown: &watch::Receiver<bool>,
    drain: Duration,
) -> Result<Workers, ListenError>
where
    H: CallHandler,
    F: Fn(usize) -> Arc<H> + Send + Sync + 'static,
{
    let factory = Arc::new(factory);
    let mut threads = Vec::new();
    for (worker, share) in listeners.into_shares().into_iter().enumerate() {
        let failed = |source| ListenError::Worker { worker, source };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let factory = Arc::clone(&factory);
        let shutdown = shutdown.clone();
        let thread = std::thread::Builder::new()
            .name(format!("worker-{worker}"))
            .spawn(move || work(&runtime, share, || factory(worker), (shutdown, drain)))
            .map_err(failed)?;
        threads.push(thread);
    }
    Ok(Workers { threads })
}

/// One worker's life.
fn work<H: CallHandler>(
    runtime: &Runtime,
    share: Vec<(Arc<Door>, TcpListener)>,
    make_handler: impl FnOnce() -> Arc<H>,
    (shutdown, deadline): (watch::Receiver<bool>, Duration),
) -> Result<(), ListenError> {
    runtime.block_on(async {
        let drain = Drain {
            shutdown: relayed(shutdown),
            deadline,
        };
        let handler = make_handler();
        let mut loops = JoinSet::new();
        for (door, socket) in share {
            let rim = Arc::new(Rim::new(door.limits.max_concurrent_calls));
            let handler = Arc::clone(&handler);
            let make = move |connection| {
                let (handler, rim) = (Arc::clone(&handler), Arc::clone(&rim));
                let has_websockets = handler.has_websockets();
                let service = service_fn(move |request| {
                    let (handler, rim) = (Arc::clone(&handler), Arc::clone(&rim));
                    let connection = Arc::clone(&connection);
                    // Boxed: it is large, and who serves the connection moves it several times before it runs.
                    Box::pin(async move {
                        Ok::<_, Infallible>(rim.call(&*handler, request, connection).await)
                    })
                });
                Served {
                    service,
                    has_websockets,
                }
            };
            let drain = drain.clone();
            loops.spawn(async move {
                if parting::until_open(&door, &drain).await {
                    let socket = adopt(socket, &door)?;
                    accept(socket, door, make, drain).await;
                }
                Ok(())
            });
        }
        let mut outcome = Ok(());
        while let Some(ended) = loops.join_next().await {
            outcome = outcome.and(ended.unwrap_or(Ok(())));
        }
        outcome
    })
}

/// The same word, from a place of the worker's own: every call looks at it several times, and where workers look at one place
/// they wait for each other.
fn relayed(mut all: watch::Receiver<bool>) -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(*all.borrow());
    tokio::spawn(async move {
        // Its sender may be gone without a word, which is one too: so is this one then.
        if all.wait_for(|stop| *stop).await.is_ok() {
            tell.send_replace(true);
        }
    });
    told
}
