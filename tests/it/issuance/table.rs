//! The table of `tests/data/token-requests.yaml`: each request goes to a running gateway, and is looked at on all sides.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::support::{form, forwarded, post, setup, token, with_ids};
use crate::support::site::{Answer, Site, block};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// The conditions of a policy that blocks, by its name.
    policies: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "entra")]
    endpoint: String,
    #[serde(default)]
    under: Vec<String>,
    basic: Option<String>,
    form: BTreeMap<String, String>,
    reason: String,
    /// The kind of caller, where one was found.
    caller: Option<String>,
    user: Option<String>,
    resource: Option<String>,
    /// The record's `otherResources`.
    others: Option<Value>,
    /// The policies that refuse it; those of `under` without it.
    blocked_by: Option<Vec<String>>,
    /// OAuth's error, where the request is refused.
    error: Option<String>,
}

fn entra() -> String {
    "entra".to_owned()
}

fn table() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/token-requests.yaml");
    let text = with_ids(&std::fs::read_to_string(path).unwrap());
    serde_saphyr::from_str(&text).unwrap()
}

#[tokio::test]
async fn every_request_of_the_table_comes_out_as_written() {
    let table = table();
    assert!(table.cases.len() >= 60, "{} cases", table.cases.len());
    let mut sites: BTreeMap<Vec<String>, Site> = BTreeMap::new();
    for case in &table.cases {
        println!("{}", case.name);
        if !sites.contains_key(&case.under) {
            let policies = case.under.iter();
            let policies = policies.map(|name| block(name, table.policies[name].clone()));
            let site = Site::start(setup(policies.collect())).await;
            sites.insert(case.under.clone(), site);
        }
        case.run(&sites[&case.under]).await;
    }
}

impl Case {
    async fn run(&self, site: &Site) {
        let tokens = |value: &str| {
            let (start, end) = (value.find('{'), value.find('}'));
            let name = start.zip(end).map(|(start, end)| &value[start + 1..end]);
            let filled = name.map(|name| {
                let token = token(site, name).unwrap_or_else(|| panic!("no token {name}"));
                value.replace(&format!("{{{name}}}"), &token)
            });
            filled.unwrap_or_else(|| value.to_owned())
        };
        let filled = self.form.iter().map(|(name, value)| (name, tokens(value)));
        let filled: Vec<_> = filled.collect();
        let pairs = filled
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let mut pairs: Vec<_> = pairs.collect();
        if self.form.contains_key("client_assertion") {
            let jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            pairs.push(("client_assertion_type", jwt));
        }
        let body = form(&pairs);
        let path = format!("/{}/token", self.endpoint);
        let answer = post(site, &path, self.basic.as_deref(), &body).await;

        let (record, outcome) = site.record(answer.header("boomgate-decision-id")).await;
        self.check_record(&record);
        self.check_answer(&answer, &record, outcome["status"].as_u64());
        // The upstream gets the very bytes, or nothing at all.
        let sent = self.error.is_none().then(|| body.clone().into_bytes());
        assert!(forwarded(site, &answer) == sent, "{record:#}");
        // No credential of the request is kept, whatever became of it.
        for (name, value) in &filled {
            let is_public = [
                "grant_type",
                "client_id",
                "scope",
                "resource",
                "audience",
                "fmi_path",
            ];
            let is_kept = is_public.contains(&name.as_str()) || value.len() < 10;
            let is_named = ["user_id", "username", "requested_token_use"].contains(&name.as_str());
            if !is_kept && !is_named && !name.ends_with("_type") {
                assert!(!record.to_string().contains(value), "{name}: {record:#}");
            }
        }
        assert!(!record.to_string().contains("eyJ"), "{record:#}");
        assert!(!answer.json().to_string().contains("eyJ"), "{answer:?}");
    }

    fn check_record(&self, record: &Value) {
        let boomgate = &record["boomgate"];
        assert_eq!(boomgate["reason"], self.reason, "{record:#}");
        assert_eq!(boomgate["resource"], format!("{}-token", self.endpoint));
        assert_eq!(boomgate["caller"], json!(self.caller), "{record:#}");
        if self.caller.is_none() {
            return;
        }
        let resource = self.resource.as_deref().filter(|resource| *resource != "-");
        assert_eq!(record["resourceId"], json!(resource), "{record:#}");
        if let Some(user) = &self.user {
            assert_eq!(record["userId"], *user, "{record:#}");
        }
        let request = &boomgate["tokenRequest"];
        if let Some(others) = &self.others {
            assert_eq!(request["otherResources"], *others, "{record:#}");
        }
        let grant = &self.form["grant_type"];
        let known = !grant.starts_with("urn:example");
        assert_eq!(request["grantType"], if known { grant } else { "other" });
        let credential = if self.form.contains_key("client_assertion") {
            "clientAssertion"
        } else if self.form.contains_key("client_secret") || self.basic.is_some() {
            "clientSecret"
        } else {
            "none"
        };
        assert_eq!(record["clientCredentialType"], credential);
    }

    fn check_answer(&self, answer: &Answer, record: &Value, recorded: Option<u64>) {
        let Some(error) = &self.error else {
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.header("x-upstream"), "yes");
            return;
        };
        let (status, challenge) = if error == "invalid_client" {
            (401, "Basic realm=\"boomgate\"")
        } else {
            (400, "")
        };
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(recorded, Some(u64::from(status)));
        assert_eq!(
            answer.header("content-type"),
            "application/json; charset=utf-8"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("www-authenticate"), challenge);
        let body = answer.json();
        assert_eq!(body["error"], *error, "{body:#}");
        assert_eq!(body["trace_id"], record["id"]);
        let correlation = body["correlation_id"].as_str().unwrap();
        assert_eq!(record["correlationId"], correlation.replace('-', ""));
        let said = body["error_description"].as_str().unwrap();
        for text in ["trace_id", "correlation_id", "timestamp"] {
            assert!(said.contains(body[text].as_str().unwrap()), "{body:#}");
        }
        if self.reason == "blocked_by_policy" {
            assert!(said.starts_with("AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token issuance. Trace ID: "), "{said}");
            assert_eq!(body["error_codes"], json!([53003]));
            assert_eq!(body["suberror"], "message_only");
            let uri = "https://login.microsoftonline.com/error?code=53003";
            assert_eq!(body["error_uri"], uri);
            let claims: Value = serde_json::from_str(body["claims"].as_str().unwrap()).unwrap();
            let policies = self.blocked_by.as_ref().unwrap_or(&self.under);
            let policies = json!({"essential": true, "values": policies});
            assert_eq!(claims, json!({"access_token": {"capolids": policies}}));
            assert_eq!(record["status"]["errorCode"], 53003);
        } else {
            assert_eq!(body["error_codes"], json!([]), "{body:#}");
            assert_eq!(body.get("claims"), None, "{body:#}");
        }
    }
}
