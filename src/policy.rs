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
mod check;
mod compile;
pub mod evaluation;
pub mod facts;
pub mod filter;
mod index;
pub mod lint;
pub mod model;
pub mod read;
pub mod set;

pub use analysis::AnalysisReason;
pub use check::check_set;
pub use compile::CompiledPolicy;
pub use evaluation::{
    Condition, Conditions, Evaluation, PolicyOutcome, PolicyResult, Rule, Rules, Verdict,
};
pub use facts::{
    AgentFacts, AgentUserFacts, ControlFacts, Facts, GuestFacts, HumanFacts, ResourceFacts,
    SessionFacts, Subject, WorkloadFacts,
};
pub use model::Policy;
pub use read::OnUnsupported;
pub use set::{PolicySet, PolicyState};
