//! Issuers of tokens.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{DocumentUrl, Duration, Exact, File, GrantControl, IdPrefix, Name, Size, Tenant};

/// An issuer of tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its name, which is also a metric label.
    pub name: Name,
    /// How its claims say which agent calls.
    pub profile: Profile,
    /// `entra`: the tenant; a token's `tid` must be this one.
    pub tenant: Option<Tenant>,
    /// The exact values of `iss` that are its own. `entra`: the v1 and v2 issuers of the tenant without it.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub issuers: Vec<Exact>,
    /// `oidc`: what is put before every id in its tokens (agents, blueprints, agent users, humans, clients). The
    /// directory, policies and risk name them with it. It must be there where there is another issuer.
    pub id_prefix: Option<IdPrefix>,
    /// `oidc`: let its tokens name the ids of other issuers.
    #[serde(default)]
    pub dangerous_shared_ids: bool,
    /// `oidc`: which claims hold what.
    pub claims: Option<Claims>,
    /// Grant controls that the issuer itself enforces before it gives any token for a human: policies that demand them
    /// count them as satisfied. Name only what it does without exception.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub enforced_grant_controls: Vec<GrantControl>,
    /// Grant controls that a value of `acr`, or an authentication context in Entra's `acrs`, stands for; a caller whose
    /// token lacks them is told to get one with that value.
    #[serde(default)]
    pub grant_controls_by_acr: BTreeMap<String, Vec<GrantControl>>,
    /// Grant controls that a token which is bound to its caller's key stands for (RFC 9449), whoever calls:
    /// `authenticationStrength:ID`, say, for agents.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub grant_controls_of_bound_tokens: Vec<GrantControl>,
    /// The algorithms that its tokens may be signed with.
    #[serde(default = "Issuer::algorithms")]
    #[schemars(length(min = 1))]
    pub algorithms: Vec<Algorithm>,
    /// The values of `typ` that its access tokens may have. Without it: `JWT` for `entra`, `at+jwt` for `oidc`.
    #[serde(default)]
    #[schemars(length(max = 8))]
    pub token_types: Vec<Exact>,
    /// Accept tokens without `typ`: then an ID token can pass for an access token.
    #[serde(default)]
    pub dangerous_allow_missing_token_type: bool,
    /// How far its clock may be off; at most `300s`.
    #[serde(default = "Issuer::leeway")]
    pub leeway: Duration,
    /// The longest lifetime of a token that is believed.
    #[serde(default = "Issuer::max_token_lifetime")]
    pub max_token_lifetime: Duration,
    /// Where its keys come from. `entra`: the tenant's `jwks_uri` without it.
    pub keys: Option<Keys>,
}

impl Issuer {
    fn algorithms() -> Vec<Algorithm> {
        vec![Algorithm::Rs256]
    }

    const fn leeway() -> Duration {
        Duration::seconds(60)
    }

    const fn max_token_lifetime() -> Duration {
        Duration::seconds(86_400)
    }
}

/// How an issuer's claims say which agent calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Microsoft Entra ID, one tenant.
    Entra,
    /// Any other issuer of JWT access tokens.
    Oidc,
}

/// Which claims hold what, as paths with dots (`act.sub`); `\.` is a dot in a name (`kubernetes\.io.serviceaccount.uid`),
/// and a path with `://` is one name.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    /// The agent identity.
    pub agent_id: Option<Exact>,
    /// The agent's blueprint.
    pub blueprint_id: Option<Exact>,
    /// The agent user, where the agent acts as one.
    pub agent_user_id: Option<Exact>,
    /// The human, where the agent acts for one.
    pub on_behalf_of: Option<Exact>,
    /// The scopes; `scope` without it.
    pub scopes: Option<Exact>,
    /// The roles; `roles` without it.
    pub roles: Option<Exact>,
    /// A claim that only the tokens of classic workloads have, whatever it says. Without it, a client that is its own
    /// subject is one, and any other caller that is no agent is a human.
    pub workload: Option<Exact>,
    /// The session that a token is from; `sid` without it.
    pub session_id: Option<Exact>,
    /// The ids of the human's groups.
    pub groups: Option<Exact>,
    /// The template ids of the human's directory roles.
    pub directory_roles: Option<Exact>,
    /// `member`, `guest`, or one of Graph's kinds of guests (`b2bCollaborationGuest`, …).
    pub user_type: Option<Exact>,
    /// A guest's own tenant.
    pub home_tenant: Option<Exact>,
    /// The platform of the device: `android`, `iOS`, `windows`, `windowsPhone`, `macOS`, `linux`.
    pub platform: Option<Exact>,
    /// What the human uses, by Graph's name. Without it: `mobileAppsAndDesktopClients`, since a client that presents a
    /// bearer token is no browser.
    pub client_app_type: Option<Exact>,
    /// How the session came to this client: `deviceCodeFlow`, `authenticationTransfer` or `none`.
    pub transfer_method: Option<Exact>,
    /// The environments that an agent user's session was started from.
    pub agent_context: Option<Exact>,
    /// The device's properties, by the names that filters for devices have (`isCompliant`), and the claim of each. Map
    /// every property that your filters read: in a token with any of the claims, one without its claim is not set.
    pub device: BTreeMap<String, Exact>,
    /// The methods of authentication (RFC 8176), of which `mfa` counts; `amr` without it.
    pub amr: Option<Exact>,
    /// The classes of authentication; `acr` without it.
    pub acr: Option<Exact>,
}

/// A signature algorithm. There is no `none` and no HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// Where an issuer's keys come from (exactly one of `file`, `jwks_uri`, `discovery`), and how they are kept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// A JWK Set in a file, which is watched.
    pub file: Option<File>,
    /// The `https` address of a JWK Set.
    pub jwks_uri: Option<DocumentUrl>,
    /// The `https` address of an OpenID configuration, whose `issuer` must be one of this issuer's.
    pub discovery: Option<DocumentUrl>,
    /// PEM: the roots for the fetch; those of the operating system without it.
    pub ca_file: Option<File>,
    /// The time between refreshes.
    pub refresh_interval: Duration,
    /// The least time between two refreshes that unknown key ids ask for.
    pub min_refresh_interval: Duration,
    /// Keys older than this are not used any more: then tokens cannot be verified.
    pub stale_after: Duration,
    /// The time that a fetch may take.
    pub timeout: Duration,
    /// The largest key set.
    pub max_size: Size,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            file: None,
            jwks_uri: None,
            discovery: None,
            ca_file: None,
            refresh_interval: Duration::seconds(3_600),
            min_refresh_interval: Duration::seconds(300),
            stale_after: Duration::seconds(86_400),
            timeout: Duration::seconds(5),
            max_size: Size::kib(1024),
        }
    }
}

/// What holds for the tokens of every issuer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// The longest token; at most `64KiB`, and less than a listener's `max_header_size`.
    pub max_size: Size,
    /// How many verified tokens are remembered; 0 turns the cache off.
    #[schemars(range(max = 10_000_000))]
    pub cache_entries: u32,
    /// How far the time of a proof of possession (RFC 9449) may be from ours, either way.
    pub max_proof_age: Duration,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            max_size: Size::kib(16),
            cache_entries: 100_000,
            max_proof_age: Duration::seconds(60),
        }
    }
}
