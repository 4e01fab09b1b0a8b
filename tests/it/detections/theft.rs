//! A token that is used by its agent, and then from elsewhere by another client: over real sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::Request;
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

use crate::support::client::{ALL_VERSIONS, Client};
use crate::support::site::{AGENT, Answer, Site, exchange};

/// The agent's own machine, and a thief's: networks of their own on this one.
const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 66, 0, 1);

/// A token that says which it is.
pub(crate) fn token(site: &Site, id: &str) -> String {
    site.token(&json!({"uti": id, "oid": AGENT, "sub": AGENT, "azp": AGENT}))
}

/// The agent makes a call.
pub(crate) async fn by_its_agent(site: &Site, token: &str) -> Answer {
    get(site, "/hr/people", (HOME, "hr-agent/1.0"), token).await
}

/// Somebody else does, with its token.
pub(crate) async fn by_a_thief(site: &Site, token: &str) -> Answer {
    get(site, "/hr/people", (ELSEWHERE, "curl/8.5.0"), token).await
}

/// The agent makes a call to this path, then a thief does.
pub(crate) async fn by_both(site: &Site, path: &str, token: &str) -> [Answer; 2] {
    [
        get(site, path, (HOME, "hr-agent/1.0"), token).await,
        get(site, path, (ELSEWHERE, "curl/8.5.0"), token).await,
    ]
}

async fn get(site: &Site, path: &str, (from, client): (Ipv4Addr, &str), token: &str) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let stream = socket.connect(site.address()).await.unwrap();
    let config = site.pki.client(&["http/1.1"], ALL_VERSIONS, None);
    let name = ServerName::try_from("localhost").unwrap();
    let tls = TlsConnector::from(Arc::new(config));
    let stream = tls.connect(name, stream).await.unwrap();
    let request = Request::get(path)
        .header("host", "localhost")
        .header("user-agent", client)
        .header("authorization", format!("Bearer {token}"));
    exchange(Client::over(stream).await, request, "").await
}
