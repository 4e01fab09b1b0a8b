//! The configuration of a sidecar, made from environment variables alone: one API, one tenant of Microsoft Entra, all
//! files where a pod mounts them (`docs/sidecar.md`).
//!
//! It becomes the text of a configuration, which is read like one from a file: nothing means something else here.
//! Never here: a setting that only a sidecar has, and a variable that is needed and missed in silence.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::environment::Environment;

/// What stands in place of a file's name.
pub const ENVIRONMENT: &str = "@environment";

/// The variable that every workload of SPIFFE is told its agent's socket in.
const WORKLOAD_API: &str = "SPIFFE_ENDPOINT_SOCKET";

/// Whether the configuration is to be made from the environment.
#[must_use]
pub fn is_meant(path: &Path) -> bool {
    path == Path::new(ENVIRONMENT)
}

/// How a variable's text becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The text.
    Text,
    /// The name of a file with a secret.
    SecretFile,
    /// Texts with commas between them.
    List,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
}

/// What holds where a variable is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// It has to be set: to this.
    Refused(&'static str),
    /// Without it, this.
    Value(&'static str),
    /// Without it, what this other variable says.
    Of(&'static str),
    /// Without it, this; but nothing where SPIFFE's Workload API is there to give it.
    ValueOrSpiffe(&'static str),
    /// Without it, what every configuration has.
    Usual,
}

/// One variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The member that it sets, by its path; a number is a place in a list.
    pub member: &'static str,
    /// How it is written.
    pub form: Form,
    /// Where it is not set.
    pub unset: Unset,
}

const fn variable(name: &'static str, member: &'static str, form: Form, unset: Unset) -> Variable {
    Variable {
        name,
        member,
        form,
        unset,
    }
}

/// Every variable that a sidecar's configuration is made from.
pub const VARIABLES: &[Variable] = {
    use Form::{Flag, List, Number, SecretFile, Text};
    use Unset::{Of, Refused, Usual, Value, ValueOrSpiffe};
    &[
        variable(
            "BOOMGATE_UPSTREAM_URL",
            "resources.0.upstream.url",
            Text,
            Value("http://127.0.0.1:8080"),
        ),
        variable(
            "BOOMGATE_UPSTREAM_PROTOCOL",
            "resources.0.upstream.protocol",
            Text,
            Usual,
        ),
        variable(
            "BOOMGATE_UPSTREAM_CA_FILE",
            "resources.0.upstream.tls.ca_file",
            Text,
            Usual,
        ),
        variable(
            "BOOMGATE_UPSTREAM_SPIFFE_IDS",
            "resources.0.upstream.tls.spiffe_ids",
            List,
            Usual,
        ),
        variable(
            "BOOMGATE_RESOURCE_NAME",
            "resources.0.name",
            Text,
            Value("api"),
        ),
        variable(
            "BOOMGATE_APP_ID",
            "resources.0.app_id",
            Text,
            Refused("the appId by which policies name the API"),
        ),
        variable(
            "BOOMGATE_AUDIENCES",
            "resources.0.audiences",
            List,
            Of("BOOMGATE_APP_ID"),
        ),
        variable("BOOMGATE_HOSTS", "resources.0.hosts", List, Value("*")),
        variable(
            "BOOMGATE_TENANT_ID",
            "issuers.0.tenant",
            Text,
            Refused("the id of the tenant that issues tokens"),
        ),
        variable("BOOMGATE_KEYS_FILE", "issuers.0.keys.file", Text, Usual),
        variable("BOOMGATE_JWKS_URI", "issuers.0.keys.jwks_uri", Text, Usual),
        variable(
            "BOOMGATE_ISSUER_CA_FILE",
            "issuers.0.keys.ca_file",
            Text,
            Usual,
        ),
        variable(
            "BOOMGATE_LISTEN",
            "listeners.0.address",
            Text,
            Value("0.0.0.0:8443"),
        ),
        variable(
            "BOOMGATE_TLS_CERTIFICATE_FILE",
            "listeners.0.tls.certificate_file",
            Text,
            ValueOrSpiffe("/etc/boomgate/tls/tls.crt"),
        ),
        variable(
            "BOOMGATE_TLS_KEY_FILE",
            "listeners.0.tls.key_file",
            Text,
            ValueOrSpiffe("/etc/boomgate/tls/tls.key"),
        ),
        variable(WORKLOAD_API, "spiffe.endpoint_socket", Text, Usual),
        variable(
            "BOOMGATE_MANAGEMENT_LISTEN",
            "management.address",
            Text,
            Value("0.0.0.0:9443"),
        ),
        variable(
            "BOOMGATE_MANAGEMENT_CERTIFICATE_FILE",
            "management.tls.certificate_file",
            Text,
            Of("BOOMGATE_TLS_CERTIFICATE_FILE"),
        ),
        variable(
            "BOOMGATE_MANAGEMENT_KEY_FILE",
            "management.tls.key_file",
            Text,
            Of("BOOMGATE_TLS_KEY_FILE"),
        ),
        variable(
            "BOOMGATE_MANAGEMENT_HOSTS",
            "management.allowed_hosts",
            List,
            Value("localhost"),
        ),
        variable(
            "BOOMGATE_ADMIN_TOKEN_FILE",
            "management.admin_token",
            SecretFile,
            Value("/etc/boomgate/admin-token/token"),
        ),
        variable(
            "BOOMGATE_UNAUTHENTICATED_PROBES",
            "management.unauthenticated_probes",
            Flag,
            Value("true"),
        ),
        variable(
            "BOOMGATE_POLICIES_DIR",
            "policies.dir",
            Text,
            Value("/etc/boomgate/policies"),
        ),
        variable(
            "BOOMGATE_NAMED_LOCATIONS_DIR",
            "named_locations.dir",
            Text,
            Usual,
        ),
        variable("BOOMGATE_DIRECTORY_DIR", "directory.dir", Text, Usual),
        variable("BOOMGATE_RISK_FILE", "risk.file", Text, Usual),
        variable(
            "BOOMGATE_STATE_DIR",
            "store.dir",
            Text,
            Value("/var/lib/boomgate"),
        ),
        variable("BOOMGATE_RECORDS_FILE", "records.file", Text, Usual),
        variable("BOOMGATE_LOG_FORMAT", "log.format", Text, Value("json")),
        variable("BOOMGATE_WORKERS", "workers", Number, Usual),
    ]
};

/// The text of the configuration: JSON, which is YAML too.
///
/// # Errors
/// One message for each variable that has to be set and is not, or that is not written as it should be.
pub fn text(environment: Environment<'_>) -> Result<String, Vec<String>> {
    let mut config = json!({
        "listeners": [{"name": "public"}],
        "issuers": [{"name": "entra", "profile": "entra"}],
    });
    let mut faults = Vec::new();
    for variable in VARIABLES {
        match value(variable, environment) {
            Ok(Some(value)) => put(&mut config, variable.member, value),
            Ok(None) => {}
            Err(message) => faults.push(message),
        }
    }
    if environment(WORKLOAD_API).is_some() {
        use_workload_api(&mut config);
    }
    if faults.is_empty() {
        Ok(config.to_string())
    } else {
        Err(faults)
    }
}

/// With a Workload API, whatever has no certificate from a file shows the one that the API gives: both listeners, and the
/// gateway to an upstream that is known by its SPIFFE id.
fn use_workload_api(config: &mut Value) {
    for listener in ["listeners.0", "management"] {
        let file = format!("/{}/tls/certificate_file", listener.replace('.', "/"));
        if config.pointer(&file).is_none() {
            put(config, &format!("{listener}.tls.spiffe"), true.into());
        }
    }
    if config
        .pointer("/resources/0/upstream/tls/spiffe_ids")
        .is_some()
    {
        let member = "resources.0.upstream.tls.client_certificate.spiffe";
        put(config, member, true.into());
    }
}

fn value(variable: &Variable, environment: Environment<'_>) -> Result<Option<Value>, String> {
    let name = variable.name;
    let Some(text) = written(variable, environment)? else {
        return Ok(None);
    };
    // A configuration's text may hold variables of its own; this one is a value already.
    let text = text.replace("${", "$${");
    let value = match variable.form {
        Form::Text => Value::String(text),
        Form::SecretFile => Value::String(format!("file:{text}")),
        Form::List => text.split(',').map(str::trim).collect(),
        Form::Flag => match text.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            _ => return Err(format!("`{name}` is `{text}`, expected true or false")),
        },
        Form::Number => match text.parse::<u64>() {
            Ok(number) => number.into(),
            Err(_) => return Err(format!("`{name}` is `{text}`, expected a whole number")),
        },
    };
    Ok(Some(value))
}

/// What a variable says, or is taken to say.
fn written(variable: &Variable, environment: Environment<'_>) -> Result<Option<String>, String> {
    if let Some(text) = environment(variable.name) {
        return Ok(Some(text));
    }
    match variable.unset {
        Unset::ValueOrSpiffe(_) if environment(WORKLOAD_API).is_some() => Ok(None),
        Unset::Value(text) | Unset::ValueOrSpiffe(text) => Ok(Some(text.to_owned())),
        Unset::Usual => Ok(None),
        Unset::Refused(expected) => Err(format!(
            "the environment variable `{}` is not set, expected {expected}. Without a configuration file (`--config FILE`), \
             a sidecar is configured by environment variables",
            variable.name
        )),
        Unset::Of(other) => match VARIABLES.iter().find(|known| known.name == other) {
            // That the other one is missing is said once, of itself.
            Some(other) => Ok(written(other, environment).unwrap_or_default()),
            None => Ok(None),
        },
    }
}

/// Puts a value at a path, and makes what is missing on the way.
fn put(config: &mut Value, member: &str, value: Value) {
    let mut at = config;
    for step in member.split('.') {
        at = match step.parse::<usize>() {
            Ok(place) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let Value::Array(items) = at else { return };
                while items.len() <= place {
                    items.push(Value::Object(Map::new()));
                }
                let Some(item) = items.get_mut(place) else {
                    return;
                };
                item
            }
            Err(_) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                let Value::Object(members) = at else { return };
                members.entry(step).or_insert(Value::Null)
            }
        };
    }
    *at = value;
}
