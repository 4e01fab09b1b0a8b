//! Room 2, pure: Conditional Access policy. Graph JSON → model → compiled [`PolicySet`];
//! `(&PolicySet, &Facts)` → [`Evaluation`].
//!
//! Total and deterministic: no async, IO, clock, randomness, log, float or hash map. The same code answers
//! for the path of a call, What-If, impact and the decision APIs. Semantics: `reference/entra.md` §4.
//!
//! [`mod@read`] takes exports and says what of them is not honoured, [`model`] is what a policy means, [`filter`] its
//! attribute rules; [`set`] is compiled from models and judges calls, [`facts`] go in, an [`evaluation`] comes out, and an [`analysis`] says why not.
//! Never here: http, tokens, and a policy that is half understood.

pub mod analysis;
mod assignment;
mod bits;
mod check;
mod compile;
mod demands;
pub mod evaluation;
pub mod facts;
pub mod filter;
mod index;
mod judged;
pub mod lint;
pub mod locations;
pub mod model;
pub mod read;
mod reads;
pub mod scope;
pub mod set;
mod truth;
mod users;
pub mod vocabulary;
mod when;

pub use analysis::AnalysisReason;
pub use check::{check_countries, check_ids, check_set};
pub use compile::CompiledPolicy;
pub use demands::ControlResults;
pub use evaluation::{Evaluation, PolicyOutcome, PolicyResult, Verdict};
pub use facts::{
    AgentFacts, AgentUserFacts, ControlFacts, Facts, GuestFacts, HumanFacts, ResourceFacts,
    SessionFacts, Subject, WorkloadFacts,
};
pub use locations::NamedLocations;
pub use model::Policy;
pub use read::OnUnsupported;
pub use set::{PolicySet, PolicyState};
pub use vocabulary::{
    Condition, Conditions, Control, Controls, FactName, FactNames, Principal, Principals, Rule,
    Rules,
};
