//! A gateway that runs as a process of its own: what a test may kill.

use std::net::SocketAddr;
use std::path::Path;

use http::{Method, Request};

use super::client::Client;
use super::pki::Pki;
use super::process::{Process, listening_at};
use super::site::{ADMIN_TOKEN, Answer, exchange};

/// A gateway that runs as a process.
pub(crate) struct Gateway {
    pub(crate) process: Process,
    pub(crate) public: SocketAddr,
    pub(crate) management: SocketAddr,
}

impl Gateway {
    /// Starts one on this configuration, and waits until it listens.
    pub(crate) async fn start(config: &Path) -> Self {
        let process = Process::start(&["run", "--config", config.to_str().unwrap()]);
        Self::of(process).await
    }

    /// One that was just started.
    pub(crate) async fn of(mut process: Process) -> Self {
        process
            .until("it listens", async |process| {
                listening_at(&process.stderr(), "management").is_some()
            })
            .await;
        let log = process.stderr();
        Self {
            public: listening_at(&log, "public").unwrap(),
            management: listening_at(&log, "management").unwrap(),
            process,
        }
    }

    /// Gets a path with a token.
    pub(crate) async fn get(&self, pki: &Pki, path: &str, token: &str) -> Answer {
        let client = Client::http1(pki, self.public).await;
        let request = Request::get(path)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {token}"));
        exchange(client, request, "").await
    }

    /// Asks the control plane, as the administrator.
    pub(crate) async fn manage(&self, pki: &Pki, method: Method, path: &str, body: &str) -> Answer {
        let client = Client::http1(pki, self.management).await;
        exchange(client, as_administrator(method, path), body).await
    }
}

/// A request of the administrator's.
pub(crate) fn as_administrator(method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
}
