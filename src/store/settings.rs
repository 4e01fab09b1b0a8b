//! What an operator says of where state is kept. Built by `config`, already checked.

use std::path::PathBuf;

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreSettings {
    /// In a file of this folder, which is this process's alone.
    Embedded(PathBuf),
    /// Nowhere: it ends with the process.
    MemoryOnly,
}
