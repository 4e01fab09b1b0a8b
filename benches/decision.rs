//! What a decision costs: nanoseconds and allocations of `PolicySet::evaluate` on facts that are at hand, and of a
//! call's whole judgement once its token was seen before.
//!
//! `cargo bench` prints both, and before them what a decision costs with ten policies and with ten thousand. The only allocation of an evaluation is the list of policies that applied; where none
//! does, there is none, and divan prints no line of allocations.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot be set up should stop, and it prints"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use boomgate::demo::issuer;
use boomgate::identity::settings::{
    Algorithm, ClaimMapping, IssuerSettings, KeyOrigin, KeySettings, Profile, TokenSettings,
};
use boomgate::identity::{
    Agent, Authenticator, Caller, Issuer, IssuerKeys, Issuers, KeySet, Verified,
};
use boomgate::policy::read::read;
use boomgate::policy::{
    AgentFacts, Facts, NamedLocations, OnUnsupported, Policy, PolicySet, ResourceFacts,
    SessionFacts, Subject,
};
use boomgate::risk::{RiskSettings, RiskTable, SignInIds};
use boomgate::types::attributes::fold;
use boomgate::types::{
    AgentId, AttributeValue, Attributes, BlueprintId, Fact, RiskLevel, Timestamp,
};
use divan::{AllocProfiler, Bencher};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    // `cargo bench` says so; `cargo test` only wants to see that it runs.
    if std::env::args().any(|argument| argument == "--bench") {
        print_ratios();
    }
    divan::main();
}

const SIZES: [u32; 3] = [10, 1_000, 10_000];

/// One blocking policy of a set: its resources, whom it concerns, and what else it asks for.
type Mix = fn(u32) -> (String, String, String);

