//! `boomgate test`: policy tests written as data. Who calls what, and what must come of it.
//!
//! Each test is asked by the very functions of the gateway. Never here: a rule, and a test that passes because it could
//! not be asked.

mod case;
mod coverage;
mod file;
mod junit;
mod report;
mod session;
mod who;
mod world;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;

use super::{EXIT_CONFIGURATION, EXIT_DATA, EXIT_FAILED, EXIT_FINE, Output, check};
use crate::config::{Environment, folders};
use crate::store::files;
use crate::types::Faults;
use case::Ran;
use coverage::Coverage;
use world::{Trouble, Worlds};

/// What to test.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    override_usage = "boomgate test <PATH>... [OPTIONS]",
    after_help = "A file of tests names its configuration and its policies itself, or --config and --policies do. \
`boomgate test --schema` prints the JSON Schema of such a file. \
Exit codes: 0 all hold; 1 one does not, or what --deny names; 65 a file of tests or a policy is at fault; 78 bad configuration."
)]
pub struct Arguments {
    /// Files of tests (YAML), and folders of such
    #[arg(value_name = "PATH", required_unless_present = "schema")]
    pub paths: Vec<PathBuf>,
    /// The configuration, where a file does not name one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The policies to test, whatever files and configuration name: a folder, or a file
    #[arg(long, value_name = "DIR")]
    pub policies: Option<PathBuf>,
    /// Write the results as JUnit's XML too, for a pipeline to show
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Count it as a failure too
    #[arg(long, value_enum, value_name = "WHAT")]
    pub deny: Option<Deny>,
    /// Print the JSON Schema of a file of tests, and do nothing else
    #[arg(long, exclusive = true)]
    pub schema: bool,
    /// How to print the results
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// What may count as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deny {
    /// A policy that is not disabled and applies in no test
    Unreached,
}

/// Runs the tests, writes the results to `to` and what is wrong with files to `faults_to`, and gives the exit code.
///
/// # Errors
/// An IO error when the results cannot be written.
pub fn test(
    arguments: &Arguments,
    environment: Environment<'_>,
    to: &mut dyn Write,
    faults_to: &mut dyn Write,
) -> anyhow::Result<u8> {
    if arguments.schema {
        writeln!(to, "{:#}", file::json_schema())?;
        return Ok(EXIT_FINE);
    }
    let (files, mut faults) = read_all(&arguments.paths);
    if faults.has_errors() {
        check::write_faults(&faults.sorted(), faults_to)?;
        return Ok(EXIT_DATA);
    }
    let mut worlds = Worlds::new(arguments, environment);
    let mut ran = Vec::new();
    let mut coverage = Coverage::default();
    for file in &files {
        let world = match worlds.find(file) {
            Ok(world) => world,
            Err(trouble) => {
                let (code, found) = match trouble {
                    Trouble::Data(found) => (EXIT_DATA, found),
                    Trouble::Configuration(found) => (EXIT_CONFIGURATION, found),
                };
                check::write_faults(&found.sorted(), faults_to)?;
                return Ok(code);
            }
        };
        for (test, line) in file.tests.tests.iter().zip(&file.lines) {
            let one = Ran::of(test, &file.name, *line, &world, &mut coverage);
            ran.push(one);
        }
    }
    faults.extend(worlds.take_warnings());
    check::write_faults(&faults.sorted(), faults_to)?;
    let rows = coverage.rows();
    if let Some(path) = &arguments.junit {
        std::fs::write(path, junit::xml(&ran))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    match arguments.output {
        Output::Text => report::write_text(&ran, &rows, to)?,
        Output::Json => report::write_json(&ran, &rows, to)?,
    }
    let fails = ran.iter().any(|one| !one.holds());
    let is_denied =
        arguments.deny == Some(Deny::Unreached) && rows.iter().any(|row| row.tests == 0);
    Ok(if fails || is_denied {
        EXIT_FAILED
    } else {
        EXIT_FINE
    })
}

/// Every file of tests.
fn read_all(paths: &[PathBuf]) -> (Vec<file::Read>, Faults) {
    let mut read = Vec::new();
    let mut faults = Faults::new();
    for path in paths {
        match files_at(path) {
            Ok(files) if files.is_empty() => {
                faults.push(folders::of_file(
                    path,
                    "holds no file of tests (`*.yaml`)".to_owned(),
                ));
            }
            Ok(files) => {
                for file in files {
                    match file::read(&file) {
                        Ok(file) => read.push(file),
                        Err(found) => faults.extend(found),
                    }
                }
            }
            Err(reason) => faults.push(folders::of_file(path, format!("cannot be read: {reason}"))),
        }
    }
    (read, faults)
}

fn files_at(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let is_yaml = |path: &PathBuf| {
        let extension = path.extension();
        ["yaml", "yml"]
            .iter()
            .any(|known| extension.is_some_and(|extension| extension.eq_ignore_ascii_case(known)))
    };
    let files = files::entries(path)?.into_iter();
    Ok(files.filter(is_yaml).collect())
}
