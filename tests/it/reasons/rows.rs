//! The table: at least one row for each reason.

use boomgate::types::Reason;
use http::{Method, Request};
use serde_json::{Value, json};

use super::calls::{
    Call, after_a_lost_record, after_revocation, as_agent, by, bytes_server, claims, half_a_head,
    misdirected, one_too_many, post, post_of_unknown_length, unread_pipe,
    until_records_stand_still,
};
use super::{Expected, Row, Stage, issuance, tokens};
use crate::support::servers::refusing_address;
use crate::support::site::{AGENT, AGENT_USER, BLUEPRINT, HUMAN, PRINCIPAL, Setup, agent, block};

pub(super) fn all() -> Vec<Row> {
    let mut rows = requests();
    rows.extend(tokens::credentials());
    rows.extend(tokens::tokens());
    rows.extend(tokens::proofs());
    rows.extend(decisions());
    rows.extend(issuance::all());
    rows.extend(after_the_decision());
    rows
}

/// A call that is refused before its caller is known.
pub(super) fn refused(reason: Reason, status: u16, code: &'static str, call: Call) -> Row {
    Row {
        setup: Setup::default(),
        call,
        expected: Expected {
            reason,
            stage: Stage::Refused,
            status,
            code,
            challenge: None,
            resource: "hr-api",
            oauth: None,
        },
    }
}

/// A call of an agent identity that is decided on; no policy applies.
pub(super) fn decided(reason: Reason, status: u16, code: &'static str, call: Call) -> Row {
    let row = refused(reason, status, code, call);
    row.at(Stage::Decided("agent_identity", "notApplied"))
}

impl Row {
    pub(super) fn on(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }

    pub(super) fn at(mut self, stage: Stage) -> Self {
        self.expected.stage = stage;
        self
    }

    pub(super) fn challenged(mut self, error: &'static str) -> Self {
        self.expected.challenge = Some(error);
        self
    }

    /// The call ends before its resource is known.
    fn nowhere(mut self) -> Self {
        self.expected.resource = "none";
        self
    }
}

fn requests() -> Vec<Row> {
    let limits = Setup {
        listener: vec!["limits: {max_concurrent_calls: 1}"],
        ..Setup::default()
    };
    vec![
        refused(
            Reason::RequestMalformed,
            400,
            "request_malformed",
            as_agent(|| Request::get("/hr/../hr/people")),
        )
        .nowhere(),
        refused(
            Reason::MethodRefused,
            405,
            "method_refused",
            as_agent(|| Request::builder().method(Method::TRACE).uri("/hr/people")),
        )
        .nowhere(),
        refused(
            Reason::UriTooLong,
            414,
            "uri_too_long",
            as_agent(|| Request::get(format!("/hr/{}", "a".repeat(9 * 1024)))),
        )
        .nowhere(),
        refused(
            Reason::HeadersTooLarge,
            431,
            "headers_too_large",
            as_agent(|| Request::get("/hr/people").header("x-large", "a".repeat(33 * 1024))),
        )
        .nowhere(),
        refused(
            Reason::HeadersTooLarge,
            431,
            "headers_too_large",
            as_agent(|| {
                let request = Request::get("/hr/people");
                (0..101).fold(request, |request, _| request.header("x-many", "a"))
            }),
        )
        .nowhere(),
        refused(Reason::BodyTooLarge, 413, "body_too_large", post(2048)).on(small_bodies()),
        refused(
            Reason::RequestTimeout,
            408,
            "request_timeout",
            by(half_a_head),
        )
        .on(Setup {
            listener: vec!["limits: {header_timeout: 300ms}"],
            ..Setup::default()
        })
        .nowhere(),
        refused(Reason::Misdirected, 421, "misdirected", by(misdirected)).nowhere(),
        refused(
            Reason::ResourceUnknown,
            404,
            "not_found",
            as_agent(|| Request::get("/hrx/people")),
        )
        .nowhere(),
        refused(Reason::Overloaded, 503, "overloaded", by(one_too_many))
            .on(limits)
            .nowhere(),
    ]
}

fn small_bodies() -> Setup {
    Setup {
        resource: vec!["max_body_size: 1KiB"],
        ..Setup::default()
    }
}

fn agent_call() -> Call {
    as_agent(|| Request::get("/hr/people"))
}

