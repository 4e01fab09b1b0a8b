//! A gateway in front of two token endpoints, and the tokens that requests for tokens present.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use boomgate::demo::issuer::Issuer;
use http::Request;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::site::{
    AGENT, AGENT_USER, Answer, BLUEPRINT, HUMAN, ISSUER, OTHER_AGENT, PRINCIPAL, RESOURCE, Setup,
    Site, TENANT, agent, exchange, now,
};
use crate::tokens::mint::b64;

pub(crate) const LEDGER: &str = "e5e5e5e5-0000-4000-8000-000000000015";
pub(crate) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// An agent that the directory does not know.
pub(crate) const STRANGER: &str = "a9a9a9a9-0000-4000-8000-000000000099";
/// An application that is no agent.
pub(crate) const CLASSIC: &str = "c1c1c1c1-0000-4000-8000-000000000001";
/// What no record, log or metric may show.
pub(crate) const SECRET: &str = "hush-hush-hush";
/// The token exchange, by its appId.
const EXCHANGE: &str = "fb60f99c-7a34-4190-8149-302f77469936";

/// Fills in the ids of a text.
pub(crate) fn with_ids(text: &str) -> String {
    [
        ("{AGENT}", AGENT),
        ("{OTHER}", OTHER_AGENT),
        ("{STRANGER}", STRANGER),
        ("{CLASSIC}", CLASSIC),
        ("{BLUEPRINT}", BLUEPRINT),
        ("{USER}", AGENT_USER),
        ("{HUMAN}", HUMAN),
        ("{HR}", RESOURCE),
        ("{LEDGER}", LEDGER),
        ("{GRAPH}", GRAPH),
        ("{SECRET}", SECRET),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
}

/// A gateway in front of the token endpoints of two issuers, with these policies.
pub(crate) fn setup(policies: Vec<(String, Value)>) -> Setup {
    let mut setup = Setup {
        policies,
        issuers: [
            "- name: workforce",
            "  profile: oidc",
            "  issuers: ['https://workforce.test']",
            "  id_prefix: 'workforce:'",
            "  keys: {file: keys.json}",
        ]
        .map(str::to_owned)
        .to_vec(),
        resources: vec![
            "- name: ledger",
            "  kind: external",
            "  app_id: e5e5e5e5-0000-4000-8000-000000000015",
            "  audiences: ['https://ledger.example']",
            "  attributes: {ResourceAttributes_Department: [Finance]}",
            "- name: entra-token",
            "  kind: token_endpoint",
            "  hosts: ['*']",
            "  path_prefixes: [/entra/token]",
            "  token_endpoint: {issuer: entra}",
            "  upstream: {url: 'http://{upstream}'}",
            "- name: workforce-token",
            "  kind: token_endpoint",
            "  hosts: ['*']",
            "  path_prefixes: [/workforce/token]",
            "  token_endpoint: {issuer: workforce}",
            "  upstream: {url: 'http://{upstream}'}",
        ],
        ..Setup::default()
    };
    setup.resource.push("display_name: HR");
    let user = setup.directory.iter_mut().find(|o| o["id"] == AGENT_USER);
    user.unwrap()["userPrincipalName"] = json!("hr-agent@contoso.example");
    setup.directory.push(agent("workforce:runner", "runner"));
    setup
}

/// The token that a name in braces stands for.
pub(crate) fn token(site: &Site, name: &str) -> Option<String> {
    let delegated = |client: &str, subject: &str, facets: [Option<&str>; 2]| {
        let [actor, of_subject] = facets;
        json!({"aud": BLUEPRINT, "azp": client, "idtyp": "user", "oid": subject, "sub": "pairwise",
            "xms_act_fct": actor, "xms_sub_fct": of_subject,
            "xms_par_app_azp": actor.map(|_| BLUEPRINT)})
    };
    let claims = match name {
        "T1" => t1(AGENT),
        "T1-other" => t1(OTHER_AGENT),
        "T1-stranger" => t1(STRANGER),
        "T1-expired" => {
            let mut claims = t1(AGENT);
            for (name, age) in [("iat", 7200), ("nbf", 7200), ("exp", 3600)] {
                claims[name] = (now() - age).into();
            }
            claims
        }
        "T1-forged" => {
            let token = site.token(&t1(AGENT));
            let (signed, _) = token.rsplit_once('.').unwrap();
            let other = Issuer::new().unwrap().sign(&json!({})).unwrap();
            let (_, signature) = other.rsplit_once('.').unwrap();
            return Some(format!("{signed}.{signature}"));
        }
        "T2" => json!({"aud": EXCHANGE}),
        "TC" => delegated(CLASSIC, HUMAN, [None, None]),
        "TC-stranger" => delegated(CLASSIC, STRANGER, [None, None]),
        "TC-user" => delegated(AGENT, AGENT_USER, [Some("11 9 3"), Some("13")]),
        "TC-agent" => json!({"aud": BLUEPRINT}),
        "TC-other" => {
            json!({"aud": BLUEPRINT, "azp": OTHER_AGENT, "oid": OTHER_AGENT, "sub": OTHER_AGENT})
        }
        "JWT-runner" => return Some(unsigned("runner", "runner")),
        "JWT-human" => return Some(unsigned("https://somewhere.test", "ada")),
        _ => return None,
    };
    Some(site.token(&claims))
}

/// The claims of a T1 for an agent (`reference/entra.md` §2.5), put over those of an agent's token.
fn t1(agent: &str) -> Value {
    let guid = |id: &str| b64(uuid::Uuid::parse_str(id).unwrap().to_bytes_le());
    let subject = format!(
        "/eid1/c/pub/t/{}/a/{}/{agent}",
        guid(TENANT),
        guid(BLUEPRINT)
    );
    json!({"aud": EXCHANGE, "iss": ISSUER, "azp": BLUEPRINT, "oid": PRINCIPAL, "sub": subject,
        "xms_act_fct": "9 3", "xms_sub_fct": "3 9", "xms_par_app_azp": null})
}

/// A JWT of somebody whose keys nobody here has.
fn unsigned(issuer: &str, subject: &str) -> String {
    let header = json!({"alg": "ES256", "x5c": ["MIIB"]}).to_string();
    let payload = json!({"iss": issuer, "sub": subject, "exp": now() + 60}).to_string();
    format!("{}.{}.{}", b64(header), b64(payload), b64("signature"))
}

/// A form of these parameters, as a client library writes it.
pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    let pairs = parameters.iter().map(|(name, value)| {
        let value = boomgate::types::percent_encoded(value);
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Posts a form to a token endpoint; `basic` names the client in the header.
pub(crate) async fn post(site: &Site, path: &str, basic: Option<&str>, body: &str) -> Answer {
    let client = Client::http1(&site.pki, site.address()).await;
    let mut request = Request::post(path)
        .header("host", "localhost")
        .header("content-type", "application/x-www-form-urlencoded");
    if let Some(client) = basic {
        let credential = STANDARD.encode(format!("{client}:{SECRET}"));
        request = request.header("authorization", format!("Basic {credential}"));
    }
    exchange(client, request, body).await
}

/// The body of the call that the upstream saw with this decision's id.
pub(crate) fn forwarded(site: &Site, answer: &Answer) -> Option<Vec<u8>> {
    let id = answer.header("boomgate-decision-id");
    let calls = site.upstream.calls();
    let call = calls
        .iter()
        .find(|call| call.header("boomgate-decision-id") == Some(id));
    call.map(|call| call.body.to_vec())
}
