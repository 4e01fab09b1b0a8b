//! The demo issuer's HTTPS server: its key set and its OpenID configuration, and nothing else.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::watch;

use super::DemoError;
use super::callers::issuer as issuer_url;
use super::issuer::Issuer;
use crate::listener::settings::{ClientCertificates, ServerTls};
use crate::listener::tls::{self, TlsInUse};
use crate::listener::{bind_alone, serve_management};
use crate::spiffe::settings::OwnCertificate;

/// Serves the issuer's documents on a free port of loopback until the runtime ends.
pub(super) fn serve_keys(issuer: &Arc<Issuer>, folder: &Path) -> Result<SocketAddr, DemoError> {
    let settings = ServerTls {
        certificate: OwnCertificate::Files {
            certificate_file: folder.join("tls/server.pem"),
            key_file: folder.join("tls/server.key"),
        },
        client_certificates: ClientCertificates::Off,
        allow_tls12: false,
    };
    let loaded = tls::load(&settings, &Arc::default()).map_err(DemoError::Tls)?;
    let tls = Arc::new(TlsInUse::new(loaded));
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let socket = bind_alone(&"issuer".into(), loopback).map_err(crate::app::AppError::Listen)?;
    let address = socket.local_addr().map_err(DemoError::Servers)?;
    let keys = issuer.key_set(&issuer_url());
    let openid = json!({
        "issuer": issuer_url(),
        "jwks_uri": format!("https://{address}/discovery/v2.0/keys"),
    });
    let router = Router::new()
        .route("/discovery/v2.0/keys", get(move || async { Json(keys) }))
        .route(
            "/.well-known/openid-configuration",
            get(move || async { Json(openid) }),
        );
    let (running, stopped) = watch::channel(false);
    tokio::spawn(async move {
        if let Err(fault) = serve_management(socket, tls, router, stopped).await {
            tracing::error!(%fault, "the issuer is not served");
        }
        drop(running);
    });
    Ok(address)
}
