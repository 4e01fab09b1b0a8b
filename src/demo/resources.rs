//! The demo's two sample APIs. They answer with what the gateway told them, so that a person can see it.
//!
//! They listen on loopback, in plain HTTP, and trust whoever reaches them: only the gateway should.

use std::net::SocketAddr;

use axum::Json;
use axum::Router;
use axum::extract::{Request, State};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// The sample data of one API.
#[derive(Debug, Clone)]
pub struct SampleApi {
    /// What it calls itself.
    pub name: &'static str,
    /// What it answers with.
    pub data: Value,
}

impl SampleApi {
    /// The people of a fictional company.
    #[must_use]
    pub fn hr() -> Self {
        let people = json!([{"id": 7, "name": "Ada"}, {"id": 8, "name": "Grace"}]);
        Self {
            name: "hr-api",
            data: json!({"people": people}),
        }
    }

    /// The invoices of a fictional company.
    #[must_use]
    pub fn finance() -> Self {
        let invoices = json!([{"id": 1001, "amount": "250.00"}, {"id": 1002, "amount": "99.50"}]);
        Self {
            name: "finance-api",
            data: json!({"invoices": invoices}),
        }
    }

    /// Serves on a free port of loopback until the runtime ends.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn serve(self) -> std::io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(answer).with_state(self);
        tokio::spawn(async move {
            loop {
                // A connection that could not be accepted is the client's to open again.
                let Ok((stream, _)) = listener.accept().await else {
                    continue;
                };
                let service = TowerToHyperService::new(router.clone());
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Ok(address)
    }
}

/// The sample data, and what the gateway said of the caller.
async fn answer(State(api): State<SampleApi>, request: Request) -> Json<Value> {
    let from_gateway: Map<String, Value> = request
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("boomgate-"))
        .filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?))))
        .collect();
    Json(json!({
        "api": api.name,
        "method": request.method().as_str(),
        "path": request.uri().path(),
        "data": api.data,
        "fromTheGateway": from_gateway,
    }))
}
