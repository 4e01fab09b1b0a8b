use super::*;

fn b64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn with_header(header: &str) -> Result<Header, Reason> {
    let token = format!("{}.{}.AAAA", b64(header), b64("{}"));
    read(&token, 4096).map(|jws| jws.header)
}

#[test]
fn reads_a_plain_jws() {
    let token = format!(
        "{}.{}.AAAA",
        b64(r#"{"alg":"RS256","kid":"k","typ":"application/AT+JWT","x5t":"k","custom":{"a":1}}"#),
        b64(r#"{"iss":"i"}"#)
    );
    let jws = read(&token, 4096).unwrap();
    assert_eq!(jws.header.algorithm, Algorithm::Rs256);
    assert_eq!(jws.header.key_id.as_deref(), Some("k"));
    assert_eq!(jws.header.media_type.as_deref(), Some("at+jwt"));
    assert!(jws.header.says_access_token());
    assert_eq!(jws.payload, br#"{"iss":"i"}"#);
    assert_eq!(format!("{}.{}", jws.signing_input, jws.signature), token);
}

#[test]
fn looks_at_the_size_before_anything_else() {
    let dots = ".".repeat(10_000);
    assert_eq!(read(&dots, 4096).unwrap_err(), Reason::TokenMalformed);
    assert_eq!(read(&dots, 20_000).unwrap_err(), Reason::TokenMalformed);
    let token = format!("{}.{}.AAAA", b64(r#"{"alg":"RS256"}"#), b64("{}"));
    assert!(read(&token, token.len()).is_ok());
    assert_eq!(
        read(&token, token.len() - 1).unwrap_err(),
        Reason::TokenMalformed
    );
}

#[test]
fn refuses_every_other_form() {
    let header = b64(r#"{"alg":"RS256"}"#);
    let payload = b64("{}");
    for token in [
        String::new(),
        header.clone(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!(".{payload}.AAAA"),
        format!("{header}.{payload}.AAAA."),
        format!(".{header}.{payload}.AAAA"),
        format!("{header}.{payload}.AAAA.AAAA"),
        format!("{header}.{payload}.AAAA.AAAA.AAAA"),
        format!("{header}=.{payload}.AAAA"),
        format!("{header}.{payload}.AAA="),
        format!("{header}.{payload}.AA+/"),
        format!("{header}.{payload}.AA A"),
        format!("{header}.{payload}.AAB"),
        format!("{header}.{payload}.A"),
        format!(" {header}.{payload}.AAAA"),
        format!("{header}.{payload}.AAAA\n"),
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"AAAA"}}"#),
    ] {
        assert_eq!(
            read(&token, 4096).unwrap_err(),
            Reason::TokenMalformed,
            "{token}"
        );
    }
}

#[test]
fn refuses_headers_that_are_not_one_strict_object() {
    for header in [
        "",
        "null",
        "[]",
        r#""RS256""#,
        r#"{"kid":"k"}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["RS256"]}"#,
        r#"{"alg":"RS256","alg":"RS256"}"#,
        r#"{"alg":"RS256","x":{"y":1,"y":1}}"#,
        r#"{"alg":"RS256"} {}"#,
        r#"{"alg":"RS256",}"#,
        r#"{"alg":"RS256","kid":7}"#,
        r#"{"alg":"RS256","kid":""}"#,
        "{\"alg\":\"RS256\",\"kid\":\"a\\u0000\"}",
        r#"{"alg":"RS256","typ":7}"#,
        r#"{"alg":"RS256","typ":null}"#,
    ] {
        assert_eq!(with_header(header), Err(Reason::TokenMalformed), "{header}");
    }
    let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(257));
    assert_eq!(with_header(&long), Err(Reason::TokenMalformed));
    let not_utf8 = URL_SAFE_NO_PAD.encode(b"{\"alg\":\"RS256\",\"x\":\"\xFF\"}");
    let token = format!("{not_utf8}.{}.AAAA", b64("{}"));
    assert_eq!(read(&token, 4096).unwrap_err(), Reason::TokenMalformed);
}

#[test]
fn refuses_members_that_would_change_the_rules() {
    for member in REFUSED_MEMBERS {
        for value in ["null", "[]", "\"x\"", "false"] {
            let header = format!(r#"{{"alg":"RS256","{member}":{value}}}"#);
            assert_eq!(
                with_header(&header),
                Err(Reason::TokenMalformed),
                "{header}"
            );
        }
    }
}

#[test]
fn knows_no_algorithm_that_no_issuer_may_use() {
    for name in [
        "none", "None", "nOnE", "NONE", "", "HS256", "HS384", "HS512", "rs256", "RS256 ", "RS1",
        "ES512", "ES256K", "Ed25519", "Ed448", "RSA-OAEP", "dir",
    ] {
        let header = format!(r#"{{"alg":"{name}"}}"#);
        let found = with_header(&header);
        assert_eq!(found, Err(Reason::TokenAlgorithmRefused), "{name}");
    }
}

#[test]
fn media_types_compare_without_case_and_prefix() {
    for text in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/at+JWT",
    ] {
        assert_eq!(media_type(text), "at+jwt");
    }
    assert_ne!(media_type("text/at+jwt"), "at+jwt");
    assert_ne!(media_type("application/application/at+jwt"), "at+jwt");
    assert_ne!(media_type(" at+jwt"), "at+jwt");
}
