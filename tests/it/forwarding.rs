//! What passes the gateway, whole and in time: heads, bodies as they stream, trailers; and what stays on its side.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;

use crate::support::client::{PATIENCE, RawClient};
use crate::support::script::Script;
use crate::support::site::{
    AGENT, AGENT_USER, Answer, BLUEPRINT, HUMAN, ISSUER, Setup, Site, exchange,
};

/// A gateway in front of an upstream that the test plays.
async fn site_of(script: &Script) -> Site {
    Site::start(Setup {
        upstream: vec![format!("url: http://{}", script.address)],
        ..Setup::default()
    })
    .await
}

/// The next piece of a body; it must come before the upstream goes on.
async fn piece(response: &mut Response<Incoming>) -> Option<http_body::Frame<Bytes>> {
    let frame = tokio::time::timeout(PATIENCE, response.body_mut().frame()).await;
    frame
        .expect("the piece should have come")
        .map(Result::unwrap)
}

#[tokio::test]
async fn the_upstream_is_told_who_calls_and_gets_nothing_that_the_caller_made_up() {
    let site = Site::start(Setup {
        resource: vec!["non_agents: forward", "authorization_header: strip"],
        ..Setup::default()
    })
    .await;
    let delegated = |client: &str, subject: &str, facets: &str| {
        site.token(
            &json!({"azp": client, "idtyp": "user", "oid": subject, "sub": "s",
            "xms_act_fct": "11", "xms_sub_fct": facets}),
        )
    };
    let plain = site.token(&json!({"azp": HUMAN, "idtyp": "user", "xms_act_fct": null,
        "xms_sub_fct": null, "xms_par_app_azp": null, "oid": HUMAN}));
    let (agent, blueprint) = (Some(AGENT), Some(BLUEPRINT));
    let table = [
        (
            site.agent_token(AGENT),
            "agent_identity",
            agent,
            blueprint,
            None,
        ),
        (
            delegated(AGENT, AGENT_USER, "13"),
            "agent_user",
            agent,
            blueprint,
            None,
        ),
        (
            delegated(AGENT, HUMAN, "2"),
            "on_behalf_of",
            agent,
            blueprint,
            Some(HUMAN),
        ),
        (plain, "not_agent", None, None, None),
    ];
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for (token, kind, agent, blueprint, human) in table {
        let mut request = Request::get("/hr/people?q=%2e%2e&x=a+b")
            .header("authorization", format!("Bearer {token}"))
            .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
            .header("accept", "application/json")
            .header("connection", "keep-alive, x-hop")
            .header("x-hop", "1");
        for forged in [
            "boomgate-agent-id",
            "boomgate-on-behalf-of",
            "boomgate-assertion",
            "x-forwarded-for",
            "forwarded",
            "x-original-url",
            "proxy-authorization",
        ] {
            request = request.header(forged, "forged");
        }
        let answer = site.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{kind}");
        let call = site.upstream.calls().pop().unwrap();
        assert_eq!(call.target, "/hr/people?q=%2e%2e&x=a+b");
        let client = "127.0.0.1";
        for (name, value) in [
            ("boomgate-agent-type", Some(kind)),
            ("boomgate-agent-id", agent),
            ("boomgate-blueprint-id", blueprint),
            ("boomgate-on-behalf-of", human),
            (
                "boomgate-decision-id",
                Some(answer.header("boomgate-decision-id")),
            ),
            ("boomgate-assertion", None),
            ("authorization", None),
            ("proxy-authorization", None),
            ("x-original-url", None),
            ("x-hop", None),
            ("accept", Some("application/json")),
            ("host", Some("localhost")),
            ("x-forwarded-for", Some(client)),
            ("x-forwarded-proto", Some("https")),
            ("x-forwarded-host", Some("localhost")),
            ("via", Some("1.1 boomgate")),
        ] {
            assert_eq!(call.header(name), value, "{kind}: {name}");
        }
        let parent = call.header("traceparent").unwrap();
        assert!(parent.starts_with(&format!("00-{trace}-")) && parent.ends_with("-01"));
        assert!(
            !parent.contains("00f067aa0ba902b7"),
            "the gateway is a hop of its own"
        );
    }
}

