//! Room 9: the commands. Each is a function that takes its input and a writer and gives an exit code.

pub mod check;

/// Fine.
pub const EXIT_FINE: u8 = 0;
/// Bad configuration (`EX_CONFIG` of sysexits).
pub const EXIT_CONFIGURATION: u8 = 78;

/// How a command prints what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}