/// A human with a client that is not an agent.
fn human() -> Value {
    json!({"azp": "c1c1c1c1-0000-4000-8000-000000000001", "idtyp": "user", "oid": HUMAN,
        "sub": "pairwise", "xms_act_fct": null, "xms_sub_fct": null, "xms_par_app_azp": null})
}

const WORKLOAD: &str = "5e5e5e5e-0000-4000-8000-000000000007";

/// A classic workload on its own.
fn workload() -> Value {
    json!({"azp": "c1c1c1c1-0000-4000-8000-000000000001", "idtyp": "app", "oid": WORKLOAD,
        "sub": WORKLOAD, "xms_act_fct": null, "xms_sub_fct": null, "xms_par_app_azp": null})
}

/// The blueprint itself, which is not an agent.
fn as_blueprint() -> Value {
    json!({"azp": BLUEPRINT, "oid": PRINCIPAL, "sub": PRINCIPAL,
        "xms_act_fct": null, "xms_sub_fct": null, "xms_par_app_azp": null})
}

fn blueprint() -> Value {
    json!({"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal",
        "id": PRINCIPAL, "appId": BLUEPRINT, "displayName": "HR assistant"})
}

fn decisions() -> Vec<Row> {
    let under = |policy| Setup {
        policies: vec![policy],
        ..Setup::default()
    };
    let not_agent = Stage::Decided("not_agent", "notApplied");
    vec![
        decided(Reason::NoPolicyBlocked, 200, "", agent_call()),
        decided(Reason::NonAgentForwarded, 200, "", claims(human()))
            .on(Setup {
                resource: vec!["non_agents: forward"],
                ..Setup::default()
            })
            .at(not_agent),
        decided(Reason::NotAnAgent, 403, "not_an_agent", claims(human())).at(not_agent),
        decided(Reason::BlockedByPolicy, 403, "53003", agent_call())
            .on(under(block("p1", json!({}))))
            .at(Stage::Decided("agent_identity", "failure")),
        decided(Reason::FactsUnavailable, 503, "facts_unavailable", agent_call())
            .on(Setup {
                risky: vec![json!({"id": AGENT, "identityType": "agentIdentity", "riskLevel": "hidden", "riskState": "atRisk",
                    "riskLastModifiedDateTime": "2026-09-01T08:00:00Z"})],
                ..under(block("p1", json!({"agentIdRiskLevels": "high"})))
            })
            .at(Stage::Decided("agent_identity", "failure")),
        decided(
            Reason::AuthenticationInsufficient,
            401,
            "insufficient_user_authentication",
            claims(json!({"idtyp": "user", "oid": HUMAN, "sub": "pairwise", "xms_sub_fct": "2 3", "amr": ["pwd"]})),
        )
        .on(under(mfa_for_users()))
        .at(Stage::Decided("on_behalf_of", "failure"))
        .challenged(", error=\"insufficient_user_authentication\""),
        decided(Reason::AgentDisabled, 403, "agent_disabled", agent_call())
            .on(with_directory(disabled(agent(AGENT, "hr-agent")))),
        decided(
            Reason::AgentDisabled,
            403,
            "agent_disabled",
            claims(json!({"idtyp": "user", "oid": AGENT_USER, "xms_sub_fct": "13"})),
        )
        .on(with_directory(disabled(json!({
            "@odata.type": "#microsoft.graph.agentUser", "id": AGENT_USER,
            "displayName": "hr-agent-user", "identityParentId": AGENT
        }))))
        .at(Stage::Decided("agent_user", "notApplied")),
        decided(Reason::BlueprintDisabled, 403, "agent_disabled", agent_call())
            .on(with_directory(disabled(blueprint()))),
        decided(Reason::NonAgentForwarded, 200, "", claims(as_blueprint()))
            .on(Setup {
                resource: vec!["non_agents: forward"],
                ..Setup::default()
            })
            .at(not_agent),
        decided(
            Reason::BlueprintDisabled,
            403,
            "agent_disabled",
            claims(as_blueprint()),
        )
        .on(Setup {
            resource: vec!["non_agents: forward"],
            ..with_directory(disabled(blueprint()))
        })
        .at(not_agent),
        decided(
            Reason::AccountDisabled,
            403,
            "account_disabled",
            claims(json!({"idtyp": "user", "oid": HUMAN, "sub": "pairwise", "xms_sub_fct": "2 3"})),
        )
        .on(with_account(disabled(json!({
            "@odata.type": "#microsoft.graph.user", "id": HUMAN
        }))))
        .at(Stage::Decided("on_behalf_of", "notApplied")),
        decided(Reason::AccountDisabled, 403, "account_disabled", claims(workload()))
            .on(Setup {
                resource: vec!["non_agents: forward"],
                ..with_account(disabled(json!({
                    "@odata.type": "#microsoft.graph.servicePrincipal", "id": WORKLOAD
                })))
            })
            .at(not_agent),
        decided(Reason::AgentUnknown, 403, "agent_unknown", agent_call()).on(Setup {
            sections: "directory: {unknown_agents: block}".to_owned(),
            ..Setup::default()
        }),
        decided(Reason::TokenRevoked, 401, "token_revoked", by(after_revocation))
            .challenged(", error=\"invalid_token\""),
        decided(
            Reason::ScopeInsufficient,
            403,
            "insufficient_scope",
            claims(json!({"scp": "People.Write"})),
        )
        .on(Setup {
            resource: vec![
                "operations:",
                "  - {methods: [GET], path: /hr/people, scopes: [People.Read, People.Browse], roles: [Reader]}",
            ],
            ..Setup::default()
        })
        .challenged(", error=\"insufficient_scope\", scope=\"People.Read People.Browse\""),
    ]
}

