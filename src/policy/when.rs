//! The conditions of a policy beside identity and resource, made ready to be judged: risk, place, device, client, flow.
//!
//! A condition that does not concern a kind of principal never holds for it ([`scope`](super::scope)). Never here: an
//! allocation while judging, and what follows from an unknown.

use std::sync::Arc;

use super::assignment::{Listed, Matched};
use super::judged::Judged;
use super::locations::{ALL_TRUSTED, MFA_TRUSTED, NamedLocations, PlaceNumber, Places, ToldBy};
use super::model::{Choice, ConditionSet, FilterMode, LocationTarget, PlatformTarget, RiskLevels};
use super::truth::Truth;
use super::{Condition, Conditions, Facts, Rule, Rules};
use crate::types::{DevicePlatform, Fact, RiskLevel, TransferMethod};

/// What a call is judged by, once for all policies.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) judged: Judged<'a>,
    pub(super) places: Places<'a>,
}

/// The compiled conditions.
#[derive(Debug)]
pub(super) struct When {
    configured: Conditions,
    /// INVARIANT: `Some` where the condition is configured.
    locations: Option<(Location, Location)>,
}

impl When {
    pub(super) fn new(conditions: &ConditionSet, named: &NamedLocations) -> Self {
        let compile = |list: &[LocationTarget]| Location::of(list, named);
        Self {
            configured: conditions.configured(),
            locations: conditions
                .locations
                .as_ref()
                .map(|choice| (compile(&choice.include), compile(&choice.exclude))),
        }
    }

    pub(super) const fn configured(&self) -> Conditions {
        self.configured
    }

    pub(super) const fn locations(&self) -> Option<&(Location, Location)> {
        self.locations.as_ref()
    }

    /// Judges one condition that is configured.
    pub(super) fn judge(&self, one: Condition, model: &ConditionSet, view: &View<'_>) -> Matched {
        let parity = view.facts.entra_parity;
        if !one.scope(view.judged.principal()).applies(parity) {
            return Matched::plainly(Truth::False);
        }
        let session = &view.facts.session;
        match one {
            // Identity and resource are judged where they are compiled.
            Condition::Application | Condition::Users | Condition::ServicePrincipals => {
                Matched::plainly(Truth::True)
            }
            Condition::AgentIdRisk => risk(model.agent_risk, view.judged.agent_risk()),
            Condition::UserRisk => risk(model.user_risk, view.judged.user_risk()),
            Condition::SignInRisk => risk(model.sign_in_risk, view.judged.sign_in_risk()),
            Condition::ServicePrincipalRisk => {
                risk(model.service_principal_risk, view.judged.workload_risk())
            }
            Condition::InsiderRisk => {
                let levels = model.insider_risk.as_ref();
                let holds = Truth::of_fact(view.judged.insider_risk(), |level| {
                    levels.is_some_and(|levels| levels.contains(&level))
                });
                Matched::by(Rule::InsiderRisk, holds)
            }
            Condition::DevicePlatform => choose(model.platforms.as_ref(), |list| {
                platform(list, session.platform)
            }),
            Condition::Location => match &self.locations {
                Some((include, exclude)) => {
                    Matched::less(include.lists(view.places), exclude.lists(view.places))
                }
                None => Matched::plainly(Truth::True),
            },
            Condition::DeviceState => device(model, view),
            Condition::ClientType => {
                let types = model.client_app_types.as_ref();
                Matched::plainly(Truth::of_fact(session.client_app_type, |one| {
                    types.is_some_and(|types| types.contains(&one))
                }))
            }
            Condition::AuthenticationFlows => flow(model, session.transfer_method),
            Condition::AgentContext => choose(model.agent_contexts.as_ref(), |list| {
                agent_context(list, session.agent_contexts)
            }),
        }
    }
}

fn risk(levels: Option<RiskLevels>, level: Fact<RiskLevel>) -> Matched {
    let holds = Truth::of_fact(level, |level| {
        levels.is_some_and(|levels| levels.contains(level))
    });
    Matched::plainly(holds)
}

fn choose<T>(choice: Option<&Choice<T>>, lists: impl Fn(&[T]) -> Listed) -> Matched {
    match choice {
        Some(choice) => Matched::less(lists(&choice.include), lists(&choice.exclude)),
        None => Matched::plainly(Truth::True),
    }
}

