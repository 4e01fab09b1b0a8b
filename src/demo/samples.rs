//! The sample policies, agents, locations and risks of `config/`, as they are written into a demo's folder.

macro_rules! samples {
    ($($name:literal,)*) => {
        /// Names below the folder, and contents.
        pub(super) const SAMPLES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../config/", $name))),)*];
    };
}

samples! {
    "agents/agent-identities.json",
    "agents/agent-users.json",
    "agents/blueprints.json",
    "named-locations/named-locations.json",
    "policies/allow-only-approved-agents.json",
    "policies/block-all-agents.json",
    "policies/block-high-risk-agents.json",
    "policies/block-risky-agent-users.json",
    "policies/close-hr-to-finance-agents.json",
    "policies/report-agents-at-any-risk.json",
    "risky-agents.json",
}
