//! The programs of the comparison of proxies: what `benches/compare/run` needs and no package has.
//!
//! `world` makes certificates, keys and tokens; `upstream` is a fast server; `floor` is a proxy that checks nothing, or
//! nothing but signatures; `check` says what one signature check costs; `hold` holds many connections open.
//! Never here: anything of Boomgate, so that what it is compared with does not share its code.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool of a benchmark prints, and takes the time of the tokens from the clock"
)]

mod check;
mod floor;
mod hold;
mod keys;
mod tls;
mod upstream;
mod world;

use std::error::Error;
use std::path::Path;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "\
compare world DIR TOKENS FRESH          certificates, keys, and tokens of two algorithms
compare upstream ADDRESS DIR            a fast server
compare floor ADDRESS UPSTREAM DIR WORKERS [check]   a proxy without checks, or with one of each call's signature
compare check DIR rs256|es256 SECONDS   CPU of one signature check
compare hold ADDRESS COUNT DIR NUMBER   holds connections open; its number tells it from others";

fn main() -> Fallible<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["world", folder, tokens, fresh] => {
            world::make(Path::new(folder), tokens.parse()?, fresh.parse()?)
        }
        ["upstream", address, folder] => upstream::run(address.parse()?, Path::new(folder)),
        ["floor", address, upstream, folder, workers, ref checks @ ..]
            if matches!(checks, [] | ["check"]) =>
        {
            floor::run(
                address.parse()?,
                upstream.parse()?,
                Path::new(folder),
                workers.parse()?,
                !checks.is_empty(),
            )
        }
        ["check", folder, algorithm, seconds] => {
            check::run(Path::new(folder), algorithm, seconds.parse()?)
        }
        ["hold", address, count, folder, number] => hold::run(
            address.parse()?,
            count.parse()?,
            Path::new(folder),
            number.parse()?,
        ),
        // `cargo test` starts examples without arguments only to see that they build.
        _ => Err(USAGE.into()),
    }
}
