//! Room 9: one YAML file and the files that it names become checked settings, or a list of all that is wrong.
pub mod environment;
pub mod raw;
pub mod schema;
pub mod structure;
mod suggest;
pub mod tree;
