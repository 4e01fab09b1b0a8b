//! What is odd about policies that are well formed: such as never apply, change nothing, say a thing twice or lock
//! everybody out.
//!
//! Only what is certain is claimed, for every call that there can be: a warning that is wrong once is not read twice.
//! Never here: ids that nobody has (a policy cannot know), and a policy on its own that is not understood.

mod covers;
mod never;

use super::PolicyState;
use super::model::Policy;

pub use covers::covers;

/// Something odd about a policy. The places are those in the list of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// It applies to no call, whoever makes it: its conditions rule each other out.
    NeverApplies(&'static str),
    /// It says what another says: same conditions, same controls, same state.
    Repeats(usize),
    /// Another blocks every call to which it applies, so that it changes no verdict.
    Shadowed(usize),
    /// It blocks all callers of a kind, whatever they call and however they do; or will, once it is enforced.
    LocksOut(&'static str),
}

/// All that is odd about policies, with the place of the policy that it is about, in their order. What is disabled is left
/// alone, as author's business.
#[must_use]
pub fn odd(policies: &[Policy]) -> Vec<(usize, Oddity)> {
    let mut found = Vec::new();
    for (at, policy) in policies.iter().enumerate() {
        if policy.state == PolicyState::Disabled {
            continue;
        }
        if let Some(why) = never::why(policy) {
            found.push((at, Oddity::NeverApplies(why)));
            continue;
        }
        for kind in covers::locked_out(policy) {
            found.push((at, Oddity::LocksOut(kind)));
        }
        let others = || {
            policies
                .iter()
                .enumerate()
                .filter(move |(other, _)| *other != at)
        };
        let repeated =
            others().find(|(other, earlier)| *other < at && says_the_same(policy, earlier));
        if let Some((other, _)) = repeated {
            found.push((at, Oddity::Repeats(other)));
            continue;
        }
        // Of two that cover each other, the later one goes, so that one of them stays.
        let shadow = others()
            .find(|(other, wide)| covers(wide, policy) && (*other < at || !covers(policy, wide)));
        if let Some((other, _)) = shadow {
            found.push((at, Oddity::Shadowed(other)));
        }
    }
    found
}

fn says_the_same(one: &Policy, other: &Policy) -> bool {
    one.state == other.state
        && one.is_understood()
        && other.is_understood()
        && one.grant_controls == other.grant_controls
        && one.conditions == other.conditions
}
