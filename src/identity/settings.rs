//! What an operator says of an issuer. Built by `config`, already checked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::controls::VouchedControls;
use crate::types::TenantId;

/// A signature algorithm that an issuer may be allowed to use (RFC 7518 §3.1, RFC 8037). No `none`, no HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512
    Rs512,
    /// RSASSA-PSS with SHA-256
    Ps256,
    /// RSASSA-PSS with SHA-384
    Ps384,
    /// RSASSA-PSS with SHA-512
    Ps512,
    /// ECDSA on P-256 with SHA-256
    Es256,
    /// ECDSA on P-384 with SHA-384
    Es384,
    /// Ed25519
    EdDsa,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The name in the header's `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Reads the name; it is case-sensitive (RFC 7515 §4.1.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
    }
}

/// How an issuer's claims say which agent calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Microsoft Entra ID, v1 and v2 tokens of one tenant (`reference/entra.md` §2, §10).
    Entra {
        /// The tenant; `tid` must be this one.
        tenant: TenantId,
    },
    /// Any other issuer of JWT access tokens: claims are mapped by name.
    Oidc(Arc<ClaimMapping>),
}

/// Which claims hold what, as paths with dots (`act.sub`; `\.` is a dot in a name), and whose ids they are. A claim that is mapped and missing in a token means "none".
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ClaimMapping {
    /// What is put before every id that is read: the ids of all issuers are one namespace, and an issuer must not be
    /// able to name another one's agents.
    pub id_prefix: Option<Arc<str>>,
    /// The agent identity. Without it no token of the issuer is an agent's by its own word.
    pub agent_id: Option<Arc<str>>,
    /// The agent's blueprint.
    pub blueprint_id: Option<Arc<str>>,
    /// The agent user, where the agent acts as one.
    pub agent_user_id: Option<Arc<str>>,
    /// The human, where the agent acts for one.
    pub on_behalf_of: Option<Arc<str>>,
    /// A claim that only the tokens of classic workloads have, whatever it says.
    pub workload: Option<Arc<str>>,
    /// The scopes; default `scope`.
    pub scopes: Option<Arc<str>>,
    /// The roles; default `roles`.
    pub roles: Option<Arc<str>>,
    /// What is shown beside who calls.
    pub evidence: EvidenceMapping,
}

/// Which claims show what of the human and of the session. What is not mapped, or missing in a token, is not known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct EvidenceMapping {
    /// The session; default `sid`.
    pub session_id: Option<Arc<str>>,
    /// Ids of the human's groups.
    pub groups: Option<Arc<str>>,
    /// Template ids of the human's directory roles.
    pub directory_roles: Option<Arc<str>>,
    /// `member`, `guest`, or one of Graph's kinds of guests.
    pub user_type: Option<Arc<str>>,
    /// A guest's own tenant.
    pub home_tenant: Option<Arc<str>>,
    /// The platform of the device.
    pub platform: Option<Arc<str>>,
    /// Graph's name of the kind of client; without it, that of whoever presents a bearer token.
    pub client_app_type: Option<Arc<str>>,
    /// `deviceCodeFlow`, `authenticationTransfer` or `none`.
    pub transfer_method: Option<Arc<str>>,
    /// The environments that an agent user's session was started from.
    pub agent_context: Option<Arc<str>>,
    /// Properties of the device, by Graph's names of them.
    pub device: BTreeMap<Arc<str>, Arc<str>>,
    /// The methods of authentication (RFC 8176); default `amr`.
    pub amr: Option<Arc<str>>,
    /// The classes of authentication; default `acr`.
    pub acr: Option<Arc<str>>,
}

/// Where an issuer's keys come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyOrigin {
    /// A JWK Set in a file.
    File(PathBuf),
    /// A JWK Set at this `https` address.
    JwksUri(Arc<str>),
    /// The `jwks_uri` of the OpenID configuration at this `https` address, whose `issuer` must be ours.
    Discovery(Arc<str>),
}

/// How keys are fetched and how long they are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeySettings {
    /// Where they come from.
    pub origin: KeyOrigin,
    /// A CA bundle for the fetch; the operating system's roots without it.
    pub ca_file: Option<PathBuf>,
    /// The time between refreshes; default one hour.
    pub refresh_interval: Duration,
    /// The least time between two refreshes that unknown key ids ask for; default five minutes.
    pub min_refresh_interval: Duration,
    /// Keys older than this are not used any more; default 24 hours.
    pub stale_after: Duration,
    /// The time a fetch may take; default five seconds.
    pub timeout: Duration,
    /// The size a key set may have in bytes; default 1 MiB.
    pub max_bytes: usize,
}

/// One issuer of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IssuerSettings {
    /// Configured name; also the metrics' `issuer` label.
    pub name: Arc<str>,
    /// The exact values of `iss` that are its own. Under [`Profile::Entra`] the v1 and the v2 issuer of the tenant.
    pub issuers: Vec<Arc<str>>,
    /// How its claims read.
    pub profile: Profile,
    /// The algorithms that its tokens may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// The values of `typ` that its access tokens may have, compared without case and without `application/`.
    pub types: Vec<Arc<str>>,
    /// Whether `typ` may be missing.
    pub type_may_be_missing: bool,
    /// How far its clock may be off, for `exp`, `nbf` and `iat`; at most 300 s.
    pub leeway: Duration,
    /// The longest `exp - iat` (or `exp - now`, without `iat`) that is believed.
    pub max_lifetime: Duration,
    /// The grant controls that it vouches for.
    pub vouched: Arc<VouchedControls>,
    /// Its keys.
    pub keys: KeySettings,
}

