//! Detections while calls are made: what the path tells is looked at beside it, and what is found raises risk.
//!
//! Never here: a rule of what is unusual, and a call that waits.

use crate::detection::DetectionSettings;

/// How the traffic is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedSettings {
    /// How many observations may wait.
    pub queue: usize,
    /// What is looked for; `None`: nothing.
    pub rules: Option<DetectionSettings>,
}
