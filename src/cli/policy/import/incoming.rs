//! What is imported: the objects of all files, without their annotations, and what is to be said of them.
//!
//! Never here: where an object goes.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::of_file;
use crate::cli::policy::document::{Document, Kind, Object};
use crate::config::folders;
use crate::policy::read::without_annotations;
use crate::policy::{OnUnsupported, PolicyState};
use crate::types::json::Step;
use crate::types::{Fault, Faults, Severity};

/// The most bytes that standard input may hold.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// All that was given.
pub(super) struct Import {
    pub(super) objects: Vec<Incoming>,
    pub(super) faults: Faults,
    on_unsupported: OnUnsupported,
}

/// One object.
pub(super) struct Incoming {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) display_name: String,
    /// How a policy counts.
    pub(super) state: Option<PolicyState>,
    /// Members of a policy that are configured and not honoured.
    pub(super) not_understood: Vec<Arc<str>>,
    /// It, without annotations.
    pub(super) source: Map<String, Value>,
    pub(super) document: Arc<Document>,
    /// Its place among the document's objects.
    at: usize,
}

impl Incoming {
    /// It, as its document has it.
    pub(super) fn object(&self) -> Option<&Object> {
        self.document.objects.get(self.at)
    }

    /// A fault of its id.
    fn fault_of_id(&self, severity: Severity, message: String) -> Option<Fault> {
        let steps = [Step::Member("id")];
        Some(
            self.document
                .fault(self.object()?, &steps, severity, message),
        )
    }
}

impl Import {
    /// Reads all files.
    pub(super) fn read(
        files: &[PathBuf],
        on_unsupported: OnUnsupported,
        input: &mut dyn Read,
    ) -> Self {
        let mut import = Self {
            objects: Vec::new(),
            faults: Faults::new(),
            on_unsupported,
        };
        for path in files {
            match read_file(path, input) {
                Ok((name, bytes)) => import.add_file(&name, &bytes),
                Err(fault) => import.faults.push(fault),
            }
        }
        import.take_doubles_out();
        import
    }

    fn add_file(&mut self, name: &str, bytes: &[u8]) {
        let mut document = match Document::read(name, bytes) {
            Ok(document) => document,
            Err(fault) => return self.faults.push(fault),
        };
        self.faults.extend(std::mem::take(&mut document.faults));
        if document.objects.is_empty() && !self.faults.has_errors() {
            let message = "holds no policy and no named location".to_owned();
            self.faults.push(of_file(name, message, Severity::Warning));
        }
        let document = Arc::new(document);
        for (at, object) in document.objects.iter().enumerate() {
            let incoming = match object.kind {
                Kind::Policy => self.policy(&document, object, at),
                Kind::NamedLocation => self.location(&document, object, at),
            };
            self.objects.extend(incoming);
        }
    }

    fn policy(&mut self, document: &Arc<Document>, object: &Object, at: usize) -> Option<Incoming> {
        let (policy, found) = document.policy_to_look_at(object, self.on_unsupported);
        self.faults.extend(found);
        let policy = policy?;
        if has_lost_agents(document, object) {
            let message =
                "exported from v1.0, which loses the members for agents: export it from beta";
            let steps = [
                Step::Member("conditions"),
                Step::Member("clientApplications"),
            ];
            self.faults
                .push(document.fault(object, &steps, Severity::Warning, message.to_owned()));
        }
        let state = object.text("state").and_then(PolicyState::parse);
        Some(Incoming {
            kind: Kind::Policy,
            id: policy.id.to_string(),
            display_name: policy.display_name.to_string(),
            state,
            not_understood: policy.not_understood,
            source: policy.source,
            document: Arc::clone(document),
            at,
        })
    }

    fn location(
        &mut self,
        document: &Arc<Document>,
        object: &Object,
        at: usize,
    ) -> Option<Incoming> {
        let id = object.id();
        if id.is_none() {
            let message = "expected the named location's id".to_owned();
            let steps = [Step::Member("id")];
            self.faults
                .push(document.fault(object, &steps, Severity::Error, message));
        }
        let id = id?;
        Some(Incoming {
            kind: Kind::NamedLocation,
            display_name: object.text("displayName").unwrap_or(&id).to_owned(),
            id,
            state: None,
            not_understood: Vec::new(),
            source: without_annotations(&object.members),
            document: Arc::clone(document),
            at,
        })
    }

    /// Of objects that were given twice, one is enough; two that differ are a fault.
    fn take_doubles_out(&mut self) {
        let mut first: BTreeMap<(Kind, String), usize> = BTreeMap::new();
        let mut kept: Vec<Incoming> = Vec::new();
        for incoming in std::mem::take(&mut self.objects) {
            let key = (incoming.kind, incoming.id.clone());
            let Some(earlier) = first.get(&key).and_then(|at| kept.get(*at)) else {
                first.insert(key, kept.len());
                kept.push(incoming);
                continue;
            };
            let (severity, what) = if earlier.source == incoming.source {
                (Severity::Warning, "and is the same")
            } else {
                (
                    Severity::Error,
                    "and says something else; expected each id once",
                )
            };
            let message = format!(
                "`{}` was given before, in {}, {what}",
                incoming.id, earlier.document.file
            );
            if let Some(fault) = incoming.fault_of_id(severity, message) {
                self.faults.push(fault);
            }
        }
        self.objects = kept;
    }
}

fn read_file(path: &Path, input: &mut dyn Read) -> Result<(String, Vec<u8>), Fault> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let name = "(standard input)";
        let mut bounded = input.take(MAX_INPUT_BYTES.saturating_add(1));
        return match bounded.read_to_end(&mut bytes) {
            Ok(length) if u64::try_from(length).is_ok_and(|length| length <= MAX_INPUT_BYTES) => {
                Ok((name.to_owned(), bytes))
            }
            Ok(_) => Err(of_file(
                name,
                format!("larger than {MAX_INPUT_BYTES} bytes"),
                Severity::Error,
            )),
            Err(error) => Err(of_file(name, error.to_string(), Severity::Error)),
        };
    }
    match folders::read_file(path) {
        Ok(source) => Ok((source.shown, source.bytes)),
        Err(reason) => Err(folders::of_file(
            path,
            format!("cannot read the file: {reason}"),
        )),
    }
}

/// Whether the policy was about agents, and v1.0 has left that out: it asks for clients, names none, and the file comes
/// from v1.0. Without the file's word, the reader of policies says that it may be so.
fn has_lost_agents(document: &Document, object: &Object) -> bool {
    let is_v1 = document
        .context
        .as_ref()
        .is_some_and(|context| context.contains("/v1.0/"));
    let clients = object
        .members
        .get("conditions")
        .and_then(|all| all.get("clientApplications")?.as_object());
    let names_none = |clients: &Map<String, Value>| {
        let mut lists = clients.values();
        lists.all(|list| list.is_null() || list.as_array().is_some_and(Vec::is_empty))
    };
    is_v1 && clients.is_some_and(names_none)
}
