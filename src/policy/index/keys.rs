//! Keys: what a policy may require of a call, and what a call has, in one number each. Never here: what a key is for.

use std::sync::Arc;

use crate::policy::HumanFacts;
use crate::policy::judged::Judged;
use crate::policy::locations::PlaceNumber;
use crate::policy::when::View;
use crate::types::{AttributeValue, Attributes, Fact, RiskLevel};

/// The kinds of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The appId of the resource.
    Resource,
    /// That the resource is an agent.
    AgentResource,
    /// An authentication context of the operation.
    Context,
    /// An attribute of the resource.
    ResourceAttribute,
    /// The id of the principal, or of its blueprint.
    Id,
    /// A group.
    Group,
    /// A directory role.
    Role,
    /// That the human is a guest.
    Guest,
    /// That the workload is registered here.
    InTenant,
    /// An attribute of the principal.
    Attribute,
    /// A level of the agent's risk.
    AgentRisk,
    /// A level of the human's risk.
    UserRisk,
    /// A level of the session's risk.
    SignInRisk,
    /// A level of the workload's risk.
    WorkloadRisk,
    /// A place that the address tells.
    AddressPlace,
    /// A place that the country tells.
    CountryPlace,
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kinds(u32);

impl Kinds {
    pub(super) const fn with(self, kind: Kind) -> Self {
        Self(self.0 | bit(kind))
    }

    const fn contains(self, kind: Kind) -> bool {
        self.0 & bit(kind) != 0
    }
}

#[expect(clippy::as_conversions, reason = "a discriminant, below 32")]
const fn bit(kind: Kind) -> u32 {
    1 << (kind as u32)
}

/// What is asked of the value of an attribute.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked<'a> {
    /// That it has one.
    Present,
    /// That it is a single text.
    Single,
    /// That it is this, or holds this item.
    Value(&'a str),
}

/// A key that is told by nothing but its kind.
pub(super) fn of_kind(kind: Kind) -> u64 {
    mix(SEED, bit(kind).into())
}

pub(super) fn of_text(kind: Kind, text: &str) -> u64 {
    mix_text(of_kind(kind), text)
}

pub(super) fn of_attribute(kind: Kind, name: &str, asked: Asked<'_>) -> u64 {
    let name = of_text(kind, name);
    match asked {
        Asked::Present => mix(name, 1),
        Asked::Single => mix(name, 2),
        Asked::Value(value) => mix_text(mix(name, 3), value),
    }
}

pub(super) fn of_level(kind: Kind, level: RiskLevel) -> u64 {
    let level = match level {
        RiskLevel::None => 0,
        RiskLevel::Low => 1,
        RiskLevel::Medium => 2,
        RiskLevel::High => 3,
    };
    mix(of_kind(kind), level)
}

pub(super) fn of_place(kind: Kind, place: PlaceNumber) -> u64 {
    mix(of_kind(kind), place.into())
}

const SEED: u64 = 0x243f_6a88_85a3_08d3;

/// One more word into a hash. What it has to be is quick and spread; that it can be forged costs a look.
const fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

fn mix_text(hash: u64, text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut hash = words
        .iter()
        .fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    for (into, byte) in last.iter_mut().zip(rest) {
        *into = *byte;
    }
    hash = mix(hash, u64::from_le_bytes(last));
    mix(hash, u64::try_from(text.len()).unwrap_or(u64::MAX))
}

/// What a call has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Has {
    Key(u64),
    /// Nobody can tell which keys of this kind, and a required source should.
    Untold(Kind),
}

/// The keys that a call has.
pub(super) struct Keys<'a> {
    pub(super) view: &'a View<'a>,
    /// Only these kinds are of use.
    pub(super) wanted: Kinds,
}

