//! A real Prometheus that scrapes one management listener, and what is asked of it.
//!
//! The binary is the one that `BOOMGATE_PROMETHEUS` names; `tests/run` sets it.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::servers::tool;

/// Scrapes and rules are this far apart, so that a test takes seconds.
const INTERVAL: &str = "250ms";
/// What `$__rate_interval` and `$__range` stand for: wide enough for several scrapes.
const RANGE: &str = "10s";
/// How long a start, a scrape or an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A management listener, as Prometheus needs to know it. Its certificate must name the address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) address: SocketAddr,
    /// PEM: the CA that signed the listener's certificate.
    pub(crate) ca_file: &'a Path,
    /// The bearer token.
    pub(crate) token_file: &'a Path,
}

/// A running Prometheus with the shipped rules; it ends with this value.
#[derive(Debug)]
pub(crate) struct Prometheus {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The binary.
pub(crate) fn binary() -> Option<PathBuf> {
    tool("BOOMGATE_PROMETHEUS")
}

impl Prometheus {
    /// Starts it and waits until it listens.
    pub(crate) async fn start(binary: &Path, target: Target<'_>) -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("prometheus.yaml");
        fs::write(&config, configuration(target)).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(binary)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg("--web.listen-address=127.0.0.1:0")
            .arg("--log.level=info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut prometheus = Self {
            child,
            address,
            folder,
        };
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(address) = listening_address(&prometheus.log()) {
                prometheus.address = address;
                // It listens before it answers questions.
                if get_json(address, "/api/v1/query?query=1").await.is_ok() {
                    return prometheus;
                }
            }
            prometheus.pause(patience).await;
        }
    }

    /// Makes traffic until Prometheus has scraped the target `times` times after the first traffic.
    pub(crate) async fn scrape(&mut self, times: u64, traffic: impl AsyncFn()) {
        traffic().await;
        let samples = "count_over_time(up{job=\"boomgate\"}[10m])";
        let before = self.number(samples).await;
        let patience = Instant::now() + PATIENCE;
        while self.number(samples).await < before + times {
            traffic().await;
            self.pause(patience).await;
        }
        let up = self.number("up{job=\"boomgate\"}").await;
        assert_eq!(up, 1, "not scraped: {}", self.get("/api/v1/targets").await);
    }

    /// What a query gives: its samples, of which the last element is the value as text.
    pub(crate) async fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let filled = expression
            .replace("$__rate_interval", RANGE)
            .replace("$__range", RANGE)
            .replace("$resource", ".*")
            .replace("$instance", ".*");
        let path = format!("/api/v1/query?query={}", percent_encoded(&filled));
        let answer = self.get(&path).await;
        if answer["status"] != "success" {
            return Err(answer.to_string());
        }
        Ok(answer["data"]["result"].as_array().unwrap().clone())
    }

    /// The values of a label on a metric.
    pub(crate) async fn label_values(&self, metric: &str, label: &str) -> Vec<Value> {
        let metric = percent_encoded(metric);
        let answer = self
            .get(&format!("/api/v1/label/{label}/values?match[]={metric}"))
            .await;
        answer["data"].as_array().cloned().unwrap_or_default()
    }

    /// Every rule that it loaded, as its API tells: `name`, `query`, `health`, `lastError`.
    /// Waits until each was evaluated.
    pub(crate) async fn rules(&mut self) -> Vec<Value> {
        let patience = Instant::now() + PATIENCE;
        loop {
            let answer = self.get("/api/v1/rules").await;
            let groups = answer["data"]["groups"].as_array().unwrap().clone();
            let rules: Vec<_> = groups
                .iter()
                .flat_map(|group| group["rules"].as_array().unwrap().clone())
                .collect();
            if !rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown") {
                return rules;
            }
            self.pause(patience).await;
        }
    }

    /// The whole number that a query gives; 0 where it gives nothing.
    async fn number(&self, expression: &str) -> u64 {
        let samples = self.query(expression).await.unwrap();
        let value = samples
            .first()
            .and_then(|sample| sample["value"][1].as_str());
        value.map_or(0, |text| text.parse().unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        tokio::time::timeout(PATIENCE, get_json(self.address, path))
            .await
            .unwrap()
            .unwrap()
    }

    /// Waits a little; fails with the log once patience ends or Prometheus does.
    async fn pause(&mut self, patience: Instant) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let runs = self.child.try_wait().unwrap().is_none();
        assert!(
            runs && Instant::now() < patience,
            "prometheus:\n{}",
            self.log()
        );
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

fn configuration(target: Target<'_>) -> String {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/rules.yaml");
    format!(
        "global: {{scrape_interval: {INTERVAL}, scrape_timeout: {INTERVAL}, evaluation_interval: {INTERVAL}}}\n\
         rule_files: [{rules:?}]\n\
         scrape_configs:\n\
         - job_name: boomgate\n  \
           scheme: https\n  \
           tls_config: {{ca_file: {:?}}}\n  \
           authorization: {{credentials_file: {:?}}}\n  \
           static_configs: [{{targets: [\"{}\"]}}]\n",
        target.ca_file, target.token_file, target.address
    )
}

/// The address in the line that says where it listens: it chose the port itself.
fn listening_address(log: &str) -> Option<SocketAddr> {
    let line = log
        .lines()
        .find(|line| line.contains("msg=\"Listening on\""))?;
    let (_, address) = line.split_once("address=")?;
    address.split_whitespace().next()?.parse().ok()
}

/// One GET over HTTP/1.0, so that the answer ends with the connection.
async fn get_json(address: SocketAddr, path: &str) -> io::Result<Value> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer
        .split_once("\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(serde_json::from_str(body)?)
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
