//! Records, answers, reload and shutdown.

use std::sync::Arc;
use std::time::Duration;

use super::Checker;
use crate::assertion::{AssertionSettings, KeySource, SigningKey};
use crate::config::member::MemberPath;
use crate::config::raw;
use crate::config::raw::process::{Assertions, Overflow as RawOverflow, Records, Responses};
use crate::config::raw::text::{Duration as RawDuration, File};
use crate::config::settings::Shutdown;
use crate::enforcement::ResponseSettings;
use crate::record::settings::{Destination, Overflow, RecordSettings};

/// The largest file of a key, in bytes.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// How long a key that was made in memory signs, unless the operator says otherwise.
const ROTATION: RawDuration = RawDuration::seconds(24 * 60 * 60);

/// How decisions are recorded.
pub(super) fn records(check: &mut Checker<'_>, raw: &Records, at: &MemberPath) -> RecordSettings {
    let destination = raw.file.as_ref().map_or(Destination::Stdout, |file| {
        let path = check.locate(file);
        let at = at.key("file");
        if path.is_dir() {
            check.refuse(&at, "is a folder, expected a file");
        } else if path
            .parent()
            .is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
        {
            check.refuse(&at, "is in a folder that is not there");
        }
        Destination::File(path)
    });
    let overflow = match raw.overflow {
        RawOverflow::Refuse => Overflow::Refuse,
        RawOverflow::DangerousDrop => {
            let message = "calls can go on without a record";
            check.warn(&at.key("overflow"), message);
            Overflow::DangerousDrop
        }
    };
    RecordSettings {
        destination,
        queue: usize::try_from(raw.queue).unwrap_or(usize::MAX),
        wait: check.between(&at.key("wait"), &raw.wait, ("0s", "1m")),
        overflow,
        list_not_applied: raw.list_not_applied,
        recent: usize::try_from(raw.recent).unwrap_or(usize::MAX),
    }
}

/// How decisions are asserted to upstreams.
pub(super) fn assertions(
    check: &mut Checker<'_>,
    raw: &Assertions,
    at: &MemberPath,
) -> AssertionSettings {
    let lifetime = check.between(&at.key("lifetime"), &raw.lifetime, ("5s", "10m"));
    if lifetime.subsec_nanos() > 0 {
        check.refuse(&at.key("lifetime"), "is not whole seconds");
    }
    let rotation_at = at.key("rotation_interval");
    let rotation = raw.rotation_interval.as_ref();
    if rotation.is_some() && !raw.key_files.is_empty() {
        let message = "without effect beside `key_files`: who gives the keys replaces them";
        check.error(&rotation_at, message);
    }
    let keys = if raw.key_files.is_empty() {
        let rotation = rotation.unwrap_or(&ROTATION);
        KeySource::Made(check.between(&rotation_at, rotation, ("1h", "90d")))
    } else {
        KeySource::Given(signing_keys(check, &raw.key_files, &at.key("key_files")))
    };
    AssertionSettings {
        issuer: Arc::clone(&raw.issuer.0),
        lifetime,
        keys,
    }
}

fn signing_keys(check: &mut Checker<'_>, files: &[File], at: &MemberPath) -> Vec<Arc<SigningKey>> {
    let mut keys = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let at = at.item(index);
        let path = check.locate(file);
        let Some(pem) = check.read(&at, &path, MAX_KEY_BYTES) else {
            continue;
        };
        match SigningKey::from_pem(&pem) {
            Ok(key) => keys.push(Arc::new(key)),
            Err(fault) => check.refuse(&at, &format!("{fault}, expected one")),
        }
    }
    keys
}

/// What refusals say.
pub(super) fn responses(
    check: &mut Checker<'_>,
    raw: &Responses,
    at: &MemberPath,
) -> ResponseSettings {
    let quotable = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    if !raw.realm.0.chars().all(quotable) {
        let predicate = "is not a realm, expected printable ASCII without `\"` and `\\`";
        check.refuse(&at.key("realm"), predicate);
    }
    let retry_after = check.between(&at.key("retry_after"), &raw.retry_after, ("1s", "1h"));
    if retry_after.subsec_nanos() > 0 {
        check.refuse(&at.key("retry_after"), "is not whole seconds");
    }
    ResponseSettings {
        realm: raw.realm.0.as_ref().to_owned(),
        show_policies: raw.show_policies,
        retry_after_seconds: u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX),
    }
}

/// The time between two looks at the files, and how the gateway ends.
pub(super) fn times(check: &mut Checker<'_>, config: &raw::Config) -> (Duration, Shutdown) {
    let root = MemberPath::root();
    let reload = root.key("reload").key("interval");
    let (at, shutdown) = (root.key("shutdown"), &config.shutdown);
    (
        check.between(&reload, &config.reload.interval, ("100ms", "1h")),
        Shutdown {
            delay: check.between(&at.key("delay"), &shutdown.delay, ("0s", "1h")),
            drain_timeout: check.between(
                &at.key("drain_timeout"),
                &shutdown.drain_timeout,
                ("0s", "1d"),
            ),
        },
    )
}
