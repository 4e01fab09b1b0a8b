//! From a request's JSON to a [`Question`], each member by its place.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Conditions, Identity, Question, Target, UserAction};
use crate::management::graph::GraphError;
use crate::management::odata::Version;
use crate::types::attributes::fold;
use crate::types::json::is_annotation;
use crate::types::{
    AppId, AttributeValue, Attributes, ClientAppType, Country, DevicePlatform, GuestType, IdError,
    InsiderRiskLevel, ObjectId, RiskLevel, TransferMethod,
};
use http::StatusCode;

/// Reads the members of one object.
pub(in super::super) struct Reader<'a> {
    object: &'a Map<String, Value>,
    version: Version,
    /// The way to it, for messages.
    path: String,
}

type Read<T> = Result<T, GraphError>;

impl<'a> Reader<'a> {
    pub(in super::super) const fn new(object: &'a Map<String, Value>, version: Version) -> Self {
        Self {
            object,
            version,
            path: String::new(),
        }
    }

    pub(super) fn question(&self) -> Read<Question> {
        self.only(&[
            "signInIdentity",
            "signInContext",
            "signInConditions",
            "appliedPoliciesOnly",
        ])?;
        let identity = self.required("signInIdentity")?.identity()?;
        let target = self.required("signInContext")?.context()?;
        let (conditions, applied_only) = self.rest()?;
        Ok(Question {
            identity,
            target,
            conditions,
            applied_only,
        })
    }

    /// What stands beside the annotation that says who calls what.
    pub(in super::super) fn beside_call(&self, call: &str) -> Read<(Conditions, bool)> {
        self.only(&[call, "signInConditions", "appliedPoliciesOnly"])?;
        self.rest()
    }

    fn rest(&self) -> Read<(Conditions, bool)> {
        let conditions = match self.inner("signInConditions")? {
            Some(inner) => inner.conditions()?,
            None => Conditions::default(),
        };
        let applied_only = self.boolean("appliedPoliciesOnly")?.unwrap_or(false);
        Ok((conditions, applied_only))
    }

    fn identity(&self) -> Read<Identity> {
        match self.kind()? {
            "agentSignIn" if self.version == Version::Beta => {
                self.only(&["agentServicePrincipalId"])?;
                Ok(Identity::Agent(self.id("agentServicePrincipalId")?))
            }
            "userSignIn" => {
                self.only(&["userId", "externalTenantId", "externalUserType"])?;
                Ok(Identity::User {
                    id: self.id("userId")?,
                    guest: self.name("externalUserType", GuestType::parse)?,
                    home_tenant: self.text("externalTenantId")?.map(Arc::from),
                })
            }
            "servicePrincipalSignIn" => {
                self.only(&["servicePrincipalId"])?;
                Ok(Identity::ServicePrincipal(self.id("servicePrincipalId")?))
            }
            _ => Err(self.wrong(
                "@odata.type",
                "expected `#microsoft.graph.userSignIn`, `#microsoft.graph.servicePrincipalSignIn` or, of beta, \
                 `#microsoft.graph.agentSignIn`",
            )),
        }
    }

    fn context(&self) -> Read<Target> {
        match self.kind()? {
            "applicationContext" => {
                self.only(&["includeApplications"])?;
                self.applications().map(Target::Applications)
            }
            "userActionContext" => {
                self.only(&["userAction"])?;
                let action = self.name("userAction", |text| match text {
                    "registerSecurityInformation" => Some(UserAction::RegisterSecurityInformation),
                    "registerOrJoinDevices" => Some(UserAction::RegisterOrJoinDevices),
                    _ => None,
                })?;
                action
                    .map(Target::UserAction)
                    .ok_or_else(|| self.wrong("userAction", "expected an action"))
            }
            "authContext" => {
                self.only(&["authenticationContextValue"])?;
                let value = self.text("authenticationContextValue")?.map(Arc::from);
                let value = value.ok_or_else(|| {
                    self.wrong("authenticationContextValue", "expected a text such as `c1`")
                })?;
                Ok(Target::AuthenticationContext([value]))
            }
            _ => Err(self.wrong(
                "@odata.type",
                "expected `#microsoft.graph.applicationContext`, `#microsoft.graph.userActionContext` or \
                 `#microsoft.graph.authContext`",
            )),
        }
    }

    fn applications(&self) -> Read<Vec<AppId>> {
        let wrong = || {
            self.wrong(
                "includeApplications",
                "expected a list of appIds, at least one",
            )
        };
        let ids = self.value("includeApplications").and_then(Value::as_array);
        let ids = ids.filter(|ids| !ids.is_empty()).ok_or_else(wrong)?;
        ids.iter()
            .map(|id| AppId::parse(id.as_str().ok_or_else(wrong)?).map_err(|_no_id| wrong()))
            .collect()
    }

