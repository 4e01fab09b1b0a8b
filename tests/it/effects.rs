//! What policies do to calls over real sockets: the sample exports, the four kinds of caller, risk as it changes.

pub(crate) mod callers;
mod facts;
mod flows;
mod issuers;
mod risk;
mod samples;
mod sessions;
