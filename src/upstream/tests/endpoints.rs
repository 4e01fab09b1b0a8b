//! Several endpoints: who gets a call, and what an endpoint that fails costs callers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::relay::{Relay, Scripted, Upstream, get, post, upstream_http1};
use crate::telemetry::{EndpointState, UpstreamEvent};
use crate::upstream::settings::{
    Balance, Ejection, HealthCheck, Origin, Retries, UpstreamLimits, UpstreamSettings,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Endpoints at these ports of this machine.
fn at(ports: &[u16]) -> UpstreamSettings {
    let origin = |port: &u16| Origin {
        host: "127.0.0.1".into(),
        port: *port,
    };
    UpstreamSettings {
        origins: ports.iter().map(origin).collect(),
        response_timeout: PATIENCE,
        connect_timeout: PATIENCE,
        ..UpstreamSettings::at("127.0.0.1", 1)
    }
}

/// An upstream that says its name.
async fn named(name: &'static str) -> Upstream {
    upstream_http1(move |request: Request<Incoming>| async move {
        drop(request.into_body().collect().await.unwrap());
        Response::new(Full::new(Bytes::from(name)))
    })
    .await
}

/// A port at which nobody listens.
async fn refusing() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    socket.local_addr().unwrap().port()
}

/// Takes a request and does this with its connection.
async fn after_reading<F>(
    then: impl Fn(tokio::net::TcpStream) -> F + Clone + Send + Sync + 'static,
) -> Scripted
where
    F: Future<Output = ()> + Send,
{
    Scripted::start(move |mut stream, seen| {
        let then = then.clone();
        async move {
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await.unwrap();
            let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
            seen.lock().push(text);
            then(stream).await;
        }
    })
    .await
}

async fn body(response: Response<Incoming>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(came.is_ok(), "waited in vain until {what}");
}

#[tokio::test]
async fn calls_go_round_all_endpoints() {
    let (a, b) = (named("a").await, named("b").await);
    for balance in [Balance::RoundRobin, Balance::LeastRequests] {
        let relay = Relay::start(UpstreamSettings {
            balance,
            ..at(&[a.port, b.port])
        })
        .await;
        let mut answers = Vec::new();
        for _ in 0..40 {
            answers.push(body(relay.call(get("/hr")).await).await);
        }
        let of_a = answers.iter().filter(|name| **name == "a").count();
        match balance {
            Balance::RoundRobin => assert_eq!(of_a, 20),
            Balance::LeastRequests => assert!((1..40).contains(&of_a), "{of_a}"),
        }
        assert_eq!(relay.endpoints(EndpointState::Available), 2);
    }
}

#[tokio::test]
async fn a_killed_endpoint_costs_no_call_whatever_the_method_and_is_taken_out() {
    let alive = named("alive").await;
    let relay = Relay::start(at(&[refusing().await, alive.port])).await;
    for n in 0..40 {
        let call = if n % 2 == 0 {
            get("/hr")
        } else {
            post("/hr", "body")
        };
        assert_eq!(body(relay.call(call).await).await, "alive", "call {n}");
    }
    assert_eq!(relay.endpoints(EndpointState::Ejected), 1);
    assert_eq!(relay.events(UpstreamEvent::Ejected), 1);
    assert_eq!(
        relay.events(UpstreamEvent::FailedOver),
        5,
        "until it was out"
    );
    assert_eq!(relay.events(UpstreamEvent::Retried), 0);
}

#[tokio::test]
async fn an_endpoint_that_is_out_gets_calls_again_once_its_time_is_over() {
    let alive = named("alive").await;
    let port = refusing().await;
    let relay = Relay::start(UpstreamSettings {
        ejection: Ejection {
            consecutive_failures: 1,
            time: Duration::from_millis(300),
            max_time: Duration::from_millis(300),
            max_percent: 50,
        },
        ..at(&[port, alive.port])
    })
    .await;
    until_called(&relay, "alive", |relay| {
        relay.events(UpstreamEvent::Ejected) > 0
    })
    .await;
    let socket = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            let mut buffer = [0; 4096];
            let _read = stream.read(&mut buffer).await;
            let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nback";
            let _written = stream.write_all(answer).await;
        }
    });
    let calling = async { while body(relay.call(get("/hr")).await).await != "back" {} };
    tokio::time::timeout(PATIENCE, calling)
        .await
        .expect("it came back");
}

/// Calls, each with this answer, until something holds.
async fn until_called(relay: &Relay, answer: &str, holds: impl Fn(&Relay) -> bool) {
    let calling = async {
        while !holds(relay) {
            assert_eq!(body(relay.call(get("/hr")).await).await, answer);
        }
    };
    let came = tokio::time::timeout(PATIENCE, calling).await;
    assert!(came.is_ok(), "called in vain");
}

