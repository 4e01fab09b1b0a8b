//! Filter rules in every shape of the language, as text.

use proptest::prelude::{BoxedStrategy, Just, Strategy, prop, prop_oneof};
use proptest::sample::select;

use super::calls::{ATTRIBUTES, VALUES};

/// A comparison without what it is about: ` -eq "hr"`.
fn comparison() -> BoxedStrategy<String> {
    let operators = [
        "-eq",
        "ne",
        "-contains",
        "-notContains",
        "-startsWith",
        "-notStartsWith",
        "-endsWith",
        "-NotEndsWith",
    ];
    prop_oneof![
        8 => (select(operators.to_vec()), select(&VALUES[..]))
            .prop_map(|(operator, value)| format!("{operator} \"{value}\"")),
        2 => (select(&["-in", "-notIn"][..]), select(&VALUES[..]), select(&VALUES[..]))
            .prop_map(|(operator, a, b)| format!("{operator} [\"{a}\", \"{b}\"]")),
    ]
    .boxed()
}

/// Joins leaves by the language's words, with parentheses so that every shape comes up.
fn joined(leaf: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" -and "))),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" -or "))),
            inner.clone().prop_map(|part| format!("-not {part}")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("({a} -or {b} -and {c})")),
        ]
    })
    .boxed()
}

fn predicate() -> BoxedStrategy<String> {
    let item = joined(comparison().prop_map(|compared| format!("_ {compared}")));
    prop_oneof![
        7 => comparison(),
        1 => Just("-eq null".to_owned()),
        1 => Just("-ne null".to_owned()),
        2 => (select(&["-any", "-all"][..]), item).prop_map(|(word, item)| format!("{word} ({item})")),
    ]
.boxed()
}

/// A rule on custom security attributes.
pub(super) fn rule() -> BoxedStrategy<String> {
    joined(
        (select(&ATTRIBUTES[..]), predicate())
            .prop_map(|(name, predicate)| format!("CustomSecurityAttribute.{name} {predicate}")),
    )
    .boxed()
}

/// A rule on the properties of a device.
pub(super) fn device_rule() -> BoxedStrategy<String> {
    let flag = (
        select(&["-eq", "-ne"][..]),
        select(&["True", "false", "\"true\"", "null"][..]),
    )
        .prop_map(|(operator, value)| format!("device.isCompliant {operator} {value}"));
    let trust = (
        select(&["-eq", "-ne", "-startsWith"][..]),
        select(&["ServerAD", "AzureAD", "s"][..]),
    )
        .prop_map(|(operator, value)| format!("device.trustType {operator} \"{value}\""));
    let text = (
        select(&["device.extensionAttribute1", "Device.systemlabels"][..]),
        predicate(),
    )
        .prop_map(|(name, predicate)| format!("{name} {predicate}"));
    joined(prop_oneof![2 => flag, 2 => trust, 2 => text]).boxed()
}

/// Pieces of the language in any order.
pub(super) fn soup() -> BoxedStrategy<String> {
    let pieces = [
        "CustomSecurityAttribute.S_A",
        "device.isCompliant",
        "device.model",
        "True",
        "_",
        "-eq",
        "-ne",
        "-not",
        "-and",
        "or",
        "-any",
        "-all",
        "-in",
        "-match",
        "-contains",
        "(",
        ")",
        "[",
        "]",
        ",",
        "null",
        "\"a\"",
        "\"`\"\"",
        "\"(?=\"",
        "\"",
        "`",
        "-",
        " ",
        "\u{e9}",
    ];
    prop::collection::vec(select(pieces.to_vec()), 0..40)
        .prop_map(|pieces| pieces.join(" "))
        .boxed()
}
