//! The closed sets that labels are taken from. A label that is not a configured name is one of these.

use crate::types::Reason;

/// The label of what is not known: a resource that no call addressed, an `iss` that no configured issuer writes.
pub const NONE: &str = "none";

/// The values of `agent_type`: the four kinds of caller, and calls that ended before anybody was identified.
pub(super) const AGENT_TYPES: [&str; 5] = [
    "agent_identity",
    "agent_user",
    "on_behalf_of",
    "not_agent",
    "unknown",
];

/// The place of a kind of caller in [`AGENT_TYPES`]; whatever is not a kind is `unknown`.
pub(super) fn agent_type_index(kind: &str) -> usize {
    let unknown = AGENT_TYPES.len().saturating_sub(1);
    AGENT_TYPES
        .iter()
        .position(|known| *known == kind)
        .unwrap_or(unknown)
}

/// What a call that was forwarded can come to, beside [`result_label`] of `Ok`: those that alerts look for.
pub(super) const UPSTREAM_FAULTS: [Reason; 4] = [
    Reason::UpstreamFailed,
    Reason::UpstreamUnreachable,
    Reason::UpstreamTimeout,
    Reason::UpstreamOverloaded,
];

/// The label of a step that went well, or of the reason why not.
#[must_use]
pub const fn result_label(result: Result<(), Reason>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(reason) => reason.as_str(),
    }
}

/// The label of a call that was forwarded. One that its caller's body ended, or that was cut before its answer came,
/// says nothing of the upstream.
pub(super) fn upstream_label(result: Result<(), Reason>) -> &'static str {
    match result {
        Err(reason) if reason.is_of_the_body() => "client_failed",
        Err(reason) if !UPSTREAM_FAULTS.contains(&reason) => "cut",
        Ok(()) | Err(_) => result_label(result),
    }
}

/// What calls are cut for most of all: shown before anything is cut.
pub(super) const REASONS_TO_CUT: [Reason; 4] = [
    Reason::BlockedByPolicy,
    Reason::AgentDisabled,
    Reason::BlueprintDisabled,
    Reason::FactsUnavailable,
];

/// The classes of status codes.
pub(super) const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The place of a status code's class in [`STATUS_CLASSES`]; one outside HTTP's five counts as a server error.
pub(super) const fn status_class_index(status: u16) -> usize {
    match status {
        100..=199 => 0,
        200..=299 => 1,
        300..=399 => 2,
        400..=499 => 3,
        _ => 4,
    }
}

macro_rules! label_set {
    ($($(#[$doc:meta])* $set:ident { $($(#[$vdoc:meta])* $name:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $set {
            $($(#[$vdoc])* $name,)*
        }

        impl $set {
            /// The whole set.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The label.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    )*};
}

label_set! {
    /// Who reports risk.
    SignalSource {
        /// The risk file of the configuration.
        File = "file",
        /// The management API.
        Management = "management",
        /// Boomgate's own detections.
        Boomgate = "boomgate",
        /// The engine that replicas share, which passes on what any of them was told.
        Store = "store",
        /// Microsoft Graph.
        Graph = "graph",
    }
    /// Who brought a change that open calls are judged again on.
    ChangeSource {
        /// A reload of the configuration, with its policies, its directory and its risk file.
        Configuration = "configuration",
        /// The management API.
        Management = "management",
        /// Boomgate's own detections.
        Detection = "detection",
        /// Another system that reports on agents.
        Signal = "signal",
        /// New keys of an issuer.
        Keys = "keys",
        /// The state that replicas share: what another one was told.
        Store = "store",
    }
    /// What a report of risk says.
    SignalKind {
        /// A level as the source gives it.
        Level = "level",
        /// Something was detected.
        Detection = "detection",
        /// An administrator confirmed the compromise.
        ConfirmCompromised = "confirm_compromised",
        /// An administrator said that the agent is safe.
        ConfirmSafe = "confirm_safe",
        /// An administrator dismissed the risk.
        Dismiss = "dismiss",
        /// All tokens of a subject that were issued so far are refused.
        RevokeTokens = "revoke_tokens",
    }
    /// What became of a report of risk.
    SignalResult {
        /// It is in force.
        Applied = "applied",
        /// It was not understood.
        Refused = "refused",
        /// It could not be stored.
        Failed = "failed",
        /// It was said before.
        Duplicate = "duplicate",
        /// Nothing follows from it.
        Ignored = "ignored",
        /// Its value is not in the operator's table.
        Unmapped = "unmapped",
        /// It is about nobody who is known.
        UnknownSubject = "unknown_subject",
    }
    /// What `boomgate_agents` counts.
    SubjectKind {
        /// Agent identities of the directory.
        AgentIdentity = "agent_identity",
        /// Agent users of the directory.
        AgentUser = "agent_user",
        /// Blueprints of the directory.
        Blueprint = "blueprint",
        /// Agents that tokens named and the directory does not know.
        Discovered = "discovered",
    }
    /// What became of a record.
    RecordResult {
        /// It was handed to the operating system.
        Written = "written",
        /// It found no place, so its call was refused.
        Refused = "refused",
        /// It found no place, and its call went on without it (`dangerous_drop`).
        Dropped = "dropped",
        /// An attempt to write failed; the records wait for the next one.
        Failed = "failed",
    }
    /// What `boomgate_upstream_endpoints` counts.
    EndpointState {
        /// Calls go there.
        Available = "available",
        /// It is new or back, and gets more and more calls.
        SlowStart = "slow_start",
        /// Calls failed there, so it is out for a while.
        Ejected = "ejected",
        /// It does not pass its check.
        Unhealthy = "unhealthy",
    }
    /// What `boomgate_upstream_events_total` counts.
    UpstreamEvent {
        /// Calls failed on an endpoint, and it was taken out for a while.
        Ejected = "ejected",
        /// An endpoint did not pass its check any more.
        Unhealthy = "unhealthy",
        /// An endpoint refused the connection, and the call went to another.
        FailedOver = "failed_over",
        /// A call was sent again, within the budget.
        Retried = "retried",
        /// A call would have been sent again, but for the budget.
        RetryRefused = "retry_refused",
        /// A name could not be looked up; its last addresses stay.
        ResolutionFailed = "resolution_failed",
        /// A call was ended whose answer had begun: no byte moved for too long, or it took too long in all.
        Expired = "expired",
    }
    /// Why a connection was refused or cut, its peer being to blame or a limit being reached.
    ConnectionTrouble {
        /// The listener has as many as it may have.
        TooMany = "too_many",
        /// The client's address has as many as it may have.
        TooManyOfClient = "too_many_of_client",
        /// A load balancer did not say in the PROXY protocol whose connection it passes on.
        BadProxyHeader = "bad_proxy_header",
        /// As many TLS handshakes are under way as may be.
        TooManyHandshakes = "too_many_handshakes",
        /// The TLS handshake failed.
        HandshakeFailed = "handshake_failed",
        /// The TLS handshake took too long.
        HandshakeTimeout = "handshake_timeout",
        /// No byte of a request came in time.
        HeadTimeout = "head_timeout",
        /// The peer did not take what it was sent.
        WriteTimeout = "write_timeout",
        /// HTTP/2: the peer gave up too many of its calls.
        TooManyResets = "too_many_resets",
        /// HTTP/2: the peer sent too many frames that carry nothing.
        FrameFlood = "frame_flood",
    }
}
