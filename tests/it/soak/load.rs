//! Callers who call at a steady pace, each in its own way, and note whatever was not as it should be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::support::client::Client;
use crate::support::site::{AGENT, Ground, OTHER_AGENT};

/// Calls a second of each caller.
const PACE: u32 = 25;

/// How long a caller goes on with a token.
const RENEWAL: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One connection of HTTP/1.1 that is kept.
    Kept,
    /// One of HTTP/2.
    Http2,
    /// A connection for each call.
    Fresh,
}

const WAYS: [Way; 6] = [
    Way::Kept,
    Way::Kept,
    Way::Http2,
    Way::Http2,
    Way::Fresh,
    Way::Kept,
];

/// What callers saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    allowed: AtomicU64,
    blocked: AtomicU64,
    streams: AtomicU64,
    failures: Mutex<Vec<String>>,
}

impl Seen {
    /// Calls that this agent had answered as they should be.
    pub(super) fn calls(&self, agent: &str) -> u64 {
        self.counter(agent).load(Ordering::Relaxed)
    }

    pub(super) fn streams(&self) -> u64 {
        self.streams.load(Ordering::Relaxed)
    }

    pub(super) fn failures(&self) -> Vec<String> {
        self.failures.lock().clone()
    }

    fn counter(&self, agent: &str) -> &AtomicU64 {
        if agent == AGENT {
            &self.allowed
        } else {
            &self.blocked
        }
    }

    fn failed(&self, what: String) {
        println!("failed: {what}");
        self.failures.lock().push(what);
    }
}

pub(super) struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinSet<()>,
}

impl Load {
    pub(super) fn start(ground: &Arc<Ground>, address: SocketAddr, seen: &Arc<Seen>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        let caller = || Caller {
            ground: Arc::clone(ground),
            address,
            seen: Arc::clone(seen),
            stop: Arc::clone(&stop),
        };
        for way in WAYS {
            callers.spawn(caller().call(way));
        }
        callers.spawn(caller().listen());
        Self { stop, callers }
    }

    pub(super) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.callers.join_all().await;
    }
}

struct Caller {
    ground: Arc<Ground>,
    address: SocketAddr,
    seen: Arc<Seen>,
    stop: Arc<AtomicBool>,
}

impl Caller {
    /// Calls as one agent and the other by turns.
    async fn call(self, way: Way) {
        let mut pace = tokio::time::interval(Duration::from_secs(1) / PACE);
        let mut client = None;
        let mut bearers = self.bearers();
        let mut renewed = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            for (agent, status, bearer) in &bearers {
                pace.tick().await;
                let connected = match client.take() {
                    Some(client) if way != Way::Fresh => Ok(client),
                    _ => self.connect(way).await,
                };
                let called = match connected {
                    Ok(mut connected) => {
                        let called = one_call(&mut connected, bearer, *status).await;
                        client = called.is_ok().then_some(connected);
                        called
                    }
                    Err(fault) => Err(fault),
                };
                match called {
                    Ok(()) => _ = self.seen.counter(agent).fetch_add(1, Ordering::Relaxed),
                    Err(fault) => self.seen.failed(format!("{way:?}, {agent}: {fault}")),
                }
            }
            if renewed.elapsed() > RENEWAL {
                bearers = self.bearers();
                renewed = Instant::now();
            }
        }
    }

    /// Reads one stream of events, which must not end before the load does.
    async fn listen(self) {
        let mut client = self.connect(Way::Http2).await.unwrap();
        let bearer = format!("Bearer {}", self.ground.agent_token(AGENT));
        let request =
            Request::get("https://localhost/steady/events").header("authorization", bearer);
        let response = client
            .send(request.body(Full::default()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = response.into_body();
        while !self.stop.load(Ordering::Relaxed) {
            let event = tokio::time::timeout(Duration::from_secs(10), body.frame()).await;
            if !matches!(event, Ok(Some(Ok(_)))) {
                self.seen.failed(format!("the stream ended: {event:?}"));
                return;
            }
        }
        // The client leaves: its call was forwarded all the same.
        self.seen.streams.fetch_add(1, Ordering::Relaxed);
    }

    async fn connect(&self, way: Way) -> Result<Client, String> {
        let connecting = async {
            match way {
                Way::Http2 => Ok(Client::http2(&self.ground.pki, self.address).await),
                Way::Kept | Way::Fresh => Client::try_http1(&self.ground.pki, self.address).await,
            }
        };
        connecting
            .await
            .map_err(|fault| format!("no connection: {fault}"))
    }

    fn bearers(&self) -> [(&'static str, StatusCode, String); 2] {
        [
            (AGENT, StatusCode::OK),
            (OTHER_AGENT, StatusCode::FORBIDDEN),
        ]
        .map(|(agent, status)| {
            (
                agent,
                status,
                format!("Bearer {}", self.ground.agent_token(agent)),
            )
        })
    }
}

/// Makes a call and reads its answer to the end.
async fn one_call(client: &mut Client, bearer: &str, expected: StatusCode) -> Result<(), String> {
    let request = match client {
        Client::Http1(_) => Request::get("/hr/people").header("host", "localhost"),
        Client::Http2(_) => Request::get("https://localhost/hr/people"),
    };
    let request = request
        .header("authorization", bearer)
        .body(Full::default())
        .unwrap();
    let response = client
        .send(request)
        .await
        .map_err(|fault| format!("{fault:?}"))?;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(|fault| format!("{fault:?}"))?;
    if status == expected {
        Ok(())
    } else {
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Err(format!("{status}: {body}"))
    }
}
