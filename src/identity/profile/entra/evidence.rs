//! What an access token of Entra shows of the human and the session: groups, directory roles, guests, methods and
//! authentication contexts. Most of it is there only if the resource asks for it as an optional claim.
//!
//! Never here: "none" where the token does not tell.

use std::sync::Arc;

use serde_json::Value;

use super::REFUSED;
use crate::identity::claims::Claims;
use crate::identity::evidence::{Evidence, Guest, List};
use crate::identity::profile::shown::{self, Vouching};
use crate::types::ids::is_guid;
use crate::types::{ClientAppType, GuestType, Reason, TenantId};

/// `xms_idrel`: relations of the subject to the tenant (`reference/entra.md` §2.4).
const MEMBER: u32 = 1;
const GUEST: u32 = 5;
const OF_A_SERVICE_PROVIDER: [u32; 2] = [11, 31];

pub(super) fn read(
    claims: &Claims,
    tenant: &TenantId,
    vouching: Vouching<'_>,
) -> Result<Evidence, Reason> {
    let methods = shown::listed(claims, "amr")?;
    let contexts = shown::listed(claims, "acrs")?;
    let vouching = vouching.with(contexts.as_deref());
    Ok(Evidence {
        session_id: claims.text("sid")?.map(Into::into),
        groups: groups(claims)?,
        directory_roles: shown::ids(claims, "wids", "")?,
        guest: guest(claims, tenant)?,
        // Whoever presents a bearer token is a client with modern authentication, and no browser.
        client_app_type: Some(ClientAppType::MobileAppsAndDesktopClients),
        device: shown::vouched_device(vouching),
        controls: shown::controls(vouching, methods.as_deref()),
        ..Evidence::default()
    })
}

/// The groups. A token with too many says where to ask for them instead, and so does not tell.
fn groups(claims: &Claims) -> Result<Option<List>, Reason> {
    let is_elsewhere = match claims.get("_claim_names") {
        None => false,
        Some(Value::Object(names)) => names.contains_key("groups"),
        Some(_) => return Err(REFUSED),
    };
    let has_too_many = match claims.get("hasgroups") {
        None => false,
        // An implicit flow's token writes it as text.
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        Some(_) => return Err(REFUSED),
    };
    if is_elsewhere || has_too_many {
        return Ok(None);
    }
    shown::ids(claims, "groups", "")
}

/// As what the human is a guest, by `acct` (0: member, 1: guest) and the identity provider, which differs from the issuer
/// for whoever is at home elsewhere.
fn guest(claims: &Claims, tenant: &TenantId) -> Result<Option<Option<Guest>>, Reason> {
    let relations = super::Facets::of(claims, "xms_idrel")?;
    let home = home_tenant(claims, tenant)?;
    let is_guest = match claims.get("acct") {
        Some(Value::Number(number)) if number.as_u64() == Some(0) => Some(false),
        Some(Value::Number(number)) if number.as_u64() == Some(1) => Some(true),
        Some(Value::String(text)) if text == "0" => Some(false),
        Some(Value::String(text)) if text == "1" => Some(true),
        Some(_) => return Err(REFUSED),
        None if relations.has(GUEST) => Some(true),
        None if relations.has(MEMBER) => Some(false),
        None => None,
    };
    let kind = if OF_A_SERVICE_PROVIDER.iter().any(|one| relations.has(*one)) {
        Some(GuestType::ServiceProvider)
    } else {
        match (is_guest, &home) {
            (Some(true), Home::Here) => Some(GuestType::InternalGuest),
            (Some(true), Home::Elsewhere(_)) => Some(GuestType::B2bCollaborationGuest),
            (Some(false), Home::Elsewhere(_)) => Some(GuestType::B2bCollaborationMember),
            (Some(false), Home::Here) => None,
            (None, _) => return Ok(None),
        }
    };
    Ok(Some(kind.map(|kind| Guest {
        kind,
        home_tenant: match home {
            Home::Here => None,
            Home::Elsewhere(tenant) => tenant,
        },
    })))
}

/// Where the human is at home.
enum Home {
    Here,
    /// In another tenant, or with a provider that is none (a consumer's account, a federated one).
    Elsewhere(Option<Arc<str>>),
}

