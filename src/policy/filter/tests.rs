//! The rulings of the parent's page, one by one.

use super::*;
use crate::types::AttributeValue;
use crate::types::attributes::fold;

fn attributes(pairs: &[(&str, &[&str])]) -> Attributes {
    Attributes::from_pairs(pairs.iter().map(|(name, values)| {
        let value = match values {
            [one] => AttributeValue::One(fold(one)),
            many => AttributeValue::Many(many.iter().map(|one| fold(one)).collect()),
        };
        (Arc::from(*name), value)
    }))
}

/// An agent with a single value, a collection of two, an empty collection, and nothing by the name of `A_Missing`.
fn agent() -> Attributes {
    attributes(&[
        ("A_Single", &["Sales Team"]),
        ("A_Many", &["New", "HR_Approved"]),
        ("A_Empty", &[]),
    ])
}

fn holds(rule: &str) -> bool {
    let rule = rule
        .replace("single ", "CustomSecurityAttribute.A_Single ")
        .replace("many ", "CustomSecurityAttribute.A_Many ")
        .replace("empty ", "CustomSecurityAttribute.A_Empty ")
        .replace("missing ", "CustomSecurityAttribute.A_Missing ");
    let rule = FilterRule::parse(&rule).unwrap_or_else(|fault| panic!("{rule}: {fault}"));
    assert_eq!(FilterRule::parse(&rule.to_string()), Ok(rule.clone()));
    rule.matches(&agent())
}