#[tokio::test]
async fn the_challenge_leads_to_metadata_that_says_whose_tokens_are_accepted() {
    let site = Site::start(Setup {
        resource: vec![
            "display_name: HR API",
            "operations:",
            "  - {methods: [GET], path: /hr/people, scopes: [People.Read, People.Browse]}",
        ],
        ..Setup::default()
    })
    .await;
    let challenged = site.send(Request::get("/hr/people")).await;
    assert_eq!(challenged.status, StatusCode::UNAUTHORIZED);
    let challenge = challenged.header("www-authenticate");
    let (_, url) = challenge.split_once("resource_metadata=\"").unwrap();
    // As the caller named it: without a port.
    let origin = "https://localhost";
    let path = url.trim_end_matches('"').strip_prefix(origin).unwrap();

    for http2 in [false, true] {
        let mut client = site.client(http2).await;
        let response = client.get(path).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["boomgate-decision-id"].len(), 36);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["resource"], format!("{origin}/hr"));
        assert_eq!(document["resource_name"], "HR API");
        let servers = document["authorization_servers"].as_array().unwrap();
        assert!(servers.contains(&json!(ISSUER)), "{document}");
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));
        assert_eq!(
            document["scopes_supported"],
            json!(["People.Browse", "People.Read"])
        );
    }
    let head = site.send(Request::head(path)).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    let unknown = site
        .send(Request::get(path.replace("/hr", "/finance")))
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.json()["code"], "not_found");
    let posted = site.send(Request::post(path)).await;
    assert_eq!(posted.status, StatusCode::NOT_FOUND);
    assert!(site.upstream.calls().is_empty());
}

#[tokio::test]
async fn the_metadata_of_a_resource_at_the_root_is_the_gateways_own_too() {
    let site = Site::start(Setup {
        resources: vec![
            "- {name: root, app_id: root, hosts: [localhost],",
            "   audiences: [e5e5e5e5-0000-4000-8000-000000000005], upstream: {url: \"http://{upstream}\"}}",
        ],
        ..Setup::default()
    })
    .await;
    let path = "/.well-known/oauth-protected-resource";
    let token = site.agent_token(AGENT);
    assert_eq!(site.get("/elsewhere", &token).await.status, StatusCode::OK);
    let metadata = site.get(path, &token).await;
    assert_eq!(metadata.header("content-type"), "application/json");
    assert_eq!(metadata.json()["resource"], "https://localhost");
    assert_eq!(site.upstream.only_call().target, "/elsewhere");
}

#[tokio::test]
async fn an_answer_streams_down_as_it_is_made_and_its_trailers_follow() {
    for http2 in [false, true] {
        let script = Script::new().await;
        let site = site_of(&script).await;
        let mut client = site.client(http2).await;
        let mut asked = site.request(Method::GET, http2);
        asked
            .headers_mut()
            .insert("te", "trailers".parse().unwrap());
        let play = async {
            let (mut scene, head) = script.call().await;
            let head = head.to_ascii_lowercase();
            assert!(head.contains("\r\nte: trailers\r\n"), "{head}");
            scene
                .write(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: grpc-status\r\n\r\n",
                )
                .await;
            scene.write("5\r\nfirst\r\n").await;
            scene
        };
        let (response, mut scene) = tokio::join!(client.send(asked), play);
        let mut response = response.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        // The upstream has not ended its answer, and here is its beginning.
        let first = piece(&mut response).await.unwrap().into_data().unwrap();
        assert_eq!(first, "first", "http2: {http2}");
        let trailers = "grpc-status: 7\r\nboomgate-decision-id: forged\r\n";
        scene
            .write(&format!("6\r\nsecond\r\n0\r\n{trailers}\r\n"))
            .await;
        let second = piece(&mut response).await.unwrap().into_data().unwrap();
        assert_eq!(second, "second");
        let last = piece(&mut response).await.unwrap().into_trailers().unwrap();
        assert_eq!(last["grpc-status"], "7");
        assert!(!last.contains_key("boomgate-decision-id"), "{last:?}");
        assert!(piece(&mut response).await.is_none());
    }
}