/// `idp` names the tenant that signed the human in; without it, that is the issuer.
fn home_tenant(claims: &Claims, tenant: &TenantId) -> Result<Home, Reason> {
    let Some(provider) = claims.text("idp")? else {
        return Ok(Home::Here);
    };
    let named = provider.split('/').find(|part| is_guid(part));
    let named = named.map(str::to_ascii_lowercase);
    Ok(match named {
        Some(named) if named == tenant.as_str() => Home::Here,
        named => Home::Elsewhere(named.map(Into::into)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::controls::VouchedControls;

    const TENANT: &str = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";
    const HOME: &str = "99999999-0000-4000-8000-000000000009";

    fn of(members: &str) -> Result<Evidence, Reason> {
        let claims = Claims::parse(format!("{{{members}}}").as_bytes()).unwrap();
        let tenant = TenantId::parse(TENANT).unwrap();
        read(
            &claims,
            &tenant,
            Vouching::new(&VouchedControls::default(), false),
        )
    }

    fn kind(members: &str) -> Option<Option<GuestType>> {
        let guest = of(members).unwrap().guest;
        guest.map(|guest| guest.map(|guest| guest.kind))
    }

    #[test]
    fn too_many_groups_are_not_none() {
        let groups = |members: &str| of(members).unwrap().groups.map(|all| all.join("|"));
        let upper = "F6F6F6F6-0000-4000-8000-000000000006";
        let listed = format!(r#""groups":["{upper}","x"]"#);
        let folded = format!("{}|x", upper.to_lowercase());
        assert_eq!(groups(&listed), Some(folded));
        assert_eq!(groups(r#""groups":[]"#), Some(String::new()));
        for not_told in [
            r#""oid":"x""#,
            r#""hasgroups":true"#,
            r#""hasgroups":"true","groups":["x"]"#,
            r#""_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://x"}}"#,
        ] {
            assert_eq!(groups(not_told), None, "{not_told}");
        }
        assert_eq!(
            groups(r#""hasgroups":false,"groups":["x"]"#).as_deref(),
            Some("x")
        );
        for refused in [r#""groups":7"#, r#""hasgroups":1"#, r#""_claim_names":[]"#] {
            assert_eq!(of(refused).unwrap_err(), REFUSED, "{refused}");
        }
    }

    #[test]
    fn a_guest_is_told_by_the_kind_of_account_and_by_home() {
        let here = format!(r#""idp":"https://sts.windows.net/{TENANT}/""#);
        let elsewhere = format!(r#""idp":"https://sts.windows.net/{HOME}/""#);
        let with = |acct: &str, idp: &str| kind(&format!(r#""acct":{acct},{idp}"#));
        assert_eq!(kind(r#""acct":0"#), Some(None));
        assert_eq!(with("0", &here), Some(None));
        assert_eq!(with("1", &here), Some(Some(GuestType::InternalGuest)));
        assert_eq!(kind(r#""acct":"1""#), Some(Some(GuestType::InternalGuest)));
        assert_eq!(
            with("1", &elsewhere),
            Some(Some(GuestType::B2bCollaborationGuest))
        );
        assert_eq!(
            with("0", &elsewhere),
            Some(Some(GuestType::B2bCollaborationMember))
        );
        assert_eq!(
            with("1", r#""idp":"live.com""#),
            Some(Some(GuestType::B2bCollaborationGuest))
        );
        assert_eq!(
            kind(r#""xms_idrel":"5 8""#),
            Some(Some(GuestType::InternalGuest))
        );
        assert_eq!(
            kind(r#""xms_idrel":"11","acct":0"#),
            Some(Some(GuestType::ServiceProvider))
        );
        assert_eq!(kind(r#""xms_idrel":"1 8""#), Some(None));
        // Where a home is given and the kind of account is not, nobody can tell.
        assert_eq!(kind(&elsewhere), None);
        assert_eq!(kind(r#""xms_idrel":"27 x""#), None);
        let guest = of(&format!(r#""acct":1,{elsewhere}"#)).unwrap().guest;
        assert_eq!(guest.unwrap().unwrap().home_tenant.as_deref(), Some(HOME));
        assert_eq!(of(r#""acct":2"#).unwrap_err(), REFUSED);
    }

    #[test]
    fn methods_tell_of_multifactor_authentication_either_way() {
        let mfa = |members: &str| of(members).unwrap().controls.mfa;
        assert_eq!(mfa(r#""amr":["pwd","mfa"]"#), Some(true));
        assert_eq!(mfa(r#""amr":["pwd"]"#), Some(false));
        assert_eq!(mfa(r#""oid":"x""#), None);
        assert_eq!(mfa(r#""acrs":["c1"]"#), None);
        assert_eq!(of(r#""amr":7"#).unwrap_err(), REFUSED);
    }
}
