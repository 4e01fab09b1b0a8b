//! Room 2, pure: Conditional Access policy. Graph JSON → model → compiled [`PolicySet`];
//! `(&PolicySet, &Facts)` → [`Evaluation`].
//!
//! Total and deterministic: no async, IO, clock, randomness, log, float or hash map. The same code answers
//! for the path of a call, What-If, impact and the decision APIs. Semantics: `reference/entra.md` §4.
//! Never here: http, tokens, and a policy that is half understood.

pub mod evaluation;
pub mod facts;
pub mod filter;
pub mod set;

pub use evaluation::{
    Condition, Conditions, Evaluation, PolicyOutcome, PolicyResult, Rule, Rules, Verdict,
};
pub use facts::{AgentFacts, AgentUserFacts, Facts, HumanFacts, ResourceFacts, Subject};
pub use set::{CompiledPolicy, PolicySet, PolicyState};
