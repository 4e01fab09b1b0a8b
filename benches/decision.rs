//! What a decision costs: nanoseconds and allocations of `PolicySet::evaluate` on facts that are at hand.
//!
//! `cargo bench` prints both. The only allocation is the list of policies that applied; where none does, there is none,
//! and divan prints no line of allocations.

use std::sync::Arc;

use boomgate::policy::read::read;
use boomgate::policy::{AgentFacts, Facts, OnUnsupported, PolicySet, ResourceFacts, Subject};
use boomgate::types::attributes::fold;
use boomgate::types::{AttributeValue, Attributes, Fact, RiskLevel, Timestamp};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const SIZES: [u32; 3] = [10, 1_000, 10_000];

/// As an organisation has them: a few policies for everybody, and many that name their resource.
#[divan::bench(args = SIZES)]
fn policies_that_name_their_resource(bencher: Bencher<'_, '_>, count: u32) {
    let set = set(count, |at| match at {
        0..5 => (r#"["All"]"#.to_owned(), ALL_BY_FILTER.to_owned()),
        _ => (format!(r#"["resource-{at}"]"#), ALL.to_owned()),
    });
    evaluate(bencher, &set, RiskLevel::Low);
}

/// Many policies, each of which names its agent, on every resource.
#[divan::bench(args = SIZES)]
fn policies_that_name_their_agent(bencher: Bencher<'_, '_>, count: u32) {
    let set = set(count, |at| {
        (
            r#"["All"]"#.to_owned(),
            format!(r#""includeAgentIdServicePrincipals": ["agent-{at}"]"#),
        )
    });
    evaluate(bencher, &set, RiskLevel::Low);
}

/// The worst case: every policy concerns every agent and resource, reads attributes, and does not apply.
#[divan::bench(args = SIZES)]
fn policies_for_all_agents_with_a_filter(bencher: Bencher<'_, '_>, count: u32) {
    let set = set(count, |_| {
        (r#"["All"]"#.to_owned(), ALL_BY_FILTER.to_owned())
    });
    evaluate(bencher, &set, RiskLevel::Low);
}

/// A call that ten policies of the set block: what an allocation beyond the list of them would show in.
#[divan::bench(args = SIZES)]
fn ten_policies_that_block(bencher: Bencher<'_, '_>, count: u32) {
    let set = set(count, |at| match at {
        0..10 => (r#"["All"]"#.to_owned(), ALL.to_owned()),
        _ => (format!(r#"["resource-{at}"]"#), ALL.to_owned()),
    });
    evaluate(bencher, &set, RiskLevel::High);
}

const ALL: &str = r#""includeAgentIdServicePrincipals": ["All"]"#;
const ALL_BY_FILTER: &str = r#""includeAgentIdServicePrincipals": ["All"], "agentIdServicePrincipalFilter":
    {"mode": "exclude", "rule": "CustomSecurityAttribute.AgentAttributes_Status -contains \"HR_Approved\""}"#;

/// Blocking policies on the resources and agents that `targets` gives for each.
fn set(count: u32, targets: impl Fn(u32) -> (String, String)) -> PolicySet {
    let policies: Vec<String> = (0..count)
        .map(|at| {
            let (resources, agents) = targets(at);
            format!(
                r#"{{"id": "policy-{at}", "displayName": "Policy {at}", "state": "enabled",
                    "conditions": {{"applications": {{"includeApplications": {resources}}},
                                    "clientApplications": {{{agents}}}, "agentIdRiskLevels": "high"}},
                    "grantControls": {{"operator": "OR", "builtInControls": ["block"]}}}}"#
            )
        })
        .collect();
    let text = format!("[{}]", policies.join(","));
    let (policies, faults) = read("bench.json", text.as_bytes(), OnUnsupported::Reject);
    assert!(faults.is_empty(), "{faults:?}");
    PolicySet::compile(policies)
}

/// A call of an approved agent. At low risk no policy of these applies, which is so for nearly every call.
fn evaluate(bencher: Bencher<'_, '_>, set: &PolicySet, risk: RiskLevel) {
    let status = [fold("In_Review"), fold("HR_Approved")];
    let status = AttributeValue::Many(status.into());
    let attributes = Attributes::from_pairs([(Arc::from("AgentAttributes_Status"), status)]);
    let facts = Facts {
        subject: Subject::AgentIdentity(AgentFacts {
            id: "agent-7",
            blueprint_app_id: Some("blueprint-1"),
            blueprint_principal_id: Some("principal-1"),
            attributes: &attributes,
            risk: Fact::Known(risk),
        }),
        resource: ResourceFacts {
            app_id: "resource-7",
            attributes: &Attributes::NONE,
            is_agent: false,
        },
        now: Timestamp::from_seconds(1_790_000_000),
        entra_parity: false,
    };
    bencher.bench_local(|| set.evaluate(divan::black_box(&facts)));
}
