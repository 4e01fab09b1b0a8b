//! The control plane over its own listener: TLS, both versions of HTTP, and a change that is in force when it is answered.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use boomgate::clock::SystemClock;
use boomgate::feeds::graph::GraphFeed;
use boomgate::feeds::reload::channel;
use boomgate::feeds::signals::{SignalContext, SignalFeed};
use boomgate::feeds::{KeyFeed, KeyFeedContext, StateFeed, StateFeedContext, Status};
use boomgate::identity::Authenticator;
use boomgate::identity::settings::TokenSettings;
use boomgate::listener::socket::bind_alone;
use boomgate::listener::{TlsInUse, load, serve_management};
use boomgate::management::settings::{Folders, ManagementSettings};
use boomgate::management::{State, router};
use boomgate::policy::OnUnsupported;
use boomgate::record::Recorder;
use boomgate::record::settings::{Destination, Overflow, RecordSettings};
use boomgate::snapshot::{Snapshot, Snapshots};
use boomgate::spiffe::settings::OwnCertificate;
use boomgate::store::MemoryStore;
use boomgate::telemetry::Metrics;
use boomgate::types::{RiskLevel, Secret};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use tokio::sync::watch;

use crate::support::client::{Client, text};
use crate::support::pki::Pki;
use crate::support::site::{Answer, Setup, Site, exchange};

const AGENTS: &str = "https://localhost/beta/identityProtection/riskyAgents";

fn state(pki: &Pki, address: SocketAddr) -> State {
    let snapshot = Snapshot {
        generation: "g".into(),
        ..Snapshot::default()
    };
    let status = Status::default();
    status.start();
    let metrics = Metrics::new().unwrap();
    let records = RecordSettings {
        destination: Destination::File(pki.path("records.jsonl")),
        queue: 16,
        wait: Duration::from_secs(1),
        overflow: Overflow::Refuse,
        list_not_applied: false,
        recent: 100,
    };
    let (snapshots, status) = (Arc::new(Snapshots::new(snapshot)), Arc::new(status));
    let keys = Arc::new(KeyFeed::new(KeyFeedContext {
        snapshots: Arc::clone(&snapshots),
        status: Arc::clone(&status),
        metrics: Arc::clone(&metrics),
        clock: Arc::new(SystemClock),
    }));
    let reported = StateFeedContext {
        store: Arc::new(MemoryStore::default()),
        snapshots: Arc::clone(&snapshots),
        status: Arc::clone(&status),
        clock: Arc::new(SystemClock),
    };
    let (recorder, _thread) = Recorder::start(&records, Arc::clone(&metrics)).unwrap();
    let reported = Arc::new(StateFeed::new(reported, Vec::new()));
    let context = SignalContext {
        state: Arc::clone(&reported),
        snapshots: Arc::clone(&snapshots),
        status: Arc::clone(&status),
        metrics: Arc::clone(&metrics),
        clock: Arc::new(SystemClock),
    };
    State {
        snapshots,
        reported,
        signals: Arc::new(SignalFeed::new(context.clone())),
        graph: Arc::new(GraphFeed::new(context)),
        metrics,
        status,
        discovered: Arc::default(),
        clock: Arc::new(SystemClock),
        settings: Arc::new(ArcSwap::from_pointee(ManagementSettings {
            client_ca_file: None,
            address,
            certificate: OwnCertificate::Files {
                certificate_file: pki.path("server.pem"),
                key_file: pki.path("server.key"),
            },
            admin_token: Secret::new("an-admin-token"),
            oidc: None,
            allowed_hosts: Vec::new(),
            open_probes: true,
        })),
        folders: Arc::new(ArcSwap::from_pointee(Folders {
            policies: pki.path("policies"),
            on_unsupported: OnUnsupported::Reject,
            named_locations: None,
            directory: None,
        })),
        authenticator: Arc::new(Authenticator::new(TokenSettings {
            max_bytes: 16_384,
            cache_entries: 0,
            max_proof_age: Duration::from_secs(60),
        })),
        keys,
        reloads: channel().0,
        recorder,
        detections: Arc::default(),
    }
}

