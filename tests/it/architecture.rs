//! Holds the house in order: which room may name which, what the pure rooms never do, and how files look.
//!
//! It reads the sources as text. Every rule is shown to catch a snippet that breaks it, so no rule can
//! pass by seeing nothing.

mod rules;
mod source;

use rules::{
    COMPARING, Finding, IMPURE, RESERVED, file_sizes, glob_imports, honest_tests, module_docs,
    module_files, plain_paths, purity, reasons_in_full, reserved_crates, room_order, secrets_apart,
};
use source::{Source, is_name};

type Rule = fn(&Source) -> Vec<Finding>;

/// Fails with every breach of `rule` in the files below `folders`.
#[track_caller]
fn hold(folders: &[&str], rule: Rule) {
    let sources = folders.iter().flat_map(|folder| Source::all_below(folder));
    let findings: Vec<_> = sources.flat_map(|source| rule(&source)).collect();
    let lines: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

/// Fails unless `rule` finds exactly this many breaches in `snippet`.
#[track_caller]
fn finds(rule: Rule, count: usize, path: &str, snippet: &str) {
    let findings = rule(&Source::new(path, snippet));
    assert_eq!(findings.len(), count, "in `{snippet}`: {findings:?}");
}

#[test]
fn rooms_name_only_rooms_below_them() {
    hold(&["src"], room_order);
}

#[test]
fn the_order_of_rooms_is_checked() {
    finds(
        room_order,
        1,
        "src/policy/set.rs",
        "use crate::gateway::Gateway;",
    );
    finds(
        room_order,
        1,
        "src/policy/set.rs",
        "fn f() { crate::identity::x() }",
    );
    finds(
        room_order,
        1,
        "src/call.rs",
        "macro_rules! m { () => { $crate::record::x() } }",
    );
    finds(room_order, 1, "src/config.rs", "use crate::app::App;");
    finds(room_order, 1, "src/attic.rs", "");
    finds(
        room_order,
        1,
        "src/decision.rs",
        "use crate::telemetry::Metrics;",
    );
    finds(
        room_order,
        0,
        "src/gateway.rs",
        "use crate::telemetry::Metrics;",
    );
    finds(
        room_order,
        0,
        "src/policy/set.rs",
        "use crate::types::x; // crate::gateway",
    );
    finds(
        room_order,
        0,
        "src/policy/set.rs",
        "use crate::policy::model::Policy;",
    );
}

#[test]
fn rooms_are_named_by_plain_paths() {
    hold(&["src"], plain_paths);
}

#[test]
fn plain_paths_are_checked() {
    finds(
        plain_paths,
        1,
        "src/call/body.rs",
        "use crate::{types, policy};",
    );
    finds(
        plain_paths,
        1,
        "src/call/body.rs",
        "use super::super::gateway;",
    );
    finds(plain_paths, 1, "src/call.rs", "use super::gateway;");
    finds(
        plain_paths,
        0,
        "src/call/body.rs",
        "use super::received::Received;",
    );
    let tests = "#[cfg(test)]\nmod tests {\n    use super::super::received;\n}\n";
    finds(plain_paths, 0, "src/call/body.rs", tests);
}

#[test]
fn pure_rooms_are_pure() {
    hold(&["src"], purity);
}

#[test]
fn purity_is_checked() {
    for word in IMPURE {
        finds(
            purity,
            1,
            "src/risk.rs",
            &format!("fn f() {{ x{} y }}", pad(word)),
        );
        finds(
            purity,
            0,
            "src/risk.rs",
            &format!("// {word}\nfn f() {{ \"{word}\" }}"),
        );
        finds(
            purity,
            0,
            "src/gateway.rs",
            &format!("fn f() {{ x{} }}", pad(word)),
        );
    }
    finds(purity, 0, "src/types/ids.rs", "fn operand(xf64: u8) {}");
}

/// Sets a word apart from what stands before it.
fn pad(word: &str) -> String {
    if is_name(word.as_bytes()[0]) {
        format!(" {word}")
    } else {
        word.to_owned()
    }
}

#[test]
fn crates_are_named_in_their_own_rooms() {
    hold(&["src"], reserved_crates);
}

#[test]
fn reserved_crates_are_checked() {
    for (name, _) in RESERVED {
        finds(
            reserved_crates,
            1,
            "src/policy.rs",
            &format!("use {name}::x;"),
        );
        finds(
            reserved_crates,
            1,
            "src/policy.rs",
            &format!("fn f() {{ {name}::x() }}"),
        );
    }
    finds(
        reserved_crates,
        1,
        "src/policy.rs",
        "fn f() { ::prometheus::x() }",
    );
    finds(
        reserved_crates,
        0,
        "src/telemetry.rs",
        "use prometheus::Registry;",
    );
    finds(
        reserved_crates,
        0,
        "src/app.rs",
        "use crate::config::prometheus::x;",
    );
    finds(
        reserved_crates,
        0,
        "src/app.rs",
        "let prometheus = self.prometheus.x();",
    );
}

#[test]
fn secrets_are_compared_in_one_place_and_in_constant_time() {
    hold(&["src"], secrets_apart);
}

#[test]
fn secrets_apart_is_checked() {
    for word in COMPARING {
        let snippet = format!("fn f() {{ aws_lc_rs::{word}::x() }}");
        finds(secrets_apart, 1, "src/management/guard.rs", &snippet);
        finds(secrets_apart, 0, "src/types/secret.rs", &snippet);
    }
    let send = "fn f() { send(token.expose()); }";
    finds(secrets_apart, 1, "src/management/guard.rs", send);
    finds(secrets_apart, 0, "src/store/redis/connection.rs", send);
    let compare = "fn f() { let is = sent == token.expose(); }";
    finds(secrets_apart, 1, "src/store/redis/connection.rs", compare);
    finds(secrets_apart, 2, "src/management/guard.rs", compare);
    let twice = "fn f() { send(token.expose()); let g = Secret::expose; }";
    finds(secrets_apart, 1, "src/store/redis/connection.rs", twice);
    let derived = "#[derive(Clone, PartialEq)]\npub struct Secret(Box<str>);";
    finds(secrets_apart, 1, "src/types/secret.rs", derived);
    let written = "impl PartialEq for Secret {}";
    finds(secrets_apart, 0, "src/types/secret.rs", written);
}

#[test]
fn files_say_what_they_are_for() {
    hold(&["src", "tests", "benches"], module_docs);
}

#[test]
fn module_docs_are_checked() {
    finds(module_docs, 1, "src/a.rs", "use std::fmt;");
    finds(module_docs, 1, "src/a.rs", "//! short\n");
    finds(module_docs, 0, "src/a.rs", "//! Says what it is for.\n");
    finds(module_docs, 0, "src/a/tests.rs", "use super::*;\n");
}

#[test]
fn files_are_short() {
    hold(&["src"], file_sizes);
}

#[test]
fn file_sizes_are_checked() {
    let line = "fn f() {}\n";
    finds(file_sizes, 1, "src/a.rs", &line.repeat(401));
    finds(file_sizes, 0, "src/a.rs", &line.repeat(400));
    finds(file_sizes, 1, "src/gateway.rs", &line.repeat(200));
    finds(file_sizes, 1, "src/main.rs", &line.repeat(120));
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", line.repeat(500));
    finds(
        file_sizes,
        0,
        "src/a.rs",
        &format!("{}{tests}", line.repeat(400)),
    );
}

#[test]
fn modules_are_files_with_names() {
    hold(&["src", "tests"], module_files);
    finds(module_files, 1, "src/call/mod.rs", "//! x");
}

#[test]
fn nothing_is_imported_by_star() {
    hold(&["src", "tests", "benches"], glob_imports);
}

#[test]
fn glob_imports_are_checked() {
    finds(glob_imports, 1, "src/a.rs", "use std::collections::*;");
    finds(glob_imports, 1, "src/a.rs", "use super::*;");
    finds(glob_imports, 1, "src/a.rs", "use std::{\n    fmt::*,\n};");
    finds(
        glob_imports,
        0,
        "src/a.rs",
        "#[cfg(test)]\nmod tests {\n    use super::*;\n}",
    );
    finds(
        glob_imports,
        1,
        "src/a.rs",
        "#[cfg(test)]\nmod tests {\n    use super::super::*;\n}",
    );
}

#[test]
fn every_test_runs() {
    hold(&["src", "tests", "benches"], honest_tests);
}

#[test]
fn honest_tests_are_checked() {
    finds(
        honest_tests,
        1,
        "src/a.rs",
        "#[test]\n#[ignore = \"slow\"]\nfn f() {}",
    );
    finds(
        honest_tests,
        1,
        "src/a.rs",
        "#[test]\n#[should_panic(expected = \"x\")]\nfn f() {}",
    );
}

#[test]
fn matches_over_reasons_name_every_one() {
    hold(&["src"], reasons_in_full);
}

#[test]
fn matches_over_reasons_are_checked() {
    let full = "match reason { Reason::A => f(|x| { x }), Reason::B | Reason::C => { g() } }";
    finds(reasons_in_full, 0, "src/a.rs", full);
    finds(
        reasons_in_full,
        1,
        "src/a.rs",
        "match r { Reason::A => 1, _ => 2 }",
    );
    finds(
        reasons_in_full,
        1,
        "src/a.rs",
        "match f(Some(r)) { Some(Reason::A) => {}, _ if x => {} }",
    );
    finds(
        reasons_in_full,
        1,
        "src/a.rs",
        "match x { 1 => match r { Reason::A => 1, _ => 2 }, 3 => 4 }",
    );
    finds(
        reasons_in_full,
        0,
        "src/a.rs",
        "match x { 1 => Reason::A, _ => Reason::B }",
    );
    finds(
        reasons_in_full,
        0,
        "src/a.rs",
        "match x { 1 => match r { Reason::A => 1 }, _ => 4 }",
    );
}