/// Each positive operator with whether it holds; its negative one must say the opposite.
#[test]
fn compares_single_values_collections_and_missing_ones() {
    for (attribute, operator, value, expected) in [
        ("single", "eq", r#""sales team""#, true),
        ("single", "eq", r#""sales""#, false),
        ("single", "contains", r#""LES T""#, true),
        ("single", "contains", r#""hr""#, false),
        ("single", "startsWith", r#""SALES""#, true),
        ("single", "startsWith", r#""team""#, false),
        ("single", "endsWith", r#""team""#, true),
        ("single", "match", r#""^S.*\bt""#, true),
        ("single", "match", r#""^team""#, false),
        ("single", "in", r#"["HR","Sales Team"]"#, true),
        ("single", "in", r#"["HR"]"#, false),
        ("single", "eq", "null", false),
        ("many", "eq", r#""new""#, true),
        ("many", "eq", r#""old""#, false),
        ("many", "contains", r#""hr_approved""#, true),
        ("many", "contains", r#""hr_""#, false),
        ("many", "startsWith", r#""hr_""#, true),
        ("many", "endsWith", r#""ew""#, true),
        ("many", "match", r#""approved$""#, true),
        ("many", "in", r#"["a", "NEW"]"#, true),
        ("many", "eq", "null", false),
        ("empty", "eq", "null", true),
        ("empty", "contains", r#""new""#, false),
        ("missing", "eq", "null", true),
        ("missing", "eq", r#""new""#, false),
        ("missing", "contains", r#""new""#, false),
        ("missing", "contains", r#""""#, false),
        ("missing", "startsWith", r#""n""#, false),
        ("missing", "endsWith", r#""w""#, false),
        ("missing", "match", r#"".*""#, false),
        ("missing", "in", r#"["new"]"#, false),
    ] {
        let negative = match operator {
            "eq" => "ne".to_owned(),
            other => format!("not{other}"),
        };
        let rule = |operator: &str| format!("{attribute} -{operator} {value}");
        assert_eq!(holds(&rule(operator)), expected, "{}", rule(operator));
        assert_eq!(holds(&rule(&negative)), !expected, "{}", rule(&negative));
    }
}

#[test]
fn asks_one_item_or_each() {
    assert!(holds(r#"many -any (_ -startsWith "n")"#));
    assert!(!holds(r#"many -all (_ -startsWith "n")"#));
    assert!(holds(r#"many -all (_ -contains "e" -and -not _ -eq "e")"#));
    assert!(holds(r#"many -any (_ -contains "approved")"#));
    assert!(holds(r#"single -all (_ -contains "team")"#));
    for nothing in ["empty", "missing"] {
        assert!(!holds(&format!(r#"{nothing} -any (_ -ne "x")"#)));
        assert!(!holds(&format!(r#"{nothing} -all (_ -ne "x")"#)));
        assert!(holds(&format!(r#"-not {nothing} -all (_ -ne "x")"#)));
    }
}

#[test]
fn and_binds_tighter_than_or_and_not_tighter_than_both() {
    let (yes, no) = (r#"single -ne "x""#, r#"single -eq "x""#);
    assert!(holds(&format!("{yes} -or {no} -and {no}")));
    assert!(!holds(&format!("({yes} -or {no}) -and {no}")));
    assert!(holds(&format!("-not {no} -or {yes} -and {no}")));
    assert!(!holds(&format!("-not ({no} -or {yes})")));
    assert!(!holds(&format!("-not {no} -and {no}")));
    assert!(holds(&format!("-not -not {yes}")));
}

#[test]
fn reads_operators_in_any_case_and_without_a_hyphen() {
    assert!(holds(
        r#"single EQ "Sales Team" AND not single -CONTAINS "x""#
    ));
    assert!(holds(
        r#"many Any (_ NotStartsWith "n") or single -NE NULL"#
    ));
    let rule = FilterRule::parse(r#"customSecurityAttribute.A_Single -eq "sales team""#);
    assert!(rule.is_ok_and(|rule| rule.matches(&agent())));
    let rule = FilterRule::parse(r#"CustomSecurityAttribute.a_single -eq "sales team""#);
    assert!(rule.is_ok_and(|rule| !rule.matches(&agent())));
}

#[test]
fn a_backtick_stands_before_a_quote_or_a_backtick() {
    let rule = FilterRule::parse(r#"CustomSecurityAttribute.S_A -eq "a `"b`" ``c""#).unwrap();
    assert!(rule.matches(&attributes(&[("S_A", &[r#"A "B" `C"#])])));
    assert_eq!(
        rule.to_string(),
        r#"CustomSecurityAttribute.S_A -eq "a `"b`" ``c""#
    );
}

#[test]
fn says_where_a_rule_goes_wrong_and_what_was_expected() {
    for (rule, message) in [
        ("", "column 1 of the rule: expected a property"),
        (
            "device.x -eq \"y\"",
            "column 1 of the rule: expected a property `CustomSecurityAttribute.<AttributeSet>_<AttributeName>`, `-not` or `(`, found `device.x`",
        ),
        ("CustomSecurityAttribute.Set.Name -eq \"y\"", "column 1 "),
        ("CUSTOMSECURITYATTRIBUTE.S_A -eq \"y\"", "column 1 "),
        ("CustomSecurityAttribute._A -eq \"y\"", "column 1 "),
        ("CustomSecurityAttribute.S_A", "found the end of the rule"),
        (
            "CustomSecurityAttribute.S_A -like \"y\"",
            "column 29 of the rule: expected `-eq`",
        ),
        (
            "CustomSecurityAttribute.S_A -eq True",
            "column 33 of the rule: expected a text in double quotes, or `null`, found `True`",
        ),
        ("CustomSecurityAttribute.S_A -eq 'y'", "column 33 "),
        (
            "CustomSecurityAttribute.S_A -eq \u{201c}y\u{201d}",
            "found `\u{201c}`",
        ),
        (
            "CustomSecurityAttribute.S_A -eq \"y",
            "expected a closing double quote",
        ),
        (
            "CustomSecurityAttribute.S_A -eq \"`y\"",
            "column 35 of the rule: expected a quote or a backtick",
        ),
        ("CustomSecurityAttribute.S_A -contains null", "found `null`"),
        ("CustomSecurityAttribute.S_A -in \"y\"", "expected a list"),
        ("CustomSecurityAttribute.S_A -in []", "found `]`"),
        (
            "CustomSecurityAttribute.S_A -in [\"a\" \"b\"]",
            "expected `,` or `]`",
        ),
        (
            "CustomSecurityAttribute.S_A -eq \"y\" CustomSecurityAttribute.S_A",
            "column 37 ",
        ),
        (
            "(CustomSecurityAttribute.S_A -eq \"y\"",
            "expected `-and`, `-or` or `)`",
        ),
        (
            "CustomSecurityAttribute.S_A -any _ -eq \"y\"",
            "expected `(`",
        ),
        (
            "CustomSecurityAttribute.S_A -any (_ -eq null)",
            "an item is never null",
        ),
        (
            "CustomSecurityAttribute.S_A -any (CustomSecurityAttribute.S_B -eq \"y\")",
            "expected `_`",
        ),
        ("_ -eq \"y\"", "column 1 "),
        (
            "CustomSecurityAttribute.S_A -match \"(?=x)\"",
            "found `(?=x)`",
        ),
        (
            "CustomSecurityAttribute.S_A -match \"(((a{100}){100}){100})\"",
            "expected a pattern",
        ),
        ("- eq", "expected an operator after `-`"),
    ] {
        let fault = FilterRule::parse(rule).expect_err(rule).to_string();
        assert!(fault.contains(message), "{rule}: {fault}");
    }
}

#[test]
fn length_and_depth_are_bounded() {
    let clause = r#"CustomSecurityAttribute.S_A -eq "y""#;
    let nested = |depth: usize| format!("{}{clause}{}", "(".repeat(depth), ")".repeat(depth));
    assert!(FilterRule::parse(&nested(MAX_DEPTH)).is_ok());
    assert!(matches!(
        FilterRule::parse(&nested(MAX_DEPTH + 1)),
        Err(FilterError::TooDeep { .. })
    ));
    let negated = format!("{}{clause}", "-not ".repeat(MAX_DEPTH + 1));
    assert!(matches!(
        FilterRule::parse(&negated),
        Err(FilterError::TooDeep { .. })
    ));
    let padded = |length: usize| format!("{clause}{}", " ".repeat(length - clause.len()));
    assert!(FilterRule::parse(&padded(MAX_RULE_CHARS)).is_ok());
    assert_eq!(
        FilterRule::parse(&padded(MAX_RULE_CHARS + 1)),
        Err(FilterError::TooLong)
    );
}
