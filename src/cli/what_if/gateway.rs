//! The question as a running gateway is asked it: Graph's What-If, with what Graph has no word for beside it.
//!
//! What the gateway cannot be told is refused here, since an answer without it would be one to another question.
//! Never here: an answer that this command worked out for itself.

use anyhow::{Context as _, bail};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::report::Found;
use super::{Arguments, Risk};
use crate::cli::management::{Credentials, Management, Origin, Refusal};
use crate::cli::{UsageError, control_runtime};
use crate::decision::supposed::session::Levels;
use crate::decision::supposed::{Said, SupposedError, Verdict};

const EVALUATE: &str = "/beta/identity/conditionalAccess/evaluate";

/// What the gateway answers, beside what Graph does.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "@boomgate.verdict")]
    verdict: Verdict,
    value: Vec<Map<String, Value>>,
}

/// Asks, and gives what the gateway answers.
pub(super) fn ask(arguments: &Arguments, origin: &Origin) -> anyhow::Result<Found> {
    let question = question(arguments)?;
    let credentials = Credentials::clone(&arguments.credentials);
    let gateway = Management::new(origin.clone(), credentials)?;
    let answered = control_runtime()?.block_on(gateway.ask(EVALUATE, &question));
    let answer = answered.map_err(|fault| match fault.downcast_ref::<Refusal>() {
        // It understood the question, and has nobody and nothing of that name.
        Some(refusal) if refusal.status == StatusCode::BAD_REQUEST => {
            SupposedError(refusal.to_string()).into()
        }
        _ => fault,
    })?;
    let Answer { verdict, value } = serde_json::from_value(answer).context(
        "the gateway does not answer in the words of this command: is its version older?",
    )?;
    let results = value.into_iter().map(|mut result| {
        let Some(said) = result.remove("@boomgate.said") else {
            bail!("the gateway does not say what comes of each policy");
        };
        Ok((result, serde_json::from_value::<Said>(said)?))
    });
    let results = results.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Found::new(verdict, results))
}

/// The question in JSON.
fn question(arguments: &Arguments) -> Result<Value, UsageError> {
    let session = arguments.session.session(Levels::default());
    let mut conditions = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            conditions.insert(name.to_owned(), value);
        }
    };
    let agent = level("--risk", arguments.risk)?;
    put("agentIdRiskLevel", agent.clone());
    put("servicePrincipalRiskLevel", agent);
    put(
        "userRiskLevel",
        level("--user-risk", arguments.session.user_risk)?,
    );
    put(
        "signInRiskLevel",
        level("--sign-in-risk", arguments.session.sign_in_risk)?,
    );
    put("ipAddress", session.address.map(|address| json!(address)));
    put("country", session.country.map(|country| json!(country)));
    put("devicePlatform", session.platform.map(|one| json!(one)));
    put("clientAppType", session.client_app.map(|one| json!(one)));
    let device = arguments.session.device.iter();
    let device: Map<_, _> = device
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    put("deviceInfo", (!device.is_empty()).then(|| json!(device)));
    Ok(json!({
        "signInConditions": conditions,
        "@boomgate.call": {
            "caller": arguments.subject.who(),
            "target": arguments.call.what(),
            "session": session.shown,
        },
    }))
}

/// A level in Graph's words, which have none for one that is withheld.
fn level(option: &str, risk: Option<Risk>) -> Result<Option<Value>, UsageError> {
    match risk.map(Risk::level) {
        None => Ok(None),
        Some(Some(level)) => Ok(Some(json!(level))),
        Some(None) => Err(UsageError(format!(
            "`{option} unknown` cannot be asked of a running gateway, since Graph's What-If has no word for it: \
             ask the files of its configuration, with `--config <FILE>`"
        ))),
    }
}
