//! The lists of `users` made ready to be matched: ids, groups, roles and guests. Never here: agent users, whom no list
//! of `users` concerns.

use std::sync::Arc;

use super::assignment::{Listed, has, names};
use super::model::{Guests, UserTarget};
use super::truth::Truth;
use super::{GuestFacts, HumanFacts, Rule};
use crate::types::{Fact, GuestType};

/// A compiled list of humans.
#[derive(Debug, Default)]
pub(super) struct Humans {
    pub(super) all: bool,
    pub(super) any_guest: bool,
    /// INVARIANT: sorted, each once; so are the two below.
    pub(super) ids: Vec<Arc<str>>,
    pub(super) groups: Vec<Arc<str>>,
    pub(super) roles: Vec<Arc<str>>,
    pub(super) guests: Vec<Guests>,
}

impl Humans {
    pub(super) fn of(list: &[UserTarget]) -> Self {
        let mut humans = Self::default();
        for target in list {
            match target {
                UserTarget::All => humans.all = true,
                UserTarget::None => {}
                UserTarget::GuestsOrExternalUsers => humans.any_guest = true,
                UserTarget::Id(id) => humans.ids.push(id.to_shared()),
                UserTarget::Group(id) => humans.groups.push(id.to_shared()),
                UserTarget::Role(id) => humans.roles.push(id.to_shared()),
                UserTarget::Guests(guests) => humans.guests.push(guests.clone()),
            }
        }
        for ids in [&mut humans.ids, &mut humans.groups, &mut humans.roles] {
            ids.sort_unstable();
            ids.dedup();
        }
        humans
    }

    /// Whether the list names this human.
    pub(super) fn lists(&self, human: &HumanFacts<'_>) -> Listed {
        let mut listed = Listed::NOT
            .by(Rule::AllUsers, Truth::of(self.all))
            .by(Rule::UserId, names(&self.ids, human.id))
            .by(Rule::GroupId, any_of(&self.groups, human.groups))
            .by(Rule::RoleId, any_of(&self.roles, human.roles));
        if self.any_guest {
            let is_guest = Truth::of_fact(human.guest, |guest| guest.is_some());
            listed = listed.by(Rule::Guest, is_guest);
        }
        for guests in &self.guests {
            let (rule, holds) = among(guests, human.guest);
            listed = listed.by(rule, holds);
        }
        listed
    }
}

/// Whether a human has one of these, of all that he has.
fn any_of(wanted: &[Arc<str>], had: Fact<&[Arc<str>]>) -> Truth {
    if wanted.is_empty() {
        return Truth::False;
    }
    Truth::of_fact(had, |had| had.iter().any(|one| has(wanted, one)))
}

fn among(guests: &Guests, guest: Fact<Option<GuestFacts<'_>>>) -> (Rule, Truth) {
    match guest {
        Fact::Known(None) => (Rule::Guest, Truth::False),
        Fact::Known(Some(guest)) => {
            let is_kind = Truth::of(guests.kinds.contains(&guest.kind));
            (rule(guest.kind), is_kind.and(of_tenant(guests, &guest)))
        }
        Fact::Unknown => (Rule::Guest, Truth::Unknown),
        Fact::RequiredUnknown => (Rule::Guest, Truth::RequiredUnknown),
    }
}

fn of_tenant(guests: &Guests, guest: &GuestFacts<'_>) -> Truth {
    match (&guests.tenants, guest.home_tenant) {
        (None, _) => Truth::True,
        (Some(tenants), Some(tenant)) => Truth::of(tenants.contains(tenant)),
        // An internal guest has no other tenant; that of any other guest nobody told.
        (Some(_), None) if guest.kind == GuestType::InternalGuest => Truth::False,
        (Some(_), None) => Truth::RequiredUnknown,
    }
}

const fn rule(kind: GuestType) -> Rule {
    match kind {
        GuestType::InternalGuest => Rule::InternalGuest,
        GuestType::B2bCollaborationGuest => Rule::B2bCollaborationGuest,
        GuestType::B2bCollaborationMember => Rule::B2bCollaborationMember,
        GuestType::B2bDirectConnectUser => Rule::B2bDirectConnectUser,
        GuestType::OtherExternalUser => Rule::OtherExternalUser,
        GuestType::ServiceProvider => Rule::ServiceProvider,
    }
}
