//! A file of policy tests as its author writes it. Its JSON Schema is generated, and every slip gets its place.
//!
//! Never here: whom a name means, and whether a test holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::config::member::MemberPath;
use crate::config::{folders, schema, structure, tree};
use crate::types::{Fault, Faults, Severity, text};

/// Tests of policies: who calls what, and what must come of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestFile {
    /// What the tests are about, for people.
    #[expect(dead_code, reason = "for who reads the file")]
    pub(super) about: Option<String>,
    /// The configuration whose resources, directory and named locations they speak of; a relative path starts at this file's folder.
    pub(super) config: Option<PathBuf>,
    /// The policies that they test, in place of those of the configuration: a folder, or a file.
    pub(super) policies: Option<PathBuf>,
    /// Further objects of the directory, as Graph exports them: a folder, or a file.
    pub(super) directory: Option<PathBuf>,
    /// The tests.
    pub(super) tests: Vec<Test>,
}

/// One call, and what must come of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    /// What it shows.
    pub(super) name: String,
    /// Who calls.
    pub(super) who: WhoOrName,
    /// The call: a method and a path, or a path alone.
    pub(super) call: Option<String>,
    /// The host beside the path, where resources of several hosts have the path.
    pub(super) host: Option<String>,
    /// The resource, where no path says it: by name, appId or display name.
    pub(super) resource: Option<String>,
    /// Custom security attributes of the resource, in place of its own.
    pub(super) resource_attributes: Option<BTreeMap<String, OneOrMany>>,
    /// The risk; of the agent alone where it is one level. Left out, there is none.
    pub(super) risk: Option<RiskOrLevel>,
    /// From where; left out, from an address that no named location has, in a country that nobody could tell.
    pub(super) from: Option<From>,
    /// Properties of the device by Graph's names of them; left out, nobody could tell.
    pub(super) device: Option<BTreeMap<String, OneOrMany>>,
    /// The platform of the device.
    pub(super) platform: Option<String>,
    /// What a human uses.
    pub(super) client_app_type: Option<String>,
    /// How the session came to this client: `deviceCodeFlow`, `authenticationTransfer` or `none`.
    pub(super) transfer_method: Option<String>,
    /// The environments that an agent user's session was started from.
    pub(super) agent_contexts: Option<Vec<String>>,
    /// What was shown of the controls that policies demand.
    pub(super) controls: Option<Controls>,
    /// Read policies only as Entra does, whatever the configuration says.
    pub(super) entra_parity: Option<bool>,
    /// What must become of the call.
    pub(super) expect: Expected,
    /// For what reason; one of those in records.
    pub(super) reason: Option<String>,
    /// Every policy that must apply, by display name or id, with its result; no other may.
    pub(super) policies: Option<BTreeMap<String, Outcome>>,
    /// Every enforced policy that must refuse the call, by display name or id; no other may.
    pub(super) blocked_by: Option<Vec<String>>,
}

/// Who calls.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum WhoOrName {
    /// An agent identity, agent user, human or workload of the directory, by name or id.
    Name(String),
    /// One of them, or somebody whom the directory does not know.
    Who(Box<Who>),
}

/// Who calls: one of the first five, and what is to be known of him.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Who {
    /// An agent identity, by name or id.
    pub(super) agent: Option<String>,
    /// An agent identity of this blueprint that the directory does not know yet, by the blueprint's name or appId.
    pub(super) blueprint: Option<String>,
    /// An agent user, by name or id.
    pub(super) agent_user: Option<String>,
    /// A human, by name or id.
    pub(super) human: Option<String>,
    /// A workload that is no agent, by name or id.
    pub(super) workload: Option<String>,
    /// For whom the agent acts, by name or id.
    pub(super) on_behalf_of: Option<String>,
    /// Custom security attributes of the agent, agent user or workload, in place of its own.
    pub(super) attributes: Option<BTreeMap<String, OneOrMany>>,
    /// Groups of the human, in place of those in the directory.
    pub(super) groups: Option<Vec<String>>,
    /// Template ids of the human's directory roles, in place of those in the directory.
    pub(super) directory_roles: Option<Vec<String>>,
    /// `member`, or as what the human is a guest.
    pub(super) user_type: Option<String>,
    /// A guest's own tenant.
    pub(super) home_tenant: Option<String>,
}

