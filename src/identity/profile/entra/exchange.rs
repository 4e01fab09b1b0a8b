//! Tokens that are made to be exchanged (T1, T2): for which agent identity, and by which blueprint.
//!
//! The subject of a T1 is `/eid1/c/pub/t/TENANT/a/BLUEPRINT/AGENT`, where the first two are GUIDs as 16 bytes in the
//! byte order of .NET, in base64url (`reference/entra.md` §2.5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::EXCHANGE_SUBJECT;
use crate::types::{AgentId, BlueprintId, Reason, TenantId};

/// What a T1 says: this blueprint may act as this agent identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct ExchangeSubject {
    pub(in crate::identity) tenant: TenantId,
    pub(in crate::identity) blueprint: BlueprintId,
    pub(in crate::identity) agent: AgentId,
}

impl ExchangeSubject {
    /// Reads the subject of a token; `None` if it is not a T1's.
    pub(in crate::identity) fn read(subject: &str) -> Result<Option<Self>, Reason> {
        if !subject.starts_with(EXCHANGE_SUBJECT) {
            return Ok(None);
        }
        parse(subject).map(Some).ok_or(Reason::TokenClaimsRefused)
    }
}

fn parse(subject: &str) -> Option<ExchangeSubject> {
    let parts: Vec<_> = subject.split('/').collect();
    let ["", "eid1", "c", "pub", "t", tenant, "a", blueprint, agent] = *parts.as_slice() else {
        return None;
    };
    Some(ExchangeSubject {
        tenant: TenantId::parse(&guid(tenant)?).ok()?,
        blueprint: BlueprintId::parse(&guid(blueprint)?).ok()?,
        agent: AgentId::parse(agent).ok()?,
    })
}

/// A GUID of 16 bytes whose first three groups are little-endian.
fn guid(text: &str) -> Option<String> {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    Some(uuid::Uuid::from_bytes_le(bytes).hyphenated().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_subject_of_a_t1() {
        let subject = "/eid1/c/pub/t/Ugwdeg4_G0uaUQyNXi8aAA/a/sbGxsQAAAECAAAAAAAAAAQ/a9a9a9a9-0000-4000-8000-000000000002";
        let read = ExchangeSubject::read(subject).unwrap().unwrap();
        assert_eq!(read.tenant.as_str(), "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00");
        assert_eq!(
            read.blueprint.as_str(),
            "b1b1b1b1-0000-4000-8000-000000000001"
        );
        assert_eq!(read.agent.as_str(), "a9a9a9a9-0000-4000-8000-000000000002");
    }

    #[test]
    fn any_other_subject_is_none_and_half_a_t1_is_refused() {
        assert_eq!(ExchangeSubject::read("a9"), Ok(None));
        for subject in [
            "/eid1/",
            "/eid1/c/pub/t/Ugwdeg4_G0uaUQyNXi8aAA/a/sbGxsQAAAECAAAAAAAAAAQ",
            "/eid1/c/pub/t/Ugwdeg4_G0uaUQyNXi8aAA/a/sbGxsQAAAECAAAAAAAAAAQ/",
            "/eid1/c/pub/t/x/a/sbGxsQAAAECAAAAAAAAAAQ/a9",
            "/eid1/c/pub/t/Ugwdeg4_G0uaUQyNXi8aAA/a/sbGxsQAAAECAAAAAAAAAAQ/a9/b",
        ] {
            let read = ExchangeSubject::read(subject);
            assert_eq!(read, Err(Reason::TokenClaimsRefused), "{subject}");
        }
    }
}
