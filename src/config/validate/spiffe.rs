//! SPIFFE: who uses the Workload API, and that there is one.

use super::Checker;
use crate::config::member::MemberPath;
use crate::config::raw;
use crate::spiffe::settings::WorkloadApi;

pub(super) fn workload_api(raw: &raw::spiffe::Spiffe) -> WorkloadApi {
    WorkloadApi {
        socket: raw.endpoint_socket.0.clone(),
        id: raw.id.as_ref().map(|id| id.0.clone()),
    }
}

/// Whoever needs the Workload API needs the section that says where it is; and the section is needed by somebody.
pub(super) fn uses(check: &mut Checker<'_>, config: &raw::Config) {
    let users = users(config);
    let root = MemberPath::root();
    match (&config.spiffe, users.as_slice()) {
        (Some(_), []) => {
            let message = "nothing uses it: no certificate is set to `spiffe`, and no `spiffe_ids` are without a `ca_file`";
            check.warn(&root.key("spiffe"), message);
        }
        (Some(_), [_, ..]) => {}
        (None, users) => {
            for at in users {
                check.error(
                    at,
                    "needs the section `spiffe`, which says where the Workload API is",
                );
            }
        }
    }
}

/// The members that need it.
fn users(config: &raw::Config) -> Vec<MemberPath> {
    let root = MemberPath::root();
    let mut users = Vec::new();
    for (index, listener) in config.listeners.iter().flatten().enumerate() {
        let tls = listener.as_ref().and_then(|listener| listener.tls.as_ref());
        if tls.is_some_and(|tls| tls.spiffe) {
            users.push(root.key("listeners").item(index).key("tls").key("spiffe"));
        }
    }
    if config.management.as_ref().is_some_and(|it| it.tls.spiffe) {
        users.push(root.key("management").key("tls").key("spiffe"));
    }
    for (index, resource) in config.resources.iter().flatten().enumerate() {
        let upstream = resource.as_ref().and_then(|it| it.upstream.as_ref());
        let Some(tls) = upstream.and_then(|upstream| upstream.tls.as_ref()) else {
            continue;
        };
        let at = root.key("resources").item(index).key("upstream").key("tls");
        if tls.client_certificate.as_ref().is_some_and(|it| it.spiffe) {
            users.push(at.key("client_certificate").key("spiffe"));
        }
        if !tls.spiffe_ids.is_empty() && tls.ca_file.is_none() {
            users.push(at.key("spiffe_ids"));
        }
    }
    users
}