#[tokio::test]
async fn a_hung_endpoint_is_504_until_it_is_out_and_its_calls_are_not_sent_again() {
    let hung = after_reading(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let alive = named("alive").await;
    let relay = Relay::start(UpstreamSettings {
        response_timeout: Duration::from_secs(5),
        ejection: Ejection {
            consecutive_failures: 2,
            ..Ejection::default()
        },
        ..at(&[hung.port, alive.port])
    })
    .await;
    let mut late = 0;
    let calling = async {
        while relay.endpoints(EndpointState::Ejected) == 0 {
            match relay.call(get("/hr")).await.status() {
                StatusCode::GATEWAY_TIMEOUT => late += 1,
                status => assert_eq!(status, 200),
            }
        }
    };
    tokio::time::timeout(PATIENCE, calling)
        .await
        .expect("it is taken out");
    assert!(late >= 2);
    assert_eq!(hung.count("GET /hr "), late, "each was sent there once");
    assert_eq!(relay.events(UpstreamEvent::Retried), 0);
}

#[tokio::test]
async fn a_call_that_broke_goes_elsewhere_only_where_that_is_safe() {
    let breaking = after_reading(|stream| async move { drop(stream) }).await;
    let alive = named("alive").await;
    let relay = Relay::start(UpstreamSettings {
        ejection: Ejection {
            max_percent: 0,
            ..Ejection::default()
        },
        ..at(&[breaking.port, alive.port])
    })
    .await;
    for n in 0..10 {
        assert_eq!(
            body(relay.call(get("/hr")).await).await,
            "alive",
            "call {n}"
        );
    }
    assert!(relay.events(UpstreamEvent::Retried) >= 5);
    let mut failed = 0;
    for _ in 0..4 {
        let status = relay.call(post("/hr", "a body")).await.status();
        failed += usize::from(status == StatusCode::BAD_GATEWAY);
    }
    assert_eq!(failed, breaking.count("POST "), "each was sent once");
    assert!(failed >= 1);
    assert_eq!(
        relay.endpoints(EndpointState::Available),
        2,
        "none may be taken out"
    );
}

#[tokio::test]
async fn without_a_budget_nothing_is_sent_again() {
    let breaking = after_reading(|stream| async move { drop(stream) }).await;
    let alive = named("alive").await;
    let relay = Relay::start(UpstreamSettings {
        retries: Retries {
            budget_percent: 0,
            min_per_second: 0,
            ..Retries::default()
        },
        ..at(&[breaking.port, alive.port])
    })
    .await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(relay.call(get("/hr")).await.status().as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 502, 502]);
    assert_eq!(relay.events(UpstreamEvent::RetryRefused), 2);
}

#[tokio::test]
async fn an_answer_that_asks_to_come_again_is_followed_only_where_the_operator_says_so() {
    let busy = upstream_http1(|_: Request<Incoming>| async {
        let mut response = Response::new(Full::new(Bytes::from("busy")));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert("retry-after", 0.into());
        response
    })
    .await;
    let alive = named("alive").await;
    for follows in [false, true] {
        let relay = Relay::start(UpstreamSettings {
            retries: Retries {
                on_unavailable: follows,
                ..Retries::default()
            },
            ..at(&[busy.port, alive.port])
        })
        .await;
        let (first, second) = (relay.call(get("/hr")).await, relay.call(get("/hr")).await);
        let mut bodies = [body(first).await, body(second).await];
        bodies.sort_unstable();
        let expected = if follows {
            ["alive", "alive"]
        } else {
            ["alive", "busy"]
        };
        assert_eq!(bodies, expected);
        // A body is never sent again, so its caller reads what the upstream says.
        let (first, second) = (
            relay.call(post("/hr", "body")).await,
            relay.call(post("/hr", "body")).await,
        );
        let mut statuses = [first.status().as_u16(), second.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 503]);
    }
}

#[tokio::test]
async fn a_full_endpoint_refuses_and_a_call_may_wait_for_a_place() {
    let gate = Arc::new(Notify::new());
    let waiting = Arc::clone(&gate);
    let upstream = upstream_http1(move |request: Request<Incoming>| {
        let waiting = Arc::clone(&waiting);
        async move {
            if request.uri().path() == "/hr/wait" {
                waiting.notified().await;
            }
            Response::new(Full::new(Bytes::from("done")))
        }
    })
    .await;
    for max_pending in [0, 1] {
        let relay = Arc::new(
            Relay::start(UpstreamSettings {
                limits: UpstreamLimits {
                    max_requests: Some(1),
                    max_pending,
                },
                ..at(&[upstream.port])
            })
            .await,
        );
        let before = upstream.connections();
        let call = |path: &'static str| {
            let relay = Arc::clone(&relay);
            tokio::spawn(async move {
                let response = relay.call(get(path)).await;
                (response.status().as_u16(), body(response).await)
            })
        };
        let first = call("/hr/wait");
        until("the first call is there", || {
            upstream.connections() > before
        })
        .await;
        if max_pending == 0 {
            let (status, problem) = call("/hr").await.unwrap();
            assert_eq!(status, 503);
            let problem = String::from_utf8_lossy(&problem).into_owned();
            assert!(problem.contains("upstream_overloaded"), "{problem}");
        } else {
            let (second, third) = (call("/hr"), call("/hr"));
            let refused = tokio::select! {
                answer = second => answer,
                answer = third => answer,
            };
            assert_eq!(refused.unwrap().0, 503, "one waits, one is refused");
        }
        gate.notify_one();
        assert_eq!(first.await.unwrap(), (200, Bytes::from("done")));
    }
}

