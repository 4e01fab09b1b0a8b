//! Attacks as data (`tests/attacks`), on a whole gateway through its TLS listener: the answers, the records, and what
//! the upstream saw. `docs/attacks.md` is the same rows as a table.

mod http1;
mod http2;
mod rows;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::client::{ALL_VERSIONS, PATIENCE, RawClient, connect};
use crate::support::site::{AGENT, Setup, Site};
use crate::support::upstream::Call;
use rows::{Row, Seen, Then};

/// What came of an attack on the wire.
#[derive(Debug, Default)]
struct Outcome {
    answers: Vec<u16>,
    /// The decision's id of each answer, where the protocol shows it without a decoder.
    decisions: Vec<String>,
    then: Then,
}

/// The agent may do everything but what is below `/hr/secret`.
fn setup() -> Setup {
    Setup {
        resource: vec![
            "max_body_size: 1KiB",
            "operations: [{path: /hr/secret/**, scopes: [Nobody]}]",
        ],
        ..Setup::default()
    }
}

/// The same, and its calls may become WebSockets.
fn setup_with_sockets() -> Setup {
    let mut setup = setup();
    setup.resource.push("upgrades: [websocket]");
    setup
}

#[tokio::test]
async fn every_attack_has_its_answer_its_record_and_nothing_else_at_the_upstream() {
    let (of_sockets, files): (Vec<_>, Vec<_>) = rows::all()
        .into_iter()
        .partition(|(name, _)| name == "websocket");
    attack_all(setup(), files).await;
    attack_all(setup_with_sockets(), of_sockets).await;
}

