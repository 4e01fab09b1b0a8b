//! Room 8: background work that keeps the snapshot fresh: keys of issuers, changed files, what
//! was reported of agents, what Graph knows of them, agents seen in traffic.
//!
//! Feeds write, the path of a call reads; no call ever waits for a feed. A feed that fails keeps what it had last,
//! and says so in a metric, the log and [`Status`]. Never here: a decision.

mod client_token;
pub mod detections;
pub mod discovered;
mod fingerprint;
pub mod graph;
mod jitter;
pub mod keys;
pub mod reload;
pub mod signals;
pub mod state;
pub mod status;
pub mod svid;
pub mod watch;

pub use detections::{DetectionFeed, DetectionFeedContext};
pub use discovered::Discovered;
pub use keys::{KeyFeed, KeyFeedContext, keep_keys};
pub use reload::{ReloadError, Reloaded, Reloads};
pub use state::{KnownState, StateFeed, StateFeedContext};
pub use status::{Source, Status};
pub use svid::SvidFeed;
pub use watch::{Change, Watch};
