//! Where state is kept.

use std::sync::Arc;

use super::Checker;
use super::listeners::exact_host;
use super::secrets::secret;
use crate::config::member::MemberPath;
use crate::config::raw::store::{Redis, Store};
use crate::store::settings::{Freshness, RedisSettings, RedisTls, StoreSettings};
use crate::types::Secret;

/// The folder beside the configuration that state is kept in by default.
const DEFAULT_DIR: &str = "state";

/// The largest file of CA certificates.
const MAX_ROOTS_BYTES: u64 = 1024 * 1024;

/// Where state is kept; `None` if that is at fault.
pub(super) fn store(
    check: &mut Checker<'_>,
    raw: &Store,
    at: &MemberPath,
) -> Option<StoreSettings> {
    let several = "has several places, expected one of `dir`, `redis`, `dangerous_memory_only`";
    match (&raw.dir, &raw.redis, raw.dangerous_memory_only) {
        (Some(dir), None, false) => {
            let folder = check.locate(dir);
            if folder.exists() && !folder.is_dir() {
                check.refuse(&at.key("dir"), "is a file, expected a folder");
            }
            Some(StoreSettings::Embedded(folder))
        }
        (None, Some(engine), false) => {
            redis(check, engine, &at.key("redis")).map(StoreSettings::Redis)
        }
        (None, None, true) => {
            let message = "a restart forgets which agents are compromised";
            check.warn(&at.key("dangerous_memory_only"), message);
            Some(StoreSettings::MemoryOnly)
        }
        (None, None, false) => Some(StoreSettings::Embedded(check.locate_text(DEFAULT_DIR))),
        _ => {
            check.error(at, several);
            None
        }
    }
}

fn redis(check: &mut Checker<'_>, raw: &Redis, at: &MemberPath) -> Option<RedisSettings> {
    let host = exact_host(check, &raw.host, &at.key("host"));
    let tls = match (&raw.tls, raw.dangerous_plaintext) {
        (Some(tls), false) => {
            let ca_file = tls.ca_file.as_ref().map(|file| {
                let path = check.locate(file);
                let member = at.key("tls").key("ca_file");
                // Read again when it is needed; that it can be read is told now.
                let _bytes = check.read(&member, &path, MAX_ROOTS_BYTES);
                path
            });
            Some(RedisTls { ca_file })
        }
        (None, true) => {
            let message =
                "the password, and the word on an agent, can be read and changed on the way";
            check.warn(&at.key("dangerous_plaintext"), message);
            None
        }
        (Some(_), true) => {
            check.error(
                &at.key("dangerous_plaintext"),
                "expected without `tls`, or not at all",
            );
            None
        }
        (None, false) => {
            check.error(
                at,
                "has no `tls`, expected `tls: {}` or more; or `dangerous_plaintext: true`",
            );
            None
        }
    };
    let password = raw.password.as_ref();
    let password = password.map(|_| secret(check, &at.key("password")));
    let timeout = check.between(&at.key("timeout"), &raw.timeout, ("100ms", "1m"));
    let freshness = Freshness {
        max_age: check.between(&at.key("max_age"), &raw.max_age, ("5s", "7d")),
        required: raw.required,
    };
    Some(RedisSettings {
        host: host?,
        port: raw.port,
        tls,
        username: raw.username.as_ref().map(|name| Arc::clone(&name.0)),
        password: match password {
            Some(password) => Some(Secret::new(password?)),
            None => None,
        },
        database: raw.database,
        prefix: Arc::clone(&raw.prefix.0),
        timeout,
        stream_length: raw.stream_length,
        freshness,
    })
}
