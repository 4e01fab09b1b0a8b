use super::*;

fn mapping() -> ClaimMapping {
    ClaimMapping {
        id_prefix: None,
        agent_id: Some("act.sub".into()),
        blueprint_id: Some("agent.template".into()),
        agent_user_id: Some("agent.account".into()),
        on_behalf_of: Some("sub".into()),
        scopes: None,
        roles: Some("realm.roles".into()),
    }
}

fn of(payload: &str) -> Result<Reading, Reason> {
    read(&Claims::parse(payload.as_bytes()).unwrap(), &mapping())
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
        app_only: false,
    };
    assert_eq!(unmarked(r#"{"sub":"h"}"#), Ok(client("")));
    assert_eq!(unmarked(r#"{"sub":"h","azp":"z"}"#), Ok(client("z")));
    let both = r#"{"sub":"h","azp":"z","client_id":"c"}"#;
    assert_eq!(unmarked(both), Ok(client("c")));
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
    let of = |payload: &str| {
        let claims = Claims::parse(payload.as_bytes()).unwrap();
        read(&claims, &prefixed).map(|reading| reading.claimed)
    };
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
            app_only: false,
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
        let claims = Claims::parse(payload.as_bytes()).unwrap();
        read(&claims, &prefixed).map(drop)
    };
    assert_eq!(of(508), Ok(()));
    assert_eq!(of(509), Err(Reason::TokenClaimsRefused));
    assert_eq!(of(0), Err(Reason::TokenClaimsRefused));
}
