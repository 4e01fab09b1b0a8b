//! From where a call comes, with what, and what is known of the human behind it, as a command line says it. What is
//! not said is as the directory, the risk file and the database of countries have it, else unknown.
//!
//! Never here: a fact that nobody gave.

use std::net::IpAddr;
use std::sync::Arc;

use super::Risk;
use crate::capability::Operation;
use crate::decision::Knowledge;
use crate::identity::{Account, Caller, ControlEvidence, Evidence, User};
use crate::risk::{Assessment, RiskSettings};
use crate::types::attributes::fold;
use crate::types::{
    AttributeValue, Attributes, ClientAppType, Country, DevicePlatform, Fact, Timestamp,
};

/// What is assumed of the session.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// Where the call comes from; without it, a condition on the location does not hold
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<IpAddr>,
    /// The country of the address [default: what the database of countries says of it]
    #[arg(long, value_name = "CC", value_parser = country)]
    pub country: Option<Country>,
    /// When, as in 2026-10-01T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub time: Option<Timestamp>,
    /// A group that the human is in, by id; may be given several times [default: what the directory says]
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
    /// A directory role that the human has, by template id; may be given several times
    #[arg(long, value_name = "ROLE")]
    pub role: Vec<String>,
    /// The human's level of risk [default: what the risk file says]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub user_risk: Option<Risk>,
    /// The level of risk of the human's sign-in
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub sign_in_risk: Option<Risk>,
    /// The platform of the device: android, iOS, windows, windowsPhone, macOS, linux
    #[arg(long, value_name = "PLATFORM", value_parser = platform)]
    pub platform: Option<DevicePlatform>,
    /// What the human uses, by Graph's name [default: mobileAppsAndDesktopClients]
    #[arg(long, value_name = "KIND", value_parser = client_app)]
    pub client_app: Option<ClientAppType>,
    /// A property of the device, as in isCompliant=true; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = property)]
    pub device: Vec<(String, String)>,
    /// Whether multifactor authentication was shown
    #[arg(long, value_name = "BOOL")]
    pub mfa: Option<bool>,
    /// An authentication context of the operation, as in c1; may be given several times [default: as configured]
    #[arg(long, value_name = "CONTEXT")]
    pub authentication_context: Vec<String>,
}

impl Arguments {
    /// The caller, less what the directory says of its human where another thing is assumed.
    pub(super) fn assume(&self, mut caller: Caller) -> Caller {
        let entry = match &mut caller {
            Caller::OnBehalfOf { human, .. } => human.entry.as_mut(),
            Caller::NotAgent(caller) => match &mut caller.account {
                Account::Human(entry) => entry.as_mut(),
                Account::Unnamed | Account::Workload(_) => None,
            },
            Caller::Autonomous(_) | Caller::AgentUser { .. } => None,
        };
        if let Some(entry) = entry {
            let user: &User = entry;
            let mut user = user.clone();
            if !self.group.is_empty() {
                user.groups = None;
            }
            if !self.role.is_empty() {
                user.directory_roles = None;
            }
            *entry = Arc::new(user);
        }
        caller
    }

    /// The operation with the contexts that are assumed.
    pub(super) fn marked(&self, operation: Operation) -> Operation {
        if self.authentication_context.is_empty() {
            return operation;
        }
        operation.with_authentication_contexts(shared(&self.authentication_context))
    }

    pub(super) fn assume_risk(&self, risk: &mut Assessment, settings: RiskSettings) {
        if let Some(level) = self.user_risk {
            risk.user = level.assumed(settings);
        }
        if let Some(level) = self.sign_in_risk {
            risk.sign_in = level.assumed(settings);
        }
    }

    /// What a token would show.
    pub(super) fn evidence(&self) -> Evidence {
        let list = |given: &[String]| (!given.is_empty()).then(|| shared(given).into());
        let properties = self.device.iter().map(|(name, value)| {
            let value = AttributeValue::One(fold(value));
            (Arc::from(name.as_str()), value)
        });
        let app = ClientAppType::MobileAppsAndDesktopClients;
        Evidence {
            groups: list(&self.group),
            directory_roles: list(&self.role),
            platform: self.platform,
            client_app_type: Some(self.client_app.unwrap_or(app)),
            device: (!self.device.is_empty()).then(|| Attributes::from_pairs(properties)),
            controls: ControlEvidence {
                mfa: self.mfa,
                ..ControlEvidence::default()
            },
            ..Evidence::default()
        }
    }

    pub(super) fn address(&self) -> Fact<IpAddr> {
        self.address.map_or(Fact::Unknown, Fact::Known)
    }

    pub(super) fn country(&self, knowledge: &Knowledge<'_>) -> Fact<Option<Country>> {
        match (self.country, self.address) {
            (Some(country), _) => Fact::Known(Some(country)),
            (None, Some(address)) => knowledge.country(Fact::Known(address)),
            (None, None) => Fact::Unknown,
        }
    }
}

fn shared(texts: &[String]) -> Vec<Arc<str>> {
    let folded = |text: &String| {
        if crate::types::ids::is_guid(text) {
            text.to_ascii_lowercase().into()
        } else {
            text.as_str().into()
        }
    };
    texts.iter().map(folded).collect()
}

fn country(text: &str) -> Result<Country, String> {
    Country::parse(text).ok_or_else(|| "expected two letters, as in NO".to_owned())
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "expected a time as in 2026-10-01T12:00:00Z".to_owned())
}

fn platform(text: &str) -> Result<DevicePlatform, String> {
    DevicePlatform::parse(text).ok_or_else(|| "expected a platform, as in windows".to_owned())
}

fn client_app(text: &str) -> Result<ClientAppType, String> {
    ClientAppType::parse(text).ok_or_else(|| "expected a kind of client, as in browser".to_owned())
}

fn property(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "expected NAME=VALUE, as in isCompliant=true".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}
