use super::*;

const AGENT: &str = r#"{"id":"A9A9A9A9-0000-4000-8000-000000000002","identityType":"agentIdentity",
        "riskLevel":"high","riskState":"atRisk","riskDetail":null,"riskLastModifiedDateTime":"2026-10-01T12:00:00Z"}"#;

fn lines(text: &str) -> Vec<String> {
    let (_, faults) = read("risk.json", text.as_bytes());
    faults.sorted().iter().map(ToString::to_string).collect()
}

#[test]
fn reads_one_a_list_and_an_array() {
    for text in [
        AGENT.to_owned(),
        format!("[{AGENT}]"),
        format!(r#"{{"@odata.context":"x","value":[{AGENT}]}}"#),
    ] {
        let (entries, faults) = read("risk.json", text.as_bytes());
        assert!(faults.is_empty(), "{:?}", lines(&text));
        let [entry] = entries.as_slice() else {
            panic!("expected one entry of {text}");
        };
        assert_eq!(entry.id.as_ref(), "a9a9a9a9-0000-4000-8000-000000000002");
        assert_eq!(entry.level, Some(RiskLevel::High));
        assert_eq!(entry.detail.as_ref(), "none");
        assert_eq!(entry.last_modified.to_string(), "2026-10-01T12:00:00Z");
    }
}

#[test]
fn a_withheld_level_is_not_none_and_an_unknown_one_is_a_fault() {
    let (entries, _) = read("r", AGENT.replace("high", "hidden").as_bytes());
    assert_eq!(entries.first().map(|entry| entry.level), Some(None));
    assert_eq!(
        lines(&AGENT.replace("high", "severe")),
        [
            "risk.json:2:9: error: riskLevel: `severe` is not known, expected `none`, `low`, `medium`, `high`, `hidden`"
        ]
    );
}

#[test]
fn every_fault_is_named_with_its_place() {
    assert_eq!(lines("[]"), Vec::<String>::new());
    assert_eq!(lines(&format!("[{AGENT},\n{AGENT}]")).len(), 1);
    assert_eq!(lines("[{},1]").len(), 5);
    assert!(lines(r#"{"@odata.nextLink":"x","value":[]}"#)[0].starts_with("risk.json:1:2"));
    assert_eq!(lines("{").len(), 1);
    assert_eq!(lines("7").len(), 1);
    assert_eq!(lines(r#"{"value":7}"#).len(), 1);
}

fn entries(text: &str) -> Vec<RiskEntry> {
    let (entries, faults) = read("r", text.as_bytes());
    assert!(faults.is_empty(), "{:?}", lines(text));
    entries
}

#[test]
fn users_workloads_and_sign_ins_are_told_by_their_type() {
    let of = |name: &str, members: &str| {
        let text = format!(
            r##"{{"@odata.type":"#microsoft.graph.{name}",{members},"riskLevel":"medium","riskState":"atRisk"}}"##
        );
        let subjects = entries(&text);
        subjects
            .into_iter()
            .map(|entry| (entry.subject, entry.id.to_string(), entry.level))
            .collect::<Vec<_>>()
    };
    let medium = Some(RiskLevel::Medium);
    let one = |subject, id: &str| (subject, id.to_owned(), medium);
    assert_eq!(
        of("riskyUser", r#""id":"u""#),
        [one(RiskSubject::User, "u")]
    );
    assert_eq!(
        of("riskyServicePrincipal", r#""id":"s""#),
        [one(RiskSubject::ServicePrincipal, "s")]
    );
    assert_eq!(
        of(
            "riskDetection",
            r#""id":"d","sessionId":"S1","uniqueTokenIdentifier":"t""#
        ),
        [
            one(RiskSubject::SignIn, "S1"),
            one(RiskSubject::SignIn, "t")
        ]
    );
    assert_eq!(
        of("riskyUser", r#""id":"u","insiderRiskLevel":"elevated""#),
        [
            one(RiskSubject::User, "u"),
            (RiskSubject::Insider, "u".to_owned(), Some(RiskLevel::High))
        ]
    );
    assert_eq!(
        of("riskyUser", r#""id":"u","insiderRiskLevel":"hidden""#)[1].2,
        None
    );
}

#[test]
fn a_list_tells_what_its_items_are() {
    let list = |set: &str| {
        format!(
            r##"{{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identityProtection/{set}",
            "value":[{{"id":"x","riskLevel":"low","riskState":"atRisk"}}]}}"##
        )
    };
    assert_eq!(entries(&list("riskyUsers"))[0].subject, RiskSubject::User);
    let workloads = entries(&list("riskyServicePrincipals"));
    assert_eq!(workloads[0].subject, RiskSubject::ServicePrincipal);
    // An agent says which kind it is.
    assert_eq!(lines(&list("riskyAgents")).len(), 1);
}

#[test]
fn a_sign_in_that_no_token_names_is_a_fault() {
    let of = |members: &str| {
        format!(
            r##"{{"@odata.type":"#microsoft.graph.riskDetection","id":"d"{members},"riskLevel":"low","riskState":"atRisk"}}"##
        )
    };
    assert!(lines(&of(""))[0].contains("expected `sessionId` or"));
    assert_eq!(lines(&of(r#","sessionId":"""#)).len(), 1);
    // Two reports of one session are no mistake; two of one user are.
    let twice = |one: &str| format!("[{one},{one}]");
    assert_eq!(entries(&twice(&of(r#","sessionId":"s""#))).len(), 2);
    let user = r##"{"@odata.type":"#microsoft.graph.riskyUser","id":"u","riskLevel":"low","riskState":"atRisk"}"##;
    assert_eq!(lines(&twice(user)).len(), 1);
    let unknown = user.replace("riskyUser", "riskyRobot");
    assert!(lines(&unknown)[0].contains("@odata.type"));
}
