//! Room 2: what the call does: which operation of its resource, and what that operation asks of the token.
//!
//! Reads the call only. Never here: who calls, and policy.

use std::sync::Arc;

use crate::call::{OperationRule, Received, Resource};

/// The operation that a call performs.
#[derive(Debug, Clone, Default)]
pub struct Operation {
    /// The configured operation; `None` where the resource lists none that matches.
    rule: Option<Arc<OperationRule>>,
}

impl Operation {
    /// The operation of `call`.
    #[must_use]
    pub fn of(call: &Received) -> Self {
        Self::find(call.resource(), call.method(), call.path())
    }

    /// The first of the resource's rules that matches method and path, which is in normal form.
    #[must_use]
    pub fn find(resource: &Resource, method: &http::Method, path: &str) -> Self {
        let mut rules = resource.operations.iter();
        Self {
            rule: rules.find(|rule| matches(rule, method, path)).cloned(),
        }
    }

    /// Its configured name, which a record shows in place of the path.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.rule.as_ref().map(|rule| &*rule.name)
    }

    /// Whether a token with these scopes and roles may perform it: one of either kind is enough.
    #[must_use]
    pub fn is_covered_by(&self, scopes: &[Arc<str>], roles: &[Arc<str>]) -> bool {
        self.rule.as_ref().is_none_or(|rule| {
            let asks_nothing = rule.scopes.is_empty() && rule.roles.is_empty();
            asks_nothing
                || rule.scopes.iter().any(|wanted| scopes.contains(wanted))
                || rule.roles.iter().any(|wanted| roles.contains(wanted))
        })
    }

    /// The scopes that it asks for, for the challenge (RFC 6750 §3).
    #[must_use]
    pub fn scopes(&self) -> &[Arc<str>] {
        self.rule.as_ref().map_or(&[], |rule| &rule.scopes)
    }

    /// The roles of which one would do in place of a scope.
    #[must_use]
    pub fn roles(&self) -> &[Arc<str>] {
        self.rule.as_ref().map_or(&[], |rule| &rule.roles)
    }

    /// The same operation, marked with these authentication contexts: for questions about calls that nobody makes.
    #[must_use]
    pub fn with_authentication_contexts(&self, contexts: Vec<Arc<str>>) -> Self {
        let rule = self.rule.as_deref().cloned();
        let rule = rule.unwrap_or_else(OperationRule::unnamed);
        Self {
            rule: Some(Arc::new(OperationRule {
                authentication_contexts: contexts,
                ..rule
            })),
        }
    }

    /// The authentication contexts that it is marked with: a policy may be for these alone.
    #[must_use]
    pub fn authentication_contexts(&self) -> &[Arc<str>] {
        self.rule
            .as_ref()
            .map_or(&[], |rule| &rule.authentication_contexts)
    }
}

/// Whether a rule matches; `path` is in normal form. A spelling that many servers answer alike must not slip past
/// the rule, and so past what it asks for: neither a slash at the end counts nor the case of a letter, and HEAD is GET
/// without the body (RFC 9110 §9.3.2).
fn matches(rule: &OperationRule, method: &http::Method, path: &str) -> bool {
    let names = |method| rule.methods.contains(method);
    let is_get = *method == http::Method::HEAD && names(&http::Method::GET);
    if !rule.methods.is_empty() && !names(method) && !is_get {
        return false;
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = path.split('/').skip(1);
    let all_match = rule
        .segments
        .iter()
        .all(|wanted| match (wanted, segments.next()) {
            (Some(wanted), Some(segment)) => wanted.eq_ignore_ascii_case(segment),
            (None, Some(_)) => true,
            (_, None) => false,
        });
    all_match && (rule.open_ended || segments.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(segments: &[Option<&str>], open_ended: bool) -> OperationRule {
        OperationRule {
            name: "r".into(),
            methods: vec![http::Method::GET],
            segments: segments.iter().map(|s| s.map(Into::into)).collect(),
            open_ended,
            scopes: Vec::new(),
            roles: Vec::new(),
            authentication_contexts: Vec::new(),
        }
    }

    #[test]
    fn a_parameter_is_one_segment_and_an_open_end_is_any_number() {
        let exact = rule(&[Some("people"), None], false);
        assert!(matches(&exact, &http::Method::GET, "/people/7"));
        assert!(!matches(&exact, &http::Method::GET, "/people"));
        assert!(!matches(&exact, &http::Method::GET, "/people/7/pay"));
        assert!(!matches(&exact, &http::Method::POST, "/people/7"));
        assert!(matches(
            &rule(&[Some("people")], true),
            &http::Method::GET,
            "/people/7/pay"
        ));
        assert!(matches(&rule(&[], true), &http::Method::GET, "/"));
    }

    #[test]
    fn no_other_spelling_of_the_same_call_slips_past_a_rule() {
        let exact = rule(&[Some("people"), None], false);
        assert!(matches(&exact, &http::Method::GET, "/people/7/"));
        assert!(matches(&exact, &http::Method::HEAD, "/people/7"));
        assert!(matches(&exact, &http::Method::GET, "/People/7"));
        assert!(!matches(&exact, &http::Method::GET, "/people/"));
        let root = rule(&[], false);
        assert!(matches(&root, &http::Method::GET, "/"));
        assert!(!matches(&root, &http::Method::GET, "/people"));
    }
}
