//! Which resource a host and a path address, at the cost of the path's segments, however many resources there are.
//!
//! An exact host beats a wildcard, which beats `*`; then the longest prefix counts. Never here: a second meaning of a
//! path; it comes in normal form.

use std::collections::HashMap;
use std::sync::Arc;

use super::{HostPattern, Resource};

/// The places of resources in their list, by the hosts and prefixes that they answer to.
#[derive(Debug, Clone, Default)]
pub(super) struct Routes {
    exact: HashMap<Arc<str>, Prefixes>,
    /// By what follows the first label.
    wildcard: HashMap<Arc<str>, Prefixes>,
    any: Prefixes,
}

#[derive(Debug, Clone, Default)]
struct Prefixes {
    /// Without the slash at their end.
    places: HashMap<Box<str>, usize>,
    /// The length of the longest: a path can be of thousands of segments, and none beyond this is looked up.
    longest: usize,
}

impl Routes {
    pub(super) fn new(resources: &[Arc<Resource>]) -> Self {
        let mut routes = Self::default();
        for (place, resource) in resources.iter().enumerate() {
            for host in &resource.hosts {
                let prefixes = routes.of_host(host);
                for prefix in &resource.path_prefixes {
                    prefixes.add(prefix, place);
                }
            }
        }
        routes
    }

    fn of_host(&mut self, host: &HostPattern) -> &mut Prefixes {
        match host {
            HostPattern::Exact(name) => self.exact.entry(Arc::clone(name)).or_default(),
            HostPattern::Wildcard(suffix) => {
                let suffix = suffix.trim_start_matches('.');
                self.wildcard.entry(suffix.into()).or_default()
            }
            HostPattern::Any => &mut self.any,
        }
    }

    /// The place of the resource of a host (lower case, without port) and a path (in normal form).
    pub(super) fn find(&self, host: &str, path: &str) -> Option<usize> {
        let of_label = |(label, suffix): (&str, &str)| {
            let wildcard = self.wildcard.get(suffix).filter(|_| !label.is_empty())?;
            wildcard.find(path)
        };
        let exact = self
            .exact
            .get(host)
            .and_then(|prefixes| prefixes.find(path));
        exact
            .or_else(|| host.split_once('.').and_then(of_label))
            .or_else(|| self.any.find(path))
    }
}

impl Prefixes {
    fn add(&mut self, prefix: &str, place: usize) {
        let prefix = prefix.trim_end_matches('/');
        self.longest = self.longest.max(prefix.len());
        self.places.entry(prefix.into()).or_insert(place);
    }

    /// The place of the longest prefix that is the path, or ends before one of its slashes.
    fn find(&self, path: &str) -> Option<usize> {
        let mut prefix = path;
        loop {
            if prefix.len() <= self.longest
                && let Some(place) = self.places.get(prefix)
            {
                return Some(*place);
            }
            (prefix, _) = prefix.rsplit_once('/')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
    use proptest::sample::select;

    use super::*;
    use crate::call::resource::covers;

    /// The rule, as it is said: the closest host, then the longest prefix, then the first.
    fn said(rules: &[(HostPattern, &str)], host: &str, path: &str) -> Option<(u8, usize)> {
        let ranks = rules.iter().filter_map(|(pattern, prefix)| {
            let prefix = prefix.trim_end_matches('/');
            let closeness = match pattern {
                HostPattern::Exact(name) => (**name == *host).then_some(3),
                HostPattern::Wildcard(suffix) => {
                    let label = host.strip_suffix(&**suffix)?;
                    (!label.is_empty() && !label.contains('.')).then_some(2)
                }
                HostPattern::Any => Some(1),
            };
            Some((closeness?, prefix.len())).filter(|_| covers(prefix, path))
        });
        ranks.max()
    }

    fn routes(rules: &[(HostPattern, &str)]) -> Routes {
        let mut routes = Routes::default();
        for (place, (pattern, prefix)) in rules.iter().enumerate() {
            routes.of_host(pattern).add(prefix, place);
        }
        routes
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let pattern = HostPattern::parse("*.Example.com").unwrap();
        let routes = routes(&[(pattern, "/")]);
        assert_eq!(routes.find("a.example.com", "/x"), Some(0));
        assert_eq!(routes.find("a.b.example.com", "/x"), None);
        assert_eq!(routes.find("example.com", "/x"), None);
    }

    fn hosts() -> impl Strategy<Value = &'static str> {
        select(vec![
            "a.test",
            "b.test",
            "x.a.test",
            "y.x.a.test",
            "test",
            ".test",
            "",
        ])
    }

    fn patterns() -> impl Strategy<Value = HostPattern> {
        let named = select(vec!["a.test", "b.test", "*.test", "*.a.test", "x.a.test"]);
        prop_oneof![
            named.prop_map(|name| HostPattern::parse(name).unwrap()),
            Just(HostPattern::Any),
        ]
    }

    fn prefixes() -> impl Strategy<Value = &'static str> {
        select(vec!["/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/b"])
    }

    fn paths() -> impl Strategy<Value = String> {
        (
            proptest::collection::vec(select(vec!["a", "b", "ab", "c"]), 0..5),
            any::<bool>(),
        )
            .prop_map(|(segments, slash)| {
                format!("/{}{}", segments.join("/"), if slash { "/" } else { "" })
            })
    }

    proptest! {
        #[test]
        fn finds_what_a_look_at_each_rule_finds(
            rules in proptest::collection::vec((patterns(), prefixes()), 0..12),
            host in hosts(),
            path in paths(),
        ) {
            let found = routes(&rules).find(host, &path);
            let rank = found.map(|place| said(&rules[place..=place], host, &path));
            assert_eq!(rank, said(&rules, host, &path).map(Some));
        }
    }
}
