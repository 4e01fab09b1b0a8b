//! What a demo prints: where things are, commands to paste, and a line per decision.

use std::io::{self, Write};

use super::Demo;
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
    let addresses = demo.addresses();
    let (gateway, management) = (addresses.gateway, addresses.management);
    let call = |caller: &str, path: &str| {
        format!(
            "curl --cacert {dir}/ca.pem -H \"Authorization: Bearer $(cat {dir}/tokens/{caller}.jwt)\" https://{gateway}{path}"
        )
    };
    writeln!(out, "{BOLD}Boomgate is up.{PLAIN}\n")?;
    for (what, place) in [
        ("gateway", format!("https://{gateway}")),
        ("management", format!("https://{management}")),
        ("files", dir.to_string()),
        ("records", format!("{dir}/records.jsonl")),
    ] {
        writeln!(out, "  {what:<12}{place}")?;
    }
    let admin =
        format!("curl --cacert {dir}/ca.pem -H \"Authorization: Bearer $(cat {dir}/admin-token)\"");
    let agents = "https://{management}/beta/identityProtection/riskyAgents"
        .replace("{management}", &management.to_string());
    let stop = format!(
        "{admin} -H \"Content-Type: application/json\" -d '{{\"agentIds\":[\"{}\"]}}' {agents}/confirmCompromised",
        demo.hr_agent_id()
    );
    for (title, command) in [
        (
            "An approved agent reads the HR API",
            call("hr-agent", "/hr/people"),
        ),
        (
            "One that is not approved is blocked",
            call("new-agent", "/hr/people"),
        ),
        (
            "One that is compromised is blocked",
            call("compromised-agent", "/hr/people"),
        ),
        (
            "The finance agent has no business in HR",
            call("finance-agent", "/hr/people"),
        ),
        (
            "Stop the first agent: its token stays valid, its calls do not",
            stop,
        ),
        ("What is known of risk", format!("{admin} {agents}")),
        (
            "The metrics",
            format!("curl --cacert {dir}/ca.pem https://{management}/metrics"),
        ),
    ] {
        writeln!(out, "\n{DIM}# {title}{PLAIN}\n{command}")?;
    }
    writeln!(out, "\nCallers in {dir}/tokens: {}", callers())?;
    writeln!(out, "Ctrl-C ends the demo. Decisions appear below.\n")?;
    out.flush()
}

fn callers() -> String {
    super::CallerName::ALL
        .map(super::CallerName::as_str)
        .join(", ")
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
    let caller = line.caller.as_deref().unwrap_or("-");
    let kind = line.caller_kind.unwrap_or("-");
    let method = line.method.as_ref().map_or("-", http::Method::as_str);
    let path = line.path.as_deref().unwrap_or("-");
    write!(
        out,
        "{DIM}{time}{PLAIN}  {color}{effect}{PLAIN}  {caller:<18} {kind:<15} {method:<6} {path:<24} {}",
        line.reason
    )?;
    for policy in &line.policies {
        write!(out, "  {DIM}by{PLAIN} \"{policy}\"")?;
    }
    writeln!(out, "  {DIM}{} µs{PLAIN}", line.duration.as_micros())?;
    out.flush()
}
