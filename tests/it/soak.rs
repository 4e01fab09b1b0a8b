//! An hour of steady load on a gateway whose files change every ten seconds and whose upstream restarts: no call fails that
//! was not meant to, and memory does not grow. Half a minute of it runs with every test.
//!
//! `BOOMGATE_TESTS_LONG=1 cargo test --test it -- soak --nocapture` is the hour; with `BOOMGATE_BINARY` on the build that
//! is released. Figures and plot stand in `soak/` below the folder of cargo's temporary files.

mod load;
mod report;
mod restarting;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::reload::ways::Way;
use crate::support::gateway::Gateway;
use crate::support::site::{AGENT, Ground, OTHER_AGENT, RESOURCE, Setup, agent, block};
use load::{Load, Seen};
use report::Sample;
use restarting::Restarting;

/// How long it lasts, and how far reloads lie apart.
struct Course {
    length: Duration,
    turn: Duration,
    /// What memory may grow by in the second half. In a short run it still fills: with the newest records, for one.
    growth_mib: f64,
}

impl Course {
    fn chosen() -> Self {
        if std::env::var_os("BOOMGATE_TESTS_LONG").is_some() {
            Self {
                length: Duration::from_secs(3600),
                turn: Duration::from_secs(10),
                growth_mib: 4.0,
            }
        } else {
            Self {
                length: Duration::from_secs(30),
                turn: Duration::from_secs(1),
                growth_mib: 24.0,
            }
        }
    }
}

/// Two endpoints that restart by turns, and one for what stays open all the time.
fn setup(endpoints: &[&Restarting], steady: &Restarting) -> Setup {
    let urls: Vec<_> = endpoints
        .iter()
        .map(|endpoint| format!("http://{}", endpoint.address))
        .collect();
    // Lives as long as the tests do, as the members of a setup must.
    let steady: &'static str = Box::leak(
        format!(
            "- {{name: steady-api, app_id: 11111111-0000-4000-8000-000000000005, hosts: ['*'], path_prefixes: [/steady], audiences: [{RESOURCE}], upstream: {{url: 'http://{}'}}}}",
            steady.address
        )
        .into_boxed_str(),
    );
    Setup {
        policies: vec![block(
            "one-agent",
            json!({"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}}),
        )],
        upstream: vec![format!("endpoints: {}", json!(urls))],
        resources: vec![steady],
        ..Setup::default()
    }
}

/// Puts another version in the place of each file that the gateway follows, none of which changes what is decided.
fn publish(ground: &Ground, turn: usize) {
    let write = |path: &Path, text: &str| Way::RenameOver.write(path, text);
    let conditions =
        json!({"clientApplications": {"includeAgentIdServicePrincipals": [OTHER_AGENT]}});
    let (_, mut policy) = block("one-agent", conditions);
    policy["displayName"] = json!(format!("turn {turn}"));
    write(&ground.path("policies/one-agent.json"), &policy.to_string());
    let mut directory = Setup::default().directory;
    directory.push(agent(
        &format!("a9a9a9a9-0000-4000-8000-{turn:012}"),
        "passer-by",
    ));
    let directory = json!({"value": directory});
    write(&ground.path("agents/agents.json"), &directory.to_string());
    let (certificate, key) = ground.pki.issue(&["localhost"]);
    write(&ground.path("../server.key"), &key);
    write(&ground.path("../server.pem"), &certificate);
    let configuration = std::fs::read_to_string(ground.path("boomgate.yaml")).unwrap();
    let (before, _) = configuration
        .split_once("\nresponses:")
        .unwrap_or((&configuration, ""));
    let seconds = turn % 7 + 1;
    let configuration = format!("{before}\nresponses: {{retry_after: {seconds}s}}\n");
    write(&ground.path("boomgate.yaml"), &configuration);
}

/// Rotates the records away, and gives how many calls ended in which way since the last time.
fn rotate(ground: &Ground, gateway: &Gateway, results: &mut BTreeMap<String, u64>) {
    let old = ground.path("records.old");
    if let Ok(text) = std::fs::read_to_string(&old) {
        count_outcomes(&text, results);
    }
    std::fs::rename(ground.path("records.jsonl"), &old).unwrap();
    // The writer opens a file of the old name, and the configuration is looked at as well.
    gateway.process.signal("HUP");
}

fn count_outcomes(text: &str, results: &mut BTreeMap<String, u64>) {
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        if let Some(result) = record["boomgate"]["outcome"]["result"].as_str() {
            *results.entry(result.to_owned()).or_default() += 1;
        }
    }
}

#[tokio::test]
async fn under_steady_load_with_reloads_and_restarts_no_call_fails_and_memory_stays_flat() {
    let course = Course::chosen();
    let (first, second) = (Restarting::start().await, Restarting::start().await);
    let steady = Restarting::start().await;
    let ground = Ground::lay(&setup(&[&first, &second], &steady)).await;
    let ground = Arc::new(ground);
    let gateway = Gateway::start(&ground.path("boomgate.yaml")).await;
    let seen = Arc::new(Seen::default());
    let load = Load::start(&ground, gateway.public, &seen);

    let begun = Instant::now();
    let (mut samples, mut results) = (Vec::new(), BTreeMap::new());
    let mut turn = 0;
    while begun.elapsed() < course.length {
        turn += 1;
        publish(&ground, turn);
        rotate(&ground, &gateway, &mut results);
        [&first, &second][turn % 2].restart().await;
        tokio::time::sleep_until((begun + course.turn * u32::try_from(turn).unwrap()).into()).await;
        samples.push(Sample::take(begun, gateway.process.id(), &seen));
    }
    load.stop().await;
    let metrics = gateway
        .manage(&ground.pki, Method::GET, "/metrics", "")
        .await;
    let metrics = String::from_utf8(metrics.body).unwrap();
    let mut gateway = gateway;
    gateway.process.signal("TERM");
    assert!(gateway.process.end().await.success());
    for name in ["records.old", "records.jsonl"] {
        let text = std::fs::read_to_string(ground.path(name)).unwrap();
        count_outcomes(&text, &mut results);
    }

    report::write(&samples, &seen, turn, &results);
    assert_eq!(seen.failures(), Vec::<String>::new(), "{results:?}");
    let expected = [
        ("client_left", seen.streams()),
        ("completed", seen.calls(AGENT)),
        ("refused", seen.calls(OTHER_AGENT)),
    ];
    let recorded: Vec<_> = results
        .iter()
        .map(|(name, n)| (name.as_str(), *n))
        .collect();
    assert_eq!(recorded, expected, "each call as it was seen, and no other");
    let reloads = |result| -> usize {
        let name = format!("boomgate_config_reloads_total{{result=\"{result}\"}} ");
        let count = metrics.lines().find_map(|line| line.strip_prefix(&name));
        count.unwrap().parse().unwrap()
    };
    // A look may find a certificate without its key, which the next look has: the last good pair serves until then. Two
    // turns may be one reload where the machine is slow.
    let (good, faulty) = (reloads("success"), reloads("failure"));
    println!("{good} reloads, {faulty} looks between two files");
    assert!(good * 10 >= turn * 9, "{good} reloads in {turn} turns");
    report::assert_flat(&samples, course.growth_mib);
}
