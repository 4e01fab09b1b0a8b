//! What an object of a risk file is about, by Graph's types and sets.

/// What an object is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Agent,
    User,
    ServicePrincipal,
    SignIn,
}

impl Kind {
    /// Graph's types. That of an agent has subtypes, one for each kind.
    pub(super) const TYPES: [(&str, Self); 7] = [
        ("microsoft.graph.riskyAgent", Self::Agent),
        ("microsoft.graph.riskyAgentIdentity", Self::Agent),
        ("microsoft.graph.riskyAgentUser", Self::Agent),
        (
            "microsoft.graph.riskyAgentIdentityBlueprintPrincipal",
            Self::Agent,
        ),
        ("microsoft.graph.riskyUser", Self::User),
        (
            "microsoft.graph.riskyServicePrincipal",
            Self::ServicePrincipal,
        ),
        ("microsoft.graph.riskDetection", Self::SignIn),
    ];

    pub(super) fn of_type(name: &str) -> Option<Self> {
        let name = name.strip_prefix('#').unwrap_or(name);
        let mut known = Self::TYPES.into_iter();
        known
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, kind)| kind)
    }

    /// The kind of a list's items, by the set that was asked for: `…/$metadata#identityProtection/riskyUsers`.
    pub(super) fn of_context(context: &str) -> Option<Self> {
        let (_, fragment) = context.split_once('#')?;
        fragment.split(['/', '(']).find_map(|part| match part {
            "riskyAgents" => Some(Self::Agent),
            "riskyUsers" => Some(Self::User),
            "riskyServicePrincipals" => Some(Self::ServicePrincipal),
            "riskDetections" => Some(Self::SignIn),
            _ => None,
        })
    }
}
