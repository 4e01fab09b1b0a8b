//! The issuers whose tokens are accepted, each with its settings and the keys that it has at the moment.

use std::sync::Arc;

use super::settings::IssuerSettings;
use crate::types::Timestamp;

/// An issuer's keys as they were last loaded.
#[derive(Debug, Clone)]
pub struct IssuerKeys {
    /// When they were loaded.
    pub loaded_at: Timestamp,
}

/// One issuer.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// What the operator says of it.
    pub settings: Arc<IssuerSettings>,
    /// Its keys; `None` until they were loaded once.
    pub keys: Option<Arc<IssuerKeys>>,
}

/// All issuers of one configuration.
#[derive(Debug, Clone, Default)]
pub struct Issuers {
    issuers: Vec<Issuer>,
}

impl Issuers {
    /// Takes the issuers of one configuration. That no two share an `iss` was checked by its reader.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>) -> Self {
        Self { issuers }
    }

    /// Every issuer, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Issuer> {
        self.issuers.iter()
    }
}
