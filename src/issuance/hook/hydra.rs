//! What Ory Hydra tells its token hook, whatever the grant: the client and what it is granted, and the session's subject.
//!
//! Never here: the claims of the session, which stay as they are.

use serde::Deserialize;

use super::{Malformed, Told, json};
use crate::identity::Grant;

#[derive(Deserialize)]
struct Hook {
    session: Option<Session>,
    request: Request,
}

#[derive(Deserialize)]
struct Session {
    id_token: Option<IdToken>,
}

#[derive(Deserialize)]
struct IdToken {
    subject: Option<String>,
}

/// A list that is empty comes as `null` too.
#[derive(Deserialize)]
struct Request {
    client_id: String,
    grant_types: Vec<String>,
    granted_scopes: Option<Vec<String>>,
    requested_scopes: Option<Vec<String>>,
    granted_audience: Option<Vec<String>>,
}

pub(super) fn read(body: &[u8]) -> Result<Told, Malformed> {
    let Hook { session, request } = json(body)?;
    let [grant] = request.grant_types.as_slice() else {
        return Err(Malformed);
    };
    let subject = session.and_then(|session| session.id_token?.subject);
    // Of a code, what is granted is not filled in yet: what is asked for says it.
    let mut scopes = request.granted_scopes.unwrap_or_default();
    scopes.extend(request.requested_scopes.unwrap_or_default());
    scopes.sort_unstable();
    scopes.dedup();
    Ok(Told {
        grant: Grant::parse(grant),
        client: request.client_id,
        subject: subject.filter(|subject| !subject.is_empty()),
        scopes,
        resources: request.granted_audience.unwrap_or_default(),
        address: None,
    })
}