async fn attack_all(setup: Setup, files: Vec<(String, rows::File)>) {
    let site = Site::start(setup).await;
    let token = site.agent_token(AGENT);
    let mut wrong = Vec::new();
    let mut refusals = Vec::new();
    let rows = files.iter().flat_map(|(_, file)| &file.rows);
    let forwarded: usize = rows.map(|row| row.upstream.len()).sum();
    for (_, file) in files {
        for row in file.rows {
            let before = site.upstream.calls().len();
            println!("{}", row.attack);
            let outcome = attack(&site, &row, &token).await;
            let calls = site.upstream.calls().split_off(before);
            wrong.extend(differences(&row, &outcome, &calls));
            if let Some(reason) = &row.reason {
                let decision = match outcome.decisions.get(row.answers.len() - 1) {
                    Some(id) => Decision::Id(id.clone()),
                    None => Decision::Agent(row.attack.clone()),
                };
                refusals.push((row.attack.clone(), decision, reason.clone()));
            }
        }
    }
    let path = site.path("records.jsonl");
    let upstream = site.upstream.handle();
    site.app.stop().await.unwrap();
    let calls = upstream.calls().len();
    if calls != forwarded {
        wrong.push(format!(
            "the upstream saw {calls} calls in the end, not {forwarded}"
        ));
    }
    let records = read_decisions(&path);
    for (attack, decision, reason) in refusals {
        let record = match &decision {
            Decision::Id(id) => records.iter().find(|record| record["id"] == **id),
            Decision::Agent(name) => records.iter().find(|record| record["userAgent"] == **name),
        };
        let found = record.map(|record| record["boomgate"]["reason"].clone());
        if found != Some(Value::from(reason.as_str())) {
            wrong.push(format!("{attack}: recorded {found:?} instead of {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the record of an answer is.
enum Decision {
    Id(String),
    /// The program that the caller said it was.
    Agent(String),
}

/// What the record of a decision has, and that of an outcome has not.
const OF_A_DECISION: &str = "\"createdDateTime\"";

fn read_decisions(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|line| line.contains(OF_A_DECISION))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn attack(site: &Site, row: &Row, token: &str) -> Outcome {
    let alpn = if row.is_http2() { "h2" } else { "http/1.1" };
    let config = site.pki.client(&[alpn], ALL_VERSIONS, None);
    let client = RawClient(connect(site.address(), config, &row.sni).await.unwrap());
    let outcome = async {
        if row.is_http2() {
            http2::attack(client, row, token).await
        } else {
            http1::attack(client, row, token).await
        }
    };
    match tokio::time::timeout(PATIENCE, outcome).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("no end of it: {}", row.attack),
    }
}

fn differences(row: &Row, outcome: &Outcome, calls: &[Call]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut differ = |what: &str, found: &dyn std::fmt::Debug, expected: &dyn std::fmt::Debug| {
        wrong.push(format!(
            "{}: {what} {found:?} instead of {expected:?}",
            row.attack
        ));
    };
    if !row.is_flood() && outcome.answers != row.answers {
        differ("answered", &outcome.answers, &row.answers);
    }
    if outcome.then != row.then() {
        differ("the connection is", &outcome.then, &row.then());
    }
    if !row.is_http2() && outcome.decisions.iter().any(String::is_empty) {
        differ("decision ids", &outcome.decisions, &"one on each answer");
    }
    if calls.len() == row.upstream.len() {
        for (call, seen) in calls.iter().zip(&row.upstream) {
            if let Some(what) = seen.difference(call) {
                differ("upstream saw", call, &what);
            }
        }
    } else {
        differ("upstream saw", &calls, &row.upstream);
    }
    wrong
}

impl Seen {
    /// What of a call is not as it should be.
    fn difference(&self, call: &Call) -> Option<String> {
        let line = format!("{} {}", call.method, call.target);
        if line != self.line {
            return Some(self.line.clone());
        }
        let has = self.has.iter().find(|(name, value)| {
            let name = name.as_str();
            let authority = (name == "host")
                .then_some(call.authority.as_deref())
                .flatten();
            authority.or(call.header(name)) != Some(value)
        });
        if let Some((name, value)) = has {
            return Some(format!("{name}: {value}"));
        }
        if let Some(name) = self
            .lacks
            .iter()
            .find(|name| call.headers.contains_key(*name))
        {
            return Some(format!("no {name}"));
        }
        let forged = call
            .headers
            .keys()
            .find(|name| name.as_str().contains(['_', '.']));
        if let Some(name) = forged {
            return Some(format!("no {name}"));
        }
        if call.trailers.is_some() {
            return Some("no trailers".to_owned());
        }
        let body = self.body.as_ref()?;
        (rows::bytes_of(body, "") != call.body).then(|| format!("the body {body:?}"))
    }
}

/// The targets of the rows on targets, for whoever compares readings.
pub(crate) fn targets() -> Vec<Vec<u8>> {
    let files = rows::all();
    let (_, file) = files.iter().find(|(name, _)| name == "target").unwrap();
    let heads = file.rows.iter().filter_map(|row| row.head.as_ref());
    let lines = heads.filter_map(|head| head.lines().next()?.strip_prefix("GET "));
    let targets = lines.filter_map(|line| line.strip_suffix(" HTTP/1.1"));
    targets.map(|target| rows::bytes_of(target, "")).collect()
}

#[test]
fn the_table_of_attacks_is_that_of_the_data() {
    let expected = table::page(&rows::all());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/attacks.md");
    if std::env::var_os("BOOMGATE_WRITE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap();
    assert!(
        page == expected,
        "docs/attacks.md is not what the data says: BOOMGATE_WRITE_DOCS=1 cargo test --test it attacks"
    );
}

#[test]
fn there_are_enough_attacks_and_each_has_its_name() {
    let files = rows::all();
    let rows = files.iter().flat_map(|(_, file)| &file.rows);
    let names: Vec<_> = rows.map(|row| &row.attack).collect();
    let mut seen = BTreeSet::new();
    let twice: Vec<_> = names.iter().filter(|name| !seen.insert(**name)).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(names.len() >= 150, "{}", names.len());
}
