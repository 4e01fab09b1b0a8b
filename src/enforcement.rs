//! Room 5: a [`Decided`] call becomes a [`Permit`] or a [`Denial`].
//!
//! A permit owns the one call that it was issued for and is spent by forwarding it; nobody else can make one.
//! Never here: the reading of a rule, and an upstream.

pub mod open_calls;
pub mod respond;
mod step_up;

use std::sync::Arc;

use crate::call::{CallContext, Received, Refused};
use crate::decision::{Decided, Decision};
use crate::identity::{Basis, Caller, Identified};
use crate::types::{Effect, PolicyId, Reason};

pub use open_calls::{OpenCall, OpenCalls};
pub use respond::{ResponseSettings, grant, respond};
use step_up::StepUp;

/// Leave to forward one call, once.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    identified: Identified,
    decision: Decision,
}

impl Permit {
    /// The call.
    pub fn received(&self) -> &Received {
        self.identified.received()
    }

    /// Who calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.identified.caller()
    }

    /// The verdict that it rests on.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// What its caller was found out by.
    #[must_use]
    pub const fn basis(&self) -> &Basis {
        self.identified.basis()
    }

    /// Spends the permit: gives the call to the room that forwards it.
    pub(crate) fn spend(self) -> Received {
        self.identified.into_received()
    }

    /// Takes the permit back: the call ends here after all.
    pub fn revoke(self, reason: Reason) -> Denial {
        Denial::after_permit(self.identified.received().context().clone(), reason)
    }
}

/// A call that is not forwarded, with what its answer may say.
#[derive(Debug)]
#[must_use]
pub struct Denial {
    context: Box<CallContext>,
    reason: Reason,
    /// The enforced policies that block, for the operator who lets callers see them.
    policies: Vec<PolicyId>,
    /// The scopes that would do, for `insufficient_scope`.
    scopes: Vec<Arc<str>>,
    /// How a stronger token is asked for.
    step_up: Option<StepUp>,
}

impl Denial {
    /// The denial of a call on which no decision was made.
    pub fn of(refused: Refused) -> Self {
        Self {
            context: refused.context,
            reason: refused.reason,
            policies: Vec::new(),
            scopes: Vec::new(),
            step_up: None,
        }
    }

    /// The denial of a call that was permitted, and that its upstream could not serve.
    pub fn after_permit(context: CallContext, reason: Reason) -> Self {
        Self {
            context: Box::new(context),
            reason,
            policies: Vec::new(),
            scopes: Vec::new(),
            step_up: None,
        }
    }

    /// Why.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What is known of the call.
    #[must_use]
    pub const fn context(&self) -> &CallContext {
        &self.context
    }

    /// The same call, denied for another reason: its record could not be written.
    pub fn because(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }
}

/// Enforces a decision.
///
/// # Errors
/// A [`Denial`], which is an expected value and no error: it is answered, not reported.
pub fn enforce(decided: Decided) -> Result<Permit, Denial> {
    match decided.effect() {
        Effect::Allow => {
            let (identified, decision) = decided.into_parts();
            Ok(Permit {
                identified,
                decision,
            })
        }
        Effect::Block => {
            let (identified, decision) = decided.into_parts();
            let lacks = decision.reason == Reason::AuthenticationInsufficient;
            Err(Denial {
                step_up: identified
                    .credential()
                    .token()
                    .filter(|_| lacks)
                    .map(|token| StepUp::of(&decision, token)),
                context: Box::new(identified.received().context().clone()),
                reason: decision.reason,
                policies: decision.blocking_policies(),
                scopes: decision.operation.scopes().to_vec(),
            })
        }
    }
}
