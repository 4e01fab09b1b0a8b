//! What a token of any other issuer shows of the human and the session, by the claims that the operator maps.
//!
//! A claim that is mapped and missing, or says a word that nobody here knows, does not tell. Never here: a guess.

use std::sync::Arc;

use crate::identity::claims::Claims;
use crate::identity::evidence::{Evidence, Guest};
use crate::identity::profile::shown::{self, Vouching};
use crate::identity::settings::ClaimMapping;
use crate::types::{ClientAppType, DevicePlatform, GuestType, Reason, TransferMethod};

pub(super) fn read(
    claims: &Claims,
    mapping: &ClaimMapping,
    vouching: Vouching<'_>,
) -> Result<Evidence, Reason> {
    let of = &mapping.evidence;
    let prefix = mapping.id_prefix.as_deref().unwrap_or_default();
    let list = |path: &Option<Arc<str>>| match path {
        Some(path) => shown::ids(claims, path, prefix),
        None => Ok(None),
    };
    let word = |path: &Option<Arc<str>>| match path {
        Some(path) => claims.text(path),
        None => Ok(None),
    };
    let or = |path: &Option<Arc<str>>, default| path.clone().unwrap_or_else(|| Arc::from(default));
    let methods = shown::listed(claims, &or(&of.amr, "amr"))?;
    let classes = shown::listed(claims, &or(&of.acr, "acr"))?;
    let vouching = vouching.with(classes.as_deref());
    let agent_contexts = match &of.agent_context {
        Some(path) => shown::listed(claims, path)?,
        None => None,
    };
    Ok(Evidence {
        session_id: claims.text(&or(&of.session_id, "sid"))?.map(Into::into),
        groups: list(&of.groups)?,
        directory_roles: list(&of.directory_roles)?,
        guest: guest(word(&of.user_type)?, word(&of.home_tenant)?),
        platform: word(&of.platform)?.and_then(DevicePlatform::parse),
        client_app_type: match &of.client_app_type {
            Some(path) => claims.text(path)?.and_then(ClientAppType::parse),
            None => Some(ClientAppType::MobileAppsAndDesktopClients),
        },
        transfer_method: word(&of.transfer_method)?.and_then(transfer_method),
        device: shown::device(claims, of.device.iter())?
            .or_else(|| shown::vouched_device(vouching)),
        agent_contexts,
        controls: shown::controls(vouching, methods.as_deref()),
    })
}

/// A guest with a tenant elsewhere was invited; one without has only the account here.
fn guest(user_type: Option<&str>, home_tenant: Option<&str>) -> Option<Option<Guest>> {
    let user_type = user_type?;
    if user_type.eq_ignore_ascii_case("member") {
        return Some(None);
    }
    let kind = if !user_type.eq_ignore_ascii_case("guest") {
        GuestType::parse(user_type)?
    } else if home_tenant.is_some() {
        GuestType::B2bCollaborationGuest
    } else {
        GuestType::InternalGuest
    };
    Some(Some(Guest {
        kind,
        home_tenant: home_tenant.map(|tenant| tenant.to_ascii_lowercase().into()),
    }))
}

fn transfer_method(word: &str) -> Option<Option<TransferMethod>> {
    if word.eq_ignore_ascii_case("none") {
        Some(None)
    } else {
        TransferMethod::parse(word).map(Some)
    }
}
