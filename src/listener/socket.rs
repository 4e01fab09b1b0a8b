//! The sockets of the listeners: one per worker and listener, all on one port (`SO_REUSEPORT`).
//!
//! A port that another process has is named, never shared with it by accident. Where the operator says `reuse_port`, it is
//! shared with other processes of the same user, which is what the kernel asks for. Never here: accepting.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::sync::watch;

use super::door::Door;
use super::settings::ListenerSettings;
use super::tls::{self, LoadedTls, TlsError, TlsInUse};
use crate::spiffe::Held;
use crate::telemetry::Metrics;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody listens there already.
    #[error("cannot listen on `{address}` for `{name}`: the port is taken; choose another one")]
    PortTaken {
        /// The listener's name.
        name: Arc<str>,
        /// Where it should listen.
        address: SocketAddr,
    },
    /// The operating system refuses for another reason.
    #[error("cannot listen on `{address}` for `{name}`")]
    Bind {
        /// The listener's name.
        name: Arc<str>,
        /// Where it should listen.
        address: SocketAddr,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The runtime does not take a bound socket.
    #[error("cannot accept connections for `{name}`")]
    Adopt {
        /// The listener's name.
        name: Arc<str>,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Its TLS cannot be set up.
    #[error("listener `{name}` has no usable TLS")]
    Tls {
        /// The listener's name.
        name: Arc<str>,
        /// Why.
        #[source]
        source: Box<TlsError>,
    },
    /// A worker's thread or runtime cannot start.
    #[error("cannot start worker {worker}")]
    Worker {
        /// Its number, from 0.
        worker: usize,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A worker's thread ended by a panic.
    #[error("worker {worker} failed")]
    WorkerFailed {
        /// Its number, from 0.
        worker: usize,
    },
}

/// Bound listeners that nobody accepts from yet.
#[derive(Debug)]
pub struct Listeners {
    bound: Vec<Bound>,
    workers: usize,
    open: watch::Sender<bool>,
}

/// Listeners that share their port with other processes: bound, and nobody can connect to them yet.
#[derive(Debug)]
#[must_use = "nobody can connect before they are opened"]
pub struct Closed {
    /// The sockets of each, once more.
    sockets: Vec<(ListenerHandle, Vec<TcpListener>)>,
    open: watch::Sender<bool>,
}

impl Closed {
    /// Lets connections in.
    ///
    /// # Errors
    /// [`ListenError`] for the first that cannot listen.
    pub fn open(self) -> Result<Vec<ListenerHandle>, ListenError> {
        for (handle, sockets) in &self.sockets {
            for socket in sockets {
                let listens = SockRef::from(socket).listen(BACKLOG);
                listens.map_err(|source| failed(handle.name(), handle.address, source))?;
            }
        }
        self.open.send_replace(true);
        Ok(self.sockets.into_iter().map(|(handle, _)| handle).collect())
    }
}

#[derive(Debug)]
struct Bound {
    door: Arc<Door>,
    address: SocketAddr,
    /// One per worker.
    sockets: Vec<TcpListener>,
}

/// A running listener, for those who look at it or change its certificate.
#[derive(Debug, Clone)]
pub struct ListenerHandle {
    door: Arc<Door>,
    address: SocketAddr,
}

impl ListenerHandle {
    /// Its configured name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.door.name
    }

    /// Where it listens, with the port that the operating system chose for port 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it shares its port with other processes, and lets nobody in before it is told to.
    #[must_use]
    pub fn shares_port(&self) -> bool {
        self.door.opened.is_some()
    }

    /// Takes certificate, key and CA bundle as they were loaded anew ([`tls::load`]). New connections use them; open
    /// ones go on as they are. A listener without TLS stays without.
    pub fn use_tls(&self, loaded: LoadedTls) {
        if let Some(current) = &self.door.tls {
            current.replace(loaded);
        }
    }
}

impl Listeners {
    /// Binds every listener, with one socket per worker.
    ///
    /// # Errors
    /// [`ListenError`] for the first listener that cannot be bound, or whose TLS cannot be set up.
    pub fn bind(
        settings: &[ListenerSettings],
        workers: usize,
        metrics: &Metrics,
        held: &Arc<Held>,
    ) -> Result<Self, ListenError> {
        let workers = workers.max(1);
        let (open, opened) = watch::channel(false);
        let bound = settings
            .iter()
            .map(|listener| Bound::new(listener, workers, metrics, (held, &opened)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            bound,
            workers,
            open,
        })
    }

    /// A handle on every listener, in the order of the settings.
    #[must_use]
    pub fn handles(&self) -> Vec<ListenerHandle> {
        self.bound.iter().map(Bound::handle).collect()
    }

    /// The listeners that nobody can connect to yet, if there are any.
    ///
    /// # Errors
    /// [`ListenError`] when the operating system does not say once more which sockets they are.
    pub fn closed(&self) -> Result<Option<Closed>, ListenError> {
        let mut closed = Vec::new();
        for bound in self.bound.iter().filter(|b| b.handle().shares_port()) {
            let sockets = bound.sockets.iter().map(TcpListener::try_clone);
            let sockets: io::Result<_> = sockets.collect();
            let sockets = sockets.map_err(|e| failed(&bound.door.name, bound.address, e))?;
            closed.push((bound.handle(), sockets));
        }
        Ok((!closed.is_empty()).then(|| Closed {
            sockets: closed,
            open: self.open.clone(),
        }))
    }

    /// What each worker accepts from: one socket of every listener.
    pub(super) fn into_shares(self) -> Vec<Vec<(Arc<Door>, TcpListener)>> {
        let mut shares: Vec<Vec<_>> = (0..self.workers).map(|_| Vec::new()).collect();
        for bound in self.bound {
            for (share, socket) in shares.iter_mut().zip(bound.sockets) {
                share.push((Arc::clone(&bound.door), socket));
            }
        }
        shares
    }
}

impl Bound {
    fn handle(&self) -> ListenerHandle {
        ListenerHandle {
            door: Arc::clone(&self.door),
            address: self.address,
        }
    }

    fn new(
        settings: &ListenerSettings,
        workers: usize,
        metrics: &Metrics,
        (held, opened): (&Arc<Held>, &watch::Receiver<bool>),
    ) -> Result<Self, ListenError> {
        let tls = settings.tls.as_ref().map(|tls| tls::load(tls, held));
        let tls = tls.transpose().map_err(|source| ListenError::Tls {
            name: Arc::clone(&settings.name),
            source: Box::new(source),
        })?;
        let name = &settings.name;
        // Sockets of one user may share a port, even over processes; one that may not tells whether it is free.
        let sharing = if settings.reuse_port {
            Sharing::Processes
        } else {
            Sharing::Workers
        };
        if settings.address.port() != 0 && !settings.reuse_port {
            drop(bind_alone(name, settings.address)?);
        }
        let first = bind(name, settings.address, sharing)?;
        let address = local_address(name, settings.address, &first)?;
        let mut sockets = vec![first];
        for _ in 1..workers {
            sockets.push(bind(name, address, sharing)?);
        }
        Ok(Self {
            door: Arc::new(Door::of(
                settings,
                tls.map(|loaded| Arc::new(TlsInUse::new(loaded))),
                metrics.listener(name),
                settings.reuse_port.then(|| opened.clone()),
            )),
            address,
            sockets,
        })
    }
}

/// Binds one socket that shares its port with nobody, as the management listener does.
///
/// # Errors
/// [`ListenError::PortTaken`] or [`ListenError::Bind`].
pub fn bind_alone(name: &Arc<str>, address: SocketAddr) -> Result<TcpListener, ListenError> {
    bind(name, address, Sharing::Nothing)
}

/// Which other sockets of this user may have the port too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Nothing,
    /// Those of the other workers. They listen at once.
    Workers,
    /// Those of other processes as well. They listen once this process is ready.
    Processes,
}

fn bind(
    name: &Arc<str>,
    address: SocketAddr,
    sharing: Sharing,
) -> Result<TcpListener, ListenError> {
    let listen = || -> io::Result<TcpListener> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // A port whose last connections are still in TIME_WAIT is free.
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(sharing != Sharing::Nothing)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        if sharing != Sharing::Processes {
            socket.listen(BACKLOG)?;
        }
        Ok(socket.into())
    };
    listen().map_err(|source| failed(name, address, source))
}

fn local_address(
    name: &Arc<str>,
    asked: SocketAddr,
    socket: &TcpListener,
) -> Result<SocketAddr, ListenError> {
    socket
        .local_addr()
        .map_err(|source| failed(name, asked, source))
}

fn failed(name: &Arc<str>, address: SocketAddr, source: io::Error) -> ListenError {
    let name = Arc::clone(name);
    if source.kind() == io::ErrorKind::AddrInUse {
        ListenError::PortTaken { name, address }
    } else {
        ListenError::Bind {
            name,
            address,
            source,
        }
    }
}
