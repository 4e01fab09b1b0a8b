//! `boomgate what-if`: which policies would apply to a call that nobody makes, why each other would not, and the verdict.
//!
//! It reads the files that the gateway reads, and asks by the same functions. Never here: a network, and a rule.

pub mod call;
mod report;
pub mod session;
pub mod subject;

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;

use super::{EXIT_CONFIGURATION, EXIT_FINE, Output, check};
use crate::clock::{Clock, SystemClock};
use crate::config::{Environment, with_policies};
use crate::decision::{Asked, Knowledge, Question, Session};
use crate::policy::{AnalysisReason, CompiledPolicy, PolicyResult, PolicyState};
use crate::risk::{Assessment, Revocations, RiskSettings, RiskTable, SignInIds};
use crate::types::{Fact, Reason, RiskLevel};

pub(super) use report::state_in_words;

/// What to ask.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    override_usage = "boomgate what-if --config <FILE> \
<--agent AGENT|--blueprint BLUEPRINT|--agent-user USER|--human USER|--workload ID|--not-an-agent> <--resource RESOURCE|--path PATH> [OPTIONS]",
    after_help = "An agent, an agent user, a blueprint and a resource are named by id or, where only one has it, by display name; \
case does not count. Exit codes: 0 asked and answered, whatever the verdict; 65 nobody and nothing of that name; \
78 bad configuration."
)]
pub struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE", env = "BOOMGATE_CONFIG")]
    pub config: PathBuf,
    /// Who calls
    #[command(flatten)]
    pub subject: subject::Arguments,
    /// What for
    #[command(flatten)]
    pub call: call::Arguments,
    /// From where, with what, and what is known of a human
    #[command(flatten)]
    pub session: session::Arguments,
    /// The level of risk, of an agent user and its agent alike [default: what the risk file says, inheritance included]
    #[arg(
        long,
        value_enum,
        value_name = "LEVEL",
        conflicts_with = "not_an_agent"
    )]
    pub risk: Option<Risk>,
    /// How to print the result; json is Graph's list of whatIfAnalysisResult
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// A level of risk to assume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Risk {
    /// No risk is known
    None,
    /// low
    Low,
    /// medium
    Medium,
    /// high
    High,
    /// Its source withholds it; where `risk.required` is set, policies that block on risk then block
    Unknown,
}

impl Risk {
    const fn assumed(self, settings: RiskSettings) -> Fact<RiskLevel> {
        match self {
            Self::None => Fact::Known(RiskLevel::None),
            Self::Low => Fact::Known(RiskLevel::Low),
            Self::Medium => Fact::Known(RiskLevel::Medium),
            Self::High => Fact::Known(RiskLevel::High),
            Self::Unknown => settings.withheld(),
        }
    }
}

/// Why the question makes no sense to this configuration: exit code 65.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InputError(pub(in crate::cli) String);

/// What one policy says.
struct Line<'a> {
    policy: &'a CompiledPolicy,
    result: PolicyResult,
    reason: AnalysisReason,
}

/// What all say, and what comes of it.
struct Answer<'a> {
    lines: Vec<Line<'a>>,
    risk: Assessment,
    reason: Reason,
}

/// Answers the question, writes the answer to `to`, what is wrong with the configuration to `faults_to`, and gives the
/// exit code.
///
/// # Errors
/// [`InputError`] when it asks about what is not there; an IO error when the answer cannot be written.
pub fn what_if(
    arguments: &Arguments,
    environment: Environment<'_>,
    to: &mut dyn Write,
    faults_to: &mut dyn Write,
) -> anyhow::Result<u8> {
    let (found, faults) = with_policies(&arguments.config, environment);
    check::write_faults(&faults.sorted(), faults_to)?;
    let Some((around, policies)) = found else {
        return Ok(EXIT_CONFIGURATION);
    };
    let settings = around.decisions;
    let caller = arguments
        .session
        .assume(arguments.subject.find(&around.directory)?);
    let mut call = arguments.call.find(&around.resources)?;
    call.operation = arguments.session.marked(call.operation);
    let table: RiskTable = around.risk.into_iter().collect();
    let mut risk = table.assess(&caller, SignInIds::default(), settings.risk());
    if let Some(assumed) = arguments.risk {
        let level = assumed.assumed(settings.risk());
        risk.agent = level;
        risk.agent_user = level;
        risk.service_principal = level;
    }
    arguments.session.assume_risk(&mut risk, settings.risk());
    let knowledge = Knowledge {
        policies: &policies,
        risk: &table,
        // It asks what policies say; a token there is none.
        revocations: &Revocations::default(),
        is_state_known: true,
        settings,
        generation: &around.generation,
        countries: around.countries.as_deref(),
    };
    let evidence = arguments.session.evidence();
    let question = Question {
        caller: &caller,
        resource: Asked::Resource(&call.resource),
        operation: &call.operation,
        non_agents: call.resource.non_agents,
        session: Session {
            evidence: &evidence,
            tenant: None,
            token_id: None,
            address: arguments.session.address(),
            country: arguments.session.country(&knowledge),
        },
    };
    let now = arguments.session.time.unwrap_or_else(|| SystemClock.now());
    let facts = question.facts(&risk, settings, now);
    let evaluation = policies.evaluate(&facts);
    let results = policies.evaluate_all(&facts);
    let mut lines: Vec<_> = policies.iter().zip(results).map(line).collect();
    lines.sort_by_key(|line| line.policy.state == PolicyState::Disabled);
    let answer = Answer {
        lines,
        risk,
        reason: question.reason(&evaluation, settings),
    };
    match arguments.output {
        Output::Json => report::write_json(&answer, to)?,
        Output::Text => {
            let (risk, session) = (arguments.risk.is_some(), &question.session);
            report::write_question(&caller, &call, &answer, (risk, session), to)?;
            report::write_answer(&answer, to)?;
        }
    }
    Ok(EXIT_FINE)
}

fn line((policy, result): (&CompiledPolicy, PolicyResult)) -> Line<'_> {
    Line {
        policy,
        result,
        reason: AnalysisReason::of(policy, &result),
    }
}