/// Sets as organisations have them, each with what sets its policies apart.
const MIXES: [(&str, Mix); 8] = [
    ("named resources", |at| {
        (
            format!(r#"["resource-{at}"]"#),
            ALL.to_owned(),
            HIGH.to_owned(),
        )
    }),
    ("named agents", |at| {
        let agents = format!(r#""includeAgentIdServicePrincipals": ["agent-{at}"]"#);
        (EVERYTHING.to_owned(), agents, HIGH.to_owned())
    }),
    ("all agents at a risk, less the approved", |_| {
        (
            EVERYTHING.to_owned(),
            ALL_BY_FILTER.to_owned(),
            HIGH.to_owned(),
        )
    }),
    ("all agents with an attribute", |at| {
        let agents = format!(
            r#"{ALL}, "agentIdServicePrincipalFilter":
            {{"mode": "include", "rule": "CustomSecurityAttribute.AgentAttributes_Team -eq \"team-{at}\""}}"#
        );
        (EVERYTHING.to_owned(), agents, String::new())
    }),
    ("all agents on resources with an attribute", |at| {
        let resources = format!(
            r#"["All"], "applicationFilter": {{"mode": "include",
            "rule": "CustomSecurityAttribute.ResourceAttributes_Department -contains \"department-{at}\""}}"#
        );
        (resources, ALL.to_owned(), String::new())
    }),
    ("agents of a blueprint at a risk", |at| {
        let agents = format!(
            r#""includeAgentIdServicePrincipals": ["blueprint-{}"]"#,
            at + 2
        );
        (EVERYTHING.to_owned(), agents, HIGH.to_owned())
    }),
    ("all agents at a resource or at a risk", |at| match at % 2 {
        0 => (
            format!(r#"["resource-{at}"]"#),
            ALL.to_owned(),
            String::new(),
        ),
        _ => (EVERYTHING.to_owned(), ALL.to_owned(), HIGH.to_owned()),
    }),
    ("a few for everybody, the rest by resource", |at| match at {
        0..5 => (
            EVERYTHING.to_owned(),
            ALL_BY_FILTER.to_owned(),
            String::new(),
        ),
        _ => (
            format!(r#"["resource-{}"]"#, at + 100),
            ALL.to_owned(),
            String::new(),
        ),
    }),
];

const EVERYTHING: &str = r#"["All"]"#;
const HIGH: &str = r#", "agentIdRiskLevels": "high""#;

/// What a decision costs with ten policies and with ten thousand, in one run.
fn print_ratios() {
    println!(
        "{:44} {:>8} {:>8} {:>6} {:>10}",
        "a decision, in ns", "10", "10,000", "ratio", "compile"
    );
    for (name, mix) in MIXES {
        let few = compiled(mixed(10, mix));
        let many = mixed(10_000, mix);
        let start = Instant::now();
        let many = compiled(many);
        let compiling = start.elapsed();
        let (mut of_few, mut of_many) = (f64::MAX, f64::MAX);
        with_facts(RiskLevel::Low, |facts| {
            // In turns, so that what else the machine does meets both.
            for _ in 0..40 {
                of_few = of_few.min(nanoseconds(&few, facts));
                of_many = of_many.min(nanoseconds(&many, facts));
            }
        });
        let ratio = of_many / of_few;
        println!(
            "{name:44} {of_few:8.0} {of_many:8.0} {ratio:6.2} {:7} ms",
            compiling.as_millis()
        );
    }
    println!();
}

fn nanoseconds(set: &PolicySet, facts: &Facts<'_>) -> f64 {
    const CALLS: u32 = 2_000;
    let start = Instant::now();
    for _ in 0..CALLS {
        drop(divan::black_box(set.evaluate(divan::black_box(facts))));
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn mixed(count: u32, mix: Mix) -> Vec<Policy> {
    let policies: Vec<String> = (0..count)
        .map(|at| {
            let (resources, agents, more) = mix(at);
            policy(at, &resources, &agents, &more)
        })
        .collect();
    policies_of(&policies)
}

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

/// A token that was verified before: its hash, the look-up, and what is checked at every call.
#[divan::bench]
fn token_seen_before(bencher: Bencher<'_, '_>) {
    let token = SeenToken::new();
    bencher.bench_local(|| token.verify());
}

/// The judgement of a call whose token was seen before: token, risk and policies.
#[divan::bench(args = SIZES)]
fn token_seen_before_risk_and_policies(bencher: Bencher<'_, '_>, count: u32) {
    let token = SeenToken::new();
    let set = set(count, |at| match at {
        0..5 => (r#"["All"]"#.to_owned(), ALL_BY_FILTER.to_owned()),
        _ => (format!(r#"["resource-{at}"]"#), ALL.to_owned()),
    });
    let caller = Caller::Autonomous(Agent {
        id: AgentId::parse("agent-7").expect("an id"),
        blueprint: Some(BlueprintId::parse("blueprint-1").expect("an id")),
        entry: None,
        blueprint_entry: None,
    });
    let risk = RiskTable::default();
    let settings = RiskSettings {
        inherit: true,
        required: true,
    };
    with_facts(RiskLevel::Low, |facts| {
        bencher.bench_local(|| {
            let verified = token.verify();
            let assessment = risk.assess(divan::black_box(&caller), SignInIds::default(), settings);
            (verified, assessment, set.evaluate(divan::black_box(facts)))
        });
    });
}

/// A gateway that has verified one token.
struct SeenToken {
    authenticator: Authenticator,
    audiences: Arc<[Arc<str>]>,
    issuers: Issuers,
    token: String,
}

impl SeenToken {
    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const ISSUER: &str = "https://issuer.example.com";

    fn new() -> Self {
        let issuer = issuer::Issuer::new().expect("a key");
        let keys = issuer.key_set(Self::ISSUER).to_string();
        let claims = serde_json::json!({
            "iss": Self::ISSUER, "aud": "api://resource", "sub": "agent-7", "agent": "agent-7",
            "client_id": "agent-7", "iat": Self::NOW.as_seconds(), "exp": Self::NOW.as_seconds() + 3600,
        });
        let seen = Self {
            authenticator: Authenticator::new(TokenSettings {
                max_bytes: 16 * 1024,
                cache_entries: 1_000,
                max_proof_age: Duration::from_secs(60),
            }),
            audiences: Arc::new(["api://resource".into()]),
            issuers: Issuers::new(vec![Issuer {
                settings: Arc::new(Self::settings()),
                keys: Some(Arc::new(IssuerKeys {
                    set: KeySet::parse(keys.as_bytes()).expect("a key set"),
                    loaded_at: Self::NOW,
                })),
            }]),
            token: issuer.sign(&claims).expect("a token"),
        };
        seen.verify();
        seen
    }

    fn verify(&self) -> Arc<Verified> {
        let token = divan::black_box(self.token.as_str());
        let (verified, _) =
            self.authenticator
                .verify_token(token, &self.audiences, &self.issuers, Self::NOW);
        verified.expect("a token that verifies")
    }

    fn settings() -> IssuerSettings {
        IssuerSettings {
            name: "bench".into(),
            issuers: vec![Self::ISSUER.into()],
            profile: Profile::Oidc(Arc::new(ClaimMapping {
                agent_id: Some("agent".into()),
                ..ClaimMapping::default()
            })),
            algorithms: vec![Algorithm::Rs256],
            types: vec!["JWT".into()],
            type_may_be_missing: false,
            leeway: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(86_400),
            vouched: Arc::default(),
            keys: KeySettings {
                origin: KeyOrigin::File("unread".into()),
                ca_file: None,
                refresh_interval: Duration::from_secs(3_600),
                min_refresh_interval: Duration::from_secs(300),
                stale_after: Duration::from_secs(86_400),
                timeout: Duration::from_secs(5),
                max_bytes: 1024 * 1024,
            },
        }
    }
}

const ALL: &str = r#""includeAgentIdServicePrincipals": ["All"]"#;
const ALL_BY_FILTER: &str = r#""includeAgentIdServicePrincipals": ["All"], "agentIdServicePrincipalFilter":
    {"mode": "exclude", "rule": "CustomSecurityAttribute.AgentAttributes_Status -contains \"HR_Approved\""}"#;

/// Blocking policies on the resources and agents that `targets` gives for each.
fn set(count: u32, targets: impl Fn(u32) -> (String, String)) -> PolicySet {
    let policies: Vec<String> = (0..count)
        .map(|at| {
            let (resources, agents) = targets(at);
            policy(at, &resources, &agents, HIGH)
        })
        .collect();
    compiled(policies_of(&policies))
}

fn policy(at: u32, resources: &str, agents: &str, more: &str) -> String {
    format!(
        r#"{{"id": "policy-{at}", "displayName": "Policy {at}", "state": "enabled",
            "conditions": {{"applications": {{"includeApplications": {resources}}},
                            "clientApplications": {{{agents}}}{more}}},
            "grantControls": {{"operator": "OR", "builtInControls": ["block"]}}}}"#
    )
}

fn policies_of(policies: &[String]) -> Vec<Policy> {
    let text = format!("[{}]", policies.join(","));
    let (policies, faults) = read("bench.json", text.as_bytes(), OnUnsupported::Reject);
    assert!(faults.is_empty(), "{faults:?}");
    policies
}

fn compiled(policies: Vec<Policy>) -> PolicySet {
    PolicySet::compile(policies, &NamedLocations::default())
}

/// A call of an approved agent. At low risk no policy of these applies, which is so for nearly every call.
fn evaluate(bencher: Bencher<'_, '_>, set: &PolicySet, risk: RiskLevel) {
    with_facts(risk, |facts| {
        bencher.bench_local(|| set.evaluate(divan::black_box(facts)));
    });
}

/// Runs `bench` on the facts of an approved agent at this risk.
fn with_facts(risk: RiskLevel, bench: impl FnOnce(&Facts<'_>)) {
    let status = [fold("In_Review"), fold("HR_Approved")];
    let status = AttributeValue::Many(status.into());
    let team = AttributeValue::One(fold("Team-A"));
    let attributes = Attributes::from_pairs([
        (Arc::from("AgentAttributes_Status"), status),
        (Arc::from("AgentAttributes_Team"), team),
    ]);
    let facts = Facts {
        subject: Subject::AgentIdentity(AgentFacts {
            id: "agent-7",
            blueprint_app_id: Some("blueprint-1"),
            blueprint_principal_id: Some("principal-1"),
            attributes: &attributes,
            risk: Fact::Known(risk),
        }),
        resource: ResourceFacts {
            app_id: Fact::Known("resource-7"),
            attributes: Fact::Known(&Attributes::NONE),
            is_agent: Fact::Known(false),
            authentication_contexts: &[],
        },
        session: SessionFacts::UNKNOWN,
        now: Timestamp::from_seconds(1_790_000_000),
        entra_parity: false,
    };
    bench(&facts);
}
