//! What is supposed to be called: a resource, or the method and path of a call.
//!
//! Never here: a reading of paths and hosts other than that of the gateway.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Method;
use serde::{Deserialize, Serialize};

use super::SupposedError;
use super::who::{is_called, one};
use crate::call::{Authority, HostPattern, Resource, Resources, Target, is_forwarded};
use crate::capability::Operation;

/// What for: a resource or a path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct What {
    /// This resource, by its name, appId or display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The resource that answers to this path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The host beside the path, where resources of several hosts have the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The method beside the path; GET without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// What is called.
#[derive(Debug)]
pub struct Call {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The operation, as far as a path was given.
    pub operation: Operation,
    /// Method, and path in normal form.
    pub request: Option<(Method, Arc<str>)>,
}

impl What {
    /// What is called.
    ///
    /// # Errors
    /// When no resource has that name or path, or several have; when the gateway would not read such a call.
    pub fn find(&self, resources: &Resources) -> Result<Call, SupposedError> {
        match (&self.resource, &self.path) {
            (Some(_), Some(_)) => Err(SupposedError(
                "a resource and a path are given, expected one of them".to_owned(),
            )),
            (None, Some(path)) => self.of_path(path, resources),
            (Some(name), None) => Ok(Call {
                resource: named(name, resources)?,
                operation: Operation::default(),
                request: None,
            }),
            (None, None) => Err(SupposedError(
                "neither a resource nor a path is given".to_owned(),
            )),
        }
    }

    fn of_path(&self, path: &str, resources: &Resources) -> Result<Call, SupposedError> {
        let text = self.method.as_deref().unwrap_or("GET");
        let method = Method::from_bytes(text.as_bytes())
            .ok()
            .filter(is_forwarded);
        let method = method.ok_or_else(|| {
            SupposedError(format!(
                "`{text}` is a method that is never forwarded, expected one such as `GET`"
            ))
        })?;
        let target = Target::parse(path)
            .map_err(|fault| SupposedError(format!("`{path}` is refused whoever asks: {fault}")))?;
        let resource = self.answers_to(&target.path, resources)?;
        Ok(Call {
            operation: Operation::find(&resource, &method, &target.path),
            resource,
            request: Some((method, target.path)),
        })
    }

    fn answers_to(
        &self,
        path: &str,
        resources: &Resources,
    ) -> Result<Arc<Resource>, SupposedError> {
        let hosts = match &self.host {
            Some(text) => {
                let authority = Authority::parse(text)
                    .ok_or_else(|| SupposedError(format!("`{text}` is not a host")))?;
                BTreeSet::from([authority.host.to_string()])
            }
            None => hosts(resources),
        };
        let mut found: Vec<&Arc<Resource>> = Vec::new();
        for resource in hosts.iter().filter_map(|host| resources.find(host, path)) {
            if !found.iter().any(|known| known.name == resource.name) {
                found.push(resource);
            }
        }
        match found.as_slice() {
            [resource] => Ok(Arc::clone(resource)),
            [] => Err(SupposedError(format!(
                "no resource answers to `{path}`: the call would get 404"
            ))),
            several => {
                let names: Vec<_> = several
                    .iter()
                    .map(|resource| resource.name.as_str())
                    .collect();
                let names = names.join(", ");
                Err(SupposedError(format!(
                    "`{path}` is a path of several resources ({names}): say which by `--host`"
                )))
            }
        }
    }
}

/// A host for each pattern that a resource has. No name has a label `*`, so only wildcards match what stands for them.
fn hosts(resources: &Resources) -> BTreeSet<String> {
    let patterns = resources.iter().flat_map(|resource| &resource.hosts);
    patterns
        .map(|pattern| match pattern {
            HostPattern::Exact(name) => name.to_string(),
            HostPattern::Wildcard(suffix) => format!("*{suffix}"),
            HostPattern::Any => "*".to_owned(),
        })
        .collect()
}

/// The resource of this name, else the only one with this appId or display name.
fn named(given: &str, resources: &Resources) -> Result<Arc<Resource>, SupposedError> {
    let of_name = |name: &str| {
        resources
            .iter()
            .find(|resource| resource.name.as_str() == name)
    };
    let called = resources.iter().filter(|resource| {
        is_called(given, resource.app_id.as_str()) || is_called(given, &resource.display_name)
    });
    let found = match of_name(given) {
        Some(resource) => Some(resource),
        None => one(
            "resources",
            given,
            called.map(|resource| resource.name.as_str()),
        )?
        .and_then(of_name),
    };
    found.map(Arc::clone).ok_or_else(|| {
        let names: Vec<_> = resources
            .iter()
            .map(|resource| resource.name.as_str())
            .collect();
        SupposedError(format!(
            "there is no resource `{given}`; there are: {}",
            names.join(", ")
        ))
    })
}
