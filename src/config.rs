//! Room 9: one YAML file and the files that it names become checked settings, or a list of all that is wrong.
//!
//! The text becomes a located tree; environment variables are put in; the tree is checked against the schema
//! that is shipped; the sections that fit are checked for what no schema can say. Every fault has its file,
//! line, column and member. Never here: a secret in a message, and a default that weakens.

pub mod environment;
pub mod raw;
pub mod schema;
pub mod settings;
pub mod structure;
mod suggest;
pub mod tree;
pub mod validate;

use std::path::Path;
use std::sync::Arc;

use environment::Environment;
use settings::Settings;
use tree::{MemberPath, Node, Place, Value};
use validate::{Checker, validate};

use crate::types::{Fault, Faults, Severity};

/// Reads the text of the configuration at `path`, and tries the files that it names. The settings are there
/// if no fault is an error.
#[must_use]
pub fn read(path: &Path, text: &str, environment: Environment<'_>) -> (Option<Settings>, Faults) {
    let file: Arc<str> = path.to_string_lossy().into();
    let mut tree = match tree::read(text) {
        Ok(tree) => tree,
        Err(unreadable) => return (None, whole_file(&file, unreadable.place, unreadable.message)),
    };
    if matches!(tree.value, Value::Null) {
        let message = "the file is empty, expected a configuration".to_owned();
        return (None, whole_file(&file, Place::default(), message));
    }
    let mut shape = Vec::new();
    environment::expand(&mut tree, environment, &mut |at, node, message| {
        shape.push((at.clone(), node.place, message));
    });
    structure::check(&schema::schema(), &tree, &mut |at, place, message| {
        // A text that could not be filled in is told once.
        if !shape.iter().any(|(known, ..)| known == at) {
            shape.push((at.clone(), place, message));
        }
    });
    let mut check = Checker::new(path, file, &tree);
    for (at, place, message) in shape {
        check.silence(at.section().unwrap_or_default());
        check.fault(&at, place, message);
    }
    let settings = sound_sections(&tree, &check)
        .and_then(|config| validate(&mut check, &config));
    let faults = check.into_faults();
    (settings.filter(|_| !faults.has_errors()), faults)
}

/// The configuration, less the sections whose shape is at fault.
fn sound_sections(tree: &Node, check: &Checker<'_>) -> Option<raw::Config> {
    let serde_json::Value::Object(mut sections) = tree.to_json() else {
        return None;
    };
    sections.retain(|section, _| !check.is_silenced(section));
    serde_json::from_value(sections.into()).ok()
}

fn whole_file(file: &Arc<str>, place: Place, message: String) -> Faults {
    let mut faults = Faults::new();
    faults.push(Fault {
        file: Arc::clone(file),
        line: place.line,
        column: place.column,
        member: MemberPath::root().to_string(),
        message,
        severity: Severity::Error,
    });
    faults
}
