//! What one signature check costs: the tokens of the world, verified one after the other as Boomgate verifies them.
//!
//! The same library, the same key made beforehand, and a token that the key has not seen just before. Nothing else of a
//! token's check is in it: no reading of JSON, no claims, no cache. Beside it the same with a key that the library of
//! the signatures has parsed beforehand, which is the least that a check can cost with it.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::Fallible;
use crate::keys::Key;

/// Tokens between two looks at the clock.
const BATCH: usize = 64;

/// Checks tokens that were made for "never seen before", for so long, and prints what one check costs as JSON.
pub(crate) fn run(folder: &Path, algorithm: &str, seconds: f64) -> Fallible<()> {
    let ours: &'static dyn VerificationAlgorithm = match algorithm {
        "rs256" => &RSA_PKCS1_2048_8192_SHA256,
        "es256" => &ECDSA_P256_SHA256_FIXED,
        other => return Err(format!("no algorithm `{other}`; there are: rs256, es256").into()),
    };
    let text = fs::read_to_string(folder.join(format!("{algorithm}-fresh.txt")))?;
    let tokens = text
        .lines()
        .map(|token| token.rsplit_once('.').ok_or("a token without a signature"))
        .collect::<Result<Vec<_>, _>>()?;
    let key = Key::of(folder, algorithm)?;
    let check = |(message, signature): (&str, &str)| key.verifies(message, signature);
    let parsed = ParsedPublicKey::new(ours, subject_public_key(folder, algorithm)?)?;
    let least = |(message, signature): (&str, &str)| {
        URL_SAFE_NO_PAD
            .decode(signature)
            .is_ok_and(|signature| parsed.verify_sig(message.as_bytes(), &signature).is_ok())
    };
    for (name, verifies) in [("check", &check as &dyn Fn(_) -> bool), ("least", &least)] {
        // A check that lets everything pass would cost nothing: it must tell a forged token.
        if let [(message, _), (_, signature), ..] = *tokens
            && verifies((message, signature))
        {
            return Err(format!("{name}: the signature of another token passes").into());
        }
    }
    let half = Duration::from_secs_f64(seconds / 2.0);
    let (check_us, checks) = measure(&tokens, half, &check)?;
    let (least_us, _) = measure(&tokens, half, &least)?;
    println!(
        "{}",
        json!({"algorithm": algorithm, "check_us": check_us, "least_us": least_us, "checks": checks})
    );
    Ok(())
}

/// CPU time of a check in microseconds, and how many were made.
fn measure(
    tokens: &[(&str, &str)],
    time: Duration,
    verifies: &dyn Fn((&str, &str)) -> bool,
) -> Fallible<(f64, u32)> {
    let mut every = tokens.iter().cycle();
    let mut batch = || -> Fallible<u32> {
        let mut checks = 0;
        for token in every.by_ref().take(BATCH) {
            if !black_box(verifies(*token)) {
                return Err("a token of the world does not verify".into());
            }
            checks += 1;
        }
        Ok(checks)
    };
    batch()?;
    let (begun, before, mut checks) = (Instant::now(), cpu_time()?, 0);
    while begun.elapsed() < time {
        checks += batch()?;
    }
    let used = cpu_time()?.saturating_sub(before);
    if checks == 0 {
        return Err("there are no tokens".into());
    }
    Ok((used.as_secs_f64() * 1e6 / f64::from(checks), checks))
}

/// What this thread has had of a processor so far (Linux: Documentation/scheduler/sched-stats.rst).
fn cpu_time() -> Fallible<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().ok_or("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// The same key as X.509 has it, from its PEM file.
fn subject_public_key(folder: &Path, algorithm: &str) -> Fallible<Vec<u8>> {
    let name = algorithm.get(..2).ok_or("no algorithm")?;
    let pem = fs::read_to_string(folder.join(format!("{name}.pub")))?;
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    Ok(STANDARD.decode(text)?)
}
