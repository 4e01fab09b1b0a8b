//! Room 10: accepts connections, speaks TLS and HTTP, keeps limits. Decides nothing.
//!
//! One thread with a current-thread runtime per worker, each with its own socket of every listener
//! (`SO_REUSEPORT`). HTTP/1.1 or HTTP/2 is what ALPN said, never what the bytes look like.
//! Every limit is kept here or refused by the handler, so that what is refused is recorded too.

mod accept;
mod activity;
mod answer;
mod cuttable;
mod door;
mod frames;
mod heads;
mod hello;
mod parting;
mod proxied;
mod rim;
mod serve;
pub mod settings;
pub mod socket;
mod switch;
pub mod tls;
mod watched;
pub mod worker;

pub use accept::serve_management;
pub use rim::CallHandler;
pub use socket::{Closed, ListenError, ListenerHandle, Listeners, bind_alone};
pub use tls::{LoadedTls, TlsError, TlsInUse, load};
pub use worker::{Workers, run};
