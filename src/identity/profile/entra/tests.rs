use super::*;
use crate::identity::controls::VouchedControls;

const TENANT: &str = "7a1d0c52-3f0e-4b1b-9a51-0c8d5e2f1a00";
const AGENT: &str = "a9a9a9a9-0000-4000-8000-000000000002";
const BLUEPRINT: &str = "b1b1b1b1-0000-4000-8000-000000000001";
const OTHER: &str = "d4d4d4d4-0000-4000-8000-000000000004";

/// The claims of a token with these members beside the client.
fn claims(members: &str) -> Claims {
    Claims::parse(format!(r#"{{"azp":"{AGENT}",{members}}}"#).as_bytes()).unwrap()
}

/// Reads a token of this subject, actor facets and subject facets.
fn kind(oid: &str, actor: Option<&str>, subject: Option<&str>) -> Result<String, Reason> {
    let mut members = format!(r#""oid":"{oid}""#);
    for (name, facets) in [("xms_act_fct", actor), ("xms_sub_fct", subject)] {
        if let Some(facets) = facets {
            members = format!(r#"{members},"{name}":"{facets}""#);
        }
    }
    in_words(&members)
}

fn in_words(members: &str) -> Result<String, Reason> {
    Ok(match claimed(&claims(members))? {
        Claimed::Unmarked {
            says: Some(kind), ..
        } => format!("unmarked, {kind:?}"),
        Claimed::Unmarked { looks_like, .. } => format!("unmarked, like {looks_like:?}"),
        Claimed::Agent { subject, .. } => match subject {
            Subject::Agent => "agent".to_owned(),
            Subject::AgentUser(_) => "agent user".to_owned(),
            Subject::Unmarked(_) => "for a human".to_owned(),
        },
    })
}

#[test]
fn facets_tell_the_kind() {
    let refused = Err(Reason::TokenClaimsRefused);
    let table = [
        (AGENT, Some("9 3 11"), Some("11 3 9"), Ok("agent")),
        (OTHER, Some("11 9 3"), Some("2 3"), Ok("for a human")),
        (OTHER, Some("3 9 11"), Some("13"), Ok("agent user")),
        (AGENT, None, None, Ok("unmarked, like Human")),
        (OTHER, None, None, Ok("unmarked, like Human")),
        (OTHER, Some("9 3"), Some("3 9"), Ok("unmarked, like Human")),
        // A resource may ask for some of the markers only.
        (AGENT, Some("11"), None, Ok("agent")),
        (OTHER, Some("11"), None, Ok("for a human")),
        (AGENT, None, Some("11"), Ok("agent")),
        (OTHER, None, Some("13"), Ok("agent user")),
        // A list with something else in it counts as not given.
        (OTHER, Some("11"), Some("12 a 13"), Ok("for a human")),
        (OTHER, Some("1 1 x"), Some("1"), Ok("unmarked, like Human")),
        (OTHER, Some("11\\t9"), Some(" 13 "), Ok("agent user")),
        (OTHER, Some("111"), Some("113"), Ok("unmarked, like Human")),
        // Contradictions.
        (OTHER, Some("11"), Some("11"), refused),
        (AGENT, Some("11"), Some("13"), refused),
        (OTHER, Some("11"), Some("11 13"), refused),
        (OTHER, Some("9"), Some("13"), refused),
        (AGENT, Some("9"), Some("11"), refused),
    ];
    for (oid, actor, subject, expected) in table {
        let found = kind(oid, actor, subject);
        assert_eq!(found, expected.map(str::to_owned), "{actor:?} {subject:?}");
    }
}

#[test]
fn a_blueprint_in_the_token_marks_its_client_as_an_agent() {
    let parent = format!(r#""oid":"{OTHER}","xms_par_app_azp":"{BLUEPRINT}""#);
    assert_eq!(in_words(&parent).as_deref(), Ok("for a human"));
    match claimed(&claims(&parent)).unwrap() {
        Claimed::Agent { id, blueprint, .. } => {
            assert_eq!(id.as_str(), AGENT);
            assert_eq!(blueprint.unwrap().as_str(), BLUEPRINT);
        }
        Claimed::Unmarked { .. } => panic!("not marked"),
    }
    let unreadable = format!(r#""oid":"{OTHER}","xms_par_app_azp":7"#);
    assert_eq!(in_words(&unreadable), Err(Reason::TokenClaimsRefused));
}

#[test]
fn markers_of_another_type_are_refused_not_passed_over() {
    for marker in [r#"["11"]"#, "11", "null", r#"{"11":true}"#] {
        for name in ["xms_act_fct", "xms_sub_fct"] {
            let found = in_words(&format!(r#""oid":"{OTHER}","{name}":{marker}"#));
            assert_eq!(found, Err(Reason::TokenClaimsRefused), "{name}: {marker}");
        }
    }
}

#[test]
fn the_id_type_must_fit_the_kind() {
    let marked = |oid: &str, idtyp: &str| {
        in_words(&format!(
            r#""oid":"{oid}","xms_act_fct":"11","idtyp":"{idtyp}""#
        ))
    };
    assert_eq!(marked(AGENT, "app").as_deref(), Ok("agent"));
    assert_eq!(marked(OTHER, "user").as_deref(), Ok("for a human"));
    assert_eq!(marked(OTHER, "app"), Err(Reason::TokenClaimsRefused));
    assert_eq!(marked(AGENT, "user"), Err(Reason::TokenClaimsRefused));
    let app = format!(r#""oid":"{OTHER}","idtyp":"app""#);
    assert_eq!(in_words(&app).as_deref(), Ok("unmarked, Workload"));
    let user = format!(r#""oid":"{OTHER}","sub":"{OTHER}","idtyp":"user""#);
    assert_eq!(in_words(&user).as_deref(), Ok("unmarked, Human"));
}

#[test]
fn without_an_id_type_scopes_and_subject_tell_what_it_looks_like() {
    let like = |members: &str| in_words(members).unwrap();
    let itself = format!(r#""oid":"{OTHER}","sub":"{OTHER}""#);
    assert_eq!(like(&itself), "unmarked, like Workload");
    let no_scope = format!(r#"{itself},"scp":"/","roles":["r"]"#);
    assert_eq!(like(&no_scope), "unmarked, like Workload");
    let delegated = format!(r#"{itself},"scp":"a""#);
    assert_eq!(like(&delegated), "unmarked, like Human");
    // Neither: read as the one of whom policies demand more.
    let pairwise = format!(r#""oid":"{OTHER}","sub":"pairwise""#);
    assert_eq!(like(&pairwise), "unmarked, like Human");
    assert_eq!(like(&format!(r#""sub":"{OTHER}""#)), "unmarked, like Human");
    let device = format!(r#""oid":"{OTHER}","sub":"x","idtyp":"device""#);
    assert_eq!(like(&device), "unmarked, like Human");
}

#[test]
fn the_client_has_one_name() {
    let read = |text: &str| claimed(&Claims::parse(text.as_bytes()).unwrap()).map(|_| ());
    let v1 = format!(r#"{{"appid":"{AGENT}","oid":"{AGENT}"}}"#);
    assert_eq!(read(&v1), Ok(()));
    let upper = AGENT.to_uppercase();
    let both = format!(r#"{{"appid":"{upper}","azp":"{AGENT}","oid":"{AGENT}"}}"#);
    assert_eq!(read(&both), Ok(()));
    let two = format!(r#"{{"appid":"{OTHER}","azp":"{AGENT}","oid":"{AGENT}"}}"#);
    assert_eq!(read(&two), Err(Reason::TokenClaimsRefused));
    let none = format!(r#"{{"oid":"{AGENT}"}}"#);
    assert_eq!(read(&none), Err(Reason::TokenTypeRefused));
    let nobody = format!(r#"{{"azp":"{AGENT}"}}"#);
    assert_eq!(read(&nobody), Err(Reason::TokenClaimsRefused));
}

#[test]
fn tenant_issuer_and_key_are_one() {
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let issuers = [Arc::from(v1.as_str()), Arc::from(v2.as_str())];
    let tenant = TenantId::parse(TENANT).unwrap();
    let check = |tid: &str, iss: &str, key: Option<&str>| {
        let claims = claims(&format!(r#""tid":"{tid}","iss":"{iss}""#));
        check_issuer(&claims, &tenant, &issuers, key)
    };
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    assert_eq!(check(TENANT, &v2, None), Ok(()));
    assert_eq!(check(&TENANT.to_uppercase(), &v2, None), Ok(()));
    assert_eq!(check(TENANT, &v2, Some(template)), Ok(()));
    assert_eq!(check(TENANT, &v1, Some(template)), Ok(()));
    assert_eq!(check(TENANT, &v2, Some(&v2)), Ok(()));
    let refused = Err(Reason::TokenIssuerRefused);
    assert_eq!(check(OTHER, &v2, None), refused);
    let foreign = v2.replace(TENANT, OTHER);
    assert_eq!(check(TENANT, &foreign, None), refused);
    assert_eq!(check(TENANT, &v2, Some(&foreign)), refused);
    assert_eq!(check(TENANT, &v2, Some("{tenantid}")), refused);
    let without = claims(&format!(r#""iss":"{v2}""#));
    assert_eq!(
        check_issuer(&without, &tenant, &issuers, None),
        Err(Reason::TokenClaimsRefused)
    );
}

#[test]
fn tokens_that_are_made_to_be_exchanged_are_known_by_audience_and_subject() {
    for audience in [
        "api://AzureADTokenExchange",
        "api://AzureADTokenExchangeChina",
        "API://azureadtokenexchange/",
        "fb60f99c-7a34-4190-8149-302f77469936",
        "FB60F99C-7A34-4190-8149-302F77469936",
    ] {
        assert!(is_exchange_token(&["api", audience], None), "{audience}");
    }
    assert!(is_exchange_token(&["api"], Some("/eid1/c/pub/t/x/a/y/z")));
    assert!(!is_exchange_token(&["api"], Some("eid1")));
}

#[test]
fn reads_scopes_roles_and_capabilities() {
    let tenant = TenantId::parse(TENANT).unwrap();
    let read = |claims: &Claims| {
        read(
            claims,
            &tenant,
            Vouching::new(&VouchedControls::default(), false),
        )
    };
    let reading = read(&claims(&format!(
        r#""oid":"{OTHER}","tid":"{TENANT}","scp":"a b","roles":["r"],"xms_cc":["CP1"],"uti":"u","jti":"j""#
    )))
    .unwrap();
    assert_eq!(reading.scopes.join("|"), "a|b");
    assert_eq!(reading.roles.join("|"), "r");
    assert_eq!(reading.token_id.as_deref(), Some("u"));
    assert_eq!(reading.tenant.unwrap().as_str(), TENANT);
    assert!(reading.claims_challenge_capable);
    for none in [
        r#""scp":"/""#,
        r#""scp":"""#,
        r#""scp":" ""#,
        r#""ver":"2.0""#,
    ] {
        let reading = read(&claims(&format!(r#""oid":"{OTHER}",{none}"#))).unwrap();
        assert!(reading.scopes.is_empty(), "{none}");
        assert!(!reading.claims_challenge_capable);
    }
}
