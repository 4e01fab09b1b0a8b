//! TLS of the management listener: that of a listener of calls, by TLS 1.3 alone.

use std::sync::Arc;

use super::AppError;
use crate::listener::settings::{ClientCertificates, ServerTls};
use crate::listener::tls::{self, LoadedTls};
use crate::management::settings::ManagementSettings;
use crate::spiffe::Held;

/// The management listener's TLS.
pub(super) fn load(settings: &ManagementSettings, held: &Arc<Held>) -> Result<LoadedTls, AppError> {
    tls::load(&server_tls(settings), held).map_err(AppError::Tls)
}

fn server_tls(settings: &ManagementSettings) -> ServerTls {
    ServerTls {
        certificate: settings.certificate.clone(),
        client_certificates: match &settings.client_ca_file {
            Some(roots) => ClientCertificates::Required(roots.clone()),
            None => ClientCertificates::Off,
        },
        allow_tls12: false,
    }
}
