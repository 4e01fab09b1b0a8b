//! What-If says what the gateway does: over sockets for each kind of caller, and for every agent, resource and level
//! what the policies say of facts that are laid out here.

use std::path::Path;

use boomgate::cli::what_if::{Arguments, Risk, call, subject, what_if};
use boomgate::config::{Environment, Loaded, load, process_environment};
use boomgate::identity::AgentIdentity;
use boomgate::policy::{
    AgentFacts, AgentUserFacts, Facts, ResourceFacts, SessionFacts, Subject, Verdict,
};
use boomgate::types::{Fact, RiskLevel, Timestamp};
use serde_json::json;

use crate::config::support::{Folder, environment};
use crate::effects::callers::{Caller, risky};
use crate::support::site::{AGENT, AGENT_USER, HUMAN, OTHER_AGENT, Setup, Site, agent, block};

/// The effect and the reason of a question's answer.
fn ask(
    path: &Path,
    environment: Environment<'_>,
    subject: subject::Arguments,
    resource: &str,
    risk: Option<Risk>,
) -> (String, String) {
    let arguments = Arguments {
        config: Some(path.to_owned()),
        subject,
        call: call::Arguments {
            resource: Some(resource.to_owned()),
            ..call::Arguments::default()
        },
        risk,
        ..Arguments::default()
    };
    let (mut out, mut faults) = (Vec::new(), Vec::new());
    let code = what_if(&arguments, environment, &mut out, &mut faults).unwrap();
    assert_eq!((code, faults.len()), (0, 0));
    let out = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();
    let last = out.lines().last().unwrap();
    let (effect, rest) = last.split_once(" (").unwrap();
    let (reason, words) = rest.split_once(')').unwrap();
    assert!(words.starts_with(": "), "`{last}` does not say why");
    (effect.to_owned(), reason.to_owned())
}

fn of_agent(id: &str) -> subject::Arguments {
    subject::Arguments {
        agent: Some(id.to_owned()),
        ..subject::Arguments::default()
    }
}

const DISABLED: &str = "a9a9a9a9-0000-4000-8000-000000000022";
const RISKY: &str = "a9a9a9a9-0000-4000-8000-000000000032";
const WITHHELD: &str = "a9a9a9a9-0000-4000-8000-000000000042";
const STRANGER: &str = "a9a9a9a9-0000-4000-8000-000000000052";

/// Every kind of caller, with the question for it.
fn callers() -> Vec<(Caller, subject::Arguments)> {
    let user = subject::Arguments {
        agent_user: Some(AGENT_USER.to_owned()),
        ..subject::Arguments::default()
    };
    let for_human = |id| subject::Arguments {
        on_behalf_of: Some(HUMAN.to_owned()),
        ..of_agent(id)
    };
    let stranger = subject::Arguments {
        discovered: true,
        ..of_agent(STRANGER)
    };
    let human = subject::Arguments {
        not_an_agent: true,
        ..subject::Arguments::default()
    };
    let on_its_own = [AGENT, OTHER_AGENT, DISABLED, RISKY, WITHHELD];
    let mut callers: Vec<_> = on_its_own
        .map(|id| (Caller::Agent(id), of_agent(id)))
        .into();
    callers.extend([
        (Caller::AgentUser(AGENT_USER, AGENT), user),
        (Caller::OnBehalfOf(AGENT), for_human(AGENT)),
        (Caller::OnBehalfOf(RISKY), for_human(RISKY)),
        (Caller::Agent(STRANGER), stranger),
        (Caller::Human, human),
    ]);
    callers
}