impl IssuerSettings {
    /// Where users of an issuer of Entra sign in: at the authority of its own cloud, as its v2 issuer or the address of its
    /// keys names it. `None` for other issuers, whose clients are not told so.
    #[must_use]
    pub fn authorization_uri(&self) -> Option<Arc<str>> {
        let Profile::Entra { tenant } = &self.profile else {
            return None;
        };
        let keys = match &self.keys.origin {
            KeyOrigin::JwksUri(address) | KeyOrigin::Discovery(address) => Some(address),
            KeyOrigin::File(_) => None,
        };
        let of_v2 = |address: &Arc<str>| {
            let host = address.strip_prefix("https://")?;
            let (host, path) = host.split_once('/')?;
            let path = path.strip_prefix(tenant.as_str())?.trim_end_matches('/');
            let is_v2 = path == "/v2.0" || path.starts_with("/v2.0/");
            (is_v2 || path == "/discovery/v2.0/keys").then(|| host.to_owned())
        };
        let host = self.issuers.iter().chain(keys).find_map(of_v2);
        let host = host.as_deref().unwrap_or("login.microsoftonline.com");
        Some(format!("https://{host}/{tenant}/oauth2/v2.0/authorize").into())
    }

    /// Whether tokens read the same by both: all but where keys come from, unless that says which cloud it is, and how long
    /// they are trusted.
    #[must_use]
    pub fn reads_like(&self, other: &Arc<Self>) -> bool {
        fn reading(one: &IssuerSettings) -> impl PartialEq + '_ {
            let IssuerSettings {
                name,
                issuers,
                profile,
                algorithms,
                types,
                type_may_be_missing,
                leeway,
                max_lifetime,
                vouched,
                keys: _,
            } = one;
            (
                (name, issuers, profile, algorithms, types),
                (type_may_be_missing, leeway, max_lifetime, vouched),
                one.authorization_uri(),
            )
        }
        std::ptr::eq(self, &**other) || reading(self) == reading(other)
    }
}

/// What holds for the tokens of every issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenSettings {
    /// The longest token, in bytes; default 16 KiB.
    pub max_bytes: usize,
    /// How many verified tokens are remembered; 0 turns the cache off.
    pub cache_entries: u64,
    /// How far the time of a proof of possession may be from ours; default 1 minute.
    pub max_proof_age: Duration,
}

impl TokenSettings {
    /// The longest time for which a proof counts: its maker's clock may be ahead, too.
    #[must_use]
    pub const fn max_proof_life(&self) -> Duration {
        self.max_proof_age.saturating_mul(2)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An issuer for unit tests: ES256, a leeway of 5 s, tokens of one hour, keys of one day.
    pub(crate) fn oidc_issuer() -> IssuerSettings {
        IssuerSettings {
            name: "test".into(),
            issuers: vec!["i".into()],
            profile: Profile::Oidc(Arc::default()),
            algorithms: vec![Algorithm::Es256],
            types: vec!["at+jwt".into(), "JWT".into()],
            type_may_be_missing: false,
            leeway: Duration::from_secs(5),
            max_lifetime: Duration::from_secs(3600),
            vouched: Arc::default(),
            keys: KeySettings {
                origin: KeyOrigin::File("keys.json".into()),
                ca_file: None,
                refresh_interval: Duration::from_secs(3600),
                min_refresh_interval: Duration::from_secs(300),
                stale_after: Duration::from_secs(86_400),
                timeout: Duration::from_secs(5),
                max_bytes: 1 << 20,
            },
        }
    }

    #[test]
    fn users_sign_in_at_the_authority_of_their_own_cloud() {
        let tenant = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";
        let uri = |issuers: &[&str], origin| {
            let of_tenant = |text: &&str| Arc::from(text.replace("TENANT", tenant));
            let mut settings = IssuerSettings {
                issuers: issuers.iter().map(of_tenant).collect(),
                profile: Profile::Entra {
                    tenant: TenantId::parse(tenant).unwrap(),
                },
                ..oidc_issuer()
            };
            settings.keys.origin = origin;
            let uri = settings.authorization_uri().unwrap();
            uri.strip_suffix(&format!("/{tenant}/oauth2/v2.0/authorize"))
                .map(str::to_owned)
                .unwrap()
        };
        let file = || KeyOrigin::File("keys.json".into());
        let keys = |host: &str| {
            KeyOrigin::JwksUri(format!("https://{host}/{tenant}/discovery/v2.0/keys").into())
        };
        let v1 = "https://sts.windows.net/TENANT/";
        for (issuers, origin, expected) in [
            (
                &[v1, "https://login.microsoftonline.us/TENANT/v2.0"][..],
                file(),
                "login.microsoftonline.us",
            ),
            (
                &[v1],
                keys("login.partner.microsoftonline.cn"),
                "login.partner.microsoftonline.cn",
            ),
            (
                &[v1, "https://login.microsoftonline.com/TENANT/v2.0"],
                file(),
                "login.microsoftonline.com",
            ),
            (&[v1], file(), "login.microsoftonline.com"),
        ] {
            assert_eq!(uri(issuers, origin), format!("https://{expected}"));
        }
        assert_eq!(oidc_issuer().authorization_uri(), None);
    }

    #[test]
    fn algorithm_names_are_read_as_they_are_written() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
            assert_eq!(Algorithm::parse(&algorithm.as_str().to_lowercase()), None);
        }
    }
}
