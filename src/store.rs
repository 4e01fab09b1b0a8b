//! Room 6: what must outlive a reload or a restart: the state that was reported, and the operator's folders.
//!
//! State is entries, of which the later word stands ([`entry`]); an engine keeps them: a file of this process's own,
//! one that replicas share, or the memory. Never here: deciding, and "there is none" for "it could not be read".

pub mod embedded;
pub mod entry;
pub mod etag;
pub mod files;
pub mod folder;
mod memory;
pub mod names;
pub mod redis;
pub mod settings;

use std::fmt::Debug;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

pub use self::redis::RedisStore;
pub use embedded::EmbeddedStore;
pub use entry::{Entry, Opened, Sealed};
pub use memory::MemoryStore;
pub use names::{Name, Names, OwnNames, Taken};

use crate::risk::Rank;
use rustls::ClientConfig;
use settings::{Freshness, RedisTls, StoreSettings};

/// Why state could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The folder of the state cannot be had.
    #[error(
        "the state folder `{}` cannot be made: {reason}. Give `store.dir` a folder that this process may write to, \
         or say `store.dangerous_memory_only: true` to go without", folder.display()
    )]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another process has the file open.
    #[error(
        "the state file `{}` is in use by another process: each gateway needs a `store.dir` of its own, and replicas \
         share their state by an engine", .0.display()
    )]
    InUse(PathBuf),
    /// The file is not what was written.
    #[error(
        "the state file `{}` is damaged ({reason}). It is left as it is, for it may hold the word that stops an agent. \
         Put it back from a backup; or move it away to start with no state, and confirm every compromised agent anew",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The file cannot be written.
    #[error("the state file `{}` cannot be written: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The engine does not answer.
    #[error("the state store is not to be had: {0}")]
    Unavailable(String),
}

/// What an engine answers, in time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// An engine that keeps state. Whoever changes state puts it here first, then swaps the snapshot.
pub trait StateStore: Debug + Send + Sync {
    /// Keeps these entries, all of them or none, except where one of a higher rank is kept; those are the answer.
    /// With the answer they are durable.
    fn put(&self, entries: Vec<Sealed>) -> Answer<'_, Vec<Sealed>>;

    /// Keeps these entries no longer, by key and rank; where one of a higher rank is kept by now, that stays. Other
    /// replicas are not told: they forget by the same rule.
    fn forget(&self, entries: Vec<(Arc<str>, Rank)>) -> Answer<'_, ()>;
}

/// What others change in an engine that is shared.
pub trait Changes: Debug + Send {
    /// Waits for changes, and gives them in their order; after a while without any, none. Everything that is kept comes
    /// first, and again after changes were missed; `ours` is what this process knows then, for an engine that has lost
    /// some of it.
    fn next<'a>(
        &'a mut self,
        ours: &'a (dyn Fn() -> Vec<Sealed> + Send + Sync),
    ) -> Answer<'a, Vec<Sealed>>;
}

/// An engine that was opened.
#[derive(Debug)]
pub struct OpenStore {
    /// The engine.
    pub store: Arc<dyn StateStore>,
    /// What is kept in it, if it is this process's own.
    pub state: Vec<Sealed>,
    /// What follows the others' changes, if it is shared, and how old what is known may be.
    pub shared: Option<(Box<dyn Changes>, Freshness)>,
    /// Where replicas take names, if it is shared.
    pub names: Option<Arc<RedisStore>>,
}

/// Opens the engine. `tls` makes TLS of a client that trusts the certificates of a file.
///
/// # Errors
/// [`StoreError`] if it cannot be used: that is not the same as an empty one.
pub fn open(
    settings: &StoreSettings,
    tls: impl FnOnce(&RedisTls) -> Result<Arc<ClientConfig>, StoreError>,
) -> Result<OpenStore, StoreError> {
    match settings {
        StoreSettings::Embedded(folder) => {
            let (store, state) = EmbeddedStore::open(folder)?;
            Ok(OpenStore {
                store: Arc::new(store),
                state,
                shared: None,
                names: None,
            })
        }
        StoreSettings::Redis(settings) => {
            let freshness = settings.freshness;
            let tls = settings.tls.as_ref().map(tls).transpose()?;
            let (store, follower) = RedisStore::new(settings.clone(), tls);
            let store = Arc::new(store);
            Ok(OpenStore {
                names: Some(Arc::clone(&store)),
                store,
                state: Vec::new(),
                shared: Some((Box::new(follower), freshness)),
            })
        }
        StoreSettings::MemoryOnly => Ok(OpenStore {
            store: Arc::new(MemoryStore::default()),
            state: Vec::new(),
            shared: None,
            names: None,
        }),
    }
}