#[tokio::test]
async fn checks_take_an_endpoint_out_and_bring_it_back() {
    let sick = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let state = Arc::clone(&sick);
    let ailing = upstream_http1(move |request: Request<Incoming>| {
        let is_sick = state.load(std::sync::atomic::Ordering::SeqCst);
        async move {
            let is_check = request.uri().path() == "/healthz";
            assert!(is_check || request.headers().contains_key("boomgate-decision-id"));
            let mut response = Response::new(Full::new(Bytes::from("ailing")));
            if is_check && is_sick {
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
            response
        }
    })
    .await;
    let well = named("well").await;
    let relay = Relay::start(UpstreamSettings {
        health_check: Some(HealthCheck {
            path: "/healthz".into(),
            status: StatusCode::OK,
            interval: Duration::from_millis(20),
            timeout: PATIENCE,
            unhealthy_after: 2,
            healthy_after: 2,
        }),
        ..at(&[ailing.port, well.port])
    })
    .await;
    relay.follow();
    until("it is out", || {
        relay.endpoints(EndpointState::Unhealthy) == 1
    })
    .await;
    for _ in 0..10 {
        assert_eq!(body(relay.call(get("/hr")).await).await, "well");
    }
    assert_eq!(relay.events(UpstreamEvent::Unhealthy), 1);
    sick.store(false, std::sync::atomic::Ordering::SeqCst);
    until("it is back", || {
        relay.endpoints(EndpointState::Available) == 2
    })
    .await;
    let calling = async { while body(relay.call(get("/hr")).await).await != "ailing" {} };
    tokio::time::timeout(PATIENCE, calling)
        .await
        .expect("it gets calls");
}

#[tokio::test]
async fn a_name_stands_for_all_its_addresses_and_keeps_them_when_it_is_gone() {
    let alive = named("alive").await;
    // `invalid` is a name that nobody ever has (RFC 6761 §6.4).
    let gone = Origin {
        host: "gone.invalid".into(),
        port: alive.port,
    };
    let mut settings = UpstreamSettings {
        connect_timeout: PATIENCE,
        ..UpstreamSettings::at("localhost", alive.port)
    };
    settings.origins.push(gone.clone());
    let relay = Relay::start(settings.clone()).await;
    // `localhost` may have an address of IPv6 too, at which nobody listens: no call notices.
    for _ in 0..10 {
        assert_eq!(body(relay.call(get("/hr")).await).await, "alive");
    }
    assert!(relay.events(UpstreamEvent::ResolutionFailed) >= 1);

    let upstream = relay.upstream();
    let before = upstream.live.members().len();
    let looked_up = tokio::net::lookup_host((&*gone.host, 1)).await;
    assert!(looked_up.is_err(), "a name that nobody has");
    let none: Vec<_> = looked_up.into_iter().flatten().collect();
    upstream.live.resolved(0, &none);
    assert_eq!(
        upstream.live.members().len(),
        before,
        "the last addresses stay"
    );
    assert_eq!(body(relay.call(get("/hr")).await).await, "alive");

    settings.origins = vec![gone];
    relay.reload(settings);
    assert_eq!(relay.call(get("/hr")).await.status(), 503);
}

#[tokio::test]
async fn a_name_that_moves_takes_its_calls_along_and_an_endpoint_that_stays_keeps_its_connections()
{
    let (a, b) = (named("a").await, named("b").await);
    let relay = Relay::start(at(&[a.port])).await;
    assert_eq!(body(relay.call(get("/hr")).await).await, "a");
    let address = |port: u16| ([127, 0, 0, 1], port).into();
    let live = relay.upstream();
    live.live.resolved(0, &[address(a.port), address(b.port)]);
    for _ in 0..6 {
        relay.call(get("/hr")).await;
    }
    assert_eq!(
        (a.connections(), b.connections()),
        (1, 1),
        "kept, and opened once"
    );
    live.live.resolved(0, &[address(b.port)]);
    for _ in 0..4 {
        assert_eq!(body(relay.call(get("/hr")).await).await, "b");
    }
}