pub(super) fn setup(sections: &str) -> Setup {
    let mut setup = Setup::default();
    let mut disabled = agent(DISABLED, "disabled");
    disabled["accountEnabled"] = json!(false);
    setup
        .directory
        .extend([disabled, agent(RISKY, "risky"), agent(WITHHELD, "withheld")]);
    setup.risky = vec![
        risky(RISKY, "agentIdentity", "high"),
        risky(WITHHELD, "agentIdentity", "hidden"),
    ];
    let only = json!({"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}});
    setup.policies = vec![
        block("one", only),
        block("high", json!({"agentIdRiskLevels": "high"})),
    ];
    sections.clone_into(&mut setup.sections);
    setup
}

/// Asks and calls for each kind of caller, and gives the reasons.
async fn agree(sections: &str) -> Vec<String> {
    let site = Site::start(setup(sections)).await;
    let path = site.path("boomgate.yaml");
    let mut reasons = Vec::new();
    for (caller, question) in callers() {
        let seen = caller.get(&site, "/hr/people").await;
        let member = |name: &str| seen.record["boomgate"][name].as_str().unwrap().to_owned();
        let answer = ask(&path, &process_environment, question, "hr-api", None);
        assert_eq!(answer, (member("decision"), member("reason")), "{caller:?}");
        reasons.push(answer.1);
    }
    reasons
}

#[tokio::test]
async fn what_if_says_what_a_running_gateway_answers() {
    let (allowed, policy) = ("no_policy_blocked", "blocked_by_policy");
    let reasons = agree("").await;
    let expected = [
        allowed,
        policy,
        "agent_disabled",
        policy,
        "facts_unavailable",
        allowed,
        allowed,
        policy,
        allowed,
        "not_an_agent",
    ];
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn what_if_keeps_to_the_settings_of_the_gateway() {
    let (allowed, policy) = ("no_policy_blocked", "blocked_by_policy");
    let reasons =
        agree("directory: {dir: agents, unknown_agents: block}\nevaluation: {entra_parity: true}")
            .await;
    let expected = [
        allowed,
        policy,
        "agent_disabled",
        policy,
        allowed,
        allowed,
        allowed,
        allowed,
        "agent_unknown",
        "not_an_agent",
    ];
    assert_eq!(reasons, expected);
}

const RISKS: [(Risk, Fact<RiskLevel>); 5] = [
    (Risk::None, Fact::Known(RiskLevel::None)),
    (Risk::Low, Fact::Known(RiskLevel::Low)),
    (Risk::Medium, Fact::Known(RiskLevel::Medium)),
    (Risk::High, Fact::Known(RiskLevel::High)),
    (Risk::Unknown, Fact::RequiredUnknown),
];

/// The facts of an agent of the reference, laid out by hand.
fn agent_facts<'a>(
    loaded: &'a Loaded,
    entry: &'a AgentIdentity,
    risk: Fact<RiskLevel>,
) -> AgentFacts<'a> {
    let blueprint = entry.blueprint.as_ref().unwrap().as_str();
    let principal = &loaded.directory.blueprint(blueprint).unwrap().principal_id;
    AgentFacts {
        id: entry.id.as_str(),
        blueprint_app_id: Some(blueprint),
        blueprint_principal_id: principal.as_ref().map(|id| id.as_str()),
        attributes: &entry.attributes,
        risk,
    }
}

#[test]
fn what_if_says_what_the_policies_say_of_every_agent_resource_and_level() {
    let folder = Folder::with_reference();
    let path = folder.path("boomgate.yaml");
    let (loaded, _) = load(&path, &environment);
    let loaded = loaded.unwrap();
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for resource in loaded.settings.resources.iter() {
        for (assumed, risk) in RISKS {
            let mut check = |question, subject: Subject<'_>| {
                let verdict = loaded
                    .policies
                    .evaluate(&Facts {
                        subject,
                        resource: ResourceFacts {
                            app_id: Fact::Known(resource.app_id.as_str()),
                            attributes: Fact::Known(&resource.attributes),
                            is_agent: Fact::Known(resource.is_agent),
                            authentication_contexts: &[],
                        },
                        session: SessionFacts::UNKNOWN,
                        now: Timestamp::default(),
                        entra_parity: false,
                    })
                    .verdict;
                let expected = match verdict {
                    Verdict::Allow => "no_policy_blocked",
                    Verdict::Block => "blocked_by_policy",
                    Verdict::BlockOnUnknown => "facts_unavailable",
                };
                let (_, reason) = ask(
                    &path,
                    &environment,
                    question,
                    resource.name.as_str(),
                    Some(assumed),
                );
                assert_eq!(reason, expected, "{subject:?} {}", resource.name);
                *seen.entry(reason).or_default() += 1;
            };
            for entry in loaded.directory.agents() {
                let facts = agent_facts(&loaded, entry, risk);
                check(of_agent(entry.id.as_str()), Subject::AgentIdentity(facts));
            }
            for user in loaded.directory.agent_users() {
                let parent = loaded
                    .directory
                    .agent(user.identity_parent.as_str())
                    .unwrap();
                let question = subject::Arguments {
                    agent_user: Some(user.display_name.to_string()),
                    ..subject::Arguments::default()
                };
                let facts = AgentUserFacts {
                    id: user.id.as_str(),
                    attributes: &user.attributes,
                    risk,
                };
                let agent = agent_facts(&loaded, parent, risk);
                check(question, Subject::AgentUser { user: facts, agent });
            }
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(seen.values().sum::<u32>(), 4 * 5 * 6);
}
