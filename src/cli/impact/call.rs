//! What a record says of its call beside the facts: who, what, when, and what was decided. Borrowed from the line.
//!
//! Never here: a fact that policy reads.

use std::borrow::Cow;

use serde::Deserialize;

use crate::types::Reason;

/// The members of a line that people know a call by.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Call<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    app_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    app_display_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    service_principal_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_display_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resource_display_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    agent: Option<AgentSignIn<'a>>,
    #[serde(borrow, default)]
    applied_conditional_access_policies: Vec<Applied<'a>>,
    #[serde(borrow)]
    pub(super) boomgate: Option<Own<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgentSignIn<'a> {
    #[serde(borrow)]
    parent_app_id: Option<Cow<'a, str>>,
}

/// A policy that applied.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Applied<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) display_name: Cow<'a, str>,
    #[serde(borrow)]
    result: Cow<'a, str>,
}

/// The gateway's own members.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Own<'a> {
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    caller: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resource: Option<Cow<'a, str>>,
}

/// Somebody or something by its id, with the name that the record has for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'c> {
    pub(super) id: &'c str,
    pub(super) name: Option<&'c str>,
}

impl Call<'_> {
    /// Why the call ended as it did; `None` for a reason that this version does not know.
    pub(super) fn reason(&self) -> Option<Reason> {
        let text = self.boomgate.as_ref()?.reason.as_deref()?;
        let mut all = Reason::ALL.iter().copied();
        all.find(|reason| reason.as_str() == text)
    }

    /// The agent identity that acts, also behind an agent user or for a human; else who calls.
    pub(super) fn agent(&self) -> Named<'_> {
        let caller = self.boomgate.as_ref().and_then(|own| own.caller.as_deref());
        let is_agent = caller.is_some_and(|caller| caller != "not_agent");
        let (id, name) = if is_agent {
            (self.app_id.as_deref(), self.app_display_name.as_deref())
        } else {
            let id = self
                .user_id
                .as_deref()
                .or(self.service_principal_id.as_deref());
            (id, self.user_display_name.as_deref())
        };
        let id = id.unwrap_or("-");
        Named { id, name }
    }

    /// For whom, or as whom, the agent acts.
    pub(super) fn user(&self) -> Option<Named<'_>> {
        let id = self.user_id.as_deref()?;
        let name = self.user_display_name.as_deref();
        (id != self.agent().id).then_some(Named { id, name })
    }

    /// The agent's blueprint.
    pub(super) fn blueprint(&self) -> Option<&str> {
        self.agent.as_ref()?.parent_app_id.as_deref()
    }

    /// The resource by its configured name.
    pub(super) fn resource(&self) -> Named<'_> {
        let own = self.boomgate.as_ref();
        Named {
            id: own.and_then(|own| own.resource.as_deref()).unwrap_or("-"),
            name: self.resource_display_name.as_deref(),
        }
    }

    /// The enforced policies that refused the call.
    pub(super) fn refused_by(&self) -> impl Iterator<Item = &Applied<'_>> {
        let applied = self.applied_conditional_access_policies.iter();
        applied.filter(|policy| policy.result == "failure")
    }
}
