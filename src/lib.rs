//! Boomgate: a TLS reverse proxy that judges every call of an AI agent by Conditional Access policy,
//! and forwards or blocks it.
//!
//! # The path of a call
//!
//! ```text
//!  listener ──▶ Received ──▶ Identified ──▶ Decided ──▶ Permit ──▶ upstream ──▶ Outcome
//!    accept,      framed,      who: agent     policy ×     owns the    forward,     closes the
//!    TLS, limits  normalised   identity, user  risk ×      one call    stream       record
//!                 once         on behalf of   operation   └▶ Denial ─▶ respond
//!                                                │
//!  feeds ─▶ Snapshot {policies, directory, risk, keys, generation}   one Arc, loaded once per call
//! ```
//!
//! [`gateway`] is that path, as one function that reads from top to bottom. Each state owns the one before,
//! and is built in one room only, so a call that was not decided cannot be forwarded: `tests/ui` holds the
//! programs that would, and the compiler's refusals.
//!
//! # The rooms, in reading order
//!
//! A room names only rooms above it in this list; `tests/it/architecture.rs` holds that.
//!
//! | room | takes → gives | never |
//! | --- | --- | --- |
//! | [`types`] | text → typed value | anything of the crate |
//! | [`call`] | HTTP parts and connection facts → [`call::Received`] | identity, policy |
//! | [`telemetry`] | every metric and label in one place | being called by the pure rooms |
//! | [`policy`] (pure) | Graph JSON → [`policy::PolicySet`]; with [`policy::Facts`] → [`policy::Evaluation`] | HTTP, tokens, clock |
//! | [`identity`] | a call, keys, directory, time → [`identity::Identified`] or a refusal | network |
//! | [`capability`] (pure) | a call → the operation that it performs | policy |
//! | [`countries`] (pure) | an address → the country that a database has for it | IO |
//! | [`risk`] (pure) | what sources said → an agent's level, and why | IO |
//! | [`detection`] (pure) | the calls of agents → what is unusual in them | a decision |
//! | [`decision`] (pure) | all of that → [`decision::Decided`] | "allow" as a default |
//! | [`enforcement`] | [`decision::Decided`] → [`enforcement::Permit`] or [`enforcement::Denial`]; the calls that are open | evaluating rules |
//! | [`assertion`] | a permitted call → a signed proof of that for its upstream | a verdict |
//! | [`spiffe`] | certificates of X509-SVIDs → who shows them; the one that this gateway has | a socket, a clock |
//! | [`clock`] | the one place where wall time is read | being named by the rooms above |
//! | [`client`] | a small request of our own → its answer | a call; an address that a caller names |
//! | [`record`] | a decision and its outcome → lines in a sink | bodies, tokens |
//! | [`store`] | the state that outlives a snapshot | deciding |
//! | [`upstream`] | a permit → a response | taking anything but a permit |
//! | [`snapshot`] | all that the path reads, behind one pointer | a lock |
//! | [`feeds`] | keys and files → the next snapshot | being awaited by the path |
//! | [`issuance`] | a call of a token endpoint, or of an issuer's hook → [`identity::TokenRequest`] | deciding |
//! | [`gateway`] | an HTTP request → an HTTP response | rules, parsing |
//! | [`listener`] | sockets → requests; TLS, limits, the rim | deciding |
//! | [`management`] | health, metrics, the Graph subset | deciding |
//! | [`config`] | files → checked settings, or all their faults | being used by others |
//! | [`app`], [`cli`], [`demo`] | settings → a running gateway | rules |
//!
//! # Invariants
//!
//! - **Fail closed.** No path turns "could not load, parse or reach" into "allowed". Branches that refuse
//!   because they do not know are marked `FAIL-CLOSED`.
//! - **One reading.** A call is normalised once; what was judged is what is forwarded, byte for byte.
//! - **Time is an argument.** Below the gateway nobody reads a clock, so a verdict can be computed again.
//! - **Record, then forward.** A call whose decision cannot be recorded is not forwarded.
//! - **A verdict lasts as long as what it rests on.** A call that is open when a new snapshot comes is judged again by
//!   the same rooms, and cut where it would not be forwarded now.
//! - **One [`types::Reason`]** feeds the response, the metric, the record and the log.
//! - **Secrets** have no `Display`; tokens and bodies are in no log, record, metric or error.
//!
//! Deliberately absent: an "allow" policy, an order among policies, a cache of verdicts, a retry of a call
//! whose body has started, and a fetch because a token said so.

pub mod app;
pub mod assertion;
pub mod call;
pub mod capability;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod countries;
pub mod decision;
pub mod demo;
pub mod detection;
pub mod enforcement;
pub mod feeds;
pub mod gateway;
pub mod identity;
pub mod issuance;
pub mod listener;
pub mod management;
pub mod policy;
pub mod record;
pub mod risk;
pub mod snapshot;
pub mod spiffe;
pub mod store;
pub mod telemetry;
pub mod types;
pub mod upstream;
