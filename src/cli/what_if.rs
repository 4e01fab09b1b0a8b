//! `boomgate what-if`: which policies would apply to a call that nobody makes, why each other would not, and the verdict.
//!
//! The answer comes from the files that a gateway reads, or from a running gateway; both ask by the functions of the path.
//! Never here: a rule.

pub mod call;
mod gateway;
mod report;
pub mod session;
pub mod subject;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::management::{Credentials, Origin, parse_origin};
use super::{EXIT_CONFIGURATION, EXIT_FINE, Output, UsageError, check};
use crate::clock::{Clock, SystemClock};
use crate::config::{Environment, with_policies};
use crate::decision::Knowledge;
use crate::decision::supposed::session::Levels;
use crate::decision::supposed::{Answer, Supposed, World};
use crate::risk::{Reported, RiskSettings, RiskTable};
use crate::types::{Fact, RiskLevel};

use report::Found;
pub(super) use report::state_in_words;

/// What to ask.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    override_usage = "boomgate what-if <--config FILE|--management URL> \
<--agent AGENT|--blueprint BLUEPRINT|--agent-user USER|--human USER|--workload ID|--not-an-agent> <--resource RESOURCE|--path PATH> [OPTIONS]",
    after_help = "An agent, an agent user, a blueprint and a resource are named by id or, where only one has it, by display name; \
case does not count. A running gateway answers on what it knows now: risk that was confirmed, agents that were disabled. \
Exit codes: 0 asked and answered, whatever the verdict; 1 the gateway cannot be asked; 65 nobody and nothing of that name; \
78 bad configuration."
)]
pub struct Arguments {
    /// The configuration to answer from [env: BOOMGATE_CONFIG, unless `--management` is given]
    #[arg(long, value_name = "FILE", conflicts_with = "management")]
    pub config: Option<PathBuf>,
    /// The management listener of a running gateway, to answer in its place
    #[arg(long, value_name = "URL", value_parser = parse_origin)]
    pub management: Option<Origin>,
    /// As whom the gateway is asked
    #[command(flatten)]
    pub credentials: Credentials,
    /// Who calls
    #[command(flatten)]
    pub subject: subject::Arguments,
    /// What for
    #[command(flatten)]
    pub call: call::Arguments,
    /// From where, with what, and what is known of a human
    #[command(flatten)]
    pub session: session::Arguments,
    /// The level of risk, of an agent user and its agent alike [default: what is known, inheritance included]
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
    /// The level; `None` where it is withheld.
    const fn level(self) -> Option<RiskLevel> {
        match self {
            Self::None => Some(RiskLevel::None),
            Self::Low => Some(RiskLevel::Low),
            Self::Medium => Some(RiskLevel::Medium),
            Self::High => Some(RiskLevel::High),
            Self::Unknown => None,
        }
    }

    fn assumed(self, settings: RiskSettings) -> Fact<RiskLevel> {
        self.level()
            .map_or_else(|| settings.withheld(), Fact::Known)
    }
}

/// Answers the question, writes the answer to `to`, what is wrong with the configuration to `faults_to`, and gives the
/// exit code.
///
/// # Errors
/// [`UsageError`] when nobody is named to answer, or the gateway cannot be told all of the question;
/// [`SupposedError`](crate::decision::supposed::SupposedError) when it asks about what is not there; an IO error when the
/// answer cannot be written, and whatever keeps the gateway from answering.
pub fn what_if(
    arguments: &Arguments,
    environment: Environment<'_>,
    to: &mut dyn Write,
    faults_to: &mut dyn Write,
) -> anyhow::Result<u8> {
    let configured = || environment("BOOMGATE_CONFIG").map(PathBuf::from);
    let config = arguments.config.clone().or_else(configured);
    let found = match (&arguments.management, config) {
        (Some(origin), _) => gateway::ask(arguments, origin)?,
        (None, Some(config)) => match from_files(arguments, &config, environment, faults_to)? {
            Some(found) => found,
            None => return Ok(EXIT_CONFIGURATION),
        },
        (None, None) => {
            let message = "one of `--config <FILE>` and `--management <URL>` is needed";
            return Err(UsageError(message.to_owned()).into());
        }
    };
    match arguments.output {
        Output::Json => found.write_json(to)?,
        Output::Text => found.write_text(arguments.risk.is_some(), to)?,
    }
    Ok(EXIT_FINE)
}

/// The answer of a configuration's files; `None` where they are at fault.
fn from_files(
    arguments: &Arguments,
    config: &Path,
    environment: Environment<'_>,
    faults_to: &mut dyn Write,
) -> anyhow::Result<Option<Found>> {
    let (loaded, faults) = with_policies(config, environment);
    check::write_faults(&faults.sorted(), faults_to)?;
    let Some((around, policies)) = loaded else {
        return Ok(None);
    };
    let table: RiskTable = around.risk.into_iter().collect();
    let world = World {
        resources: &around.resources,
        directory: &around.directory,
        knowledge: Knowledge {
            policies: &policies,
            risk: &table,
            // It asks what policies say; a token there is none.
            reported: &Reported::default(),
            settings: around.decisions,
            generation: &around.generation,
            countries: around.countries.as_deref(),
        },
    };
    let levels = arguments.levels(|risk| risk.assumed(around.decisions.risk()));
    let supposed = Supposed {
        who: arguments.subject.who(),
        what: arguments.call.what(),
        session: arguments.session.session(levels),
    };
    let answer: Answer<'_> = supposed.ask(world, SystemClock.now())?;
    let results = answer.results().collect();
    Ok(Some(Found::new(answer.verdict, results)))
}

impl Arguments {
    /// The levels of risk that are assumed.
    fn levels(&self, level: impl Fn(Risk) -> Fact<RiskLevel>) -> Levels {
        Levels {
            agent: self.risk.map(&level),
            service_principal: self.risk.map(&level),
            user: self.session.user_risk.map(&level),
            sign_in: self.session.sign_in_risk.map(&level),
            insider: None,
        }
    }
}