#[tokio::test]
async fn an_agent_is_stopped_over_tls_in_both_versions_of_http() {
    let pki = Pki::new();
    let tls = Arc::new(TlsInUse::new(
        load(&pki.server_tls(), &Arc::default()).unwrap(),
    ));
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let socket = bind_alone(&"management".into(), any).unwrap();
    let address = socket.local_addr().unwrap();
    let state = state(&pki, address);
    let (stop, stopped) = watch::channel(false);
    let served = tokio::spawn(serve_management(
        socket,
        tls,
        router(state.clone()),
        stopped,
    ));

    let mut http1 = Client::http1(&pki, address).await;
    let ready = http1.get("/readyz").await.unwrap();
    assert_eq!(ready.status(), 200);
    assert_eq!(text(ready).await, r#"{"reasons":[],"status":"ready"}"#);

    let mut http2 = Client::http2(&pki, address).await;
    let refused = http2
        .get("/beta/identityProtection/riskyAgents")
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
    let post = Request::post(format!("{AGENTS}/confirmCompromised"))
        .header("authorization", "Bearer an-admin-token")
        .header("content-type", "application/json")
        .body(Full::from(r#"{"agentIds":["agent-1","agent-2"]}"#));
    assert_eq!(http2.send(post.unwrap()).await.unwrap().status(), 204);
    let snapshot = state.snapshots.load();
    let level = snapshot.risk.get("agent-1").unwrap().effective_level();
    assert_eq!(level, Some(RiskLevel::High));
    let mut next = format!("{AGENTS}?$top=1&$count=true&$select=id");
    for id in ["agent-1", "agent-2"] {
        let request = Request::get(&next)
            .header("authorization", "Bearer an-admin-token")
            .body(Full::default());
        let page = text(http2.send(request.unwrap()).await.unwrap()).await;
        let page: Value = serde_json::from_str(&page).unwrap();
        assert_eq!(page["@odata.count"], 2, "{page}");
        assert_eq!(page["value"][0]["id"], id, "{page}");
        page["@odata.nextLink"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut next);
    }
    assert_eq!(next, "", "the second page is the last");

    drop((http1, http2));
    stop.send(true).unwrap();
    served.await.unwrap().unwrap();
}

/// What somebody looks for who looks for more than there is.
const DEBUG_PATHS: [&str; 36] = [
    "/",
    "/.env",
    "/.git/config",
    "/actuator",
    "/actuator/env",
    "/actuator/heapdump",
    "/admin",
    "/certs",
    "/clusters",
    "/config",
    "/config_dump",
    "/console",
    "/cpuprofiler",
    "/debug",
    "/debug/pprof",
    "/debug/pprof/",
    "/debug/pprof/goroutine?debug=2",
    "/debug/pprof/heap",
    "/debug/vars",
    "/debug/requests",
    "/dump",
    "/env",
    "/healthcheck/fail",
    "/info",
    "/logging?level=trace",
    "/metrics/",
    "/nginx_status",
    "/quitquitquit",
    "/runtime",
    "/server-info",
    "/server-status",
    "/stats",
    "/stats/prometheus",
    "/swagger.json",
    "/threaddump",
    "/trace",
];

#[tokio::test]
async fn paths_that_help_to_debug_are_not_there_for_anybody() {
    let site = Site::start(Setup::default()).await;
    let said = |answer: &Answer| answer.json()["error"]["message"].clone();
    let stranger = async |method: Method, path: &str| {
        let client = Client::http1(&site.pki, site.app.management()).await;
        let request = Request::builder().method(method).uri(path);
        exchange(client, request.header("host", "localhost"), "").await
    };
    let known = stranger(Method::GET, "/beta/identityProtection/riskyAgents").await;
    assert_eq!(known.status, 401);
    for path in DEBUG_PATHS {
        for prefix in ["", "/v1.0", "/beta"] {
            let path = format!("{prefix}{path}");
            for method in [Method::GET, Method::POST] {
                let answer = site.manage(method.clone(), &path, "").await;
                assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
                assert_eq!(said(&answer), "nothing has this path", "{path}");
                // Who is nobody does not even learn what is there.
                let answer = stranger(method.clone(), &path).await;
                assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
                assert_eq!(said(&answer), said(&known), "{path}");
            }
        }
    }
}

/// Paths and methods, as `docs/management.md` has them. `{version}` stands for both of Graph's, and each type for its two names.
fn documented() -> BTreeSet<(String, String)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/management.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `/"));
    let mut all = BTreeSet::new();
    for row in rows {
        let mut cells = row.split(" | ");
        let path = format!("/{}", cells.next().unwrap().trim_matches('`'));
        let methods = cells.next().unwrap();
        let paths = if path.contains("{version}") {
            ["v1.0", "beta"]
                .map(|version| path.replace("{version}", version))
                .to_vec()
        } else {
            vec![path]
        };
        for path in paths {
            for method in methods.split(", ") {
                all.insert((path.clone(), method.to_owned()));
                all.insert((
                    path.replace("/microsoft.graph.", "/graph."),
                    method.to_owned(),
                ));
            }
        }
    }
    all
}

/// The paths of a router, which it tells in no other way.
fn paths(router: &axum::Router) -> BTreeSet<String> {
    let shown = format!("{router:?}");
    // Behind them is what answers all else.
    let (shown, _others) = shown.split_once("fallback_router").unwrap();
    let paths = shown.split("RouteId(").filter_map(|piece| {
        let (_, path) = piece.split_once("): \"/")?;
        Some(format!("/{}", path.split_once('"')?.0))
    });
    paths.filter(|path| !path.contains("__private__")).collect()
}

#[tokio::test]
async fn its_paths_and_methods_are_those_of_the_documentation() {
    let pki = Pki::new();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let paths = paths(&router(state(&pki, any)));
    let site = Site::start(Setup::default()).await;
    let mut answered = BTreeSet::new();
    for path in &paths {
        let one = path.replace("{id}", "none-such");
        let one = one
            .replace("{name}", "none-such")
            .replace("{action}", "none-such");
        assert!(!one.contains('{'), "{path}");
        for method in [
            "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND",
        ] {
            let asked = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = site.manage(asked, &one, "").await;
            if answer.status != StatusCode::METHOD_NOT_ALLOWED {
                answered.insert((path.clone(), method.to_owned()));
            }
        }
    }
    let documented = documented();
    let more: Vec<_> = answered.difference(&documented).collect();
    let fewer: Vec<_> = documented.difference(&answered).collect();
    assert!(
        more.is_empty() && fewer.is_empty(),
        "not in the documentation: {more:#?}\nnot there: {fewer:#?}"
    );
    assert!(answered.len() > 60, "{}", answered.len());
}
