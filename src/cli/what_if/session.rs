//! What a question assumes of the session, as a command line says it.
//!
//! Never here: a fact that nobody gave.

use std::net::IpAddr;
use std::sync::Arc;

use super::Risk;
use crate::decision::supposed::session::{Levels, Session, Shown};
use crate::types::attributes::fold;
use crate::types::{AttributeValue, Attributes, ClientAppType, Country, DevicePlatform, Timestamp};

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
    /// What is supposed.
    pub(super) fn session(&self, risk: Levels) -> Session {
        let list = |given: &[String]| (!given.is_empty()).then(|| given.to_vec());
        let properties = self.device.iter().map(|(name, value)| {
            let value = AttributeValue::One(fold(value));
            (Arc::from(name.as_str()), value)
        });
        Session {
            shown: Shown {
                time: self.time,
                groups: list(&self.group),
                directory_roles: list(&self.role),
                mfa: self.mfa,
                authentication_contexts: list(&self.authentication_context),
            },
            address: self.address,
            country: self.country,
            platform: self.platform,
            client_app: self.client_app,
            transfer_method: None,
            device: (!self.device.is_empty()).then(|| Attributes::from_pairs(properties)),
            risk,
        }
    }
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
