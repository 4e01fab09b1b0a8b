//! Whose ids an issuer's tokens may name. The ids of all issuers are one namespace, in which the directory, policies
//! and risk know their agents: an issuer that could name another one's agents would have all that these may do.
//!
//! Entra's ids are GUIDs, each of one tenant. Any other issuer's ids begin with a prefix of its own.

use crate::config::member::MemberPath;
use crate::config::raw::issuers::{Issuer, Profile};
use crate::config::validate::Checker;

/// Checks one of several issuers against those before it in the file.
pub(super) fn are_its_own(
    check: &mut Checker<'_>,
    issuer: &Issuer,
    earlier: &[&Issuer],
    at: &MemberPath,
) {
    match issuer.profile {
        Profile::Entra => one_issuer_a_tenant(check, issuer, earlier, at),
        Profile::Oidc if issuer.dangerous_shared_ids => {
            let message = "its tokens can name the agents of other issuers";
            check.warn(&at.key("dangerous_shared_ids"), message);
        }
        Profile::Oidc => prefix_of_its_own(check, issuer, earlier, at),
    }
}

fn one_issuer_a_tenant(
    check: &mut Checker<'_>,
    issuer: &Issuer,
    earlier: &[&Issuer],
    at: &MemberPath,
) {
    let same = |other: &&&Issuer| other.tenant.is_some() && other.tenant == issuer.tenant;
    if let Some(other) = earlier.iter().find(same) {
        let message = format!(
            "is the tenant of `{}` too, expected one of its own",
            other.name.0
        );
        check.refuse(&at.key("tenant"), &message);
    }
}

/// A prefix that no other one begins with, and that begins with no other one.
fn prefix_of_its_own(
    check: &mut Checker<'_>,
    issuer: &Issuer,
    earlier: &[&Issuer],
    at: &MemberPath,
) {
    let at = at.key("id_prefix");
    let Some(prefix) = &issuer.id_prefix else {
        let message = "is missing, expected one such as `workforce:`, since without it tokens can name the agents of other issuers";
        return check.error(&at, message);
    };
    for other in earlier.iter().filter(|other| !other.dangerous_shared_ids) {
        let Some(others) = &other.id_prefix else {
            continue;
        };
        if prefix.0.starts_with(&*others.0) || others.0.starts_with(&*prefix.0) {
            let message = format!(
                "and that of `{}` begin alike, expected that neither begins with the other",
                other.name.0
            );
            check.refuse(&at, &message);
        }
    }
}
