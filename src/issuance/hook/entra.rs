//! What Entra tells a custom authentication extension for the event `onTokenIssuanceStart`.
//!
//! Entra names the user for whom the token is and no grant: a request without a user is the client's for itself.
//! Never here: what the profile of the user says, other than who it is.

use serde::Deserialize;

use super::{Malformed, Told, json};
use crate::identity::Grant;
use crate::identity::settings::Profile;

const EVENT: &str = "microsoft.graph.authenticationEvent.tokenIssuanceStart";
const DATA: &str = "microsoft.graph.onTokenIssuanceStartCalloutData";

#[derive(Deserialize)]
struct Event {
    r#type: String,
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(rename = "@odata.type")]
    odata_type: String,
    tenant_id: String,
    authentication_context: Context,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    client: Option<Client>,
    client_service_principal: Principal,
    resource_service_principal: Option<Principal>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct Client {
    ip: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Principal {
    app_id: String,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

pub(super) fn read(body: &[u8], profile: &Profile) -> Result<Told, Malformed> {
    let Event { r#type, data } = json(body)?;
    let Profile::Entra { tenant } = profile else {
        return Err(Malformed);
    };
    let is_ours = data.tenant_id.eq_ignore_ascii_case(tenant.as_str());
    if r#type != EVENT || data.odata_type.trim_start_matches('#') != DATA || !is_ours {
        return Err(Malformed);
    }
    let context = data.authentication_context;
    let resource = context.resource_service_principal;
    // What is no address leaves it unknown, as one that is missing does.
    let address = context.client.and_then(|client| client.ip?.parse().ok());
    Ok(Told {
        grant: if context.user.is_some() {
            Grant::Other
        } else {
            Grant::ClientCredentials
        },
        client: context.client_service_principal.app_id,
        subject: context.user.map(|user| user.id),
        scopes: Vec::new(),
        resources: resource
            .into_iter()
            .map(|principal| principal.app_id)
            .collect(),
        address,
    })
}
