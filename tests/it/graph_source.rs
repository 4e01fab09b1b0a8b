//! Microsoft Graph as a source: what it says of agents is in force at the next call, and when it cannot be read that shows.

mod accounts;
mod config;
mod directory;
mod outage;
mod pages;
mod replicas;
mod risk;
mod server;
mod token;

use http::Method;
use serde_json::{Value, json};

use crate::support::site::{AGENT, BLUEPRINT, Ground, Setup, Site, TENANT, block};
use server::{CLIENT_ID, CLIENT_SECRET, Graph};

const RISKY: &str = "riskyAgents";
const DETECTIONS: &str = "agentRiskDetections";

/// A gateway that blocks at medium and high risk, and Graph beside it.
struct World {
    site: Site,
    graph: Graph,
}

impl World {
    /// With further members of the section, in YAML's flow style.
    async fn start(more: &str) -> Self {
        Self::with(more, |_| {}).await
    }

    /// The same with a Graph that has something to say from the beginning.
    async fn with(more: &str, prepare: impl FnOnce(&Graph)) -> Self {
        let (ground, graph) = lay(more).await;
        prepare(&graph);
        Self {
            site: Site::on(ground),
            graph,
        }
    }

    /// The answer to a call of the default agent.
    async fn status(&self) -> u16 {
        let token = self.site.agent_token(AGENT);
        self.site.get("/hr/people", &token).await.status.as_u16()
    }

    async fn until_status(&self, status: u16) {
        let what = format!("a call is answered with {status}");
        let is = async |_: &Site| self.status().await == status;
        self.site.until(&what, is).await;
    }

    /// Waits for this many more requests for the first page of a list: what was asked before has had its effect.
    async fn rounds(&self, list: &str, more: usize) {
        let count = || {
            let asked = self.graph.asked(list);
            asked.iter().filter(|one| one.is_first_page()).count()
        };
        let before = count();
        let came = async |_: &Site| count() >= before + more;
        self.site.until("Graph is asked again", came).await;
    }

    /// Everything wrong on `/readyz`: status, and messages by source.
    async fn ready(&self) -> Value {
        self.site.manage(Method::GET, "/readyz", "").await.json()
    }

    /// What `/readyz` says of one source; empty if nothing is wrong.
    async fn fault(&self, source: &str) -> String {
        let ready = self.ready().await;
        let reasons = ready["reasons"].as_array().unwrap();
        let mut reasons = reasons.iter().filter(|one| one["source"] == source);
        reasons.next().map_or_else(String::new, |one| {
            let messages = one["messages"].as_array().unwrap().iter();
            let messages: Vec<_> = messages.map(|one| one.as_str().unwrap()).collect();
            messages.join("\n")
        })
    }

    async fn until_fault(&self, source: &str, part: &str) -> String {
        let mut last = String::new();
        let what = format!("`{source}` says {part:?}");
        self.site
            .until(&what, async |_: &Site| {
                last = self.fault(source).await;
                last.contains(part) && (part.is_empty() == last.is_empty())
            })
            .await;
        last
    }

    async fn counted(&self, kind: &str, result: &str) -> u64 {
        let labels = [("source", "graph"), ("type", kind), ("result", result)];
        self.site
            .count("boomgate_risk_signals_total", &labels)
            .await
    }
}

/// A ground whose configuration asks a Graph that runs.
async fn lay(more: &str) -> (Ground, Graph) {
    lay_with("", more).await
}

/// The same with further sections.
async fn lay_with(sections: &str, more: &str) -> (Ground, Graph) {
    let ground = Ground::lay(&Setup {
        sections: sections.to_owned(),
        policies: vec![block("risky", json!({"agentIdRiskLevels": "medium,high"}))],
        ..Setup::default()
    })
    .await;
    let graph = Graph::start(&ground.pki).await;
    std::fs::write(ground.path("graph-secret"), format!("{CLIENT_SECRET}\n")).unwrap();
    append(
        &ground,
        &section(&graph.url, "client_secret: 'file:graph-secret'", more),
    );
    (ground, graph)
}

/// The section that asks a Graph there.
fn section(url: &str, proof: &str, more: &str) -> String {
    let token_url = format!("{url}/{TENANT}/oauth2/v2.0/token");
    let interval = if more.contains(", interval:") {
        ""
    } else {
        ", interval: 1s"
    };
    format!(
        "graph: {{tenant: {TENANT}, client_id: {CLIENT_ID}, {proof}, base_url: '{url}', token_url: '{token_url}', ca_file: ../ca.pem{interval}{more}}}"
    )
}

fn append(ground: &Ground, section: &str) {
    let path = ground.path("boomgate.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{text}\n{section}\n")).unwrap();
}

/// A `riskyAgent`, as the published schema has it.
fn risky(id: &str, level: &str, state: &str, changed: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.riskyAgentIdentity", "id": id, "agentDisplayName": "hr-agent-01",
        "identityType": "agentIdentity", "blueprintId": BLUEPRINT, "isDeleted": false, "isEnabled": true,
        "isProcessing": false, "riskLevel": level, "riskState": state, "riskDetail": "none",
        "riskLastModifiedDateTime": changed,
    })
}
