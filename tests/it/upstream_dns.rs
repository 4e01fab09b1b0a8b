//! Upstreams whose names are looked up by DNS, by their records' time to live. With a server of others (Debian's dnsmasq).

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use http::StatusCode;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::gateway::Gateway;
use crate::support::process::{Process, command};
use crate::support::servers::{free_address, refusing_address, tool};
use crate::support::site::{AGENT, Ground, Setup, Site};

const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);

/// A DNS server that knows one name, or what a test writes down.
struct Names {
    address: SocketAddr,
    hosts: PathBuf,
    process: Process,
    _folder: TempDir,
}

impl Names {
    /// One that gives its records so many seconds to live.
    async fn start(ttl: u32, first: Option<Ipv4Addr>) -> Option<Self> {
        Self::start_with(ttl, &first.map(line).unwrap_or_default()).await
    }

    /// The same, with these lines of names.
    async fn start_with(ttl: u32, lines: &str) -> Option<Self> {
        let dnsmasq = tool("BOOMGATE_DNSMASQ")?;
        let folder = TempDir::new().unwrap();
        let hosts = folder.path().join("hosts");
        let address = free_address();
        let mut command = Command::new(dnsmasq);
        command
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
            ])
            .args([
                "--no-hosts",
                "--bind-interfaces",
                "--listen-address=127.0.0.1",
            ])
            .args([
                "--user=root",
                "--group=root",
                "--pid-file",
                "--log-facility=-",
            ])
            .arg(format!("--port={}", address.port()))
            .arg(format!("--local-ttl={ttl}"))
            .args([
                "--local=/test/",
                "--local=/local/",
                "--local=/other/",
                "--local=/orders/",
            ])
            .arg(format!("--addn-hosts={}", hosts.display()));
        fs::write(&hosts, lines).unwrap();
        let mut names = Self {
            address,
            hosts,
            process: Process::of(command),
            _folder: folder,
        };
        names
            .process
            .until("the server of names listens", async |_| {
                TcpStream::connect(address).await.is_ok()
            })
            .await;
        Some(names)
    }

    /// From now on the name has this address, or none.
    fn say(&self, address: Option<Ipv4Addr>) {
        fs::write(&self.hosts, address.map(line).unwrap_or_default()).unwrap();
        self.process.signal("HUP");
    }

    /// A gateway whose upstream has the name.
    async fn site(&self, port: u16, bounds: &str) -> Site {
        Site::start(Setup {
            upstream: vec![
                format!("url: http://api.test:{port}"),
                format!("dns: {{servers: ['{}'], {bounds}}}", self.address),
            ],
            ..Setup::default()
        })
        .await
    }
}

fn line(address: Ipv4Addr) -> String {
    format!("{address} api.test\n")
}

/// Two servers at one port, each of which answers with its address. Connections last for one call.
async fn servers() -> u16 {
    loop {
        let first = TcpListener::bind((FIRST, 0)).await.unwrap();
        let port = first.local_addr().unwrap().port();
        // Somebody may have that port at the other address.
        let Ok(second) = TcpListener::bind((SECOND, port)).await else {
            continue;
        };
        for socket in [first, second] {
            tokio::spawn(async move {
                while let Ok((stream, _)) = socket.accept().await {
                    tokio::spawn(answer(stream));
                }
            });
        }
        return port;
    }
}

async fn answer(mut stream: TcpStream) {
    let body = stream.local_addr().unwrap().ip().to_string();
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            // Whoever asked may have gone.
            let _sent = stream.write_all(answer.as_bytes()).await;
            return;
        }
    }
}

async fn called(site: &Site) -> String {
    let answer = site.get("/hr/people", &site.agent_token(AGENT)).await;
    assert_eq!(answer.status, StatusCode::OK);
    String::from_utf8(answer.body).unwrap()
}

async fn failed_look_ups(site: &Site) -> u64 {
    let labels = [("event", "resolution_failed")];
    site.count("boomgate_upstream_events_total", &labels).await
}

#[tokio::test]
async fn a_change_counts_when_the_record_is_to_live_no_longer_and_never_before_the_least_time() {
    let port = servers().await;
    for (ttl, bounds, least) in [
        (0, "min_ttl: 3s", 3),
        (3, "min_ttl: 1s", 3),
        (86_400, "min_ttl: 1s, max_ttl: 2s", 2),
    ] {
        let Some(names) = Names::start(ttl, Some(FIRST)).await else {
            return;
        };
        let before = Instant::now();
        let site = names.site(port, bounds).await;
        assert_eq!(called(&site).await, FIRST.to_string());
        names.say(Some(SECOND));
        site.until("the change counts", async |site| {
            called(site).await == SECOND.to_string()
        })
        .await;
        let after = before.elapsed();
        assert!(after >= Duration::from_secs(least), "{bounds}: {after:?}");
        assert_eq!(failed_look_ups(&site).await, 0);
    }
}

