//! One object while it is read: its findings, each with its place. Never here: what a member means.

use std::sync::Arc;

use serde_json::Value;

use super::OnUnsupported;
use super::entries::Entry;
use crate::types::json::{self, Path, Step};
use crate::types::{Fault, Faults, Severity};

pub(in crate::policy) use crate::types::json::is_annotation;

/// The way to a member whose path is written with dots.
pub(in crate::policy) fn steps(path: &str) -> Vec<Step<'_>> {
    path.split('.').map(Step::Member).collect()
}

/// The value of a member, if it is there and not null.
pub(in crate::policy) fn member<'v>(policy: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .try_fold(policy, |value, name| value.get(name))
        .filter(|value| !value.is_null())
}

/// The way to an item of the list whose path is written with dots.
pub(in crate::policy) fn item(path: &str, at: usize) -> Vec<Step<'_>> {
    let mut steps = steps(path);
    steps.push(Step::Item(at));
    steps
}

/// The text of an optional member.
pub(in crate::policy) fn text<'v>(
    reading: &mut Reading<'_>,
    object: &'v Value,
    path: &str,
) -> Option<&'v str> {
    match member(object, path)? {
        Value::String(text) => Some(text),
        _ => {
            reading.unsupported(&steps(path), "expected a text");
            None
        }
    }
}

/// What an operator may do about a member that is refused.
const REFUSED: &str = "; `on_unsupported: report_only` would report the policy and not enforce it";

/// Collects what is found in one policy.
pub(in crate::policy) struct Reading<'a> {
    file: &'a Arc<str>,
    text: &'a str,
    line: u32,
    column: u32,
    path: &'a str,
    /// `None` where whatever is not understood is an error.
    on_unsupported: Option<OnUnsupported>,
    /// A disabled policy is never evaluated, so nothing of it can be half applied.
    pub(in crate::policy) disabled: bool,
    not_understood: Vec<(u32, u32, Arc<str>)>,
    faults: Faults,
}

impl<'a> Reading<'a> {
    /// For a policy.
    pub(in crate::policy) fn new(
        file: &'a Arc<str>,
        entry: &'a Entry<'_>,
        on_unsupported: OnUnsupported,
    ) -> Self {
        Self {
            on_unsupported: Some(on_unsupported),
            ..Self::strict(file, entry)
        }
    }

    /// For an object that is understood whole or not at all.
    pub(in crate::policy) fn strict(file: &'a Arc<str>, entry: &'a Entry<'_>) -> Self {
        Self {
            file,
            text: entry.text,
            line: entry.line,
            column: entry.column,
            path: &entry.path,
            on_unsupported: None,
            disabled: false,
            not_understood: Vec::new(),
            faults: Faults::new(),
        }
    }

    pub(in crate::policy) const fn file(&self) -> &'a Arc<str> {
        self.file
    }

    /// Line and column of the policy's start.
    pub(in crate::policy) const fn start(&self) -> (u32, u32) {
        (self.line, self.column)
    }

    /// It cannot be a policy at all: always an error.
    pub(in crate::policy) fn malformed(&mut self, at: &[Step<'_>], message: impl Into<String>) {
        self.report(Severity::Error, at, message.into());
    }

    /// It is configured and not honoured, or not understood.
    pub(in crate::policy) fn unsupported(&mut self, at: &[Step<'_>], message: &str) {
        let (line, column) = self.locate(at);
        self.not_understood
            .push((line, column, Path(at).to_string().into()));
        let (severity, consequence) = match self.on_unsupported {
            _ if self.disabled => (Severity::Warning, "; the policy is disabled"),
            None => (Severity::Error, ""),
            Some(OnUnsupported::Reject) => (Severity::Error, REFUSED),
            Some(OnUnsupported::ReportOnly) => (Severity::Warning, "; the policy is only reported"),
        };
        self.report(severity, at, format!("{message}{consequence}"));
    }

    /// The operator should know.
    pub(in crate::policy) fn warn(&mut self, at: &[Step<'_>], message: impl Into<String>) {
        self.report(Severity::Warning, at, message.into());
    }

    /// Whether all was understood so far.
    pub(in crate::policy) const fn is_understood(&self) -> bool {
        self.not_understood.is_empty()
    }

    /// Paths of what was not understood, in the order of the file.
    pub(in crate::policy) fn not_understood(&self) -> Vec<Arc<str>> {
        let mut all = self.not_understood.clone();
        all.sort();
        all.into_iter().map(|(.., path)| path).collect()
    }

    pub(in crate::policy) fn into_faults(self) -> Faults {
        self.faults
    }

    /// The member's path in the file, and its line and column.
    pub(in crate::policy) fn place(&self, at: &[Step<'_>]) -> (String, u32, u32) {
        let (line, column) = self.locate(at);
        (self.path_in_file(at), line, column)
    }

    fn path_in_file(&self, at: &[Step<'_>]) -> String {
        match (self.path, Path(at).to_string()) {
            ("", inner) => inner,
            (outer, inner) if inner.is_empty() => outer.to_owned(),
            (outer, inner) => format!("{outer}.{inner}"),
        }
    }

    fn report(&mut self, severity: Severity, at: &[Step<'_>], message: String) {
        let (line, column) = self.locate(at);
        self.faults.push(Fault {
            file: Arc::clone(self.file),
            line,
            column,
            member: self.path_in_file(at),
            message,
            severity,
        });
    }

    /// Line and column in the file; the policy's own for a member that is not there.
    fn locate(&self, at: &[Step<'_>]) -> (u32, u32) {
        match json::locate(self.text, at) {
            Some((1, column)) => (
                self.line,
                self.column.saturating_add(column).saturating_sub(1),
            ),
            Some((line, column)) => (self.line.saturating_add(line).saturating_sub(1), column),
            None => (self.line, self.column),
        }
    }
}
