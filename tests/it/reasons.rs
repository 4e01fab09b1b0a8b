//! Every [`Reason`] comes out of a whole gateway, and looks on all sides as it should: the answer, the record, the
//! metrics, and the upstream.

mod calls;
mod issuance;
mod rows;
mod tokens;

use std::collections::BTreeSet;

use boomgate::types::{Effect, Reason};
use serde_json::Value;

use crate::support::site::{Answer, Setup, Site};
use calls::Call;

/// One call to one gateway, and what is to be seen of it.
struct Row {
    setup: Setup,
    call: Call,
    expected: Expected,
}

/// What is to be seen of a call.
struct Expected {
    reason: Reason,
    stage: Stage,
    status: u16,
    /// `code` of the problem document; none is answered where the call is allowed.
    code: &'static str,
    /// What the challenge says beside realm and metadata; `None` without a challenge.
    challenge: Option<&'static str>,
    /// The metrics' `resource`.
    resource: &'static str,
    /// OAuth's error, where the resource is a token endpoint or a hook and the call is refused.
    oauth: Option<&'static str>,
}

/// How far a call comes.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// It ends before its caller is known.
    Refused,
    /// A decision is made on a caller of this kind, and this is its `conditionalAccessStatus`.
    Decided(&'static str, &'static str),
    /// It is permitted, and fails on its way.
    Permitted,
    /// A decision is made, and cannot be recorded.
    Unrecorded,
}

#[tokio::test]
async fn every_reason_looks_on_all_sides_as_it_should() {
    let mut shown = BTreeSet::new();
    for Row {
        setup,
        call,
        expected,
    } in rows::all()
    {
        let reason = expected.reason;
        println!("{reason}, {:?}", expected.stage);
        let site = Site::start(setup).await;
        let answer = call(&site).await;
        expected.check_answer(&answer);
        expected.check_record(&site, &answer).await;
        expected.check_metrics(&site).await;
        expected.check_upstream(&site, &answer);
        shown.insert(reason);
    }
    let missing: Vec<_> = Reason::ALL.iter().filter(|r| !shown.contains(r)).collect();
    assert!(missing.is_empty(), "no row shows {missing:?}");
}

impl Expected {
    fn is_allowed(&self) -> bool {
        self.reason.effect() == Effect::Allow
    }

    /// A call that is permitted, and that its caller's body ends.
    fn is_of_the_body(&self) -> bool {
        ["body_too_large", "request_malformed", "request_timeout"].contains(&self.code)
    }

