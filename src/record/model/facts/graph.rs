//! The facts that Graph's `signIn` has members for (`reference/entra.md` §7.1).

use serde::Serialize;

use crate::policy::{Facts, Subject};
use crate::record::model::risk_level;
use crate::types::{AttributeValue, Attributes, ClientAppType, Country, GuestType};

/// The facts that Graph's `signIn` has members for.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::record::model) struct GraphFacts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_detail: Option<DeviceDetail<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_app_used: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_transfer_method: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authentication_context_class_references: Vec<ContextReference<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    risk_level_aggregated: Option<&'static str>,
}

/// Graph's `signInLocation`, as far as policies read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    country_or_region: Option<Country>,
}

/// Graph's `deviceDetail`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceDetail<'a> {
    device_id: Option<&'a str>,
    display_name: Option<&'a str>,
    operating_system: Option<&'a str>,
    is_compliant: Option<bool>,
    trust_type: Option<&'a str>,
}

/// Graph's `authenticationContext` of a sign-in.
#[derive(Debug, Serialize)]
struct ContextReference<'a> {
    id: &'a str,
    detail: &'static str,
}

impl<'a> GraphFacts<'a> {
    pub(in crate::record::model) fn of(facts: &Facts<'a>) -> Self {
        let session = &facts.session;
        let human = match facts.subject {
            Subject::Human(human) | Subject::OnBehalfOf { human, .. } => Some(human),
            Subject::AgentIdentity(_) | Subject::AgentUser { .. } | Subject::Workload(_) => None,
        };
        let country = session.country.known();
        let contexts = facts.resource.authentication_contexts.iter();
        let guest = human.and_then(|human| human.guest.known());
        Self {
            location: country.map(|country_or_region| Location { country_or_region }),
            device_detail: session.device.known().map(DeviceDetail::of),
            client_app_used: session.client_app_type.known().map(client_app_name),
            original_transfer_method: session
                .transfer_method
                .known()
                .map(|method| method.map_or("none", |method| method.as_str())),
            authentication_context_class_references: contexts
                .map(|id| ContextReference {
                    id,
                    detail: "required",
                })
                .collect(),
            user_type: guest.map(|guest| match guest.map(|guest| guest.kind) {
                None | Some(GuestType::B2bCollaborationMember) => "member",
                Some(_) => "guest",
            }),
            risk_level_aggregated: human.map(|human| risk_level(human.user_risk)),
        }
    }
}

impl<'a> DeviceDetail<'a> {
    fn of(device: &'a Attributes) -> Self {
        let one = |name: &str| match device.get(name) {
            Some(AttributeValue::One(value)) => Some(value.as_ref()),
            Some(AttributeValue::Many(_)) | None => None,
        };
        Self {
            device_id: one("deviceId"),
            display_name: one("displayName"),
            operating_system: one("operatingSystem"),
            is_compliant: one("isCompliant").map(|value| value == "true"),
            trust_type: one("trustType"),
        }
    }
}

/// How sign-in logs name the kinds of client.
pub(in crate::record) const fn client_app_name(kind: ClientAppType) -> &'static str {
    match kind {
        ClientAppType::Browser => "Browser",
        ClientAppType::MobileAppsAndDesktopClients => "Mobile Apps and Desktop clients",
        ClientAppType::ExchangeActiveSync => "Exchange ActiveSync",
        ClientAppType::EasSupported => "Exchange ActiveSync (supported)",
        ClientAppType::Other => "Other clients",
    }
}
