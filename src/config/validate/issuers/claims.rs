//! Which claims of an issuer hold what.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Checker;
use crate::config::member::MemberPath;
use crate::config::raw::issuers as raw;
use crate::config::raw::text::Exact;
use crate::identity::settings::{ClaimMapping, EvidenceMapping};

/// The mapping of an issuer of the profile `oidc`.
pub(super) fn mapping(
    check: &mut Checker<'_>,
    issuer: &raw::Issuer,
    at: &MemberPath,
) -> ClaimMapping {
    let claims = issuer.claims.as_ref();
    let claim = |pick: fn(&raw::Claims) -> &Option<Exact>| {
        claims.and_then(|claims| pick(claims).as_ref().map(|name| Arc::clone(&name.0)))
    };
    ClaimMapping {
        id_prefix: issuer
            .id_prefix
            .as_ref()
            .map(|prefix| Arc::clone(&prefix.0)),
        agent_id: claim(|claims| &claims.agent_id),
        blueprint_id: claim(|claims| &claims.blueprint_id),
        agent_user_id: claim(|claims| &claims.agent_user_id),
        on_behalf_of: claim(|claims| &claims.on_behalf_of),
        workload: claim(|claims| &claims.workload),
        scopes: claim(|claims| &claims.scopes),
        roles: claim(|claims| &claims.roles),
        evidence: EvidenceMapping {
            session_id: claim(|claims| &claims.session_id),
            groups: claim(|claims| &claims.groups),
            directory_roles: claim(|claims| &claims.directory_roles),
            user_type: claim(|claims| &claims.user_type),
            home_tenant: claim(|claims| &claims.home_tenant),
            platform: claim(|claims| &claims.platform),
            client_app_type: claim(|claims| &claims.client_app_type),
            transfer_method: claim(|claims| &claims.transfer_method),
            agent_context: claim(|claims| &claims.agent_context),
            device: claims.map_or_else(BTreeMap::new, |claims| {
                device(check, &claims.device, &at.key("device"))
            }),
            amr: claim(|claims| &claims.amr),
            acr: claim(|claims| &claims.acr),
        },
    }
}

/// A device's properties are named as in filters, without `device.` in front.
fn device(
    check: &mut Checker<'_>,
    raw: &BTreeMap<String, Exact>,
    at: &MemberPath,
) -> BTreeMap<Arc<str>, Arc<str>> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    for name in raw.keys().filter(|name| !is_name(name)) {
        let message = format!(
            "`{name}` is not a property of a device, expected a name such as `isCompliant`, without `device.`"
        );
        check.error(&at.key(name), message);
    }
    let claim = |(name, claim): (&String, &Exact)| (name.as_str().into(), Arc::clone(&claim.0));
    raw.iter().map(claim).collect()
}