#[tokio::test]
async fn the_last_addresses_stay_while_the_name_or_its_server_is_gone() {
    let port = servers().await;
    let Some(mut names) = Names::start(1, Some(FIRST)).await else {
        return;
    };
    let site = names.site(port, "min_ttl: 1s").await;
    assert_eq!(called(&site).await, FIRST.to_string());
    // No such name.
    names.say(None);
    site.until("a look-up finds nothing", async |site| {
        failed_look_ups(site).await > 0
    })
    .await;
    assert_eq!(called(&site).await, FIRST.to_string());
    names.say(Some(SECOND));
    site.until("it is there again", async |site| {
        called(site).await == SECOND.to_string()
    })
    .await;
    let failed = failed_look_ups(&site).await;
    names.process.signal("KILL");
    names.process.end().await;
    site.until("a look-up has no answer", async |site| {
        failed_look_ups(site).await > failed
    })
    .await;
    assert_eq!(called(&site).await, SECOND.to_string());
}

#[tokio::test]
async fn calls_to_a_name_that_is_not_there_do_not_ask_for_it_again_and_again() {
    let Some(names) = Names::start(1, None).await else {
        return;
    };
    let site = names.site(80, "min_ttl: 1h, max_ttl: 1h").await;
    for _ in 0..20 {
        let answer = site.get("/hr/people", &site.agent_token(AGENT)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    // Once without a call, and once for the first call.
    assert_eq!(failed_look_ups(&site).await, 2);
}

/// A name of `/etc/hosts` that has an address of this machine. DNS knows `localhost` without that file.
fn own_name() -> Option<(Ipv4Addr, String)> {
    let hosts = fs::read_to_string("/etc/hosts").ok()?;
    hosts.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address: Ipv4Addr = words.next()?.parse().ok()?;
        let name = words.find(|word| !word.starts_with("localhost"))?;
        std::net::TcpListener::bind((address, 0)).ok()?;
        Some((address, name.to_owned()))
    })
}

#[tokio::test]
async fn names_of_the_machine_are_found_without_a_server() {
    let own = own_name();
    let (address, name) = own.unwrap_or((Ipv4Addr::LOCALHOST, "localhost".to_owned()));
    let socket = TcpListener::bind((address, 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    let site = Site::start(Setup {
        upstream: vec![
            format!("url: http://{name}:{port}"),
            format!("dns: {{servers: ['{}']}}", refusing_address()),
        ],
        ..Setup::default()
    })
    .await;
    assert_eq!(called(&site).await, address.to_string());
}

/// `boomgate run` on a machine whose `/etc/resolv.conf` is this text; `None` where nobody may set up such a machine.
fn run_with_resolv_conf(ground: &Ground, resolv_conf: &str) -> Option<Command> {
    // The file is bound over that of the machine for this process alone, in its own view of the mounts.
    const SCRIPT: &str = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    let file = ground.path("resolv.conf");
    fs::write(&file, resolv_conf).unwrap();
    let unshared = || {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", SCRIPT]).arg(&file);
        command
    };
    let allowed = unshared().arg("true").output().unwrap();
    if !allowed.status.success() {
        println!("needs root, and mounts: {allowed:?}");
        return None;
    }
    let plain = command(&["run", "--config"]);
    let mut command = unshared();
    command
        .arg(plain.get_program())
        .args(plain.get_args())
        .arg(ground.path("boomgate.yaml"));
    Some(command)
}

#[tokio::test]
async fn short_names_are_looked_up_in_the_search_domains_and_names_with_a_dot_at_their_end_are_not()
{
    const CLUSTER: &str =
        "nameserver 127.0.0.1\nsearch ns.svc.cluster.local svc.cluster.local\noptions ndots:5\n";
    const FEW_DOTS: &str =
        "nameserver 127.0.0.1\nsearch ns.svc.cluster.local svc.cluster.local\noptions ndots:1\n";
    let port = servers().await;
    let known = format!(
        "{FIRST} orders.ns.svc.cluster.local\n{SECOND} orders.other.svc.cluster.local\n{SECOND} both.test\n\
         {FIRST} both.test.ns.svc.cluster.local\n"
    );
    let Some(names) = Names::start_with(60, &known).await else {
        return;
    };
    for (resolv_conf, name, expected) in [
        (CLUSTER, "orders", Some(FIRST)),
        // The second domain, in which services of other namespaces are.
        (CLUSTER, "orders.other", Some(SECOND)),
        (FEW_DOTS, "orders.other", Some(SECOND)),
        (CLUSTER, "orders.ns.svc.cluster.local", Some(FIRST)),
        (CLUSTER, "orders.ns.svc.cluster.local.", Some(FIRST)),
        (CLUSTER, "orders.", None),
        (CLUSTER, "orders.other.", None),
        (CLUSTER, "both.test.", Some(SECOND)),
        // With fewer dots than `ndots` the domains come first.
        (CLUSTER, "both.test", Some(FIRST)),
        (FEW_DOTS, "both.test", Some(SECOND)),
        ("nameserver 127.0.0.1\n", "orders", None),
    ] {
        let ground = Ground::lay(&Setup {
            upstream: vec![
                format!("url: http://{name}:{port}"),
                format!("dns: {{servers: ['{}']}}", names.address),
            ],
            ..Setup::default()
        })
        .await;
        let Some(command) = run_with_resolv_conf(&ground, resolv_conf) else {
            return;
        };
        let gateway = Gateway::of(Process::of(command)).await;
        let answer = gateway
            .get(&ground.pki, "/hr/people", &ground.agent_token(AGENT))
            .await;
        let found =
            (answer.status == StatusCode::OK).then(|| String::from_utf8(answer.body).unwrap());
        let expected = expected.map(|address| address.to_string());
        assert_eq!(found, expected, "{name} with {resolv_conf:?}");
    }
}
