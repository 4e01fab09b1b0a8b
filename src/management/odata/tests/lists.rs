//! Pages: every item once, in order, whatever comes and goes between two of them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, proptest,
};
use proptest::sample::select;
use serde_json::{Value, json};

use super::{PROPERTIES, twin};
use crate::management::odata::keys::Direction;
use crate::management::odata::list::{Page, page};
use crate::management::odata::options::{Allowed, Options};

/// Items by id, as a store has them.
type Items = BTreeMap<String, Value>;

fn options(query: &[(&str, &str)], path: &str) -> Result<Options, String> {
    let pairs: Vec<_> = query
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let ids = Direction::Ascending;
    let options = Options::parse(&pairs, Allowed::List, path, PROPERTIES, ids);
    options.map_err(|fault| fault.message)
}

/// The rows come in another order than the answer's.
fn ask(items: &Items, query: &[(&str, &str)]) -> Page {
    let options = options(query, "set").unwrap();
    page(
        &options,
        items.iter().rev(),
        |(id, _)| id,
        |(_, item)| (*item).clone(),
    )
}

/// Follows the pages to the end; `meanwhile` happens between them.
fn walk(
    items: &mut Items,
    query: &[(&str, &str)],
    mut meanwhile: impl FnMut(&mut Items),
) -> Vec<String> {
    let mut seen = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..1_000 {
        let mut query = query.to_vec();
        query.extend(token.as_deref().map(|token| ("$skiptoken", token)));
        let page = ask(items, &query);
        seen.extend(
            page.items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        token = page.next;
        if token.is_none() {
            return seen;
        }
        meanwhile(items);
    }
    panic!("the pages have no end");
}

fn items(count: std::ops::Range<usize>) -> impl Strategy<Value = Items> {
    prop::collection::vec(twin::item(), count).prop_map(|items| {
        let named = items.into_iter().enumerate().map(|(at, mut item)| {
            // Ids in another order than the numbers.
            let id = format!("{:02}-{at}", at * 37 % 64);
            item["id"] = json!(id);
            (id, item)
        });
        named.collect()
    })
}

/// Nulls first, numbers and booleans by size, texts folded.
fn by(member: &'static str, one: &Value, other: &Value) -> Ordering {
    match (&one[member], &other[member]) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::String(one), Value::String(other)) => one.to_lowercase().cmp(&other.to_lowercase()),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (one, other) => one.as_f64().partial_cmp(&other.as_f64()).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn the_pages_together_are_the_list_in_order(
        mut items in items(0..12),
        member in select(&["name", "size", "enabled"]),
        down in any::<bool>(),
        top in select(&["1", "2", "5"]),
        filter in select(&["enabled", "not enabled", "name ne null", "size lt 2"]),
    ) {
        let order = format!("{member} {}", if down { "desc" } else { "asc" });
        let query = [("$orderby", order.as_str()), ("$top", top), ("$filter", filter)];
        let counted = ask(&items, &[("$filter", filter), ("$count", "true"), ("$top", "1")]);
        let mut expected: Vec<_> = items
            .values()
            .filter(|item| match filter {
                "enabled" => item["enabled"] == json!(true),
                "not enabled" => item["enabled"] == json!(false),
                "name ne null" => !item["name"].is_null(),
                _ => item["size"].as_f64().is_some_and(|size| size < 2.0),
            })
            .cloned()
            .collect();
        // Stable, so items that are equal stay in the order of their ids.
        expected.sort_by(|one, other| {
            let order = by(member, one, other);
            if down { order.reverse() } else { order }
        });
        prop_assert_eq!(counted.count, expected.len());
        let expected: Vec<_> = expected.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
        prop_assert_eq!(walk(&mut items, &query, |_| {}), expected);
    }

    #[test]
    fn an_item_that_stays_is_seen_once_whatever_comes_and_goes(
        mut items in items(1..16),
        mut comers in prop::collection::vec((0..64_usize, twin::item()), 0..20),
        mut goers in prop::collection::vec(0..16_usize, 0..8),
        order in select(&["name", "size desc", "enabled,name desc", "id"]),
    ) {
        let before: Vec<_> = items.keys().cloned().collect();
        let mut gone = Vec::new();
        let seen = walk(&mut items, &[("$orderby", order), ("$top", "2")], |items| {
            if let Some((at, mut item)) = comers.pop() {
                let id = format!("{at:02}-new-{}", comers.len());
                item["id"] = json!(id);
                items.insert(id, item);
            }
            if let Some(id) = goers.pop().and_then(|at| before.get(at)) {
                items.remove(id);
                gone.push(id.clone());
            }
        });
        for id in &before {
            let times = seen.iter().filter(|other| *other == id).count();
            prop_assert!(times == 1 || (times == 0 && gone.contains(id)), "{id} is there {times} times");
        }
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), seen.len());
    }
}

