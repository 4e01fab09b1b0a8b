//! The `boomgate` command: arguments in, exit code out. All else is in the library.

use std::process::ExitCode;

use boomgate::cli;

/// What is taken on one thread and freed on another costs no lock; docs/speed.md has both measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