fn platform(list: &[PlatformTarget], platform: Fact<DevicePlatform>) -> Listed {
    let one = if list.is_empty() {
        Truth::False
    } else {
        Truth::of_fact(platform, |one| list.contains(&PlatformTarget::One(one)))
    };
    Listed::NOT
        .by_if(
            Rule::AllDevicePlatforms,
            list.contains(&PlatformTarget::All),
        )
        .by(Rule::DevicePlatform, one)
}

fn agent_context(list: &[Arc<str>], contexts: Fact<&[Arc<str>]>) -> Listed {
    if list.is_empty() {
        return Listed::NOT;
    }
    let holds = Truth::of_fact(contexts, |contexts| {
        let mut wanted = list.iter();
        wanted.any(|wanted| contexts.iter().any(|one| one.eq_ignore_ascii_case(wanted)))
    });
    Listed::NOT.by(Rule::AgentContext, holds)
}

fn device(model: &ConditionSet, view: &View<'_>) -> Matched {
    let Some(filter) = &model.device_filter else {
        return Matched::plainly(Truth::True);
    };
    let matches = Truth::of_fact(view.facts.session.device, |device| {
        filter.rule.matches(device)
    });
    match filter.mode {
        FilterMode::Include => Matched::by(Rule::DeviceFilter, matches),
        FilterMode::Exclude => Matched {
            holds: matches.not(),
            included_by: Rules::NONE,
            excluded_by: Rules::NONE.with_if(matches.is_true(), Rule::DeviceFilter),
        },
    }
}

fn flow(model: &ConditionSet, method: Fact<Option<TransferMethod>>) -> Matched {
    let methods = model.transfer_methods.as_ref();
    let holds = Truth::of_fact(method, |method| {
        method.is_some_and(|one| methods.is_some_and(|methods| methods.contains(&one)))
    });
    let rule = match method {
        Fact::Known(Some(TransferMethod::AuthenticationTransfer)) => Rule::AuthenticationTransfer,
        _ => Rule::DeviceCodeFlow,
    };
    Matched::by(rule, holds)
}

/// A compiled list of locations.
#[derive(Debug, Default)]
pub(super) struct Location {
    pub(super) all: bool,
    /// Places that the address tells, sorted.
    pub(super) by_address: Vec<PlaceNumber>,
    /// Places that its country tells, sorted.
    pub(super) by_country: Vec<PlaceNumber>,
    /// Whether it names a place of which nobody tells who is in it.
    pub(super) untold: bool,
}

impl Location {
    fn of(list: &[LocationTarget], named: &NamedLocations) -> Self {
        let mut location = Self::default();
        for target in list {
            match target {
                LocationTarget::All => location.all = true,
                LocationTarget::AllTrusted => location.by_address.push(ALL_TRUSTED),
                LocationTarget::Id(id) => match named.find(id.as_str()) {
                    Some((number, ToldBy::Address)) => location.by_address.push(number),
                    Some((number, ToldBy::Country)) => location.by_country.push(number),
                    // FAIL-CLOSED: a place of which nothing is known may be the one that is blocked.
                    Some((_, ToldBy::Nobody)) | None => location.untold = true,
                },
            }
        }
        location.by_address.sort_unstable();
        location.by_country.sort_unstable();
        location
    }

    fn lists(&self, places: Places<'_>) -> Listed {
        let mut listed = Listed::NOT
            .by_if(Rule::AllLocations, self.all)
            .by(Rule::LocationId, share(&self.by_country, places.of_country));
        for place in &self.by_address {
            let rule = match *place {
                ALL_TRUSTED => Rule::AllTrustedLocations,
                MFA_TRUSTED => Rule::InsideCorpnet,
                _ => Rule::LocationId,
            };
            listed = listed.by(rule, share(&[*place], places.of_address));
        }
        if self.untold {
            listed = listed.by(Rule::LocationId, Truth::RequiredUnknown);
        }
        listed
    }
}

/// Whether one of the places is one of those that a session lies in.
fn share(places: &[PlaceNumber], here: Fact<&[PlaceNumber]>) -> Truth {
    if places.is_empty() {
        return Truth::False;
    }
    Truth::of_fact(here, |here| {
        places.iter().any(|place| here.binary_search(place).is_ok())
    })
}