#[test]
fn a_token_is_good_for_its_own_question_only_and_whole() {
    let items: Items = (0..5)
        .map(|at| (format!("{at}"), json!({"id": format!("{at}"), "name": "x"})))
        .collect();
    let query = [
        ("$top", "2"),
        ("$filter", "name eq 'x'"),
        ("$orderby", "name"),
    ];
    let token = ask(&items, &query).next.unwrap();
    let with = |query: &[(&'static str, &'static str)], path, token: &str| {
        let token = [("$skiptoken", token)];
        let query: Vec<_> = query.iter().copied().chain(token).collect();
        options(&query, path).map(|_| ())
    };
    assert_eq!(with(&query, "set", &token), Ok(()));
    let [_, filter, order] = query;
    assert_eq!(
        with(&[filter, order, ("$top", "4")], "set", &token),
        Ok(()),
        "a page may have another size"
    );
    let of_another =
        |fault: Result<(), String>| fault.unwrap_err().starts_with("`$skiptoken` is not one");
    assert!(of_another(with(&query, "another set", &token)));
    assert!(of_another(with(&[filter], "set", &token)));
    assert!(of_another(with(&[order], "set", &token)));
    assert!(of_another(with(
        &[("$filter", "name eq 'y'"), order],
        "set",
        &token
    )));
    for (at, _) in token.char_indices() {
        let mut damaged = token.clone().into_bytes();
        damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
        let damaged = String::from_utf8(damaged).unwrap();
        assert!(of_another(with(&query, "set", &damaged)), "{damaged}");
        assert!(
            of_another(with(&query, "set", token.get(..at).unwrap())),
            "{at}"
        );
    }
    assert!(of_another(with(&query, "set", &format!("{token}AA"))));
}

#[test]
fn an_option_that_is_not_understood_whole_is_refused() {
    for (query, part) in [
        (&[("$top", "0")][..], "`$top` expects a number from 1"),
        (&[("$top", "-1")], "`$top` expects"),
        (&[("$top", "ten")], "`$top` expects"),
        (&[("$top", "")], "`$top` expects"),
        (&[("$top", "1"), ("$top", "2")], "`$top` is given twice"),
        (&[("$top", "1"), ("$Top", "2")], "`$top` is given twice"),
        (
            &[("$skip", "1")],
            "`$skip` is not supported here, only $filter, $orderby, $top",
        ),
        (&[("$expand", "x")], "`$expand` is not supported"),
        (&[("$search", "x")], "`$search` is not supported"),
        (&[("top", "1")], "`top` is not supported"),
        (&[("$count", "yes")], "`$count` expects true or false"),
        (
            &[("$select", "name,nothing")],
            "`$select`: there is no property `nothing`",
        ),
        (&[("$select", "")], "`$select`: there is no property ``"),
        (
            &[("$select", "agent/agentType")],
            "`$select`: there is no property `agent/agentType`",
        ),
        (
            &[("$orderby", "nothing")],
            "`$orderby`: there is no property `nothing`",
        ),
        (&[("$orderby", "name up")], "expected `asc` or `desc`"),
        (
            &[("$orderby", "name desc size")],
            "expected properties, separated by commas",
        ),
        (&[("$orderby", "")], "expected properties"),
        (&[("$orderby", "level")], "`level` has no order"),
        (&[("$orderby", "tags")], "`tags` has no order"),
        (
            &[("$orderby", "agent/nothing")],
            "there is no property `agent/nothing`",
        ),
        (&[("$orderby", "id,id,id,id,id,id")], "more than 5"),
        (&[("$skiptoken", "!")], "`$skiptoken` is not one"),
        (
            &[("$filter", "name eq '\u{fffd}'")],
            "`$filter` is not UTF-8",
        ),
    ] {
        let fault = options(query, "set").unwrap_err();
        assert!(fault.contains(part), "{query:?}: {fault}");
    }
    for fine in [
        &[("$TOP", "5"), ("$COUNT", "TRUE"), ("$Select", "*")][..],
        &[("$select", " name , ID ")],
        &[("$orderby", "agent/parent/name DESC, at,enabled")],
    ] {
        assert_eq!(options(fine, "set").map(|_| ()), Ok(()), "{fine:?}");
    }
}
