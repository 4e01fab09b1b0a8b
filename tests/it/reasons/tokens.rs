//! The rows on credentials and tokens.

use boomgate::types::Reason;
use http::Request;
use serde_json::json;

use super::Row;
use super::calls::{authorized, by, claims, header, send, token};
use super::rows::refused;
use crate::support::servers::refusing_address;
use crate::support::site::{
    AGENT, AGENT_USER, BLUEPRINT, OTHER_AGENT, PRINCIPAL, Setup, Site, now,
};

const INVALID_REQUEST: &str = ", error=\"invalid_request\"";
const INVALID_TOKEN: &str = ", error=\"invalid_token\"";

pub(super) fn credentials() -> Vec<Row> {
    let missing =
        |call| refused(Reason::CredentialMissing, 401, "credential_missing", call).challenged("");
    let malformed = |call| {
        refused(Reason::CredentialMalformed, 400, "invalid_request", call)
            .challenged(INVALID_REQUEST)
    };
    vec![
        missing(authorized(&[])),
        missing(authorized(&["Basic dTpw"])),
        missing(send(|site| {
            Request::get(format!(
                "/hr/people?access_token={}",
                site.agent_token(AGENT)
            ))
        })),
        malformed(authorized(&["Bearer a.b.c", "Bearer a.b.c"])),
        malformed(authorized(&["Bearer a.b.c, Bearer a.b.c"])),
    ]
}

/// What is sent in place of a proof, or twice.
pub(super) fn proofs() -> Vec<Row> {
    const CHALLENGE: &str = ", error=\"invalid_dpop_proof\", algs=\"RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA\"";
    let refused = |reason, code, call| refused(reason, 401, code, call).challenged(CHALLENGE);
    vec![
        refused(
            Reason::ProofMissing,
            "proof_missing",
            claims(json!({"cnf": {"jkt": "a-key"}})),
        ),
        refused(
            Reason::ProofRefused,
            "invalid_dpop_proof",
            send(|site| {
                let token = site.token(&json!({"cnf": {"jkt": "a-key"}}));
                let request = Request::get("/hr/people").header("dpop", "x.y.z");
                request.header("authorization", format!("DPoP {token}"))
            }),
        ),
        refused(
            Reason::ProofReplayed,
            "invalid_dpop_proof",
            by(crate::possession::replayed),
        ),
    ]
}

pub(super) fn tokens() -> Vec<Row> {
    let invalid =
        |reason, call| refused(reason, 401, "invalid_token", call).challenged(INVALID_TOKEN);
    let expired = json!({"iat": now() - 7200, "nbf": now() - 7200, "exp": now() - 3600});
    let exchange = "fb60f99c-7a34-4190-8149-302f77469936";
    let silent = Setup {
        issuers: [
            "- name: silent".to_owned(),
            "  profile: oidc".to_owned(),
            "  id_prefix: 'silent:'".to_owned(),
            "  issuers: ['https://silent.test']".to_owned(),
            "  algorithms: [RS256]".to_owned(),
            "  token_types: [JWT]".to_owned(),
            format!(
                "  keys: {{jwks_uri: 'https://{}/keys'}}",
                refusing_address()
            ),
        ]
        .into(),
        ..Setup::default()
    };
    vec![
        invalid(Reason::TokenMalformed, authorized(&["Bearer a.b"])),
        invalid(Reason::TokenMalformed, header(json!({"crit": ["exp"]}))),
        invalid(
            Reason::TokenAlgorithmRefused,
            header(json!({"alg": "none"})),
        ),
        invalid(
            Reason::TokenAlgorithmRefused,
            header(json!({"alg": "HS256"})),
        ),
        invalid(
            Reason::TokenAlgorithmRefused,
            header(json!({"alg": "RS384"})),
        ),
        invalid(
            Reason::TokenTypeRefused,
            header(json!({"typ": "logout+jwt"})),
        ),
        invalid(Reason::TokenTypeRefused, claims(json!({"nonce": "n"}))),
        invalid(
            Reason::TokenIssuerRefused,
            claims(json!({"iss": "https://elsewhere.test"})),
        ),
        invalid(
            Reason::TokenIssuerRefused,
            claims(json!({"tid": "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a01"})),
        ),
        invalid(Reason::TokenKeyUnknown, header(json!({"kid": "another"}))),
        invalid(Reason::TokenSignatureInvalid, token(spliced)),
        invalid(
            Reason::TokenAudienceRefused,
            claims(json!({"aud": "api://finance-api"})),
        ),
        // T1 of a blueprint, and T2 of an agent identity (`reference/entra.md` §2).
        invalid(
            Reason::TokenAudienceRefused,
            claims(json!({"aud": exchange, "azp": BLUEPRINT, "oid": PRINCIPAL,
                "sub": "/eid1/c/pub/t/tenant/a/blueprint/agent"})),
        ),
        invalid(
            Reason::TokenAudienceRefused,
            claims(json!({"aud": "api://AzureADTokenExchange"})),
        ),
        refused(Reason::TokenExpired, 401, "token_expired", claims(expired))
            .challenged(INVALID_TOKEN),
        invalid(
            Reason::TokenNotYetValid,
            claims(json!({"nbf": now() + 600})),
        ),
        invalid(Reason::TokenClaimsRefused, claims(json!({"exp": null}))),
        invalid(Reason::TokenClaimsRefused, claims(json!({"idtyp": "user"}))),
        invalid(
            Reason::TokenClaimsRefused,
            claims(json!({"azp": OTHER_AGENT,
                "idtyp": "user", "oid": AGENT_USER, "xms_sub_fct": "13"})),
        ),
        refused(
            Reason::KeysUnavailable,
            503,
            "keys_unavailable",
            claims(json!({"iss": "https://silent.test"})),
        )
        .on(silent),
    ]
}

/// The claims of one token under the signature of another.
fn spliced(site: &Site) -> String {
    let (claims, _) = site.agent_token(AGENT).rsplit_once('.').map(owned).unwrap();
    let other = site.token(&json!({"roles": ["Admin"]}));
    let (_, signature) = other.rsplit_once('.').map(owned).unwrap();
    format!("{claims}.{signature}")
}

fn owned((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}
