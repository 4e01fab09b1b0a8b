//! Collects the faults of a validation, each with its place in the file, and reads the files that it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::member::MemberPath;
use super::super::raw::text;
use super::super::tree::{Node, Place, Text, Value};
use crate::store::files::read_bounded;
use crate::types::{Fault, Faults, Severity};

/// How much of a configuration is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it: what a gateway needs.
    Whole,
    /// What calls are judged by: no certificate and no secret is read.
    Judging,
}

/// One validation under way.
#[derive(Debug)]
pub struct Checker<'a> {
    extent: Extent,
    file: Arc<str>,
    folder: PathBuf,
    tree: &'a Node,
    /// Parts whose shape is at fault. What else is found in them may only follow from that.
    unsound: BTreeSet<MemberPath>,
    faults: Faults,
    /// The files and folders that were looked at.
    files: BTreeSet<PathBuf>,
}

impl<'a> Checker<'a> {
    /// For the configuration at `path`, named `file` in faults.
    #[must_use]
    pub fn new(path: &Path, file: Arc<str>, tree: &'a Node, extent: Extent) -> Self {
        Self {
            extent,
            file,
            folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
            tree,
            unsound: BTreeSet::new(),
            faults: Faults::new(),
            files: BTreeSet::from([path.to_owned()]),
        }
    }

    /// A fault of the file's shape. Of the same part nothing more is told.
    pub fn misshapen(&mut self, at: &MemberPath, place: Place, message: String) {
        self.unsound.insert(at.part());
        self.push(at, place, message, Severity::Error);
    }

    /// The parts whose shape is at fault.
    pub fn unsound(&self) -> impl Iterator<Item = &MemberPath> {
        self.unsound.iter()
    }

    /// How much is looked at.
    #[must_use]
    pub const fn extent(&self) -> Extent {
        self.extent
    }

    /// Adds what another reader found in other files.
    pub fn extend(&mut self, faults: Faults) {
        self.faults.extend(faults);
    }

    /// Whether something was found that stops the load.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.faults.has_errors()
    }

    /// What was found, and the files and folders that were looked at.
    #[must_use]
    pub fn finish(self) -> (Faults, BTreeSet<PathBuf>) {
        (self.faults, self.files)
    }

    /// A fault of the member at `at`, or of the place where it is missing.
    pub fn error(&mut self, at: &MemberPath, message: impl Into<String>) {
        self.found(at, message.into(), Severity::Error);
    }

    /// A fault of the member's text, which is shown as it was written: `` `text` is not … ``.
    pub fn refuse(&mut self, at: &MemberPath, predicate: &str) {
        let message = format!("`{}` {predicate}", self.written(at));
        self.error(at, message);
    }

    /// Something that the operator should know, and that stops nothing.
    pub fn warn(&mut self, at: &MemberPath, message: impl Into<String>) {
        self.found(at, message.into(), Severity::Warning);
    }

    fn found(&mut self, at: &MemberPath, message: String, severity: Severity) {
        let part = at.part();
        let is_sound = |part: &MemberPath| !self.unsound.contains(part);
        if is_sound(&part) && part.parent().is_none_or(|section| is_sound(&section)) {
            let place = self.tree.follow(at).0.place;
            self.push(at, place, message, severity);
        }
    }

    fn push(&mut self, at: &MemberPath, place: Place, message: String, severity: Severity) {
        self.faults.push(Fault {
            file: Arc::clone(&self.file),
            line: place.line,
            column: place.column,
            member: at.to_string(),
            message,
            severity,
        });
    }

    /// The text at `at`, with what it was written as.
    #[must_use]
    pub fn text(&self, at: &MemberPath) -> Option<&Text> {
        match self.tree.follow(at) {
            (
                Node {
                    value: Value::Text(text),
                    ..
                },
                true,
            ) => Some(text),
            _ => None,
        }
    }

    /// The text as the operator wrote it, without the values of environment variables.
    #[must_use]
    pub fn written(&self, at: &MemberPath) -> &str {
        self.text(at).map_or("", |text| &text.written)
    }

    /// Whether the operator wrote this member.
    #[must_use]
    pub fn is_given(&self, at: &MemberPath) -> bool {
        self.tree.follow(at).1
    }

    /// A path of the file, from the file's folder.
    #[must_use]
    pub fn locate(&self, file: &text::File) -> PathBuf {
        self.folder.join(&file.0)
    }

    /// The same for a path that is part of another text.
    #[must_use]
    pub fn locate_text(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The duration at `at`, which must lie within these bounds.
    pub fn between(
        &mut self,
        at: &MemberPath,
        value: &text::Duration,
        (min, max): (&str, &str),
    ) -> Duration {
        let bound = |bound: &str| text::Duration::try_from(bound.to_owned()).map(|bound| bound.0);
        let within = bound(min).is_ok_and(|min| value.0 >= min)
            && bound(max).is_ok_and(|max| value.0 <= max);
        if !within {
            self.refuse(at, &format!("is out of range, expected `{min}` to `{max}`"));
        }
        value.0
    }

    /// The size at `at`, which must lie within these bounds.
    pub fn size_between(
        &mut self,
        at: &MemberPath,
        value: &text::Size,
        (min, max): (&str, &str),
    ) -> u64 {
        let bound = |bound: &str| text::Size::try_from(bound.to_owned()).map(|bound| bound.0);
        let within = bound(min).is_ok_and(|min| value.0 >= min)
            && bound(max).is_ok_and(|max| value.0 <= max);
        if !within {
            self.refuse(at, &format!("is out of range, expected `{min}` to `{max}`"));
        }
        value.0
    }

    /// This file or folder is looked at.
    pub fn looks_at(&mut self, path: &Path) {
        self.files.insert(path.to_owned());
    }

    /// Reads a file that the member at `at` names, up to `limit` bytes.
    pub fn read(&mut self, at: &MemberPath, path: &Path, limit: u64) -> Option<Vec<u8>> {
        self.looks_at(path);
        match read_bounded(path, limit) {
            Ok(bytes) => Some(bytes),
            Err(reason) => {
                self.unreadable(at, &reason);
                None
            }
        }
    }

    /// The file or folder that the member at `at` names cannot be read.
    pub fn unreadable(&mut self, at: &MemberPath, reason: &str) {
        let message = format!("cannot read `{}`: {reason}", self.written(at));
        self.error(at, message);
    }
}