    fn conditions(&self) -> Read<Conditions> {
        self.only(&[
            "agentIdRiskLevel",
            "authenticationFlow",
            "clientAppType",
            "country",
            "deviceInfo",
            "devicePlatform",
            "insiderRiskLevel",
            "ipAddress",
            "servicePrincipalRiskLevel",
            "signInRiskLevel",
            "userRiskLevel",
        ])?;
        if self.version == Version::V1 && self.value("agentIdRiskLevel").is_some() {
            return Err(self.wrong("agentIdRiskLevel", "v1.0 has no such member, beta has"));
        }
        let transfer_method = match self.inner("authenticationFlow")? {
            Some(flow) => {
                flow.only(&["transferMethod"])?;
                flow.name("transferMethod", |text| match text {
                    "none" => Some(None),
                    _ => TransferMethod::parse(text).map(Some),
                })?
            }
            None => None,
        };
        Ok(Conditions {
            agent_risk: self.name("agentIdRiskLevel", RiskLevel::parse)?,
            user_risk: self.name("userRiskLevel", RiskLevel::parse)?,
            sign_in_risk: self.name("signInRiskLevel", RiskLevel::parse)?,
            service_principal_risk: self.name("servicePrincipalRiskLevel", RiskLevel::parse)?,
            insider_risk: self.name("insiderRiskLevel", InsiderRiskLevel::parse)?,
            address: self.name("ipAddress", |text| {
                text.parse::<std::net::IpAddr>()
                    .ok()
                    .map(|ip| ip.to_canonical())
            })?,
            country: self.name("country", Country::parse)?,
            platform: self.name("devicePlatform", DevicePlatform::parse)?,
            client_app_type: self.name("clientAppType", ClientAppType::parse)?,
            transfer_method,
            device: self
                .inner("deviceInfo")?
                .map(|device| device.device())
                .transpose()?,
        })
    }

    /// Properties as device filters name them.
    fn device(&self) -> Read<Attributes> {
        let members = self.object.iter();
        let members = members.filter(|(name, value)| !is_annotation(name) && !value.is_null());
        let pairs = members.map(|(name, value)| {
            // Filters say `device.deviceOwnership`, and What-If `ownership`.
            let known_as = if name == "ownership" {
                "deviceOwnership"
            } else {
                name
            };
            let one = |value: &Value| match value {
                Value::String(text) => Some(fold(text)),
                Value::Bool(on) => Some(fold(if *on { "true" } else { "false" })),
                _ => None,
            };
            let value = match value {
                Value::Array(items) => {
                    let items: Option<Vec<_>> = items.iter().map(one).collect();
                    items.map(|items| AttributeValue::Many(items.into()))
                }
                value => one(value).map(AttributeValue::One),
            };
            let value = value.ok_or_else(|| {
                self.wrong(name, "expected a text, true or false, or a list of texts")
            })?;
            Ok((Arc::from(known_as), value))
        });
        Ok(Attributes::from_pairs(pairs.collect::<Read<Vec<_>>>()?))
    }

    /// The type that the object says it is, less its namespace.
    fn kind(&self) -> Read<&'a str> {
        let kind = self.object.get("@odata.type").and_then(Value::as_str);
        let kind = kind.and_then(|kind| {
            kind.trim_start_matches('#')
                .strip_prefix("microsoft.graph.")
        });
        kind.ok_or_else(|| self.wrong("@odata.type", "expected the type of the object"))
    }

    /// Nothing but these, and annotations.
    fn only(&self, names: &[&str]) -> Read<()> {
        let mut members = self.object.keys();
        match members.find(|name| !is_annotation(name) && !names.contains(&name.as_str())) {
            Some(name) => Err(self.wrong(name, "not a member that is known here")),
            None => Ok(()),
        }
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn inner(&self, name: &str) -> Read<Option<Self>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Self {
                object,
                version: self.version,
                path: self.at(name),
            })),
            Some(_) => Err(self.wrong(name, "expected an object")),
        }
    }

    fn required(&self, name: &str) -> Read<Self> {
        let inner = self.inner(name)?;
        inner.ok_or_else(|| self.wrong(name, "expected an object"))
    }

    fn text(&self, name: &str) -> Read<Option<&'a str>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "expected a text")),
        }
    }

    fn boolean(&self, name: &str) -> Read<Option<bool>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(on)) => Ok(Some(*on)),
            Some(_) => Err(self.wrong(name, "expected true or false")),
        }
    }

    fn id(&self, name: &str) -> Read<ObjectId> {
        let text = self.text(name)?.unwrap_or_default();
        ObjectId::parse(text).map_err(|fault: IdError| self.wrong(name, &fault.to_string()))
    }

    /// A text that `parse` understands.
    fn name<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Read<Option<T>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let value = parse(text).ok_or_else(|| {
            self.wrong(name, &format!("`{text}` is not a value that is known here"))
        })?;
        Ok(Some(value))
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn wrong(&self, name: &str, what: &str) -> GraphError {
        let at = self.at(name);
        let message = format!("{at}: {what}");
        GraphError::new(StatusCode::BAD_REQUEST, message).with_details(vec![(at, what.to_owned())])
    }
}
