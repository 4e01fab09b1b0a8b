//! What a token is asked for: the resources that `scope`, `resource` (RFC 8707) and `audience` (RFC 8693) name.
//!
//! A name that is not configured may be any resource, and so may a request that names none: nothing is taken for harmless
//! because nobody knows it. Never here: what policy makes of that.

use std::sync::Arc;

use super::profile::entra;
use super::request::{KnownTarget, Target};
use super::settings::Profile;
use crate::call::Resources;
use crate::types::AppId;
use crate::types::ids::is_guid;

/// The most scopes of a request, and the most resources.
const MAX_NAMES: usize = 32;
/// The longest scope, and the longest name of a resource.
const MAX_NAME_BYTES: usize = 512;

/// Scopes of OpenID Connect (Core §5.4, §11), which are of no resource.
const OPENID: [&str; 6] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
];

/// Scopes as a list of names (RFC 6749 §3.3); `None` if they are none, or too many.
#[must_use]
pub fn scopes(text: Option<&str>) -> Option<Arc<[Arc<str>]>> {
    let names = text.unwrap_or_default().split(' ');
    let scopes: Vec<Arc<str>> = names.filter(|s| !s.is_empty()).map(Arc::from).collect();
    let fit = scopes.len() <= MAX_NAMES && scopes.iter().all(|scope| is_name(scope));
    fit.then(|| scopes.into())
}

/// A scope, or the name of a resource: printable ASCII, no quotes (RFC 6749 §3.3), bounded.
fn is_name(text: &str) -> bool {
    let is_character = |b| matches!(b, b'!' | b'#'..=b'[' | b']'..=b'~');
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(is_character)
}

/// The resources that a token is asked for, at least one; `None` if a name is none, or there are too many.
/// `named` are the values of `resource` and `audience`.
#[must_use]
pub fn targets(
    profile: &Profile,
    scopes: &[Arc<str>],
    named: &[&str],
    resources: &Resources,
) -> Option<Vec<Target>> {
    let is_entra = matches!(profile, Profile::Entra { .. });
    let of_scopes = scopes.iter().filter_map(|scope| of_scope(scope, is_entra));
    let mut names: Vec<&str> = named.iter().copied().chain(of_scopes).collect();
    // Entra's tokens are for Graph where a request names nothing else (OpenID Connect's own scopes are).
    if names.is_empty() && is_entra && !scopes.is_empty() {
        names.push(entra::GRAPH_URI);
    }
    names.sort_unstable();
    names.dedup();
    if names.len() > MAX_NAMES || !names.iter().all(|name| is_name(name)) {
        return None;
    }
    if names.is_empty() {
        return Some(vec![Target {
            name: None,
            known: KnownTarget::Nothing,
        }]);
    }
    let target = |name: &str| Target {
        name: Some(name.into()),
        known: known(name, is_entra, resources),
    };
    Some(names.into_iter().map(target).collect())
}

/// The resource that a scope is of, where its text says so: `RESOURCE/.default`, `api://RESOURCE/NAME`, and in Entra
/// any scope with a slash. Any other scope of Entra is Graph's.
fn of_scope(scope: &str, is_entra: bool) -> Option<&str> {
    if let Some(resource) = scope.strip_suffix("/.default") {
        return Some(resource);
    }
    if OPENID.contains(&scope) {
        return None;
    }
    match scope.rsplit_once('/') {
        Some((resource, _)) if is_entra || scope.starts_with("api://") => Some(resource),
        None if is_entra => Some(entra::GRAPH_URI),
        Some(_) | None => None,
    }
}

