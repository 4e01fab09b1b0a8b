use std::sync::Arc;

use super::*;
use crate::identity::controls::VouchedControls;
use crate::identity::evidence::{Evidence, Guest};
use crate::identity::settings::EvidenceMapping;
use crate::types::{AttributeValue, ClientAppType, DevicePlatform, GuestType, TransferMethod};

fn mapping() -> ClaimMapping {
    ClaimMapping {
        id_prefix: None,
        agent_id: Some("act.sub".into()),
        blueprint_id: Some("agent.template".into()),
        agent_user_id: Some("agent.account".into()),
        on_behalf_of: Some("sub".into()),
        workload: Some("robot".into()),
        scopes: None,
        roles: Some("realm.roles".into()),
        evidence: EvidenceMapping::default(),
    }
}

fn of(payload: &str) -> Result<Reading, Reason> {
    read_with(payload, &mapping())
}

fn read_with(payload: &str, mapping: &ClaimMapping) -> Result<Reading, Reason> {
    let claims = Claims::parse(payload.as_bytes()).unwrap();
    read(
        &claims,
        mapping,
        Vouching::new(&VouchedControls::default(), false),
    )
}

fn subject(payload: &str) -> Result<Subject, Reason> {
    of(payload).map(|reading| match reading.claimed {
        Claimed::Agent { subject, .. } => subject,
        Claimed::Unmarked { .. } => panic!("not marked"),
    })
}