/// A value, or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    /// Text.
    One(String),
    /// `true` or `false`, as text.
    Flag(bool),
    /// A collection.
    Many(Vec<String>),
}

/// A level of the agent's risk, or of several risks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RiskOrLevel {
    /// The agent's, and its user's.
    Level(Level),
    /// Each on its own.
    Risk(Risk),
}

/// Levels of risk. Those that are left out are none.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Risk {
    /// Of the agent identity.
    pub(super) agent: Option<Level>,
    /// Of the agent user; left out, that of its agent.
    pub(super) agent_user: Option<Level>,
    /// Of the human.
    pub(super) user: Option<Level>,
    /// Of the human's sign-in.
    pub(super) sign_in: Option<Level>,
    /// Of the human as an insider.
    pub(super) insider: Option<InsiderLevel>,
    /// Of the workload.
    pub(super) service_principal: Option<Level>,
}

/// A level of risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    None,
    Low,
    Medium,
    High,
    Unknown,
}

/// A level of an insider's risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum InsiderLevel {
    None,
    Minor,
    Moderate,
    Elevated,
    Unknown,
}

/// From where a call comes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    /// The address.
    pub(super) address: Option<String>,
    /// The country of the address, as two letters; `none` of one that lies in no country.
    pub(super) country: Option<String>,
}

/// What was shown. What is left out, nobody could tell.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Controls {
    /// A second factor.
    pub(super) mfa: Option<bool>,
    /// An approved application.
    pub(super) approved_application: Option<bool>,
    /// An application with a protection policy.
    pub(super) compliant_application: Option<bool>,
    /// A changed password.
    pub(super) password_change: Option<bool>,
    /// A risk that was remediated.
    pub(super) risk_remediation: Option<bool>,
    /// Ids of the authentication strengths that are met.
    pub(super) authentication_strengths: Option<Vec<String>>,
    /// Ids of the agreements that were accepted.
    pub(super) terms_of_use: Option<Vec<String>>,
    /// Names of the custom factors that were shown.
    pub(super) custom_factors: Option<Vec<String>>,
}

/// What must become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expected {
    Allow,
    Block,
}

/// The result of a policy that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Outcome {
    Success,
    Failure,
    Unknown,
    ReportOnlySuccess,
    ReportOnlyFailure,
    ReportOnlyInterrupted,
}

/// A file that was read.
pub(super) struct Read {
    /// Its name, for messages.
    pub(super) name: Arc<str>,
    /// The folder that its relative paths start at.
    pub(super) folder: PathBuf,
    pub(super) tests: TestFile,
    /// The line of each test.
    pub(super) lines: Vec<u32>,
}

/// The JSON Schema of such a file.
#[must_use]
pub(super) fn json_schema() -> Value {
    schema::of::<TestFile>("Boomgate policy tests")
}

/// Reads a file.
///
/// # Errors
/// All its faults.
pub(super) fn read(path: &Path) -> Result<Read, Faults> {
    let fault = |message: String, place: tree::Place| {
        let mut faults = Faults::new();
        faults.push(Fault {
            line: place.line,
            column: place.column,
            ..folders::of_file(path, message)
        });
        faults
    };
    let source = folders::read_file(path)
        .map_err(|reason| fault(format!("cannot be read: {reason}"), tree::Place::default()))?;
    let text = text::decode(&source.bytes)
        .map_err(|reason| fault(reason.to_string(), tree::Place::default()))?;
    let tree = tree::read(&text).map_err(|reason| fault(reason.message, reason.place))?;
    let mut faults = Faults::new();
    structure::check(&json_schema(), &tree, &mut |member, place, message| {
        faults.push(Fault {
            file: source.shown.as_str().into(),
            line: place.line,
            column: place.column,
            member: member.to_string(),
            message,
            severity: Severity::Error,
        });
    });
    if faults.has_errors() {
        return Err(faults);
    }
    let tests: TestFile = serde_json::from_value(tree.to_json())
        .map_err(|reason| fault(reason.to_string(), tree.place))?;
    let line_of = |at| {
        tree.follow(&MemberPath::root().key("tests").item(at))
            .0
            .place
            .line
    };
    Ok(Read {
        name: source.shown.as_str().into(),
        folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
        lines: (0..tests.tests.len()).map(line_of).collect(),
        tests,
    })
}
