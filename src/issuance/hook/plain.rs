//! The form for whatever can send JSON: members by OAuth's names, and none beside them, so that a slip is no silent "none".

use std::net::IpAddr;

use serde::Deserialize;

use super::{Malformed, Told, json};
use crate::identity::Grant;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    grant_type: String,
    client_id: String,
    subject: Option<String>,
    #[serde(default)]
    scope: Names,
    #[serde(default)]
    resource: Names,
    #[serde(default)]
    audience: Names,
    ip_address: Option<IpAddr>,
}

/// Several names, or one text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    None(()),
    One(String),
    Many(Vec<String>),
}

impl Default for Names {
    fn default() -> Self {
        Self::None(())
    }
}

impl From<Names> for Vec<String> {
    fn from(names: Names) -> Self {
        match names {
            Names::None(()) => Self::new(),
            Names::One(name) => vec![name],
            Names::Many(names) => names,
        }
    }
}

pub(super) fn read(body: &[u8]) -> Result<Told, Malformed> {
    let request: Request = json(body)?;
    let mut resources = Vec::from(request.resource);
    resources.extend(Vec::from(request.audience));
    Ok(Told {
        grant: Grant::parse(&request.grant_type),
        client: request.client_id,
        subject: request.subject,
        scopes: request.scope.into(),
        resources,
        address: request.ip_address,
    })
}
