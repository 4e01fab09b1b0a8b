use super::*;
use crate::identity::settings::tests::oidc_issuer;

const NOW: i64 = 1_795_000_000;

fn check(payload: &str) -> Result<Checked, Reason> {
    checked(payload, false)
}

fn checked(payload: &str, says_access_token: bool) -> Result<Checked, Reason> {
    Claims::parse(payload.as_bytes())?.check(&Expected {
        settings: &oidc_issuer(),
        audiences: &["api".into(), "other".into()],
        now: Timestamp::from_seconds(NOW),
        says_access_token,
    })
}

/// Claims that are in order, but for these times: `exp`, and what follows it.
fn with_times(times: &str) -> Result<Checked, Reason> {
    check(&format!(r#"{{"iss":"i","aud":"api","exp":{times}}}"#))
}

#[test]
fn accepts_a_token_in_order() {
    let found = with_times("1795000600,\"iat\":1794999990,\"nbf\":1794999990").unwrap();
    assert_eq!(&*found.audience, "api");
    assert_eq!(found.expires_at, Timestamp::from_seconds(NOW + 600));
    assert_eq!(found.issued_at, Some(Timestamp::from_seconds(NOW - 10)));
}

#[test]
fn the_leeway_is_exact_on_both_sides() {
    // The issuer's leeway is 5 s.
    for (times, expected) in [
        (format!("{}", NOW - 4), Ok(())),
        (format!("{}", NOW - 5), Err(Reason::TokenExpired)),
        (format!("{}.9", NOW - 5), Err(Reason::TokenExpired)),
        (format!("{},\"nbf\":{}", NOW + 60, NOW + 5), Ok(())),
        (
            format!("{},\"nbf\":{}", NOW + 60, NOW + 6),
            Err(Reason::TokenNotYetValid),
        ),
        (
            format!("{},\"nbf\":{}.1", NOW + 60, NOW + 5),
            Err(Reason::TokenNotYetValid),
        ),
        (
            format!("{},\"iat\":{}", NOW + 60, NOW + 6),
            Err(Reason::TokenNotYetValid),
        ),
    ] {
        assert_eq!(with_times(&times).map(|_| ()), expected, "{times}");
    }
}

#[test]
fn a_token_may_not_live_longer_than_its_issuer_says() {
    // The longest life is one hour.
    assert!(with_times(&format!("{},\"iat\":{NOW}", NOW + 3600)).is_ok());
    assert!(with_times(&format!("{}", NOW + 3605)).is_ok());
    for times in [
        format!("{},\"iat\":{NOW}", NOW + 3601),
        format!("{}", NOW + 3606),
        format!("{},\"iat\":{}", NOW + 3595, NOW - 10),
        format!("{},\"iat\":{}", NOW + 2, NOW + 3),
    ] {
        assert_eq!(
            with_times(&times),
            Err(Reason::TokenClaimsRefused),
            "{times}"
        );
    }
}

#[test]
fn times_are_numbers_within_the_calendar() {
    for number in [
        "\"1795000600\"",
        "\"never\"",
        "null",
        "true",
        "[1795000600]",
        "-1",
        "-0.0",
        "1e18",
        "1e19",
        "10000000000000000000",
        "253402300800",
        "1e300",
    ] {
        let found = with_times(number);
        assert_eq!(found, Err(Reason::TokenClaimsRefused), "exp {number}");
        for other in ["nbf", "iat"] {
            let found = with_times(&format!("1795000600,\"{other}\":{number}"));
            assert_eq!(found, Err(Reason::TokenClaimsRefused), "{other} {number}");
        }
    }
    assert!(
        with_times("1.7950006e9").is_ok(),
        "an exponent is a number too"
    );
}

#[test]
fn audiences_compare_whole() {
    for (aud, expected) in [
        (r#""api""#, Ok("api")),
        (r#"["x","other"]"#, Ok("other")),
        (r#"["other","api"]"#, Ok("api")),
        (r#""API""#, Err(Reason::TokenAudienceRefused)),
        (r#""api/""#, Err(Reason::TokenAudienceRefused)),
        (r#""api,other""#, Err(Reason::TokenAudienceRefused)),
        (r#""api other""#, Err(Reason::TokenAudienceRefused)),
        (r#""""#, Err(Reason::TokenAudienceRefused)),
        ("[]", Err(Reason::TokenAudienceRefused)),
        (r#"["api",7]"#, Err(Reason::TokenClaimsRefused)),
        (r#"[["api"]]"#, Err(Reason::TokenClaimsRefused)),
        (r#"{"api":true}"#, Err(Reason::TokenClaimsRefused)),
        ("5", Err(Reason::TokenClaimsRefused)),
        ("null", Err(Reason::TokenClaimsRefused)),
    ] {
        let found = check(&format!(r#"{{"iss":"i","exp":1795000600,"aud":{aud}}}"#));
        let found = found.map(|checked| checked.audience.to_string());
        assert_eq!(found.as_deref(), expected.as_ref().copied(), "{aud}");
    }
    let without = check(r#"{"iss":"i","exp":1795000600}"#);
    assert_eq!(without, Err(Reason::TokenClaimsRefused));
}

#[test]
fn tokens_of_other_uses_show_by_their_claims() {
    for claim in OTHER_USES {
        let payload = format!(r#"{{"iss":"i","aud":"api","exp":1795000600,"{claim}":"x"}}"#);
        assert_eq!(check(&payload), Err(Reason::TokenTypeRefused), "{claim}");
        assert!(
            checked(&payload, true).is_ok(),
            "its `typ` says that it is an access token"
        );
    }
}

#[test]
fn names_are_readable_text() {
    for value in [
        "\"\"",
        "7",
        "null",
        "[\"a\"]",
        "\"a\\r\\nb\"",
        "\"a\\u0000\"",
        "\"\\u0085\"",
    ] {
        for name in NAMES {
            let rest = if name == "iss" { "" } else { r#""iss":"i","# };
            let payload = format!(r#"{{{rest}"aud":"api","exp":1795000600,"{name}":{value}}}"#);
            let found = check(&payload);
            assert_eq!(found, Err(Reason::TokenClaimsRefused), "{payload}");
        }
    }
}

#[test]
fn a_path_leads_into_objects_and_an_address_is_one_name() {
    let claims = Claims::parse(
        br#"{"act":{"sub":"a","x":{"y":"b"}},"act.sub":"c","https://i.example/agent":"d","list":[{"a":"e"}]}"#,
    )
    .unwrap();
    assert_eq!(claims.text("act.sub"), Ok(Some("a")));
    assert_eq!(claims.text("act.x.y"), Ok(Some("b")));
    assert_eq!(claims.text("https://i.example/agent"), Ok(Some("d")));
    assert_eq!(claims.text("act.sub.x"), Ok(None));
    assert_eq!(claims.text("list.0.a"), Ok(None));
    assert_eq!(claims.text("act"), Err(Reason::TokenClaimsRefused));
}

#[test]
fn a_dot_in_a_name_is_escaped() {
    let claims = Claims::parse(
        br#"{"kubernetes.io":{"serviceaccount":{"name":"a","x.y":"b"}},"kubernetes":{"io":"c"}}"#,
    )
    .unwrap();
    let names = [
        (r"kubernetes\.io.serviceaccount.name", Some("a")),
        (r"kubernetes\.io.serviceaccount.x\.y", Some("b")),
        ("kubernetes.io", Some("c")),
        ("kubernetes.io.serviceaccount.name", None),
        (r"kubernetes\.io\.serviceaccount.name", None),
    ];
    for (path, expected) in names {
        assert_eq!(claims.text(path), Ok(expected), "{path}");
    }
}

#[test]
fn lists_of_names_are_text_with_blanks_or_arrays_of_text() {
    let names = |value: &str| {
        let claims = Claims::parse(format!(r#"{{"x":{value}}}"#).as_bytes()).unwrap();
        claims.names("x").map(|names| names.join("|"))
    };
    assert_eq!(names(r#""a  b c ""#), Ok("a|b|c".to_owned()));
    assert_eq!(names(r#"["a","b c"]"#), Ok("a|b c".to_owned()));
    assert_eq!(names(r#""""#), Ok(String::new()));
    for value in ["7", "null", "{}", r#"["a",7]"#, r#"[""]"#, r#"["a\n"]"#] {
        assert_eq!(names(value), Err(Reason::TokenClaimsRefused), "{value}");
    }
}

#[test]
fn a_payload_is_one_strict_object() {
    for payload in [
        "",
        "[]",
        "\"x\"",
        r#"{"iss":"i","iss":"i"}"#,
        r#"{"oid":"a","oid":"b"}"#,
        r#"{"x":{"a":1,"a":2}}"#,
        "{} ,",
        "{\"a\":NaN}",
    ] {
        let found = Claims::parse(payload.as_bytes());
        assert_eq!(found.err(), Some(Reason::TokenMalformed), "{payload}");
    }
    assert!(Claims::parse(b"{\"a\":\"\xFF\"}").is_err());
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    assert!(Claims::parse(deep.as_bytes()).is_err());
}
