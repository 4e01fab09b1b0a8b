//! What a test says of the call beside who and what: evidence, place and risk, as a token, a socket and the sources of
//! risk would tell them. Never here: a value that a test did not give.

use std::net::IpAddr;
use std::sync::Arc;

use super::file::{Controls, InsiderLevel, Level, Risk, RiskOrLevel, Test, Who, WhoOrName};
use super::who::attributes_of;
use crate::decision::supposed::SupposedError;
use crate::decision::{DecisionSettings, FactKind};
use crate::identity::{ControlEvidence, Evidence, Guest};
use crate::risk::Assessment;
use crate::types::{
    ClientAppType, Country, DevicePlatform, Fact, GuestType, InsiderRiskLevel, RiskLevel,
    TransferMethod,
};

type Found<T> = Result<T, SupposedError>;

/// What the token would show.
pub(super) fn evidence(test: &Test) -> Found<Evidence> {
    let nobody = Who::default();
    let who = match &test.who {
        WhoOrName::Who(who) => who,
        WhoOrName::Name(_) => &nobody,
    };
    Ok(Evidence {
        session_id: None,
        groups: who.groups.as_deref().map(list),
        directory_roles: who.directory_roles.as_deref().map(list),
        guest: guest(who)?,
        platform: word(
            test.platform.as_deref(),
            "platform",
            DevicePlatform::parse,
            DevicePlatform::ALL,
        )?,
        client_app_type: word(
            test.client_app_type.as_deref(),
            "client_app_type",
            ClientAppType::parse,
            ClientAppType::ALL,
        )?,
        transfer_method: match test.transfer_method.as_deref() {
            Some("none") => Some(None),
            text => word(
                text,
                "transfer_method",
                TransferMethod::parse,
                TransferMethod::ALL,
            )?
            .map(Some),
        },
        device: test.device.as_ref().map(attributes_of),
        agent_contexts: test.agent_contexts.as_deref().map(list),
        controls: test.controls.as_ref().map(controls).unwrap_or_default(),
    })
}

fn list(items: &[String]) -> Arc<[Arc<str>]> {
    items.iter().map(|item| Arc::from(item.as_str())).collect()
}

fn guest(who: &Who) -> Found<Option<Option<Guest>>> {
    let home_tenant = who.home_tenant.as_deref().map(Arc::from);
    match who.user_type.as_deref() {
        Some("member") => Ok(Some(None)),
        text => {
            let kind = word(text, "user_type", GuestType::parse, GuestType::ALL)?;
            Ok(kind.map(|kind| Some(Guest { kind, home_tenant })))
        }
    }
}

fn controls(shown: &Controls) -> ControlEvidence {
    ControlEvidence {
        mfa: shown.mfa,
        approved_application: shown.approved_application,
        compliant_application: shown.compliant_application,
        password_change: shown.password_change,
        risk_remediation: shown.risk_remediation,
        authentication_strengths: shown.authentication_strengths.as_deref().map(list),
        terms_of_use: shown.terms_of_use.as_deref().map(list),
        custom_factors: shown.custom_factors.as_deref().map(list),
    }
}

/// One of a closed set of words.
fn word<T: Copy + ToString>(
    text: Option<&str>,
    member: &str,
    parse: impl Fn(&str) -> Option<T>,
    all: &[T],
) -> Found<Option<T>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let one = parse(text).ok_or_else(|| {
        let all: Vec<_> = all
            .iter()
            .map(|one| format!("`{}`", one.to_string()))
            .collect();
        SupposedError(format!(
            "{member}: `{text}` is not one of {}",
            all.join(", ")
        ))
    })?;
    Ok(Some(one))
}

/// From where: an address that no named location has, and a country that nobody could tell, unless the test says.
pub(super) fn place(
    test: &Test,
    settings: DecisionSettings,
) -> Found<(Fact<IpAddr>, Fact<Option<Country>>)> {
    let from = test.from.as_ref();
    let address = match from.and_then(|from| from.address.as_deref()) {
        None => Fact::Unknown,
        Some(text) => Fact::Known(text.parse().map_err(|_no_address| {
            SupposedError(format!("from.address: `{text}` is no address"))
        })?),
    };
    let country = match from.and_then(|from| from.country.as_deref()) {
        None => settings.missing(FactKind::Country),
        Some("none") => Fact::Known(None),
        Some(text) => {
            let expected = || {
                SupposedError(format!(
                    "from.country: `{text}` is not two letters, nor `none`"
                ))
            };
            Fact::Known(Some(Country::parse(text).ok_or_else(expected)?))
        }
    };
    Ok((address, country))
}

/// Puts the risks that a test gives in the place of none.
pub(super) fn assess(test: &Test, settings: DecisionSettings, risk: &mut Assessment) {
    let given = match &test.risk {
        None => return,
        Some(RiskOrLevel::Level(level)) => &Risk {
            agent: Some(*level),
            ..Risk::default()
        },
        Some(RiskOrLevel::Risk(risk)) => risk,
    };
    let level = |level: Level| match level {
        Level::None => Fact::Known(RiskLevel::None),
        Level::Low => Fact::Known(RiskLevel::Low),
        Level::Medium => Fact::Known(RiskLevel::Medium),
        Level::High => Fact::Known(RiskLevel::High),
        Level::Unknown => settings.risk().withheld(),
    };
    let put = |into: &mut Fact<RiskLevel>, given: Option<Level>| {
        if let Some(given) = given {
            *into = level(given);
        }
    };
    put(&mut risk.agent, given.agent);
    put(&mut risk.agent_user, given.agent_user.or(given.agent));
    put(&mut risk.user, given.user);
    put(&mut risk.sign_in, given.sign_in);
    put(&mut risk.service_principal, given.service_principal);
    if let Some(insider) = given.insider {
        risk.insider = match insider {
            InsiderLevel::None => Fact::Known(InsiderRiskLevel::None),
            InsiderLevel::Minor => Fact::Known(InsiderRiskLevel::Minor),
            InsiderLevel::Moderate => Fact::Known(InsiderRiskLevel::Moderate),
            InsiderLevel::Elevated => Fact::Known(InsiderRiskLevel::Elevated),
            InsiderLevel::Unknown if settings.risk().required => Fact::RequiredUnknown,
            InsiderLevel::Unknown => Fact::Unknown,
        };
    }
}
