//! What a decision costs: nanoseconds and allocations of `PolicySet::evaluate` on facts that are at hand, and of a
//! call's whole judgement once its token was seen before.
//!
//! `cargo bench` prints both. The only allocation of an evaluation is the list of policies that applied; where none
//! does, there is none, and divan prints no line of allocations.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up should stop"
)]

use std::sync::Arc;
use std::time::Duration;

use boomgate::demo::issuer;
use boomgate::identity::settings::{
    Algorithm, ClaimMapping, IssuerSettings, KeyOrigin, KeySettings, Profile, TokenSettings,
};
use boomgate::identity::{
    Agent, Authenticator, Caller, Issuer, IssuerKeys, Issuers, KeySet, Verified,
};
use boomgate::policy::read::read;
use boomgate::policy::{
    AgentFacts, Facts, OnUnsupported, PolicySet, ResourceFacts, SessionFacts, Subject,
};
use boomgate::risk::{RiskSettings, RiskTable};
use boomgate::types::attributes::fold;
use boomgate::types::{
    AgentId, AttributeValue, Attributes, BlueprintId, Fact, RiskLevel, Timestamp,
};
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
            let assessment = risk.assess(divan::black_box(&caller), settings);
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
            profile: Profile::Oidc(ClaimMapping {
                agent_id: Some("agent".into()),
                ..ClaimMapping::default()
            }),
            algorithms: vec![Algorithm::Rs256],
            types: vec!["JWT".into()],
            type_may_be_missing: false,
            leeway: Duration::from_secs(60),
            max_lifetime: Duration::from_secs(86_400),
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
    with_facts(risk, |facts| {
        bencher.bench_local(|| set.evaluate(divan::black_box(facts)));
    });
}

/// Runs `bench` on the facts of an approved agent at this risk.
fn with_facts(risk: RiskLevel, bench: impl FnOnce(&Facts<'_>)) {
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