fn known(name: &str, is_entra: bool, resources: &Resources) -> KnownTarget {
    if is_entra && entra::is_exchange_name(name) {
        return KnownTarget::Exchange;
    }
    if let Some(resource) = resources.identified_by(name) {
        return KnownTarget::Resource(Arc::clone(resource));
    }
    let app_id = match name.trim_end_matches('/') {
        entra::GRAPH_URI => entra::GRAPH_APP_ID,
        name => name,
    };
    match AppId::parse(app_id) {
        Ok(id) if is_entra && is_guid(app_id) => KnownTarget::AppId(id),
        Ok(_) | Err(_) => KnownTarget::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::settings::ClaimMapping;
    use crate::types::TenantId;

    fn entra() -> Profile {
        Profile::Entra {
            tenant: TenantId::parse("7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00").unwrap(),
        }
    }

    fn oidc() -> Profile {
        Profile::Oidc(Arc::new(ClaimMapping::default()))
    }

    /// The names of the targets, each with what is known of it.
    fn found(profile: &Profile, scope: &str, named: &[&str]) -> Vec<String> {
        let scopes = scopes(Some(scope)).unwrap();
        let targets = targets(profile, &scopes, named, &Resources::default()).unwrap();
        let shown = |target: Target| {
            let known = match target.known {
                KnownTarget::Resource(resource) => resource.name.to_string(),
                KnownTarget::AppId(id) => id.to_string(),
                KnownTarget::Nothing => "?".to_owned(),
                KnownTarget::Exchange => "exchange".to_owned(),
            };
            format!("{} {known}", target.name.as_deref().unwrap_or("-"))
        };
        targets.into_iter().map(shown).collect()
    }

    #[test]
    fn a_request_to_entra_always_names_a_resource() {
        const GUID: &str = "e5e5e5e5-0000-4000-8000-000000000005";
        let graph = format!("{} {}", entra::GRAPH_URI, entra::GRAPH_APP_ID);
        for (scope, named, expected) in [
            (
                format!("{GUID}/.default"),
                vec![],
                vec![format!("{GUID} {GUID}")],
            ),
            (
                format!("{GUID}/Read openid"),
                vec![],
                vec![format!("{GUID} {GUID}")],
            ),
            ("api://x/Read".into(), vec![], vec!["api://x ?".into()]),
            (
                "https://x//.default".into(),
                vec![],
                vec!["https://x/ ?".into()],
            ),
            (
                "https://graph.microsoft.com/.default".into(),
                vec![],
                vec![graph.clone()],
            ),
            ("User.Read".into(), vec![], vec![graph.clone()]),
            ("openid".into(), vec![], vec![graph]),
            (
                "api://a/.default api://b/.default".into(),
                vec![],
                vec!["api://a ?".into(), "api://b ?".into()],
            ),
            (String::new(), vec![GUID], vec![format!("{GUID} {GUID}")]),
            (String::new(), vec![], vec!["- ?".into()]),
            (
                "api://AzureADTokenExchange/.default".into(),
                vec![],
                vec!["api://AzureADTokenExchange exchange".into()],
            ),
            (
                "api://AzureADTokenExchangeX/.default".into(),
                vec![],
                vec!["api://AzureADTokenExchangeX ?".into()],
            ),
        ] {
            assert_eq!(found(&entra(), &scope, &named), expected, "{scope}");
        }
    }

    #[test]
    fn a_bare_scope_of_another_issuer_may_be_of_any_resource() {
        for (scope, named, expected) in [
            ("read", vec![], vec!["- ?"]),
            ("https://x/read", vec![], vec!["- ?"]),
            ("x/.default", vec![], vec!["x ?"]),
            ("api://x/read", vec![], vec!["api://x ?"]),
            (
                "read",
                vec!["https://a", "https://b", "https://a"],
                vec!["https://a ?", "https://b ?"],
            ),
            (
                "api://AzureADTokenExchange/.default",
                vec![],
                vec!["api://AzureADTokenExchange ?"],
            ),
            (
                "",
                vec!["fb60f99c-7a34-4190-8149-302f77469936"],
                vec!["fb60f99c-7a34-4190-8149-302f77469936 ?"],
            ),
        ] {
            assert_eq!(found(&oidc(), scope, &named), expected, "{scope}");
        }
    }

    #[test]
    fn refuses_names_that_are_none_and_too_many() {
        assert!(scopes(Some("a\"b")).is_none());
        assert!(scopes(Some("a\nb")).is_none());
        assert!(scopes(Some(&"a ".repeat(MAX_NAMES + 1))).is_none());
        assert!(scopes(Some(&"a".repeat(MAX_NAME_BYTES + 1))).is_none());
        let empty = scopes(None).unwrap();
        let none = targets(&oidc(), &empty, &["a b"], &Resources::default());
        assert!(none.is_none());
    }
}
