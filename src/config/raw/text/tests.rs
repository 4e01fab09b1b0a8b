use super::*;

#[test]
fn every_example_is_accepted() {
    for (format, _, example) in EXAMPLES {
        let check = check_of(format).unwrap();
        assert_eq!(check(example), Ok(()), "{format}");
    }
    assert!(check_of("date-time").is_none());
}

#[test]
fn durations_and_sizes_have_units_and_write_themselves() {
    assert_eq!(
        duration("1500ms"),
        Ok(std::time::Duration::from_millis(1500))
    );
    assert_eq!(duration("2h"), Ok(std::time::Duration::from_hours(2)));
    for text in [
        "5",
        "s",
        "-1s",
        "1.5s",
        "5 s",
        "5S",
        "99999999999999999999s",
        "4000d",
        "",
    ] {
        assert!(duration(text).is_err(), "{text}");
    }
    assert_eq!(size("16KiB"), Ok(16_384));
    for text in ["16", "16KB", "16k", "99999999999GiB", "KiB"] {
        assert!(size(text).is_err(), "{text}");
    }
    for text in ["\"90s\"", "\"1h\"", "\"0ms\"", "\"1d\""] {
        let value: Duration = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
    }
    assert_eq!(serde_json::to_string(&Size::kib(2048)).unwrap(), "\"2MiB\"");
}

#[test]
fn a_path_template_is_whole_segments() {
    let template = path_template("/people/{id}/**").unwrap();
    assert_eq!(template.segments, [Some("people".into()), None]);
    assert!(template.open_ended);
    assert_eq!(path_template("/**").unwrap().segments, []);
    assert_eq!(path_template("/").unwrap().segments, []);
    assert_eq!(path_template("/people/"), {
        let text = "/people/".into();
        path_template("/people").map(|template| Template { text, ..template })
    });
    for text in [
        "", "people", "/a*", "/x{id}", "/{}", "/a//b", "/a/../b", "/**/a", "/a?b", "/a;b", "/a%2Fb",
    ] {
        assert!(path_template(text).is_err(), "{text}");
    }
}

#[test]
fn an_authentication_context_is_c1_to_c99() {
    for text in ["c1", "c25", "c99"] {
        assert_eq!(authentication_context(text).as_deref(), Ok(text));
    }
    for text in ["", "c", "c0", "c01", "c100", "C1", "1", "c+1", "c1 "] {
        assert!(authentication_context(text).is_err(), "{text}");
    }
}

#[test]
fn paths_are_brought_into_the_form_that_calls_have() {
    let template = path_template("/caf%c3%a9/%61/{id}").unwrap();
    let segments = [Some("caf%C3%A9".into()), Some("a".into()), None];
    assert_eq!(template.segments, segments);
    assert_eq!(path_prefix("/%7ehr/%c3%a9").as_deref(), Ok("/~hr/%C3%A9"));
}

#[test]
fn a_prefix_has_no_slash_at_its_end_and_no_wildcards() {
    assert_eq!(path_prefix("/hr/").as_deref(), Ok("/hr"));
    assert_eq!(path_prefix("/").as_deref(), Ok("/"));
    for text in ["hr", "/hr/*", "/a/./b", "//", "/a b", "/a#b", "/a;b", ""] {
        assert!(path_prefix(text).is_err(), "{text}");
    }
}

#[test]
fn an_upstream_is_scheme_host_and_port() {
    let upstream = upstream_url("https://HR.internal").unwrap();
    assert_eq!(
        (upstream.host.as_ref(), upstream.port),
        ("hr.internal", 443)
    );
    assert!(upstream.tls && !upstream.is_loopback());
    let upstream = upstream_url("http://[::1]:9101/").unwrap();
    assert_eq!((upstream.host.as_ref(), upstream.port), ("::1", 9101));
    assert!(upstream.is_loopback());
    for text in [
        "hr.internal:80",
        "ftp://x",
        "http://",
        "http://u:p@x",
        "http://x/y",
        "http://x?y",
        "http://x:0",
        "http://x:",
        "http://x:99999",
    ] {
        assert!(upstream_url(text).is_err(), "{text}");
    }
    assert!(document_url("https://x/jwks#a").is_err());
    assert!(document_url("https://u@x/jwks").is_err());
    assert!(document_url("http://127.0.0.1/jwks").is_err());
}

#[test]
fn a_tenant_is_a_guid() {
    assert!(tenant("common").is_err());
    assert!(tenant("contoso.onmicrosoft.com").is_err());
}
