//! Issuers of tokens.

mod claims;
mod ids;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Checker, files};
use crate::config::member::MemberPath;
use crate::config::raw::issuers as raw;
use crate::config::raw::text::{Exact, GrantControl};
use crate::identity::settings::{
    Algorithm, IssuerSettings, KeyOrigin, KeySettings, Profile, TokenSettings,
};
use crate::identity::{KeySet, VouchedControls};
use crate::types::TenantId;

/// The most that an issuer's clock may be off.
const MAX_LEEWAY: &str = "300s";
/// The largest file of keys, in bytes.
const MAX_KEY_FILE_BYTES: u64 = 1024 * 1024;

/// Every issuer. Names and values of `iss` are their own.
pub(super) fn issuers(
    check: &mut Checker<'_>,
    raw: &[Option<raw::Issuer>],
    at: &MemberPath,
) -> (Vec<IssuerSettings>, BTreeMap<Arc<str>, KeySet>) {
    let mut done: Vec<IssuerSettings> = Vec::new();
    let mut key_sets = BTreeMap::new();
    for (index, issuer) in raw.iter().enumerate() {
        let at = at.item(index);
        let Some(issuer) = issuer else {
            continue;
        };
        if done.iter().any(|other| other.name == issuer.name.0) {
            check.refuse(&at.key("name"), "is the name of another issuer");
        }
        if raw.len() > 1 {
            ids::are_its_own(check, issuer, &earlier(raw, index), &at);
        }
        let Some(settings) = one(check, issuer, &at) else {
            continue;
        };
        for (index, iss) in settings.issuers.iter().enumerate() {
            let shared = done.iter().find(|other| other.issuers.contains(iss));
            if let Some(other) = shared {
                let message = format!("`{iss}` is an issuer of `{}` too", other.name);
                check.error(&at.key("issuers").item(index), message);
            }
        }
        if let KeyOrigin::File(path) = &settings.keys.origin
            && let Some(keys) = key_set(check, path, &at.key("keys").key("file"))
        {
            key_sets.insert(Arc::clone(&settings.name), keys);
        }
        done.push(settings);
    }
    (done, key_sets)
}

/// The issuers before this place of the file, without those at fault.
fn earlier(raw: &[Option<raw::Issuer>], place: usize) -> Vec<&raw::Issuer> {
    raw.iter().take(place).flatten().collect()
}

fn key_set(check: &mut Checker<'_>, path: &Path, at: &MemberPath) -> Option<KeySet> {
    let bytes = check.read(at, path, MAX_KEY_FILE_BYTES)?;
    match KeySet::parse(&bytes) {
        Ok(keys) => Some(keys),
        Err(error) => {
            check.refuse(at, &format!("is not usable: {error}"));
            None
        }
    }
}

fn one(check: &mut Checker<'_>, raw: &raw::Issuer, at: &MemberPath) -> Option<IssuerSettings> {
    let identified = match raw.profile {
        raw::Profile::Entra => entra(check, raw, at),
        raw::Profile::Oidc => Some(oidc(check, raw, at)),
    };
    let types = match (raw.token_types.as_slice(), raw.profile) {
        ([], raw::Profile::Entra) => vec!["JWT".into()],
        ([], raw::Profile::Oidc) => vec!["at+jwt".into()],
        (given, _) => texts(given),
    };
    if raw.dangerous_allow_missing_token_type {
        let message = "an ID token can pass for an access token";
        check.warn(&at.key("dangerous_allow_missing_token_type"), message);
    }
    let leeway = check.between(&at.key("leeway"), &raw.leeway, ("0s", MAX_LEEWAY));
    let max_lifetime = check.between(
        &at.key("max_token_lifetime"),
        &raw.max_token_lifetime,
        ("1m", "30d"),
    );
    let profile = identified.as_ref().map(|(profile, _)| profile);
    let keys = keys(check, raw, profile, &at.key("keys"));
    let (profile, issuers) = identified?;
    Some(IssuerSettings {
        name: Arc::clone(&raw.name.0),
        issuers,
        profile,
        algorithms: raw.algorithms.iter().copied().map(algorithm).collect(),
        types,
        type_may_be_missing: raw.dangerous_allow_missing_token_type,
        leeway,
        max_lifetime,
        vouched: Arc::new(vouched(raw)),
        keys: keys?,
    })
}

fn entra(
    check: &mut Checker<'_>,
    raw: &raw::Issuer,
    at: &MemberPath,
) -> Option<(Profile, Vec<Arc<str>>)> {
    if raw.claims.is_some() {
        let message = "without effect under `profile: entra`, whose claims are known";
        check.error(&at.key("claims"), message);
    }
    if raw.id_prefix.is_some() {
        let message = "without effect under `profile: entra`, whose ids are GUIDs";
        check.error(&at.key("id_prefix"), message);
    }
    if raw.dangerous_shared_ids {
        let message = "without effect under `profile: entra`, whose ids are GUIDs";
        check.error(&at.key("dangerous_shared_ids"), message);
    }
    let Some(tenant) = &raw.tenant else {
        check.error(&at.key("tenant"), "is missing, expected the tenant's id");
        return None;
    };
    let tenant = tenant.0.clone();
    for (index, iss) in raw.issuers.iter().enumerate() {
        if !iss.0.contains(tenant.as_str()) {
            let at = at.key("issuers").item(index);
            check.refuse(
                &at,
                "does not hold the tenant's id, expected an issuer of the tenant",
            );
        }
    }
    let issuers = match raw.issuers.as_slice() {
        [] => vec![
            format!("https://sts.windows.net/{tenant}/").into(),
            format!("https://login.microsoftonline.com/{tenant}/v2.0").into(),
        ],
        given => texts(given),
    };
    Some((Profile::Entra { tenant }, issuers))
}