impl Keys<'_> {
    /// Shows every key that is of use, and the kinds of which nobody can tell.
    pub(super) fn each(&self, show: &mut impl FnMut(Has)) {
        self.of_resource(show);
        match self.view.judged {
            Judged::AgentIdentity(agent) => {
                self.id(Some(agent.id), show);
                self.id(agent.blueprint_app_id, show);
                self.id(agent.blueprint_principal_id, show);
                self.attributes(Kind::Attribute, Fact::Known(agent.attributes), show);
                self.level(Kind::AgentRisk, agent.risk, show);
            }
            Judged::AgentUser(user) => {
                self.id(Some(user.id), show);
                self.attributes(Kind::Attribute, Fact::Known(user.attributes), show);
                self.level(Kind::AgentRisk, user.risk, show);
            }
            Judged::Human(human) => self.of_human(human, show),
            Judged::Workload(workload) => {
                self.id(Some(workload.id), show);
                self.flag(Kind::InTenant, workload.in_tenant, show);
                self.attributes(Kind::Attribute, workload.attributes, show);
                self.level(Kind::WorkloadRisk, workload.risk, show);
            }
        }
        let places = self.view.places;
        self.places(Kind::AddressPlace, places.of_address, show);
        self.places(Kind::CountryPlace, places.of_country, show);
    }

    fn of_resource(&self, show: &mut impl FnMut(Has)) {
        let resource = &self.view.facts.resource;
        if let Some(id) = self.known(Kind::Resource, resource.app_id, show) {
            show(Has::Key(of_text(Kind::Resource, id)));
        }
        self.flag(Kind::AgentResource, resource.is_agent, show);
        let contexts = Fact::Known(resource.authentication_contexts);
        self.texts(Kind::Context, contexts, show);
        self.attributes(Kind::ResourceAttribute, resource.attributes, show);
    }

    fn of_human(&self, human: &HumanFacts<'_>, show: &mut impl FnMut(Has)) {
        if let Some(id) = self.known(Kind::Id, human.id, show) {
            show(Has::Key(of_text(Kind::Id, id)));
        }
        self.texts(Kind::Group, human.groups, show);
        self.texts(Kind::Role, human.roles, show);
        let is_guest = human.guest.map(|guest| guest.is_some());
        self.flag(Kind::Guest, is_guest, show);
        self.level(Kind::UserRisk, human.user_risk, show);
        self.level(Kind::SignInRisk, human.sign_in_risk, show);
    }

    /// What a fact says, if keys of this kind are of use. On what an optional source does not tell, no condition holds.
    fn known<T>(&self, kind: Kind, fact: Fact<T>, show: &mut impl FnMut(Has)) -> Option<T> {
        if !self.wanted.contains(kind) {
            return None;
        }
        match fact {
            Fact::Known(value) => Some(value),
            Fact::Unknown => None,
            Fact::RequiredUnknown => {
                show(Has::Untold(kind));
                None
            }
        }
    }

    fn id(&self, id: Option<&str>, show: &mut impl FnMut(Has)) {
        if let Some(id) = id.filter(|_| self.wanted.contains(Kind::Id)) {
            show(Has::Key(of_text(Kind::Id, id)));
        }
    }

    fn flag(&self, kind: Kind, fact: Fact<bool>, show: &mut impl FnMut(Has)) {
        if self.known(kind, fact, show) == Some(true) {
            show(Has::Key(of_kind(kind)));
        }
    }

    fn texts(&self, kind: Kind, fact: Fact<&[Arc<str>]>, show: &mut impl FnMut(Has)) {
        for text in self.known(kind, fact, show).unwrap_or_default() {
            show(Has::Key(of_text(kind, text)));
        }
    }

    fn level(&self, kind: Kind, fact: Fact<RiskLevel>, show: &mut impl FnMut(Has)) {
        if let Some(level) = self.known(kind, fact, show) {
            show(Has::Key(of_level(kind, level)));
        }
    }

    fn places(&self, kind: Kind, fact: Fact<&[PlaceNumber]>, show: &mut impl FnMut(Has)) {
        for place in self.known(kind, fact, show).unwrap_or_default() {
            show(Has::Key(of_place(kind, *place)));
        }
    }

    fn attributes(&self, kind: Kind, fact: Fact<&Attributes>, show: &mut impl FnMut(Has)) {
        let Some(attributes) = self.known(kind, fact, show) else {
            return;
        };
        for (name, value) in attributes.iter() {
            let mut asked = |asked| show(Has::Key(of_attribute(kind, name, asked)));
            match value {
                AttributeValue::One(one) => {
                    asked(Asked::Present);
                    asked(Asked::Single);
                    asked(Asked::Value(one));
                }
                AttributeValue::Many(items) => {
                    if !items.is_empty() {
                        asked(Asked::Present);
                    }
                    items.iter().for_each(|item| asked(Asked::Value(item)));
                }
            }
        }
    }
}
