//! `docs/policy-support.md`, written from the table of [`members`](super::members) and from who is concerned
//! ([`scope`](crate::policy::scope)). Never here: a word of what is honoured that the tables do not say.

use super::members::{MEMBERS, Support};
use crate::policy::scope::Scope;
use crate::policy::{Control, Principal};

const HEAD: &str = "\
# What of a Conditional Access policy is honoured

This page is written from the table that the reader of policies goes by (`src/policy/read/members.rs`); a test compares the two.

- **yes**: evaluated, as in Microsoft Entra.
- **here**: evaluated, though Entra does not for this kind of caller; `evaluation.entra_parity: true` turns it off.
- **-**: does not concern this kind of caller. A condition never holds for it, so that the policy does not apply to it; a control cannot be
  satisfied by it (under `entra_parity` it is left out).

A member that is *not honoured*, and one that is not listed, is refused when the policy is loaded, with file, line and column; with
`on_unsupported: report_only` the policy is reported and never enforced. In any case it is kept and written back.

On behalf of a human, the human and the acting agent are judged, each by its own column; a policy applies if it applies to either.

| member | agent identity | agent user | human | service principal |
| --- | --- | --- | --- | --- |
";

const COLUMNS: [Principal; 4] = [
    Principal::AgentIdentity,
    Principal::AgentUser,
    Principal::Human,
    Principal::Workload,
];

/// The page, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut others = String::new();
    for member in MEMBERS {
        let path = member.path;
        match member.support {
            Support::Object => {}
            Support::Honoured => page += &row(path, |_| "yes"),
            Support::Of(whom) => {
                page += &row(path, |one| if one == whom { "yes" } else { "-" });
            }
            Support::Holds(condition) => page += &row(path, |one| cell(condition.scope(one))),
            Support::Demands(control) => page += &row(path, |one| cell(control.scope(one))),
            Support::Controls => {
                for control in Control::ALL.iter().filter(|one| one.is_built_in()) {
                    let name = format!("{path}: {}", control.as_str());
                    page += &row(&name, |one| cell(control.scope(one)));
                }
            }
            Support::NotApplicable(why) => {
                others += &other(path, &format!("no effect, a warning: {why}"));
            }
            Support::NotUnderstood => others += &other(path, "not honoured"),
            Support::Descriptive => others += &other(path, "kept; no decision rests on it"),
        }
    }
    page + "\n| other members | |\n| --- | --- |\n" + &others
}

const fn cell(scope: Scope) -> &'static str {
    match scope {
        Scope::Entra => "yes",
        Scope::Beyond => "here",
        Scope::Never => "-",
    }
}

fn row(name: &str, of: impl Fn(Principal) -> &'static str) -> String {
    format!("| `{name}` | {} |\n", COLUMNS.map(of).join(" | "))
}

fn other(name: &str, what: &str) -> String {
    format!("| `{name}` | {what} |\n")
}
