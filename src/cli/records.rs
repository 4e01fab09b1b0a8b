//! Files of records, as the commands that replay them read them: block by block, with a line that says how far it is.
//!
//! Never here: what a record says.

pub(super) mod lines;
pub(super) mod progress;
