//! What a verified token shows beside who calls: of the human behind it, and of the session that it is from.
//!
//! Every part may be missing: `None` says that the token does not tell, and is never the same as "none". What becomes of
//! that is for those who decide.

use std::sync::Arc;

use crate::types::{Attributes, ClientAppType, DevicePlatform, GuestType, TransferMethod};

/// A list of ids or names, shared.
pub type List = Arc<[Arc<str>]>;

/// What a token shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// The session that the token is from (`sid`).
    pub session_id: Option<Arc<str>>,
    /// The human's groups. A token that has too many to list them does not tell.
    pub groups: Option<List>,
    /// Template ids of the human's directory roles.
    pub directory_roles: Option<List>,
    /// As what the human is a guest; inside, `None`: a member.
    pub guest: Option<Option<Guest>>,
    /// The platform of the device.
    pub platform: Option<DevicePlatform>,
    /// What a human uses.
    pub client_app_type: Option<ClientAppType>,
    /// How the session came to this client; inside, `None`: by no way that policies ask for.
    pub transfer_method: Option<Option<TransferMethod>>,
    /// Properties of the device, by Graph's names of them.
    pub device: Option<Attributes>,
    /// The environments that an agent user's session was started from.
    pub agent_contexts: Option<List>,
    /// What was shown of the controls that policies demand.
    pub controls: ControlEvidence,
}

/// As what a human is a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// As what.
    pub kind: GuestType,
    /// The guest's own tenant.
    pub home_tenant: Option<Arc<str>>,
}

/// What a token shows of grant controls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ControlEvidence {
    /// `mfa`
    pub mfa: Option<bool>,
    /// `compliantDevice`
    pub compliant_device: Option<bool>,
    /// `domainJoinedDevice`
    pub domain_joined_device: Option<bool>,
    /// `approvedApplication`
    pub approved_application: Option<bool>,
    /// `compliantApplication`
    pub compliant_application: Option<bool>,
    /// `passwordChange`
    pub password_change: Option<bool>,
    /// `riskRemediation`
    pub risk_remediation: Option<bool>,
    /// Ids of the authentication strengths that the session meets.
    pub authentication_strengths: Option<List>,
    /// Ids of the agreements that were accepted.
    pub terms_of_use: Option<List>,
    /// Names of the custom factors that were shown.
    pub custom_factors: Option<List>,
}
