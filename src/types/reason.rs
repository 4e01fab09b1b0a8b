//! Why a call ended as it did: one closed set that feeds the response, the metric's label, the record and the log.
//!
//! Nobody matches it with `_`: a new reason must be thought about everywhere (CONTRIBUTING.md says where).

use std::fmt;

/// What a decision does with the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The call is forwarded.
    Allow,
    /// The call is not forwarded.
    Block,
}

impl Effect {
    /// The metric's label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $effect:ident;)*) => {
        /// Why a call ended as it did. The text is a stable name that dashboards and scripts rely on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Reads a stable name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
            }

            /// The stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What it does with the call.
            #[must_use]
            pub const fn effect(self) -> Effect {
                match self {
                    $(Self::$name => Effect::$effect,)*
                }
            }
        }
    };
}

reasons! {
    // Forwarded.

    /// The agent was judged, and no enforced policy blocked it.
    NoPolicyBlocked = "no_policy_blocked", Allow;
    /// Not an agent, and the resource says `non_agents: forward`.
    NonAgentForwarded = "non_agent_forwarded", Allow;

    /// A blueprint or an agent asks for a token that only serves to get another one; no policy judges that.
    ExemptFromPolicy = "exempt_from_policy", Allow;

    // Refused before anybody was identified.

    /// The request line, a header or the framing is not what HTTP allows, or could be read in two ways.
    RequestMalformed = "request_malformed", Block;
    /// A method that is never forwarded: CONNECT, TRACE, or one that is not upper-case ASCII.
    MethodRefused = "method_refused", Block;
    /// The target is longer than the limit.
    UriTooLong = "uri_too_long", Block;
    /// More headers, or larger ones, than the limit.
    HeadersTooLarge = "headers_too_large", Block;
    /// The body is larger than the limit.
    BodyTooLarge = "body_too_large", Block;
    /// The head or the body took longer than the limit.
    RequestTimeout = "request_timeout", Block;
    /// The name in the TLS handshake and the request's authority disagree.
    Misdirected = "misdirected", Block;
    /// No resource has this host and path.
    ResourceUnknown = "resource_unknown", Block;
    /// The listener has as many calls as it may have.
    Overloaded = "overloaded", Block;

    /// A request for a token that is not the form that OAuth asks for, or could be read in two ways.
    TokenRequestMalformed = "token_request_malformed", Block;
    /// A request for a token that contradicts itself or the directory: it names two agents, or a user of another agent.
    TokenRequestContradictory = "token_request_contradictory", Block;

    // The credential.

    /// No `Authorization` header, or another scheme than Bearer and DPoP.
    CredentialMissing = "credential_missing", Block;
    /// An `Authorization` header that is not one token68 credential, or given twice.
    CredentialMalformed = "credential_malformed", Block;
    /// Not a JWS in compact form by the strict reader's rules, or too large.
    TokenMalformed = "token_malformed", Block;
    /// Signed by an algorithm that the issuer's settings do not list.
    TokenAlgorithmRefused = "token_algorithm_refused", Block;
    /// A `typ` of another use: ID token, DPoP proof, logout token, security event.
    TokenTypeRefused = "token_type_refused", Block;
    /// No configured issuer has this `iss`, or the tenant or the key's issuer is another.
    TokenIssuerRefused = "token_issuer_refused", Block;
    /// The issuer's key set has no such key.
    TokenKeyUnknown = "token_key_unknown", Block;
    /// The signature does not verify.
    TokenSignatureInvalid = "token_signature_invalid", Block;
    /// Meant for another audience; also every T1 or T2 exchange token.
    TokenAudienceRefused = "token_audience_refused", Block;
    /// `exp` has passed.
    TokenExpired = "token_expired", Block;
    /// `nbf` or `iat` lies ahead.
    TokenNotYetValid = "token_not_yet_valid", Block;
    /// A claim is missing, of the wrong type, or contradicts another.
    TokenClaimsRefused = "token_claims_refused", Block;
    /// Issued before all tokens of its subject were revoked.
    TokenRevoked = "token_revoked", Block;
    /// The token is bound to a key, or the resource takes such tokens alone, and the call proves no key.
    ProofMissing = "proof_missing", Block;
    /// What should prove that the caller holds the token's key is no such proof, or one of another call.
    ProofRefused = "proof_refused", Block;
    /// The proof was used before.
    ProofReplayed = "proof_replayed", Block;
    /// The assertion by which the client of a request for a token shows that it is the one was refused, whatever is wrong
    /// with it. The metric of verified tokens says what.
    ClientAssertionRefused = "client_assertion_refused", Block;
    /// A call of a token hook by somebody else than its issuer: with another key, or a token of another client.
    HookCallerRefused = "hook_caller_refused", Block;
    /// The issuer's keys were never loaded, or are older than the limit.
    KeysUnavailable = "keys_unavailable", Block;

    // The decision.

    /// An enforced policy with `block` applies.
    BlockedByPolicy = "blocked_by_policy", Block;
    /// Every enforced policy that refuses demands what the human could show by signing in anew, as a second factor.
    AuthenticationInsufficient = "authentication_insufficient", Block;
    /// A blocking policy would need a fact whose required source does not answer; or what was reported of agents is
    /// not known, and `store.redis.required` says that it must be.
    FactsUnavailable = "facts_unavailable", Block;
    /// A token is asked for, a blocking policy may concern the resource, and nobody can tell which resource that is.
    TargetUnknown = "target_unknown", Block;
    /// A token is asked for on behalf of a human whom the request does not name, and a blocking policy may concern them.
    SubjectUnknown = "subject_unknown", Block;
    /// The agent identity, or the agent user, is disabled in the directory.
    AgentDisabled = "agent_disabled", Block;
    /// The agent's blueprint is disabled in the directory.
    BlueprintDisabled = "blueprint_disabled", Block;
    /// The human or the classic workload is disabled in the directory.
    AccountDisabled = "account_disabled", Block;
    /// The agent is not in the directory, and `directory.unknown_agents` says `block`.
    AgentUnknown = "agent_unknown", Block;
    /// Not an agent, and the resource says `non_agents: block`.
    NotAnAgent = "not_an_agent", Block;
    /// None of the scopes or roles that the operation asks for is in the token.
    ScopeInsufficient = "scope_insufficient", Block;

    // After the decision.

    /// The decision could not be recorded, so the call is not forwarded.
    RecordUnavailable = "record_unavailable", Block;
    /// The upstream answered what is not HTTP, or closed too early.
    UpstreamFailed = "upstream_failed", Block;
    /// No connection to the upstream.
    UpstreamUnreachable = "upstream_unreachable", Block;
    /// The upstream did not answer in time.
    UpstreamTimeout = "upstream_timeout", Block;
    /// The upstream has as many calls as it may have.
    UpstreamOverloaded = "upstream_overloaded", Block;
}

impl Reason {
    /// Whether a call that was forwarded and failed for this reason failed by its own body, and not by its upstream.
    #[must_use]
    pub const fn is_of_the_body(self) -> bool {
        matches!(
            self,
            Self::BodyTooLarge | Self::RequestMalformed | Self::RequestTimeout
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}
