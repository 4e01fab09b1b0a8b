//! Subject identifiers (RFC 9493): how other systems name whom they speak of, and which of our ids that is.
//!
//! Never here: a subject that is guessed. What does not lead to an id leads to none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::directory::Directory;
use super::issuers::Issuers;
use super::settings::Profile;
use crate::types::ObjectId;

/// How many names one subject may have (RFC 9493 §3.2.8).
const MAX_ALIASES: usize = 64;

/// How many members a complex subject may have (SSF §3.3).
const MAX_MEMBERS: usize = 16;

/// Why a value is no subject identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// A member is missing, or not what it should be.
    #[error("`{0}` is missing or not {1}")]
    Member(&'static str, &'static str),
    /// A format that is not read here.
    #[error(
        "the format `{0}` is not understood, expected `iss_sub`, `opaque`, `uri`, `email`, `account`, `jwt_id`, `aliases` or `complex`"
    )]
    Format(String),
}

/// One subject identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectId {
    /// `iss_sub`: a subject of an issuer's tokens.
    IssuerSubject {
        /// The issuer, as its tokens write it.
        issuer: String,
        /// The subject.
        subject: String,
    },
    /// `opaque`: an id as the directory and policies write it.
    Opaque(String),
    /// `uri`: a SPIFFE id, or another id that is a URI.
    Uri(String),
    /// `email` and `account`: an agent user's principal name.
    Email(String),
    /// `aliases`: several names of one subject.
    Aliases(Vec<Self>),
    /// `jwt_id`: one token (SSF §3.2.1).
    Token {
        /// Its issuer, as the token writes it.
        issuer: String,
        /// Its `jti`.
        id: String,
    },
    /// `complex`: what is common to all of these, by the kind of each: `user`, `application`, `session`, … (SSF §3.3).
    /// `None`: a name of a format that is not read here.
    Complex(BTreeMap<String, Option<Self>>),
}

impl SubjectId {
    /// Reads one.
    ///
    /// # Errors
    /// [`SubjectError`] says what is wrong with it.
    pub fn read(value: &Value) -> Result<Self, SubjectError> {
        let members = value.as_object();
        let members = members.ok_or(SubjectError::Member("sub_id", "an object"))?;
        if format(members)? == "complex" {
            return Self::read_complex(members);
        }
        let of_aliases = match members.get("identifiers").and_then(Value::as_array) {
            Some(identifiers) if format(members)? == "aliases" => identifiers,
            Some(_) | None => return Self::read_simple(members),
        };
        if of_aliases.is_empty() || of_aliases.len() > MAX_ALIASES {
            return Err(SubjectError::Member("identifiers", "1 to 64 identifiers"));
        }
        let aliases = of_aliases.iter().map(|alias| {
            let members = alias.as_object();
            Self::read_simple(members.ok_or(SubjectError::Member("identifiers", "of objects"))?)
        });
        Ok(Self::Aliases(aliases.collect::<Result<_, _>>()?))
    }

    fn read_complex(members: &Map<String, Value>) -> Result<Self, SubjectError> {
        let named = members.iter().filter(|(name, _)| *name != "format");
        let named = named.map(|(name, value)| {
            let subject = match value.as_object().map(Self::read_simple) {
                Some(Ok(subject)) => Some(subject),
                // What a later standard adds may be anything.
                Some(Err(SubjectError::Format(_))) | None => None,
                Some(Err(error)) => return Err(error),
            };
            Ok((name.clone(), subject))
        });
        let named: BTreeMap<_, _> = named.collect::<Result<_, _>>()?;
        if named.is_empty() || named.len() > MAX_MEMBERS {
            return Err(SubjectError::Member(
                "sub_id",
                "1 to 16 members beside `format`",
            ));
        }
        Ok(Self::Complex(named))
    }

