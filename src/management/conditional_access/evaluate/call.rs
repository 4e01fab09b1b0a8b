//! What-If asked of a call: the annotation `@boomgate.call` says what Graph has no word for, in place of
//! `signInIdentity` and `signInContext`.
//!
//! A call is judged on all that is known of its caller, so what the question does not tell is what the gateway knows, and
//! a fact that nobody tells counts as it does for calls. The answer has the verdict too. `boomgate what-if` asks so.
//! Never here: a rule of its own.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::question::reader::Reader;
use crate::decision::supposed::session::Shown;
use crate::decision::supposed::what::What;
use crate::decision::supposed::who::Who;
use crate::decision::supposed::{Supposed, World};
use crate::management::conditional_access::versions;
use crate::management::graph::GraphError;
use crate::management::odata::Version;
use crate::snapshot::Snapshot;
use crate::types::Timestamp;

/// The annotation's name.
pub(super) const CALL: &str = "@boomgate.call";

/// What the annotation holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    caller: Who,
    target: What,
    #[serde(default)]
    session: Shown,
}

/// The question.
pub(super) struct CallQuestion {
    supposed: Supposed,
    /// Whether policies that do not apply are left out.
    applied_only: bool,
}

impl CallQuestion {
    /// # Errors
    /// 400 with what is not understood.
    pub(super) fn read(body: &Map<String, Value>, version: Version) -> Result<Self, GraphError> {
        let (conditions, applied_only) = Reader::new(body, version).beside_call(CALL)?;
        let call = body.get(CALL).cloned().unwrap_or_default();
        let call = serde_json::from_value::<Call>(call).map_err(|fault| bad(&fault))?;
        Ok(Self {
            supposed: Supposed {
                who: call.caller,
                what: call.target,
                session: conditions.session(call.session),
            },
            applied_only,
        })
    }

    /// The members of the answer, beside its context.
    ///
    /// # Errors
    /// 400 for nobody and nothing of that name.
    pub(super) fn answer(
        &self,
        snapshot: &Snapshot,
        now: Timestamp,
        version: Version,
    ) -> Result<Value, GraphError> {
        let world = World {
            resources: &snapshot.resources,
            directory: &snapshot.directory,
            knowledge: snapshot.knowledge(),
        };
        let answer = self
            .supposed
            .ask(world, now)
            .map_err(|fault| GraphError::new(StatusCode::BAD_REQUEST, fault.to_string()))?;
        let results = answer.results().filter(|(result, _)| {
            !self.applied_only || result.get("policyApplies") == Some(&Value::Bool(true))
        });
        let results = results.map(|(result, said)| {
            let mut result = versions::shown(result, version);
            result.insert("@boomgate.said".to_owned(), json!(said));
            Value::Object(result)
        });
        let value: Vec<Value> = results.collect();
        Ok(json!({"@boomgate.verdict": answer.verdict, "value": value}))
    }
}

fn bad(fault: &serde_json::Error) -> GraphError {
    let message = format!("{CALL}: {fault}");
    let details = vec![(CALL.to_owned(), fault.to_string())];
    GraphError::new(StatusCode::BAD_REQUEST, message).with_details(details)
}
