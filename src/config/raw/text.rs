//! The texts of a configuration that have a form: durations, sizes, addresses, names, paths, URLs.
//!
//! Each form has one parser. The check of the structure finds it by the schema's `format` and says at which
//! place a text is refused; deserialization runs the same parser. A refusal is a predicate that follows the
//! text as the operator wrote it, and never repeats the text itself.

mod parse;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use crate::call::resource::HostPattern;
use crate::identity;
use crate::spiffe;
use crate::types::{self, AppId, ObjectId, ResourceName, TenantId};
use parse::{
    DURATION_UNITS, SIZE_UNITS, address, authentication_context, document_url, duration, exact,
    file, id_prefix, json_pointer, key_pin, label, name, path_prefix, path_template,
    request_target, size, tenant, to_unit, upstream_url, workload_endpoint,
};

/// Checks one text; an error is a predicate such as `is not a duration, expected …`.
pub type Check = fn(&str) -> Result<(), String>;

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident($inner:ty) = $format:literal, $pattern:literal, $example:literal, $parse:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
            #[serde(try_from = "String")]
            pub struct $name(pub $inner);

            impl TryFrom<String> for $name {
                type Error = String;

                fn try_from(text: String) -> Result<Self, String> {
                    let parse: fn(&str) -> Result<$inner, String> = $parse;
                    parse(&text).map(Self)
                }
            }

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({
                        "type": "string",
                        "format": $format,
                        "pattern": $pattern,
                        "examples": [$example],
                    })
                }
            }
        )*

        /// Every form by the `format` that it has in the schema.
        const FORMATS: &[(&str, Check)] = &[$(($format, |text| {
            $name::try_from(text.to_owned()).map(drop)
        }),)*];

        #[cfg(test)]
        const EXAMPLES: &[(&str, &str, &str)] = &[$(($format, $pattern, $example),)*];
    };
}