    fn read_simple(members: &Map<String, Value>) -> Result<Self, SubjectError> {
        let of = |name| text(members, name).map(ToOwned::to_owned);
        match format(members)? {
            "iss_sub" => Ok(Self::IssuerSubject {
                issuer: of("iss")?,
                subject: of("sub")?,
            }),
            "opaque" => Ok(Self::Opaque(of("id")?)),
            "uri" => Ok(Self::Uri(of("uri")?)),
            "email" => Ok(Self::Email(of("email")?)),
            "jwt_id" => Ok(Self::Token {
                issuer: of("iss")?,
                id: of("jti")?,
            }),
            "account" => {
                let uri = of("uri")?;
                let name = uri.strip_prefix("acct:").map(ToOwned::to_owned);
                let name = name.ok_or(SubjectError::Member("uri", "an `acct:` address"))?;
                Ok(Self::Email(name))
            }
            other => Err(SubjectError::Format(other.to_owned())),
        }
    }

    /// Our ids of this subject: none if nothing leads to one.
    #[must_use]
    pub fn ids(&self, issuers: &Issuers, directory: &Directory) -> BTreeSet<ObjectId> {
        match self {
            Self::IssuerSubject { issuer, subject } => {
                let issuer = issuers.of(issuer);
                let id = issuer.and_then(|issuer| with_prefix(&issuer.settings.profile, subject));
                id.into_iter().collect()
            }
            Self::Opaque(id) => ObjectId::parse(id).into_iter().collect(),
            Self::Uri(uri) => {
                // An issuer's agents are known by its prefix; which issuer is meant, only the directory can tell.
                let prefixed = issuers
                    .iter()
                    .filter_map(|issuer| with_prefix(&issuer.settings.profile, uri))
                    .filter(|id| {
                        let id = id.as_str();
                        directory.agent(id).is_some() || directory.agent_user(id).is_some()
                    });
                prefixed.chain(ObjectId::parse(uri).ok()).collect()
            }
            Self::Email(name) => directory
                .agent_users()
                .filter(|user| {
                    let known = user.user_principal_name.as_deref();
                    known.is_some_and(|known| known.eq_ignore_ascii_case(name))
                })
                .filter_map(|user| ObjectId::parse(user.id.as_str()).ok())
                .collect(),
            // Of one token, and of what several are about, no id is all.
            Self::Token { .. } | Self::Complex(_) => BTreeSet::new(),
            Self::Aliases(aliases) => aliases
                .iter()
                .flat_map(|alias| alias.ids(issuers, directory))
                .collect(),
        }
    }
}

/// The id of a subject of an issuer's tokens, as tokens of that issuer give it.
fn with_prefix(profile: &Profile, subject: &str) -> Option<ObjectId> {
    let prefix = match profile {
        Profile::Entra { .. } => None,
        Profile::Oidc(mapping) => mapping.id_prefix.as_deref(),
    };
    ObjectId::parse(&format!("{}{subject}", prefix.unwrap_or_default())).ok()
}

/// The format; older transmitters call it otherwise (RISC 1.0 §3.1).
fn format(members: &Map<String, Value>) -> Result<&str, SubjectError> {
    let is_older = !members.contains_key("format") && members.contains_key("subject_type");
    let format = text(members, if is_older { "subject_type" } else { "format" })?;
    Ok(match (is_older, format) {
        (true, "iss-sub") => "iss_sub",
        (_, format) => format,
    })
}

