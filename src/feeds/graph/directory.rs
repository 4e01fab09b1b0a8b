//! Keeps the agents that Graph lists in a folder of the gateway's own, which is loaded as the operator's is: the same reload
//! takes it up, and a restart without Graph still knows them.
//!
//! All lists are read to their end before anything is written, so an agent that is in none of them is gone. Never here:
//! half a list, and an object that does not say whether it is enabled.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::error::GraphError;
use super::list::PAGE;
use super::poll::{FIRST_PAUSE, LONGEST_PAUSE};
use super::settings::DirectorySettings;
use super::{GRAPH_DIRECTORY, Tenant};
use crate::feeds::jitter::{jitter, pause_after};
use crate::identity::directory::read::read;
use crate::store::files::MAX_FILE_BYTES;
use crate::store::folder::{Folder, FolderError};
use crate::types::fault::chain;

/// How often a page that fails is asked for before all is read anew.
const TRIES: u32 = 5;

/// Which agents are enabled.
const ENABLED: &str = "accountEnabled";

/// What Graph returns only where it is asked for.
const ATTRIBUTES: &str = "customSecurityAttributes";

/// What is kept of the objects of a list, by id.
type Objects = BTreeMap<String, Map<String, Value>>;

/// One list of Graph, and the file that keeps it.
#[derive(Debug, Clone, Copy)]
struct Listing {
    file: &'static str,
    set: &'static str,
    kind: &'static str,
    members: &'static [&'static str],
    /// The application permission that it takes.
    permission: &'static str,
}

const LISTINGS: [Listing; 3] = [
    Listing {
        file: "blueprint-principals.json",
        set: "servicePrincipals",
        kind: "microsoft.graph.agentIdentityBlueprintPrincipal",
        members: &["id", "appId", "displayName", ENABLED],
        permission: "AgentIdentityBlueprintPrincipal.Read.All",
    },
    Listing {
        file: "agent-identities.json",
        set: "servicePrincipals",
        kind: "microsoft.graph.agentIdentity",
        members: &[
            "id",
            "displayName",
            ENABLED,
            "agentIdentityBlueprintId",
            "createdDateTime",
        ],
        permission: "AgentIdentity.Read.All",
    },
    Listing {
        file: "agent-users.json",
        set: "users",
        kind: "microsoft.graph.agentUser",
        members: &[
            "id",
            "displayName",
            "userPrincipalName",
            ENABLED,
            "identityParentId",
        ],
        permission: "User.Read.All",
    },
];

impl Listing {
    fn address(self, base_url: &str, with_attributes: bool) -> String {
        let mut members = self.members.join(",");
        if with_attributes {
            members.push(',');
            members.push_str(ATTRIBUTES);
        }
        let (set, kind) = (self.set, self.kind);
        format!("{base_url}/beta/{set}/{kind}?$top={PAGE}&$select={members}")
    }

    /// What is kept of an object, and its id.
    fn kept(self, object: Value) -> Result<(String, Map<String, Value>), GraphError> {
        let Value::Object(mut members) = object else {
            return Err(self.unreadable("an object was expected"));
        };
        members.retain(|name, value| {
            let is_kept = self.members.contains(&name.as_str()) || name == ATTRIBUTES;
            is_kept && !value.is_null()
        });
        let id = members.get("id").and_then(Value::as_str);
        let id = id.ok_or_else(|| self.unreadable("an object has no `id`"))?;
        // FAIL-CLOSED: the reader takes whom nothing is said of for enabled, as Graph's exports do.
        if !members.get(ENABLED).is_some_and(Value::is_boolean) {
            let why = format!("`{id}` does not say whether it is enabled");
            return Err(self.unreadable(&why));
        }
        let id = id.to_owned();
        let kind = format!("#{}", self.kind);
        members.insert("@odata.type".to_owned(), Value::String(kind));
        Ok((id, members))
    }

    fn unreadable(self, why: &str) -> GraphError {
        GraphError::Objects(format!("{}: {why}", self.kind))
    }