#[tokio::test]
async fn a_body_streams_up_before_the_caller_has_ended_it_and_its_trailers_do_not() {
    let script = Script::new().await;
    let site = site_of(&script).await;
    let mut caller = RawClient::connect(&site.pki, site.address(), "http/1.1").await;
    let head = format!(
        "POST /hr/people HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nfirst\r\n",
        site.agent_token(AGENT)
    );
    caller.send(head.as_bytes()).await.unwrap();
    let (mut scene, _) = script.call().await;
    scene.read_until("first\r\n").await;
    let end = b"6\r\nsecond\r\n0\r\nboomgate-agent-id: forged\r\nx-late: 1\r\n\r\n";
    caller.send(end).await.unwrap();
    let rest = scene.read_until("0\r\n\r\n").await;
    assert_eq!(rest, "6\r\nsecond\r\n0\r\n\r\n");
    scene
        .write("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok")
        .await;
    let answer = String::from_utf8(caller.read_to_close().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
}

#[tokio::test]
async fn answers_without_a_body_keep_what_they_say_of_it() {
    let table = [
        (
            Method::HEAD,
            "200 OK",
            "content-length: 12\r\netag: \"a\"\r\n",
            Some("12"),
        ),
        (Method::GET, "304 Not Modified", "etag: \"a\"\r\n", None),
        (Method::DELETE, "204 No Content", "etag: \"a\"\r\n", None),
    ];
    for (method, status, headers, length) in table {
        for http2 in [false, true] {
            let script = Script::new().await;
            let site = site_of(&script).await;
            let mut client = site.client(http2).await;
            let asked = site.request(method.clone(), http2);
            let answer = format!("HTTP/1.1 {status}\r\n{headers}\r\n");
            let (response, ()) = tokio::join!(client.send(asked), script.answer(&answer));
            let response = response.unwrap();
            let code = response.status().as_u16().to_string();
            assert!(status.starts_with(&code), "{method} {code}");
            assert_eq!(response.headers()["etag"], "\"a\"");
            assert_eq!(response.headers()["boomgate-decision-id"].len(), 36);
            let said = response.headers().get("content-length");
            assert_eq!(
                said.map(|v| v.to_str().unwrap()),
                length,
                "{method} {http2}"
            );
            let id = response.headers()["boomgate-decision-id"].clone();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(body.is_empty(), "{method}");
            let (_, outcome) = site.record(id.to_str().unwrap()).await;
            assert_eq!(outcome["result"], "completed", "{method} {http2}");
        }
    }
}

#[tokio::test]
async fn what_is_of_the_upstreams_connection_or_leads_past_the_gateway_stays_here() {
    for http2 in [false, true] {
        let script = Script::new().await;
        let site = site_of(&script).await;
        let mut client = site.client(http2).await;
        let asked = site.request(Method::GET, http2);
        let answer = "HTTP/1.1 418 Teapot\r\nconnection: close, x-hop\r\nx-hop: 1\r\n\
            keep-alive: timeout=5\r\nproxy-authenticate: Basic\r\nupgrade: h2c\r\n\
            alt-svc: h3=\":443\"\r\nboomgate-decision-id: forged\r\nboomgate-secret: 1\r\n\
            set-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 2\r\n\r\nno";
        let (response, ()) = tokio::join!(client.send(asked), script.answer(answer));
        let response = response.unwrap();
        assert_eq!(response.status().as_u16(), 418);
        for name in [
            "connection",
            "x-hop",
            "keep-alive",
            "proxy-authenticate",
            "upgrade",
            "alt-svc",
            "boomgate-secret",
        ] {
            assert!(
                !response.headers().contains_key(name),
                "{name}, http2: {http2}"
            );
        }
        assert_ne!(response.headers()["boomgate-decision-id"], "forged");
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    }
}

#[tokio::test]
async fn a_failing_upstream_shows_nothing_of_itself() {
    for bytes in [
        "",
        "not http: panic at /srv/hr/main.rs\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nx-secret: \0\r\n\r\n",
    ] {
        let script = Script::new().await;
        let site = site_of(&script).await;
        let client = site.client(false).await;
        let (asked, _) = site.request(Method::GET, false).into_parts();
        let mut builder = Request::builder().uri(asked.uri);
        *builder.headers_mut().unwrap() = asked.headers;
        let (answer, ()) = tokio::join!(exchange(client, builder, ""), script.answer(bytes));
        let answer: Answer = answer;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{bytes:?}");
        assert_eq!(answer.json()["code"], "upstream_failed");
        let all = format!(
            "{:?}{}",
            answer.headers,
            String::from_utf8_lossy(&answer.body)
        );
        for inside in [&script.address.to_string(), "panic", "secret", "hyper"] {
            assert!(!all.contains(inside), "{inside}: {all}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_broken_off_does_not_look_whole() {
    for http2 in [false, true] {
        let script = Script::new().await;
        let site = site_of(&script).await;
        let mut client = site.client(http2).await;
        let asked = site.request(Method::GET, http2);
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst";
        let (response, ()) = tokio::join!(client.send(asked), script.answer(answer));
        let response = response.unwrap();
        let id = response.headers()["boomgate-decision-id"].clone();
        assert!(
            response.into_body().collect().await.is_err(),
            "http2: {http2}"
        );
        let (_, outcome) = site.record(id.to_str().unwrap()).await;
        assert_eq!(outcome["result"], "upstream_failed");
        assert_eq!(outcome["bytes"], 5);
        let open = site.count("boomgate_open_calls", &[("resource", "hr-api")]);
        assert_eq!(open.await, 0);
    }
}