#[test]
fn mapped_claims_tell_who_calls() {
    let human = Subject::Unmarked(ObjectId::parse("h").unwrap());
    assert_eq!(subject(r#"{"sub":"h","act":{"sub":"a"}}"#), Ok(human));
    let itself = r#"{"sub":"a","act":{"sub":"a"}}"#;
    assert_eq!(subject(itself), Ok(Subject::Agent));
    assert_eq!(subject(r#"{"act":{"sub":"a"}}"#), Ok(Subject::Agent));
    let user = Subject::AgentUser(AgentUserId::parse("u").unwrap());
    let as_user = r#"{"sub":"u","act":{"sub":"a"},"agent":{"account":"u"}}"#;
    assert_eq!(subject(as_user), Ok(user));
}

#[test]
fn reads_blueprint_scopes_and_roles() {
    let reading = of(
        r#"{"sub":"h","jti":"j","act":{"sub":"spiffe://t/A"},"agent":{"template":"b"},"scope":"x y","realm":{"roles":["r"]}}"#,
    )
    .unwrap();
    assert_eq!(reading.scopes.join("|"), "x|y");
    assert_eq!(reading.roles.join("|"), "r");
    assert_eq!(reading.token_id.as_deref(), Some("j"));
    match reading.claimed {
        Claimed::Agent { id, blueprint, .. } => {
            assert_eq!(id.as_str(), "spiffe://t/A");
            assert_eq!(blueprint.unwrap().as_str(), "b");
        }
        Claimed::Unmarked { .. } => panic!("not marked"),
    }
}

#[test]
fn a_token_without_the_agents_claim_is_unmarked() {
    let unmarked = |payload: &str| of(payload).map(|reading| reading.claimed);
    let client = |client: &str| Claimed::Unmarked {
        subject: ObjectId::parse("h").unwrap(),
        client: AppId::parse(client).ok(),
        says: None,
        looks_like: AccountKind::Human,
    };
    assert_eq!(unmarked(r#"{"sub":"h"}"#), Ok(client("")));
    assert_eq!(unmarked(r#"{"sub":"h","azp":"z"}"#), Ok(client("z")));
    let both = r#"{"sub":"h","azp":"z","client_id":"c"}"#;
    assert_eq!(unmarked(both), Ok(client("c")));
}

#[test]
fn a_client_on_its_own_and_whoever_has_the_claim_of_workloads_is_one() {
    let kind = |payload: &str| match of(payload).unwrap().claimed {
        Claimed::Unmarked {
            says, looks_like, ..
        } => (says, looks_like),
        Claimed::Agent { .. } => panic!("marked"),
    };
    let (human, workload) = (AccountKind::Human, AccountKind::Workload);
    assert_eq!(kind(r#"{"sub":"c","client_id":"c"}"#), (None, workload));
    assert_eq!(kind(r#"{"sub":"c","azp":"c"}"#), (None, workload));
    assert_eq!(kind(r#"{"sub":"h","azp":"c"}"#), (None, human));
    assert_eq!(kind(r#"{"sub":"h"}"#), (None, human));
    let marked = kind(r#"{"sub":"h","azp":"c","robot":false}"#);
    assert_eq!(marked, (Some(workload), human));
}

#[test]
fn half_a_marker_or_an_unreadable_one_is_a_refusal() {
    for payload in [
        r#"{}"#,
        r#"{"sub":"a b"}"#,
        r#"{"sub":"h","agent":{"account":"u"}}"#,
        r#"{"sub":"h","act":{"sub":7}}"#,
        r#"{"sub":"h","act":{"sub":null}}"#,
        r#"{"sub":"h","act":{"sub":""}}"#,
        r#"{"sub":"h","act":{"sub":"a b"}}"#,
        r#"{"sub":"h","act":{"sub":"a"},"agent":{"account":"u"}}"#,
        r#"{"sub":"h","act":{"sub":"a"},"agent":{"template":[]}}"#,
        r#"{"sub":"h","act":{"sub":"a"},"scope":7}"#,
    ] {
        assert_eq!(of(payload), Err(Reason::TokenClaimsRefused), "{payload}");
    }
}

#[test]
fn every_id_begins_with_the_issuers_prefix() {
    let prefixed = ClaimMapping {
        id_prefix: Some("idp:".into()),
        ..mapping()
    };
    let of = |payload: &str| read_with(payload, &prefixed).map(|reading| reading.claimed);
    let agent = |subject| Claimed::Agent {
        id: AgentId::parse("idp:a").unwrap(),
        blueprint: BlueprintId::parse("idp:b").ok(),
        subject,
    };
    let human = Subject::Unmarked(ObjectId::parse("idp:h").unwrap());
    let for_human = r#"{"sub":"h","act":{"sub":"a"},"agent":{"template":"b"}}"#;
    assert_eq!(of(for_human), Ok(agent(human)));
    let itself = r#"{"sub":"a","act":{"sub":"a"},"agent":{"template":"b"}}"#;
    assert_eq!(of(itself), Ok(agent(Subject::Agent)));
    let user = Subject::AgentUser(AgentUserId::parse("idp:u").unwrap());
    let as_user = r#"{"sub":"u","act":{"sub":"a"},"agent":{"template":"b","account":"u"}}"#;
    assert_eq!(of(as_user), Ok(agent(user)));
    for client in ["client_id", "azp"] {
        let unmarked = Claimed::Unmarked {
            subject: ObjectId::parse("idp:h").unwrap(),
            client: AppId::parse("idp:c").ok(),
            says: None,
            looks_like: AccountKind::Human,
        };
        let payload = format!(r#"{{"sub":"h","{client}":"c"}}"#);
        assert_eq!(of(&payload), Ok(unmarked));
    }
}

#[test]
fn an_id_is_no_longer_than_others_with_its_prefix() {
    let prefixed = ClaimMapping {
        id_prefix: Some("idp:".into()),
        ..ClaimMapping::default()
    };
    let of = |length| {
        let payload = format!(r#"{{"sub":"{}"}}"#, "s".repeat(length));
        read_with(&payload, &prefixed).map(drop)
    };
    assert_eq!(of(508), Ok(()));
    assert_eq!(of(509), Err(Reason::TokenClaimsRefused));
    assert_eq!(of(0), Err(Reason::TokenClaimsRefused));
}

/// Reads what a token shows, with every claim mapped to one of its own name.
fn shown(payload: &str) -> Result<Evidence, Reason> {
    let named = |name: &str| Some(Arc::from(name));
    let mapping = ClaimMapping {
        id_prefix: named("idp:"),
        evidence: EvidenceMapping {
            groups: named("groups"),
            directory_roles: named("directory_roles"),
            user_type: named("user_type"),
            home_tenant: named("home_tenant"),
            platform: named("device.platform"),
            client_app_type: named("client_app_type"),
            transfer_method: named("transfer_method"),
            agent_context: named("agent_context"),
            device: [("isCompliant", "device.ok"), ("trustType", "device.trust")]
                .map(|(property, claim)| (Arc::from(property), Arc::from(claim)))
                .into(),
            ..EvidenceMapping::default()
        },
        ..ClaimMapping::default()
    };
    read_with(payload, &mapping).map(|reading| reading.evidence)
}

#[test]
fn a_token_shows_what_is_mapped() {
    let all = shown(
        r#"{"sub":"h","sid":"s1","groups":["g 1","G2"],"directory_roles":"r","user_type":"Guest","home_tenant":"T",
            "device":{"platform":"ios","ok":true,"trust":"ServerAD"},"client_app_type":"browser",
            "transfer_method":"none","agent_context":["e1"],"amr":["pwd","mfa"]}"#,
    )
    .unwrap();
    assert_eq!(all.session_id.as_deref(), Some("s1"));
    assert_eq!(all.groups.unwrap().join("|"), "idp:g 1|idp:G2");
    assert_eq!(all.directory_roles.unwrap().join("|"), "idp:r");
    let guest = Guest {
        kind: GuestType::B2bCollaborationGuest,
        home_tenant: Some("t".into()),
    };
    assert_eq!(all.guest, Some(Some(guest)));
    assert_eq!(all.platform, Some(DevicePlatform::Ios));
    assert_eq!(all.client_app_type, Some(ClientAppType::Browser));
    assert_eq!(all.transfer_method, Some(None));
    let device = all.device.unwrap();
    let one = |text: &str| AttributeValue::One(text.into());
    assert_eq!(device.get("isCompliant"), Some(&one("true")));
    assert_eq!(device.get("trustType"), Some(&one("serverad")));
    assert_eq!(all.agent_contexts.unwrap().join("|"), "e1");
    assert_eq!(all.controls.mfa, Some(true));
}

#[test]
fn what_is_missing_or_not_a_known_word_is_not_told() {
    let nothing = Evidence::default();
    assert_eq!(shown(r#"{"sub":"h"}"#).unwrap(), nothing);
    let unknown = r#"{"sub":"h","user_type":"robot","device":{"platform":"toaster"},
        "client_app_type":"telnet","transfer_method":"pigeon"}"#;
    assert_eq!(shown(unknown).unwrap(), nothing);
    // A claim that nobody maps is told by whoever presents a bearer token.
    let unmapped = of(r#"{"sub":"h"}"#).unwrap().evidence;
    let app = ClientAppType::MobileAppsAndDesktopClients;
    assert_eq!(unmapped.client_app_type, Some(app));
    for refused in [
        r#"{"sub":"h","groups":[7]}"#,
        r#"{"sub":"h","user_type":{}}"#,
        r#"{"sub":"h","device":{"ok":{}}}"#,
        r#"{"sub":"h","amr":true}"#,
    ] {
        assert_eq!(shown(refused), Err(Reason::TokenClaimsRefused), "{refused}");
    }
}

#[test]
fn members_and_guests_are_told_apart() {
    let kind = |user_type: &str| {
        let payload = format!(r#"{{"sub":"h","user_type":"{user_type}"}}"#);
        shown(&payload)
            .unwrap()
            .guest
            .map(|guest| guest.map(|guest| guest.kind))
    };
    assert_eq!(kind("member"), Some(None));
    assert_eq!(kind("guest"), Some(Some(GuestType::InternalGuest)));
    let provider = GuestType::ServiceProvider;
    assert_eq!(kind(provider.as_str()), Some(Some(provider)));
}

#[test]
fn a_way_that_policies_ask_for_is_told() {
    let evidence = shown(r#"{"sub":"h","transfer_method":"deviceCodeFlow"}"#).unwrap();
    let method = TransferMethod::DeviceCodeFlow;
    assert_eq!(evidence.transfer_method, Some(Some(method)));
}