    /// The file's text, which says what a directory file may say.
    fn text(self, objects: Objects) -> Result<Vec<u8>, GraphError> {
        let objects: Vec<_> = objects.into_values().map(Value::Object).collect();
        let text = format!("{:#}\n", json!({"value": objects})).into_bytes();
        let (_, faults) = read(self.file, &text);
        if faults.has_errors() {
            let faults: Vec<_> = faults
                .iter()
                .take(10)
                .map(|fault| &*fault.message)
                .collect();
            return Err(self.unreadable(&faults.join("; ")));
        }
        Ok(text)
    }
}

impl Tenant {
    /// Keeps the folder as Graph has the directory, for as long as it is let.
    pub(super) async fn keep_directory(self: Arc<Self>, settings: DirectorySettings) {
        let mut failures: u32 = 0;
        loop {
            let began = Instant::now();
            let began_at = self.context.clock.now();
            match self.read_directory(&settings).await {
                Ok(()) => {
                    failures = 0;
                    *self.listed.lock() = Some(began_at);
                    self.went_well(GRAPH_DIRECTORY, Vec::new());
                    let pause = settings
                        .interval
                        .saturating_sub(jitter(settings.interval / 10));
                    sleep_until(began + pause).await;
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    self.fails(GRAPH_DIRECTORY, vec![chain(&error)]);
                    sleep(after(failures, &error)).await;
                }
            }
        }
    }

    async fn read_directory(&self, settings: &DirectorySettings) -> Result<(), GraphError> {
        let mut files = Vec::new();
        for listing in LISTINGS {
            let objects = self.read_listing(listing, settings).await?;
            files.push((listing, objects));
        }
        let folder = settings.dir.clone();
        let written = tokio::task::spawn_blocking(move || write(&folder, files)).await;
        let changed = written.map_err(|_panicked| {
            GraphError::Document(GRAPH_DIRECTORY.to_owned(), "its objects cannot be read")
        })??;
        if changed > 0 {
            tracing::info!(files = changed, "the directory in Graph has changed");
        }
        Ok(())
    }

    /// Reads a list to its end.
    async fn read_listing(
        &self,
        listing: Listing,
        settings: &DirectorySettings,
    ) -> Result<Objects, GraphError> {
        let mut next = listing.address(&self.settings.base_url, settings.attributes);
        let mut objects = BTreeMap::new();
        let (mut pages, mut failures) = (0_u32, 0_u32);
        loop {
            let page = match self.connection.page(&next, listing.permission).await {
                Ok(page) => page,
                Err(error) if error.is_passing() && failures < TRIES => {
                    failures = failures.saturating_add(1);
                    self.fails(GRAPH_DIRECTORY, vec![chain(&error)]);
                    sleep(after(failures, &error)).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            failures = 0;
            for object in page.items {
                let (id, object) = listing.kept(object)?;
                objects.insert(id, object);
            }
            pages = pages.saturating_add(1);
            let Some(address) = page.next else {
                return Ok(objects);
            };
            let max_pages = self.settings.max_pages;
            if pages >= max_pages {
                return Err(GraphError::TooManyPages(listing.kind.to_owned(), max_pages));
            }
            next = address;
        }
    }
}

/// How long nothing is asked after a failure.
fn after(failures: u32, error: &GraphError) -> Duration {
    let asked = error.patience().unwrap_or_default();
    // Not all replicas come back at the moment that Graph named.
    let asked = asked.saturating_add(jitter(asked / 10));
    pause_after(failures, FIRST_PAUSE, LONGEST_PAUSE).max(asked)
}

/// Writes the files that have changed; gives their number. All are made before the first is written.
fn write(folder: &Path, listed: Vec<(Listing, Objects)>) -> Result<usize, GraphError> {
    let mut files = Vec::new();
    for (listing, objects) in listed {
        let text = listing.text(objects)?;
        if u64::try_from(text.len()).is_ok_and(|bytes| bytes > MAX_FILE_BYTES) {
            let why = format!("more than the {MAX_FILE_BYTES} bytes of a directory file");
            return Err(listing.unreadable(&why));
        }
        files.push((listing.file, text));
    }
    let failed = |reason: std::io::Error| {
        GraphError::Folder(FolderError::Failed {
            path: folder.to_owned(),
            reason: reason.to_string(),
        })
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let folder = Folder::new(folder.to_owned());
    let mut changed: usize = 0;
    for (name, text) in files {
        if folder.put_file(name, text).map_err(GraphError::Folder)? {
            changed = changed.saturating_add(1);
        }
    }
    Ok(changed)
}
