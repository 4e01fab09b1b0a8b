//! Where state is kept.

use super::Checker;
use crate::config::member::MemberPath;
use crate::config::raw::store::Store;
use crate::store::settings::StoreSettings;

/// The folder beside the configuration that state is kept in by default.
const DEFAULT_DIR: &str = "state";

/// Where state is kept.
pub(super) fn store(check: &mut Checker<'_>, raw: &Store, at: &MemberPath) -> StoreSettings {
    if raw.dangerous_memory_only {
        let member = at.key("dangerous_memory_only");
        if raw.dir.is_some() {
            check.error(&member, "expected without `dir`, or not at all");
        }
        check.warn(&member, "a restart forgets which agents are compromised");
        return StoreSettings::MemoryOnly;
    }
    let folder = match &raw.dir {
        Some(dir) => check.locate(dir),
        None => check.locate_text(DEFAULT_DIR),
    };
    if folder.exists() && !folder.is_dir() {
        check.error(&at.key("dir"), "is a file, expected a folder");
    }
    StoreSettings::Embedded(folder)
}
