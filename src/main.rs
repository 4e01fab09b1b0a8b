//! The `boomgate` command: arguments in, exit code out. All else is in the library.

use std::process::ExitCode;

use boomgate::cli;

fn main() -> ExitCode {
    cli::main()
}