    fn check_answer(&self, answer: &Answer) {
        assert_eq!(answer.status.as_u16(), self.status, "{answer:?}");
        let id = answer.header("boomgate-decision-id");
        assert_eq!(id.len(), 36, "{answer:?}");
        let challenge = self.challenge.map_or(String::new(), |error| {
            let path = if self.resource == "plain-hook" {
                "hooks/plain"
            } else {
                "hr"
            };
            let metadata = format!("/.well-known/oauth-protected-resource/{path}");
            let scheme = if error.contains("dpop") {
                "DPoP"
            } else {
                "Bearer"
            };
            format!(
                "{scheme} realm=\"boomgate\", resource_metadata=\"https://localhost{metadata}\"{error}"
            )
        });
        let challenge = if self.oauth == Some("invalid_client") {
            "Basic realm=\"boomgate\"".to_owned()
        } else {
            challenge
        };
        assert_eq!(answer.header("www-authenticate"), challenge);
        let retry_after = if self.status == 503 { "5" } else { "" };
        assert_eq!(answer.header("retry-after"), retry_after);
        if self.is_allowed() {
            assert_eq!(answer.header("x-upstream"), "yes");
            return;
        }
        assert_eq!(answer.header("cache-control"), "no-store");
        let problem = answer.json();
        if let Some(error) = self.oauth {
            let json = "application/json; charset=utf-8";
            assert_eq!(answer.header("content-type"), json);
            assert_eq!(problem["error"], error);
            assert_eq!(problem["trace_id"], id);
            return;
        }
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let members: BTreeSet<_> = problem.as_object().unwrap().keys().collect();
        let only = [
            "code",
            "correlationId",
            "decisionId",
            "detail",
            "status",
            "title",
            "type",
        ];
        assert!(members.into_iter().eq(only.iter()), "{problem}");
        assert_eq!(problem["code"], self.code);
        assert_eq!(
            problem["type"],
            format!("urn:boomgate:problem:{}", self.code)
        );
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["decisionId"], id);
        assert_eq!(problem["correlationId"].as_str().unwrap().len(), 32);
        for words in ["title", "detail"] {
            assert!(!problem[words].as_str().unwrap().is_empty(), "{problem}");
        }
    }

    async fn check_record(&self, site: &Site, answer: &Answer) {
        let id = answer.header("boomgate-decision-id");
        let (decision, access, outcome) = match self.stage {
            Stage::Refused => ("block", "notApplied", "refused"),
            Stage::Decided(_, access) if self.is_allowed() => ("allow", access, "completed"),
            Stage::Decided(_, access) => ("block", access, "refused"),
            Stage::Permitted if self.is_of_the_body() => ("allow", "notApplied", "client_failed"),
            Stage::Permitted => ("allow", "notApplied", "upstream_failed"),
            Stage::Unrecorded => return,
        };
        let (record, ended) = site.record(id).await;
        assert!(!record.to_string().contains("eyJ"), "a token: {record}");
        let reason = match self.stage {
            Stage::Permitted => Reason::NoPolicyBlocked,
            Stage::Refused | Stage::Decided(..) | Stage::Unrecorded => self.reason,
        };
        assert_eq!(record["boomgate"]["reason"], reason.as_str());
        assert_eq!(record["boomgate"]["decision"], decision);
        assert_eq!(record["conditionalAccessStatus"], access);
        let error_code = match reason {
            Reason::BlockedByPolicy => 53003,
            reason => i32::from(reason.effect() == Effect::Block),
        };
        assert_eq!(record["status"]["errorCode"], error_code);
        assert_eq!(record["ipAddress"], "127.0.0.1");
        if !self.is_allowed() {
            let answered = answer.json();
            let correlation = match self.oauth {
                Some(_) => answered["correlation_id"]
                    .as_str()
                    .unwrap()
                    .replace('-', ""),
                None => answered["correlationId"].as_str().unwrap().to_owned(),
            };
            assert_eq!(record["correlationId"], correlation);
        }
        let resource = record["boomgate"].get("resource");
        assert_eq!(
            resource.map_or("none", |r| r.as_str().unwrap()),
            self.resource
        );

        assert_eq!(ended["result"], outcome);
        assert_eq!(ended["status"], self.status);
        assert_eq!(ended["bytes"], answer.body.len());
        let because = match self.stage {
            Stage::Permitted => Value::from(self.reason.as_str()),
            Stage::Refused | Stage::Decided(..) | Stage::Unrecorded => Value::Null,
        };
        assert_eq!(ended["reason"], because);
    }

    async fn check_metrics(&self, site: &Site) {
        let (reason, kind) = match self.stage {
            Stage::Refused => (self.reason, "unknown"),
            Stage::Decided(kind, _) => (self.reason, kind),
            Stage::Permitted => (Reason::NoPolicyBlocked, "agent_identity"),
            Stage::Unrecorded => (self.reason, "agent_identity"),
        };
        let labels = [
            ("resource", self.resource),
            ("decision", reason.effect().as_str()),
            ("reason", reason.as_str()),
            ("agent_type", kind),
        ];
        let count = site.count("boomgate_decisions_total", &labels).await;
        assert_eq!(count, 1, "{labels:?}");
        if matches!(self.stage, Stage::Permitted) {
            let result = if self.is_of_the_body() {
                "client_failed"
            } else {
                self.reason.as_str()
            };
            let labels = [("resource", self.resource), ("result", result)];
            let count = site
                .count("boomgate_upstream_requests_total", &labels)
                .await;
            assert_eq!(count, 1, "{labels:?}");
        }
    }

    /// The upstream sees the call if it is allowed, and nothing of it otherwise.
    fn check_upstream(&self, site: &Site, answer: &Answer) {
        let id = answer.header("boomgate-decision-id");
        let calls = site.upstream.calls();
        let seen = calls
            .iter()
            .filter(|call| call.header("boomgate-decision-id") == Some(id));
        assert_eq!(seen.count(), usize::from(self.is_allowed()));
    }
}
