//! Room 11: one YAML file and the files that it names become checked settings, or a list of all that is wrong.
//!
//! The text becomes a located tree; environment variables are put in; the tree is checked against the schema
//! that is shipped; the sections that fit are checked for what no schema can say; the files that they name are
//! read. Every fault has its file, line, column and member. Never here: a secret in a message, and a default
//! that weakens.

pub mod environment;
pub mod excerpt;
pub mod folders;
mod load;
pub mod member;
pub mod raw;
pub mod schema;
pub mod settings;
pub mod sidecar;
pub mod structure;
mod suggest;
pub mod tree;
pub mod validate;

pub use environment::{Environment, is_in_environment, process_environment};
pub use load::{Loaded, ReadDirectory, Surroundings, attempt, load, surroundings, with_policies};
pub use schema::schema;
pub use settings::{Settings, Sources};
