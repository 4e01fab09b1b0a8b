//! The conditions beside identity and resource, slowly: each that is configured gives an answer.

use boomgate::policy::locations::{COMPLIANT_NETWORK, MFA_TRUSTED_IPS, Place};
use boomgate::policy::model::{Choice, FilterMode, LocationTarget, PlatformTarget, RiskLevels};
use boomgate::policy::{Facts, HumanFacts, Policy, Subject};
use boomgate::types::{Fact, IpRange, RiskLevel};

use super::Answer::{No, RequiredUnknown, Yes};
use super::{Answer, Who, World, filter};

/// An answer per configured condition.
pub(super) fn answers(
    policy: &Policy,
    who: Who,
    world: World<'_>,
    facts: &Facts<'_>,
) -> Vec<Answer> {
    let conditions = &policy.conditions;
    let session = &facts.session;
    let human = human(facts);
    let is_human = who == Who::Human;
    let is_agent = matches!(who, Who::Agent | Who::AgentUser);
    // What Entra has for humans and agent users, and what is here for agent identities too.
    let of_device = is_human || who == Who::AgentUser || (who == Who::Agent && !facts.entra_parity);
    let mut answers = Vec::new();
    let mut add = |concerns: bool, answer: Option<Answer>| {
        if let Some(answer) = answer {
            answers.push(if concerns { answer } else { No });
        }
    };

    add(
        is_agent,
        risk(conditions.agent_risk, agent_risk(who, facts)),
    );
    add(is_human, risk(conditions.user_risk, human.user_risk));
    add(is_human, risk(conditions.sign_in_risk, human.sign_in_risk));
    let of_workload = match facts.subject {
        Subject::Workload(workload) => workload.risk,
        _ => Fact::Unknown,
    };
    add(
        who == Who::Workload,
        risk(conditions.service_principal_risk, of_workload),
    );
    let insider = conditions.insider_risk.as_ref();
    add(
        is_human,
        insider.map(|levels| Answer::ask(human.insider_risk, |level| levels.contains(&level))),
    );
    add(
        of_device,
        conditions.platforms.as_ref().map(|platforms| {
            choice(platforms, |target| match target {
                PlatformTarget::All => Yes,
                PlatformTarget::One(one) => Answer::ask(session.platform, |here| here == *one),
            })
        }),
    );
    add(
        of_device || who == Who::Workload,
        conditions
            .locations
            .as_ref()
            .map(|locations| choice(locations, |target| location(target, world, facts))),
    );
    add(
        of_device,
        conditions.device_filter.as_ref().map(|rule| {
            let matches = Answer::ask(session.device, |device| filter::matches(rule, device));
            match rule.mode {
                FilterMode::Include => matches,
                FilterMode::Exclude => matches.opposite(),
            }
        }),
    );
    let types = conditions.client_app_types.as_ref();
    add(
        is_human || (is_agent && !facts.entra_parity),
        types.map(|types| Answer::ask(session.client_app_type, |one| types.contains(&one))),
    );
    let methods = conditions.transfer_methods.as_ref();
    add(
        is_human,
        methods.map(|methods| {
            Answer::ask(session.transfer_method, |method| {
                method.is_some_and(|method| methods.contains(&method))
            })
        }),
    );
    add(
        who == Who::AgentUser,
        conditions.agent_contexts.as_ref().map(|contexts| {
            choice(contexts, |wanted| {
                Answer::ask(session.agent_contexts, |here| {
                    here.iter()
                        .any(|one| one.to_lowercase() == wanted.to_lowercase())
                })
            })
        }),
    );
    answers
}

fn human<'a>(facts: &Facts<'a>) -> HumanFacts<'a> {
    match facts.subject {
        Subject::Human(human) | Subject::OnBehalfOf { human, .. } => human,
        _ => HumanFacts::unknown(Fact::Known("nobody")),
    }
}

fn agent_risk(who: Who, facts: &Facts<'_>) -> Fact<RiskLevel> {
    match (who, facts.subject) {
        (Who::Agent, Subject::AgentIdentity(agent) | Subject::OnBehalfOf { agent, .. }) => {
            agent.risk
        }
        (Who::AgentUser, Subject::AgentUser { user, .. }) => user.risk,
        _ => Fact::Unknown,
    }
}

fn risk(levels: Option<RiskLevels>, level: Fact<RiskLevel>) -> Option<Answer> {
    levels.map(|levels| Answer::ask(level, |level| levels.contains(level)))
}

fn choice<T>(choice: &Choice<T>, is: impl Fn(&T) -> Answer) -> Answer {
    let answers = |list: &[T]| list.iter().map(&is).collect::<Vec<_>>();
    let included = Answer::any(&answers(&choice.include));
    Answer::all(&[included, Answer::none(&answers(&choice.exclude))])
}

fn location(target: &LocationTarget, world: World<'_>, facts: &Facts<'_>) -> Answer {
    let within = |ranges: &[IpRange]| {
        Answer::ask(facts.session.address, |address| {
            ranges.iter().any(|range| range.contains(address))
        })
    };
    let own = |ranges: &Option<Vec<IpRange>>| match ranges {
        Some(ranges) => within(ranges),
        None => RequiredUnknown,
    };
    match target {
        LocationTarget::All => Yes,
        LocationTarget::AllTrusted => {
            let of_operator = [&world.own.mfa_trusted_ips, &world.own.compliant_network];
            let mut trusted: Vec<_> = of_operator
                .into_iter()
                .flatten()
                .map(|ranges| within(ranges))
                .collect();
            // Even if nothing is trusted, nobody knows whether an unknown address is in it.
            trusted.push(within(&[]));
            for location in world.locations.iter().filter(|one| one.is_trusted) {
                if let Place::Ip(ranges) = &location.place {
                    trusted.push(within(ranges));
                }
            }
            Answer::any(&trusted)
        }
        LocationTarget::Id(id) => {
            let named = world.locations.iter().find(|one| one.id == *id);
            match (id.as_str(), named.map(|one| &one.place)) {
                (_, Some(Place::Ip(ranges))) => within(ranges),
                (
                    _,
                    Some(Place::Country {
                        countries,
                        includes_unknown,
                    }),
                ) => Answer::ask(facts.session.country, |country| match country {
                    Some(country) => countries.contains(&country),
                    None => *includes_unknown,
                }),
                (MFA_TRUSTED_IPS, None) => own(&world.own.mfa_trusted_ips),
                (COMPLIANT_NETWORK, None) | (_, Some(Place::CompliantNetwork)) => {
                    own(&world.own.compliant_network)
                }
                (_, Some(Place::NotHonoured) | None) => RequiredUnknown,
            }
        }
    }
}