/// A policy that asks all users for a second factor.
fn mfa_for_users() -> (String, Value) {
    let (file, mut policy) = block(
        "p1",
        json!({"users": {"includeUsers": ["All"]}, "clientApplications": null}),
    );
    policy["grantControls"]["builtInControls"] = json!(["mfa"]);
    (file, policy)
}

/// The default directory with this object in place of the one of the same id.
fn with_directory(object: Value) -> Setup {
    let mut setup = Setup::default();
    let place = setup.directory.iter_mut().find(|o| o["id"] == object["id"]);
    *place.unwrap() = object;
    setup
}

/// The default directory with this object too.
fn with_account(object: Value) -> Setup {
    let mut setup = Setup::default();
    setup.directory.push(object);
    setup
}

fn disabled(mut object: Value) -> Value {
    object["accountEnabled"] = json!(false);
    object
}

fn after_the_decision() -> Vec<Row> {
    let (pipe, held) = unread_pipe();
    let forwarded_to = |address, more: &str| Setup {
        upstream: vec![format!("url: http://{address}"), more.to_owned()],
        ..Setup::default()
    };
    let permitted =
        |reason, status, code, call| refused(reason, status, code, call).at(Stage::Permitted);
    vec![
        refused(
            Reason::RecordUnavailable,
            503,
            "record_unavailable",
            by(after_a_lost_record),
        )
        .on(Setup {
            sections: "records: {file: /dev/full}".to_owned(),
            ..Setup::default()
        })
        .at(Stage::Unrecorded),
        refused(
            Reason::RecordUnavailable,
            503,
            "record_unavailable",
            by(move |site| {
                let _held = &held;
                until_records_stand_still(site)
            }),
        )
        .on(Setup {
            sections: format!("records: {{file: {pipe:?}, queue: 1, wait: 100ms}}"),
            ..Setup::default()
        })
        .at(Stage::Unrecorded),
        permitted(
            Reason::BodyTooLarge,
            413,
            "body_too_large",
            by(post_of_unknown_length),
        )
        .on(small_bodies()),
        permitted(Reason::UpstreamFailed, 502, "upstream_failed", agent_call())
            .on(forwarded_to(bytes_server(b"220 mail ready\r\n"), "")),
        permitted(Reason::UpstreamFailed, 502, "upstream_failed", agent_call()).on(forwarded_to(
            bytes_server(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
            "",
        )),
        permitted(
            Reason::UpstreamUnreachable,
            503,
            "upstream_unreachable",
            agent_call(),
        )
        .on(forwarded_to(refusing_address(), "")),
        permitted(
            Reason::UpstreamTimeout,
            504,
            "upstream_timeout",
            agent_call(),
        )
        .on(forwarded_to(bytes_server(b""), "response_timeout: 200ms")),
        permitted(
            Reason::UpstreamOverloaded,
            503,
            "upstream_overloaded",
            by(one_too_many),
        )
        .on(Setup {
            upstream: vec!["limits: {max_requests: 1}".to_owned()],
            ..Setup::default()
        }),
    ]
}
