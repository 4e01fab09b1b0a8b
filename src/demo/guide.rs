//! What a demo prints: where things are, commands to paste, and a line per decision.

use std::io::{self, Write};

use super::{CallerName, Demo};
use crate::record::DecisionLine;
use crate::types::Effect;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// Prints where things are and what to try.
///
/// # Errors
/// When nobody reads any more.
pub fn print(out: &mut impl Write, demo: &Demo) -> io::Result<()> {
    let dir = demo.folder().display();
    writeln!(out, "{BOLD}Boomgate is up.{PLAIN}\n")?;
    for (what, place) in [
        ("gateway", format!("https://{}", demo.addresses().gateway)),
        (
            "management",
            format!("https://{}", demo.addresses().management),
        ),
        ("files", dir.to_string()),
        ("records", format!("{dir}/records.jsonl")),
    ] {
        writeln!(out, "  {what:<12}{place}")?;
    }
    for (title, command) in commands(demo) {
        writeln!(out, "\n{DIM}# {title}{PLAIN}\n{command}")?;
    }
    let callers = CallerName::ALL.map(CallerName::as_str).join(", ");
    writeln!(out, "\nCallers in {dir}/tokens: {callers}")?;
    writeln!(out, "Ctrl-C ends the demo. Decisions appear below.\n")?;
    out.flush()
}

/// What to try, in an order that tells a story.
fn commands(demo: &Demo) -> Vec<(&'static str, String)> {
    let dir = shell_word(&demo.folder().to_string_lossy());
    let (gateway, management) = (demo.addresses().gateway, demo.addresses().management);
    let curl = |secret: &str| {
        format!(
            "curl --cacert {dir}/ca.pem --header \"Authorization: Bearer $(cat {dir}/{secret})\""
        )
    };
    let call = |caller: CallerName, path: &str| {
        let curl = curl(&format!("tokens/{}.jwt", caller.as_str()));
        format!("{curl} https://{gateway}{path}")
    };
    let admin = curl("admin-token");
    let agents = format!("https://{management}/beta/identityProtection/riskyAgents");
    let body = format!(r#"{{"agentIds":["{}"]}}"#, demo.hr_agent_id());
    let compromised = format!("{admin} --json '{body}' {agents}/confirmCompromised");
    let by_command = format!(
        "{} risk confirm-compromised {} --management https://{management} --ca-file {dir}/ca.pem --admin-token-file {dir}/admin-token",
        own_path(),
        demo.hr_agent_id()
    );
    let metrics = format!("curl --cacert {dir}/ca.pem https://{management}/metrics");
    vec![
        (
            "An approved agent reads the HR API",
            call(CallerName::HrAgent, "/hr/people"),
        ),
        (
            "One that nobody approved is blocked",
            call(CallerName::NewAgent, "/hr/people"),
        ),
        (
            "One that is at high risk is blocked",
            call(CallerName::CompromisedAgent, "/hr/people"),
        ),
        (
            "Another approved agent reads the finance API",
            call(CallerName::FinanceAgent, "/finance/invoices"),
        ),
        (
            "Stop the first agent: its token stays valid, its calls end",
            compromised,
        ),
        ("The same by Boomgate's own command", by_command),
        (
            "Its next call is blocked",
            call(CallerName::HrAgent, "/hr/people"),
        ),
        ("What is known of risk", format!("{admin} {agents}")),
        ("The metrics", metrics),
    ]
}

/// This program as a shell finds it again; by its name if the system does not tell its path.
fn own_path() -> String {
    std::env::current_exe().map_or_else(
        |_unknown| "boomgate".to_owned(),
        |path| shell_word(&path.to_string_lossy()),
    )
}

/// One word of a POSIX shell, quoted where it must be (POSIX.1-2024, Shell Command Language §2.2.2).
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Prints one decision as one line of aligned columns.
///
/// # Errors
/// When nobody reads any more.
pub fn print_decision(out: &mut impl Write, line: &DecisionLine) -> io::Result<()> {
    let time = line.at.to_string();
    let time = time.get(11..19).unwrap_or(&time);
    let (color, effect) = match line.effect {
        Effect::Allow => (GREEN, "allow"),
        Effect::Block => (RED, "block"),
    };
    let caller = shortened(line.caller.as_deref().unwrap_or("-"), 20);
    let kind = line.caller_kind.unwrap_or("-");
    let method = line.method.as_ref().map_or("-", http::Method::as_str);
    let path = shortened(line.path.as_deref().unwrap_or("-"), 22);
    let reason = line.reason.as_str();
    write!(
        out,
        "{DIM}{time}{PLAIN}  {color}{effect}{PLAIN}  {caller:<20}  {kind:<14}  {method:<6}  {path:<22}  {reason:<22}  {DIM}{:>6} µs{PLAIN}",
        line.duration.as_micros()
    )?;
    for policy in &line.policies {
        write!(out, "  {policy}")?;
    }
    writeln!(out)?;
    out.flush()
}

/// A text that fits its column.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_word_comes_out_of_a_shell_as_it_went_in() {
        for word in [
            "/tmp/demo-1",
            "/tmp/a b",
            "it's",
            "$(id)",
            "`id`\"\\",
            "*",
            "",
        ] {
            let script = format!("printf %s \"$(printf %s {})\"", shell_word(word));
            let printed = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(printed.stdout).unwrap(), word);
        }
    }
}