// A pattern lets an environment variable stand anywhere, since an editor sees the text before it is filled in.
text_types! {
    /// A length of time.
    Duration(std::time::Duration) = "duration-with-unit", r"^[0-9]+(ms|s|m|h|d)$|\$\{", "5s", duration;
    /// A number of bytes.
    Size(u64) = "size-with-unit", r"^[0-9]+(B|KiB|MiB|GiB)$|\$\{", "16KiB", size;
    /// An address to listen at.
    Address(SocketAddr) = "socket-address", r"^.+:[0-9]+$|\$\{", "127.0.0.1:8443", address;
    /// A name that may stand in a metric's label.
    Name(Arc<str>) = "name", r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$|\$\{", "hr-api", name;
    /// The name of a resource.
    Resource(ResourceName) = "resource-name", r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$|\$\{", "hr-api", |text| {
        let name = name(text)?;
        ResourceName::parse(&name).map_err(|error| format!("is not a name: {error}"))
    };
    /// A text for people.
    Label(Arc<str>) = "label", r"^.{1,256}$|\$\{", "HR API", label;
    /// A text that is compared exactly.
    Exact(Arc<str>) = "exact", r"^\S{1,512}$|\$\{", "api://hr-api", exact;
    /// A grant control by Graph's name; of some there is one per id.
    GrantControl(identity::GrantControl) = "grant-control", r"^([A-Za-z]+)(:\S{1,512})?$|\$\{", "mfa", |text| {
        identity::GrantControl::parse(text).ok_or_else(|| {
            "is not a grant control that an issuer can enforce, expected `mfa`, `compliantDevice`, `domainJoinedDevice`, `approvedApplication`, `compliantApplication`, `passwordChange`, `riskRemediation`, `authenticationStrength:ID`, `termsOfUse:ID` or `customAuthenticationFactor:NAME`".to_owned()
        })
    };
    /// The beginning of all ids of one issuer.
    IdPrefix(Arc<str>) = "id-prefix", r"^[!-~]{1,63}[:/]$|\$\{", "workforce:", id_prefix;
    /// An application's id.
    Application(AppId) = "app-id", r"^\S{1,512}$|\$\{", "e5e5e5e5-0000-4000-8000-000000000005", |text| {
        AppId::parse(text).map_err(|error| format!("is not an id: {error}"))
    };
    /// A directory object's id.
    Object(ObjectId) = "object-id", r"^\S{1,512}$|\$\{", "f6f6f6f6-0000-4000-8000-000000000006", |text| {
        ObjectId::parse(text).map_err(|error| format!("is not an id: {error}"))
    };
    /// A tenant's id.
    Tenant(TenantId) = "tenant-id", r"^[0-9A-Fa-f-]{36}$|\$\{", "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00", tenant;
    /// The path of a file or folder; a relative one starts at the configuration file's folder.
    File(PathBuf) = "file-path", r"^.+$", "certs/server.pem", file;
    /// A host: a name, `*.` and a name, or `*`.
    Host(HostPattern) = "host", r"^(\*|(\*\.)?[A-Za-z0-9_.-]+)$|\$\{", "hr.example.com", |text| {
        HostPattern::parse(text).ok_or_else(|| {
            "is not a host, expected a name without port, `*.` and a name, or `*`".to_owned()
        })
    };
    /// An authentication context class reference.
    AuthenticationContext(Arc<str>) = "authentication-context", r"^c[1-9][0-9]?$|\$\{", "c1", authentication_context;
    /// A range of addresses, or one address.
    IpRange(types::IpRange) = "ip-range", r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$|\$\{", "198.51.100.0/24", |text| {
        types::IpRange::parse(text).ok_or_else(|| {
            "is not a range of addresses, expected one such as `198.51.100.0/24` or `2001:db8::/48`".to_owned()
        })
    };
    /// A path and all below it, by whole segments.
    PathPrefix(Arc<str>) = "path-prefix", r"^/|\$\{", "/hr", path_prefix;
    /// A path with `{parameters}`, and `/**` at its end for all that is below.
    PathTemplate(Template) = "path-template", r"^/|\$\{", "/people/{id}", path_template;
    /// The address of an API.
    UpstreamUrl(Upstream) = "upstream-url", r"^https?://|\$\{", "https://hr.internal:8443", upstream_url;
    /// Path and query of a request of our own.
    RequestTarget(Arc<str>) = "request-target", r"^/|\$\{", "/healthz", request_target;
    /// A place in a JSON document (RFC 6901).
    JsonPointer(Arc<str>) = "json-pointer", r"^/|\$\{", "/agent/id", json_pointer;
    /// The address of a document that is fetched.
    DocumentUrl(Arc<str>) = "document-url", r"^https://|\$\{", "https://issuer.example.com/jwks.json", document_url;
    /// The name of a header.
    HeaderName(http::HeaderName) = "header-name", r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$|\$\{", "X-API-Key", |text| {
        text.parse().map_err(|_error| "is not the name of a header, expected one such as `X-API-Key`".to_owned())
    };
    /// The pin of a key, as of RFC 7469.
    KeyPin([u8; 32]) = "key-pin", r"^sha256/[A-Za-z0-9+/]{43}=$|\$\{", "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", |text| {
        key_pin(text).ok_or_else(|| {
            "is not the pin of a key, expected `sha256/` and the base64 of 32 bytes".to_owned()
        })
    };
    /// The id of a workload.
    SpiffeId(spiffe::SpiffeId) = "spiffe-id", r"^spiffe://[a-z0-9._-]+/|\$\{", "spiffe://example.org/ns/hr/sa/api", |text| {
        spiffe::SpiffeId::parse(text).ok_or_else(|| {
            "is not the SPIFFE id of a workload, expected one such as `spiffe://example.org/ns/hr/sa/api`".to_owned()
        })
    };
    /// The socket of SPIFFE's Workload API.
    WorkloadEndpoint(PathBuf) = "workload-endpoint", r"^unix:/|\$\{", "unix:///run/spire/agent.sock", workload_endpoint;
    /// A secret: an environment variable or a file, never the secret itself.
    SecretSource(Arc<str>) = "secret-source", r"^(\$\{.+\}|file:.+)$", "file:admin-token", |text| Ok(text.into());
}

/// The parser of a schema's `format`, if it is one of ours.
#[must_use]
pub fn check_of(format: &str) -> Option<Check> {
    FORMATS
        .iter()
        .find(|(known, _)| *known == format)
        .map(|(_, check)| *check)
}

/// A path template, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The template as it was written.
    pub text: Arc<str>,
    /// Its segments; `None` is a parameter.
    pub segments: Vec<Option<Arc<str>>>,
    /// Whether it ended in `/**`.
    pub open_ended: bool,
}

/// An upstream's address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Host name or address, without brackets.
    pub host: Arc<str>,
    /// Port; that of the scheme where none is given.
    pub port: u16,
    /// Whether the scheme is `https`.
    pub tls: bool,
}

impl Upstream {
    /// Whether it is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        *self.host == *"localhost"
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        to.serialize_str(&to_unit(millis, &DURATION_UNITS))
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&to_unit(self.0, &SIZE_UNITS))
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl Serialize for PathPrefix {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl Duration {
    /// A default of this many milliseconds.
    #[must_use]
    pub const fn millis(millis: u64) -> Self {
        Self(std::time::Duration::from_millis(millis))
    }

    /// A default of this many seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }
}

impl Size {
    /// A default of this many KiB.
    #[must_use]
    pub const fn kib(kib: u64) -> Self {
        Self(kib.saturating_mul(1 << 10))
    }

    /// The size as a count of this machine, which is never smaller than 32 bits.
    #[must_use]
    pub fn to_usize(&self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests;
