//! What Microsoft Graph is asked, and as whom.

use std::sync::Arc;

use super::Checker;
use super::secrets::secret;
use crate::config::member::MemberPath;
use crate::config::raw::graph::{Graph, GraphDirectory};
use crate::feeds::graph::settings::{DirectorySettings, GraphClient, GraphSettings, Proof};
use crate::store::settings::Freshness;
use crate::types::Secret;

/// The largest file of CA certificates.
const MAX_ROOTS_BYTES: u64 = 1024 * 1024;

/// What Graph is asked; `None` if that is at fault.
pub(super) fn graph(
    check: &mut Checker<'_>,
    raw: &Graph,
    directory: Option<&GraphDirectory>,
    root: &MemberPath,
) -> Option<GraphSettings> {
    let at = &root.key("graph");
    let directory = directory.map(|raw| {
        let at = root.key("directory").key("graph");
        let interval = &at.key("interval");
        DirectorySettings {
            dir: check.locate(&raw.dir),
            interval: check.between(interval, &raw.interval, ("1s", "1d")),
            attributes: raw.custom_security_attributes,
        }
    });
    let proof = proof(check, raw, at);
    let base_url = raw.base_url.0.trim_end_matches('/');
    if base_url.contains('?') {
        check.refuse(&at.key("base_url"), "has a query, expected none");
    }
    for version in ["/beta", "/v1.0"] {
        if base_url.ends_with(version) {
            let message = "ends with a version of Graph, expected the address without it";
            check.refuse(&at.key("base_url"), message);
        }
    }
    let ca_file = raw.ca_file.as_ref().map(|file| {
        let path = check.locate(file);
        // Read again when it is needed; that it can be read is told now.
        let _bytes = check.read(&at.key("ca_file"), &path, MAX_ROOTS_BYTES);
        path
    });
    let timeout = check.between(&at.key("timeout"), &raw.timeout, ("100ms", "5m"));
    let size = ("1KiB", "256MiB");
    let max_page = check.size_between(&at.key("max_page_size"), &raw.max_page_size, size);
    let interval = check.between(&at.key("interval"), &raw.interval, ("1s", "1d"));
    let full = ("1s", "7d");
    let full_interval = check.between(&at.key("full_interval"), &raw.full_interval, full);
    let overlap = check.between(&at.key("overlap"), &raw.overlap, ("0s", "1d"));
    let freshness = Freshness {
        max_age: check.between(&at.key("max_age"), &raw.max_age, ("2s", "7d")),
        required: raw.required,
    };
    if freshness.required && freshness.max_age <= interval {
        let message = "not longer than `interval`: Graph is not read often enough";
        check.error(&at.key("max_age"), message);
    }
    let tenant = &raw.tenant.0;
    let token_url = raw.token_url.as_ref().map(|url| Arc::clone(&url.0));
    let scope = raw.scope.as_ref().map(|scope| Arc::clone(&scope.0));
    Some(GraphSettings {
        client: GraphClient {
            token_url: token_url.unwrap_or_else(|| {
                format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token").into()
            }),
            id: Arc::clone(&raw.client_id.0),
            proof: proof?,
            scope: scope.unwrap_or_else(|| format!("{base_url}/.default").into()),
        },
        base_url: base_url.into(),
        ca_file,
        timeout,
        max_page_bytes: usize::try_from(max_page).unwrap_or(usize::MAX),
        max_pages: raw.max_pages,
        interval,
        full_interval,
        overlap,
        freshness,
        directory,
    })
}

fn proof(check: &mut Checker<'_>, raw: &Graph, at: &MemberPath) -> Option<Proof> {
    match (&raw.client_secret, &raw.federated_token_file) {
        (Some(_), None) => {
            secret(check, &at.key("client_secret")).map(|text| Proof::Secret(Secret::new(text)))
        }
        // Not read here: it may be of a moment, and it changes without a reload.
        (None, Some(file)) => Some(Proof::TokenFile(check.locate(file))),
        _ => {
            check.error(
                at,
                "expected one of `client_secret`, `federated_token_file`",
            );
            None
        }
    }
}