fn oidc(check: &mut Checker<'_>, raw: &raw::Issuer, at: &MemberPath) -> (Profile, Vec<Arc<str>>) {
    if raw.tenant.is_some() {
        let message = "without effect under `profile: oidc`, expected `profile: entra`";
        check.error(&at.key("tenant"), message);
    }
    if raw.issuers.is_empty() {
        let message = "is missing, expected the exact values of `iss`";
        check.error(&at.key("issuers"), message);
    }
    let mapping = claims::mapping(check, raw, &at.key("claims"));
    (Profile::Oidc(Arc::new(mapping)), texts(&raw.issuers))
}

/// The grant controls that the issuer vouches for.
fn vouched(raw: &raw::Issuer) -> VouchedControls {
    let controls = |all: &[GrantControl]| all.iter().map(|one| one.0.clone()).collect();
    let by_acr = raw.grant_controls_by_acr.iter();
    VouchedControls {
        enforced: controls(&raw.enforced_grant_controls),
        by_acr: by_acr
            .map(|(acr, all)| (acr.as_str().into(), controls(all)))
            .collect(),
        bound: controls(&raw.grant_controls_of_bound_tokens),
    }
}

fn keys(
    check: &mut Checker<'_>,
    issuer: &raw::Issuer,
    profile: Option<&Profile>,
    at: &MemberPath,
) -> Option<KeySettings> {
    let defaults = raw::Keys::default();
    let raw = issuer.keys.as_ref().unwrap_or(&defaults);
    let origin = origin(check, raw, profile, at);
    let ca_file = raw.ca_file.as_ref().map(|file| {
        let at = at.key("ca_file");
        if raw.file.is_some() {
            check.error(&at, "without effect: the keys come from a file");
        }
        files::ca_bundle(check, &at, file)
    });
    let mut time = |name: &str, value, bounds| check.between(&at.key(name), value, bounds);
    let refresh_interval = time("refresh_interval", &raw.refresh_interval, ("10s", "24h"));
    let min_refresh_interval = time(
        "min_refresh_interval",
        &raw.min_refresh_interval,
        ("1s", "1h"),
    );
    let stale_after = time("stale_after", &raw.stale_after, ("1m", "7d"));
    let timeout = time("timeout", &raw.timeout, ("100ms", "1m"));
    if stale_after <= refresh_interval {
        let message = "not longer than `refresh_interval`: keys would go stale between refreshes";
        check.error(&at.key("stale_after"), message);
    }
    check.size_between(&at.key("max_size"), &raw.max_size, ("1KiB", "16MiB"));
    Some(KeySettings {
        origin: origin?,
        ca_file,
        refresh_interval,
        min_refresh_interval,
        stale_after,
        timeout,
        max_bytes: raw.max_size.to_usize(),
    })
}

/// Where keys come from: exactly one of three, or the tenant's own address.
fn origin(
    check: &mut Checker<'_>,
    raw: &raw::Keys,
    profile: Option<&Profile>,
    at: &MemberPath,
) -> Option<KeyOrigin> {
    match (&raw.file, &raw.jwks_uri, &raw.discovery) {
        (Some(file), None, None) => Some(KeyOrigin::File(check.locate(file))),
        (None, Some(url), None) => Some(KeyOrigin::JwksUri(Arc::clone(&url.0))),
        (None, None, Some(url)) => Some(KeyOrigin::Discovery(Arc::clone(&url.0))),
        (None, None, None) => match profile {
            // Without its tenant, an issuer of Entra has been refused already.
            None => None,
            Some(Profile::Entra { tenant }) => Some(KeyOrigin::JwksUri(entra_jwks_uri(tenant))),
            Some(Profile::Oidc(_)) => {
                let message = "is missing, expected one of `file`, `jwks_uri`, `discovery`";
                check.error(at, message);
                None
            }
        },
        _ => {
            let message = "has several origins, expected one of `file`, `jwks_uri`, `discovery`";
            check.error(at, message);
            None
        }
    }
}

fn entra_jwks_uri(tenant: &TenantId) -> Arc<str> {
    format!("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys").into()
}

/// What holds for every issuer's tokens.
pub(super) fn tokens(check: &mut Checker<'_>, raw: &raw::Tokens, at: &MemberPath) -> TokenSettings {
    check.size_between(&at.key("max_size"), &raw.max_size, ("1KiB", "64KiB"));
    TokenSettings {
        max_bytes: raw.max_size.to_usize(),
        cache_entries: u64::from(raw.cache_entries),
        max_proof_age: check.between(&at.key("max_proof_age"), &raw.max_proof_age, ("5s", "10m")),
    }
}

fn texts(exact: &[Exact]) -> Vec<Arc<str>> {
    exact.iter().map(|text| Arc::clone(&text.0)).collect()
}

pub(super) const fn algorithm(raw: raw::Algorithm) -> Algorithm {
    match raw {
        raw::Algorithm::Rs256 => Algorithm::Rs256,
        raw::Algorithm::Rs384 => Algorithm::Rs384,
        raw::Algorithm::Rs512 => Algorithm::Rs512,
        raw::Algorithm::Ps256 => Algorithm::Ps256,
        raw::Algorithm::Ps384 => Algorithm::Ps384,
        raw::Algorithm::Ps512 => Algorithm::Ps512,
        raw::Algorithm::Es256 => Algorithm::Es256,
        raw::Algorithm::Es384 => Algorithm::Es384,
        raw::Algorithm::EdDsa => Algorithm::EdDsa,
    }
}
