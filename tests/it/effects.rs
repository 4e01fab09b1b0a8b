//! What policies do to calls over real sockets: the sample exports, the four kinds of caller, risk as it changes.

pub(crate) mod callers;
mod flows;
mod risk;
mod samples;