fn text<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, SubjectError> {
    let text = members.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
        .ok_or(SubjectError::Member(name, "a text"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::identity::settings::{ClaimMapping, IssuerSettings, KeyOrigin, KeySettings};
    use crate::identity::{AgentIdentity, AgentUser, Issuer};
    use crate::types::{AgentId, AgentUserId, Attributes, TenantId};

    fn issuer(name: &str, profile: Profile) -> Issuer {
        let settings = IssuerSettings {
            name: name.into(),
            issuers: vec![format!("https://{name}.example").into()],
            profile,
            algorithms: Vec::new(),
            types: Vec::new(),
            type_may_be_missing: false,
            leeway: Duration::ZERO,
            max_lifetime: Duration::ZERO,
            vouched: Arc::default(),
            keys: KeySettings {
                origin: KeyOrigin::File("keys.json".into()),
                ca_file: None,
                refresh_interval: Duration::ZERO,
                min_refresh_interval: Duration::ZERO,
                stale_after: Duration::ZERO,
                timeout: Duration::ZERO,
                max_bytes: 0,
            },
        };
        Issuer {
            settings: Arc::new(settings),
            keys: None,
        }
    }

    fn ids(value: &Value) -> Vec<String> {
        let prefixed = ClaimMapping {
            id_prefix: Some("work:".into()),
            ..ClaimMapping::default()
        };
        let tenant = TenantId::parse("t").unwrap();
        let issuers = Issuers::new(vec![
            issuer("entra", Profile::Entra { tenant }),
            issuer("work", Profile::Oidc(Arc::new(prefixed))),
        ]);
        let agent = AgentIdentity {
            id: AgentId::parse("work:spiffe://d/a").unwrap(),
            blueprint: None,
            display_name: "a".into(),
            enabled: true,
            attributes: Attributes::none(),
            sponsors: Vec::new(),
            created_at: None,
        };
        let user = AgentUser {
            id: AgentUserId::parse("u").unwrap(),
            identity_parent: agent.id.clone(),
            display_name: "u".into(),
            user_principal_name: Some("hr-agent@example.com".into()),
            enabled: true,
            attributes: Attributes::none(),
        };
        let directory = Directory::new(Vec::new(), vec![agent.into()], vec![user.into()]);
        let ids = SubjectId::read(value).unwrap().ids(&issuers, &directory);
        ids.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_format_leads_to_the_ids_that_tokens_carry() {
        let guid = "A9A9A9A9-0000-4000-8000-000000000002";
        let entra = json!({"format": "iss_sub", "iss": "https://entra.example", "sub": guid});
        assert_eq!(ids(&entra), [guid.to_lowercase()]);
        let work = json!({"format": "iss_sub", "iss": "https://work.example", "sub": "7c1e"});
        assert_eq!(ids(&work), ["work:7c1e"]);
        let other = json!({"format": "iss_sub", "iss": "https://other.example", "sub": "7c1e"});
        assert_eq!(ids(&other), [""; 0]);
        assert_eq!(
            ids(&json!({"format": "opaque", "id": "work:7c1e"})),
            ["work:7c1e"]
        );
        let uri = json!({"format": "uri", "uri": "spiffe://d/a"});
        assert_eq!(ids(&uri), ["spiffe://d/a", "work:spiffe://d/a"]);
        let email = json!({"format": "email", "email": "HR-agent@example.com"});
        assert_eq!(ids(&email), ["u"]);
        let account = json!({"format": "account", "uri": "acct:nobody@example.com"});
        assert_eq!(ids(&account), [""; 0]);
        let aliases = json!({"format": "aliases", "identifiers": [email, work]});
        assert_eq!(ids(&aliases), ["u", "work:7c1e"]);
    }

    #[test]
    fn what_is_no_identifier_says_why() {
        for (value, message) in [
            (json!("a"), "`sub_id` is missing or not an object"),
            (json!({}), "`format` is missing or not a text"),
            (json!({"format": "opaque"}), "`id` is missing or not a text"),
            (
                json!({"format": "account", "uri": "a@b"}),
                "`uri` is missing or not an `acct:` address",
            ),
            (
                json!({"format": "aliases", "identifiers": []}),
                "`identifiers` is missing or not 1 to 64 identifiers",
            ),
        ] {
            assert_eq!(SubjectId::read(&value).unwrap_err().to_string(), message);
        }
        let nested =
            json!({"format": "aliases", "identifiers": [{"format": "aliases", "identifiers": []}]});
        let error = SubjectId::read(&nested).unwrap_err();
        assert_eq!(error, SubjectError::Format("aliases".to_owned()));
    }
}
